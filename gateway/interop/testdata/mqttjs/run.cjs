// Runs every check of checks.cjs and prints "PASS name" or "FAIL name: reason" for each.
//
// usage: NODE_PATH=... node run.cjs mqtt://HOST:PORT|ws://HOST:PORT/mqtt
'use strict';

const mqtt = require('mqtt');
const checks = require('./checks.cjs');

const patience = 20_000; // milliseconds, for a whole check
const [url] = process.argv.slice(2);
const scheme = url.slice(0, url.indexOf(':'));

function late() {
  return new Promise((_, reject) => setTimeout(reject, patience, new Error(`not done after ${patience} ms`)).unref());
}

async function run() {
  let failed = false;
  for (const [name, check] of Object.entries(checks)) {
    const clients = [];
    const connect = async ({ onMessage, ...options }) => {
      const client = mqtt.connect(url, { clientId: `${scheme} ${name} ${clients.length}`, reconnectPeriod: 0, ...options });
      if (onMessage) client.on('message', (_, payload) => onMessage(payload.toString()));
      client.on('error', () => {}); // the check hears of it
      clients.push(client);
      await new Promise((resolve, reject) => client.once('connect', resolve).once('error', reject));
      return client;
    };
    try {
      await Promise.race([check(connect), late()]);
      console.log('PASS', name);
    } catch (e) {
      failed = true;
      const where = e.stack?.match(/checks\.cjs:\d+/)?.[0] ?? '';
      console.log(`FAIL ${name}: ${String(e.message).replaceAll('\n', ' ')} at ${where}`);
    }
    for (const client of clients) client.end(true);
  }
  process.exit(failed ? 1 : 0);
}

run();
