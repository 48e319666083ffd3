// What a check has in hand: connections of rhea with its default options, whose events can be waited for.
'use strict';

const { on, once } = require('node:events');
const rhea = require('rhea');
const WebSocket = require('ws');

// Client makes the connections of one check and ends them with it.
class Client {
  #url;
  #connections = [];
  #fail;

  constructor(url, check) {
    this.#url = new URL(url);
    this.check = check;
    this.failure = new Promise((_, reject) => { this.#fail = reject; }); // never more than a rejection
  }

  // queue and topic are addresses that no other check has.
  get queue() { return `queues/${this.check}${this.#url.port}`; }

  get topic() { return `telemetry/${this.check}${this.#url.port}`; }

  // connect opens a connection; options are added to where it leads.
  async connect(options = {}) {
    const { protocol, hostname, port, href } = this.#url;
    const container = rhea.create_container();
    container.on('error', this.#fail);
    const way = protocol === 'ws:' ?
      { connection_details: container.websocket_connect(WebSocket)(href, ['amqp']) } :
      { host: hostname, port: Number(port) };
    const connection = container.connect({ ...way, ...options });
    this.#connections.push(connection);
    await event(connection, 'connection_open');
    return connection;
  }

  end() {
    for (const connection of this.#connections) connection.close();
  }
}

// event waits for one event of a connection, session or link, and gives its context.
async function event(emitter, name) {
  const [context] = await once(emitter, name);
  return context;
}

// sender opens a link that sends, when it has credit.
async function sender(connection, options) {
  const link = connection.open_sender(options);
  await event(link, 'sendable');
  return link;
}

// send sends messages and waits for the outcome of each.
async function send(link, ...messages) {
  for (const message of messages) {
    const settled = outcome(link);
    link.send(message);
    const name = await settled;
    if (name !== 'accepted') throw new Error(`a message was ${name}`);
  }
}

// outcome waits for the next outcome of a link's delivery, and gives its name.
async function outcome(link) {
  const done = new AbortController();
  try {
    return await Promise.race(['accepted', 'rejected', 'released', 'modified'].map(async (name) => {
      await once(link, name, { signal: done.signal });
      return name;
    }));
  } finally {
    done.abort();
  }
}

// Inbox keeps what comes on a link that receives.
class Inbox {
  #messages;
  #awaited;

  constructor(link) {
    this.link = link;
    this.#messages = on(link, 'message');
  }

  // next waits for a message, and gives the context it came with.
  async next() {
    this.#awaited ??= this.#messages.next();
    const { value: [context] } = await this.#awaited;
    this.#awaited = undefined;
    return context;
  }

  // bodies waits for so many messages, and gives their bodies.
  async bodies(n) {
    const bodies = [];
    while (bodies.length < n) bodies.push((await this.next()).message.body);
    return bodies;
  }

  // nothing expects that no message comes for a while.
  async nothing() {
    this.#awaited ??= this.#messages.next();
    const silence = new Promise((resolve) => setTimeout(resolve, 300));
    const came = await Promise.race([silence, this.#awaited]);
    if (came) throw new Error(`a message came that must not: ${JSON.stringify(came.value[0].message.body)}`);
  }
}

// receiver opens a link that receives, once it is attached.
async function receiver(connection, options) {
  const link = connection.open_receiver(options);
  const inbox = new Inbox(link);
  await event(link, 'receiver_open');
  return inbox;
}

module.exports = { Client, event, outcome, receiver, send, sender };
