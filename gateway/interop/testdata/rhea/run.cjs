// Runs every check of checks.cjs, or those whose names contain a text, and prints "PASS name" or "FAIL name: reason" for
// each.
//
// usage: NODE_PATH=... node run.cjs amqp://HOST:PORT|ws://HOST:PORT [TEXT]
'use strict';

const checks = require('./checks.cjs');
const { Client } = require('./client.cjs');

const patience = 20_000; // milliseconds, for a whole check
const [url, wanted = ''] = process.argv.slice(2);

function late() {
  return new Promise((_, reject) => setTimeout(reject, patience, new Error(`not done after ${patience} ms`)).unref());
}

async function run() {
  let failed = false;
  for (const [name, check] of Object.entries(checks)) {
    if (!name.includes(wanted)) continue;
    const client = new Client(url, name);
    try {
      await Promise.race([check(client), late(), client.failure]);
      console.log('PASS', name);
    } catch (e) {
      failed = true;
      const where = e.stack?.match(/checks\.cjs:\d+/)?.[0] ?? '';
      console.log(`FAIL ${name}: ${String(e.message).replaceAll('\n', ' ')} at ${where}`);
    }
    client.end();
  }
  process.exit(failed ? 1 : 0);
}

run();
