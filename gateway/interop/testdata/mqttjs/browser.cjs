// Has mocha run the tests that MQTT.js has for browsers, as they stand, in Node.js: what they take from a browser is made
// here of Node.js's own. They are the only tests of MQTT.js that take a broker.
//
// usage: MQTTJS=FOLDER WS_PORT=N WSS_PORT=N NODE_PATH=... mocha browser.cjs
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { Worker: Thread } = require('node:worker_threads');
const { expect } = require('chai');
const mqtt = require('mqtt');

const { MQTTJS: folder, WS_PORT: wsPort, WSS_PORT: wssPort } = process.env;

// thread is what runs a web worker's program, whose broker is at a port that is written in it.
const thread = `
  const { parentPort, workerData: { file, port } } = require('node:worker_threads');
  const library = require('mqtt');
  globalThis.mqtt = { connect: (url, options) => library.connect(url.replace(':4000', ':' + port), options) };
  globalThis.importScripts = () => {};
  globalThis.postMessage = (message) => parentPort.postMessage(message);
  require('node:vm').runInThisContext(require('node:fs').readFileSync(file, 'utf8'));
`;

class Worker {
  constructor(file) {
    new Thread(thread, { eval: true, workerData: { file: path.join(folder, file), port: wsPort } })
      .on('message', (data) => this.onmessage({ data }))
      .on('error', (error) => this.onerror?.(error))
      .unref();
  }
}

const tests = fs.readFileSync(path.join(folder, 'test', 'browser', 'test.js'), 'utf8').replace(/^import .*$/gm, '');
const browser = { userAgent: 'Node.js' };
new Function('window', 'navigator', 'Worker', 'expect', 'mqtt', tests)({ mqtt, wsPort, wssPort }, browser, Worker, expect, mqtt);
