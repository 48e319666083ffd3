// Runs every check of checks.cjs in Chromium and prints "PASS name" or "FAIL name: reason" for each.
//
// usage: NODE_PATH=... node run.cjs CHROMIUM http://HOST:PORT FOLDER
'use strict';

const puppeteer = require('puppeteer-core');
const checks = require('./checks.cjs');

const patience = 60_000; // milliseconds, for a whole check
const [executablePath, door, folder] = process.argv.slice(2);

function late() {
  return new Promise((_, reject) => setTimeout(reject, patience, new Error(`not done after ${patience} ms`)).unref());
}

async function run() {
  const browser = await puppeteer.launch({
    executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu', '--force-color-profile=srgb'],
  });
  let failed = false;
  for (const [name, check] of Object.entries(checks)) {
    const context = await browser.createBrowserContext();
    try {
      await Promise.race([check(context, door, folder), late()]);
      console.log('PASS', name);
    } catch (e) {
      failed = true;
      const where = e.stack?.match(/checks\.cjs:\d+/)?.[0] ?? '';
      console.log(`FAIL ${name}: ${String(e.message).replaceAll('\n', ' ')} at ${where}`);
    }
    await context.close();
  }
  await browser.close();
  process.exit(failed ? 1 : 0);
}

run();
