// Checks node-coap; prints "PASS name" or "FAIL name: reason" for each check.
//
// usage: node node_checks.cjs HOST:PORT
"use strict";
const assert = require("assert");
const coap = require("coap");

const PATIENCE = 30_000; // milliseconds
const [hostname, port] = process.argv[2].split(":");

/** A request whose promise is kept by the response; each over a socket of its own unless an agent is given. */
function ask(method, path, { body, agent, ...more } = {}) {
  return new Promise((resolve, reject) => {
    const [pathname, query] = path.split("?");
    const request = coap.request({ hostname, port, method, pathname, query, agent: agent ?? false, ...more });
    request.on("response", resolve).on("error", reject);
    request.end(body);
  });
}

async function want(code, ...request) {
  const response = await ask(...request);
  assert.equal(response.code, code, `${request[0]} ${request[1]} was answered ${response.code} ${response.payload}`);
  return response;
}

function content(size) {
  return Buffer.from(Uint8Array.from({ length: size }, (_, i) => i ^ (i >> 8) ^ Math.floor(i / 251)));
}

function lockOf(response) {
  return "/" + response.options.filter((o) => o.name === "Location-Path").map((o) => o.value).join("/").replace(/^\//, "");
}

/** The notifications of a stream, one by one. */
function notifications(stream) {
  const came = [], awaited = [];
  stream.on("data", (data) => (awaited.length > 0 ? awaited.shift()(data) : came.push(data)));
  return () => (came.length > 0 ? Promise.resolve(came.shift()) : new Promise((resolve) => awaited.push(resolve)));
}

const checks = {
  async sendsReceivesAndSettles() {
    await want("2.04", "POST", "/a/queues/node", { body: "hello", options: { "Content-Format": "application/json" } });
    let got = await want("2.05", "POST", "/q/queues/node/head");
    assert.equal(got.payload.toString(), "hello");
    assert.equal(got.headers["Content-Format"], "application/json");
    await want("2.04", "PUT", lockOf(got));
    got = await want("2.05", "POST", "/q/queues/node/head");
    await want("2.02", "DELETE", lockOf(got));
    await want("4.04", "DELETE", lockOf(got));
    await want("2.04", "POST", "/q/queues/node/head?timeout=0");
  },

  async sendsWithoutConfirmation() {
    const got = want("2.05", "DELETE", "/q/queues/unconfirmed/head?timeout=20");
    await ask("POST", "/a/queues/unconfirmed", { body: "not confirmable", confirmable: false });
    assert.equal((await got).payload.toString(), "not confirmable");
  },

  async readsWhatATopicKeeps() {
    await want("4.04", "GET", "/a/telemetry/node/keeps");
    await want("2.04", "PUT", "/a/telemetry/node/keeps", { body: "on" });
    const got = await want("2.05", "GET", "/a/telemetry/node/keeps");
    assert.equal(got.payload.toString(), "on");
  },

  async movesBlocks() {
    for (const size of [6_668, 200_000]) {
      const body = content(size);
      const agent = new coap.Agent();
      await want("2.04", "POST", "/a/queues/blocks", { body, agent, options: { Block1: Buffer.from([6]) } });
      const got = await want("2.05", "DELETE", "/q/queues/blocks/head", { agent });
      assert(got.payload.equals(body), `${got.payload.length} bytes came`);
      await want("2.04", "PUT", `/a/telemetry/node/blocks/${size}`, { body, agent, options: { Block1: Buffer.from([2]) } });
      const kept = await want("2.05", "GET", `/a/telemetry/node/blocks/${size}`, { agent });
      assert(kept.payload.equals(body), `${kept.payload.length} bytes came`);
      agent.close();
    }
  },

  /** node-coap does not know Echo (RFC 9175). */
  async readsAndTakesWhatIsLargeFromAnUnprovenAddress() {
    const body = content(200_000);
    await want("2.04", "PUT", "/a/telemetry/node/large", { body, options: { Block1: Buffer.from([6]) } });
    assert((await want("2.05", "GET", "/a/telemetry/node/large")).payload.equals(body));
    await want("2.04", "POST", "/a/queues/large", { body, options: { Block1: Buffer.from([6]) } });
    assert((await want("2.05", "DELETE", "/q/queues/large/head")).payload.equals(body));
    await want("2.04", "POST", "/q/queues/large/head?timeout=0");
  },

  async observes() {
    const stream = await ask("GET", "/a/telemetry/node/observed", { observe: true });
    const next = notifications(stream);
    assert.equal((await next()).toString(), "");
    for (let i = 0; i < 50; i++) {
      await want("2.04", "POST", "/a/telemetry/node/observed", { body: `${i}`, confirmable: i % 2 === 0 });
      assert.equal((await next()).toString(), `${i}`);
    }
    stream.close();
  },

  async consumesAQueueByObservingIt() {
    for (let i = 0; i < 20; i++) {
      await want("2.04", "POST", "/a/queues/consumed", { body: `${i}` });
    }
    const stream = await ask("GET", "/a/queues/consumed", { observe: true });
    const next = notifications(stream);
    assert.equal((await next()).toString(), "");
    for (let i = 0; i < 20; i++) {
      assert.equal((await next()).toString(), `${i}`);
    }
    stream.close();
  },

  async asksManyThingsAtOnce() {
    const agent = new coap.Agent();
    const all = Array.from({ length: 60 }, (_, i) => `${i}`);
    await Promise.all(all.map((body) => want("2.04", "POST", "/a/queues/many", { body, agent })));
    const got = await Promise.all(all.map(() => want("2.05", "DELETE", "/q/queues/many/head?timeout=20", { agent })));
    assert.deepEqual(got.map((r) => r.payload.toString()).sort(), all.sort());
    await want("2.04", "POST", "/q/queues/many/head?timeout=0", { agent });
    agent.close();
  },

  async isRefusedWithTheRightCode() {
    await want("4.04", "GET", "/nothing");
    await want("4.04", "POST", "/a/nowhere", { body: "x" });
    await want("4.05", "DELETE", "/a/queues/node");
    await want("4.02", "GET", "/a/telemetry/node", { options: { 65001: Buffer.from("x") } });
    await want("5.05", "GET", "/a/telemetry/node", { proxyUri: "coap://127.0.0.1/x" });
    await want("5.03", "POST", "/a/commands/node", { body: "x" });
  },

  async discovers() {
    const got = await want("2.05", "GET", "/.well-known/core", { options: { Block2: Buffer.from([2]) } });
    assert.match(got.payload.toString(), /<\/ps>.*<\/a\/alerts>/);
  },
};

async function run(name) {
  let late;
  const patience = new Promise((_, reject) => {
    late = setTimeout(() => reject(new Error("not done in time")), PATIENCE);
  });
  try {
    await Promise.race([checks[name](), patience]);
    console.log(`PASS ${name}`);
    return true;
  } catch (error) {
    console.log(`FAIL ${name}: ${`${error.stack}`.replace(/\n/g, " ").slice(0, 500)}`);
    return false;
  } finally {
    clearTimeout(late);
  }
}

(async () => {
  let good = true;
  for (const name of Object.keys(checks)) {
    good = (await run(name)) && good;
  }
  process.exit(good ? 0 : 1);
})();
