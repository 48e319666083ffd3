// Checks stompit, and prints "PASS name" or "FAIL name: reason" for each check.
//
// usage: NODE_PATH=... node stompit.cjs HOST:PORT
'use strict';

const assert = require('node:assert');
const { promisify } = require('node:util');
const stompit = require('stompit');

const patience = 20_000; // milliseconds, for a whole check
const [host, port] = process.argv[2].split(':');
const options = { host, port: Number(port), connectHeaders: { host: 'default', 'heart-beat': '1000,1000' } };

const connect = () => promisify(stompit.connect)(options);
const disconnect = (client) => new Promise((resolve, reject) => client.disconnect((e) => (e ? reject(e) : resolve())));

// send resolves when the receipt has come.
function send(client, headers, body) {
  return new Promise((resolve, reject) => {
    client.on('error', reject);
    client.send(headers, { onReceipt: resolve }).end(body);
  });
}

// next resolves with the next message of a subscription, and its body.
function next(client, headers) {
  return new Promise((resolve, reject) => {
    const subscription = client.subscribe(headers, (error, message) => {
      if (error) return reject(error);
      message.readString('utf-8', (e, body) => (e ? reject(e) : resolve({ message, body, subscription })));
    });
  });
}

const checks = {
  async sendsAndReceives() {
    const client = await connect();
    await send(client, { destination: '/queue/queues/stompit', color: 'red:\nblue' }, 'größe');
    const { message, body } = await next(client, { destination: '/queue/queues/stompit', ack: 'client-individual' });
    assert.strictEqual(body, 'größe');
    assert.strictEqual(message.headers.color, 'red:\nblue');
    client.ack(message);
    await disconnect(client);
  },

  async negativeAcknowledgementBringsItBack() {
    const client = await connect();
    await send(client, { destination: '/queue/queues/stompit' }, 'again');
    const headers = { destination: '/queue/queues/stompit', ack: 'client-individual' };
    const first = await next(client, headers);
    client.nack(first.message);
    first.subscription.unsubscribe();
    const second = await next(client, headers);
    assert.strictEqual(second.body, 'again');
    client.ack(second.message);
    await disconnect(client);
  },

  async commits() {
    const client = await connect();
    const transaction = client.begin();
    for (const body of ['1', '2']) transaction.send({ destination: '/queue/queues/stompit' }).end(body);
    await new Promise((resolve) => transaction.commit({ onReceipt: resolve }));
    const { body } = await next(client, { destination: '/queue/queues/stompit', ack: 'auto' });
    assert.strictEqual(body, '1');
    await disconnect(client);
  },
};

async function run() {
  let failed = false;
  for (const [name, check] of Object.entries(checks)) {
    const late = new Promise((_, reject) => setTimeout(reject, patience, new Error('not done in time')).unref());
    try {
      await Promise.race([check(), late]);
      console.log('PASS', name);
    } catch (e) {
      failed = true;
      console.log(`FAIL ${name}: ${String(e.stack).replaceAll('\n', ' ')}`);
    }
  }
  process.exit(failed ? 1 : 0);
}

run();
