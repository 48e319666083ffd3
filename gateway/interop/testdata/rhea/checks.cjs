// The checks, by their claims. Each is given a Client of its own.
'use strict';

const assert = require('node:assert/strict');
const rhea = require('rhea');
const { event, outcome, receiver, send, sender } = require('./client.cjs');

const { filter, message, types } = rhea;

// numbered makes messages with the numbers up to n for their bodies.
const numbered = (n) => Array.from({ length: n }, (_, i) => ({ body: i }));
const numbers = (n) => Array.from({ length: n }, (_, i) => i);

// plain gives a decoded value in a form that can be compared.
function plain(value) {
  const v = types.unwrap(value);
  return JSON.stringify(v instanceof Date ? v.getTime() : v);
}

module.exports = {
  async queueKeepsOrder(client) {
    const connection = await client.connect();
    const link = await sender(connection, client.queue);
    for (const m of numbered(500)) link.send(m);
    const inbox = await receiver(connection, client.queue);
    assert.deepEqual(await inbox.bodies(500), numbers(500));
  },

  async largeMessagesPass(client) {
    const connection = await client.connect();
    const body = Buffer.alloc(900_000, 'large');
    await send(await sender(connection, client.queue), { body: message.data_section(body) });
    const { message: got } = await (await receiver(connection, client.queue)).next();
    assert.ok(body.equals(got.body.content));
  },

  async everyTypePasses(client) {
    const connection = await client.connect();
    const link = await sender(connection, client.queue);
    const inbox = await receiver(connection, client.queue);
    const values = {
      null: types.wrap(null), true: types.wrap(true), ubyte: types.wrap_ubyte(255), ushort: types.wrap_ushort(65_535),
      uint: types.wrap_uint(4_294_967_295), ulong: types.wrap_ulong(2 ** 52), byte: types.wrap_byte(-128),
      short: types.wrap_short(-32_768), int: types.wrap_int(-2_147_483_648), long: types.wrap_long(-(2 ** 52)),
      float: types.wrap_float(0.5), double: types.wrap_double(-0.25), char: types.wrap_char(0x1F680),
      timestamp: types.wrap_timestamp(1_700_000_000_000), uuid: types.wrap_uuid(Buffer.alloc(16, 7)),
      binary: types.wrap_binary(Buffer.from([0, 255])), string: types.wrap_string('naïve 道 🚀'),
      symbol: types.wrap_symbol('a-symbol'), list: types.wrap_list([1, 'two', [3]]),
      map: types.wrap_map({ k: { n: 1 } }), array: types.wrap_array([1, 2, 3], 0x71),
      described: types.wrap_described(['a', 1], 'an:address'),
    };
    for (const [name, value] of Object.entries(values)) {
      const simple = !['list', 'map', 'array', 'described'].includes(name);
      await send(link, {
        body: value, application_properties: simple ? { v: value } : {}, message_annotations: { 'x-opt-v': value },
      });
      const { message: got } = await inbox.next();
      const want = name === 'described' ? ['a', 1] : types.unwrap(value);
      assert.equal(plain(got.body), plain(want), `body of type ${name}`);
      assert.equal(plain(got.message_annotations['x-opt-v']), plain(want), `annotation of type ${name}`);
      if (simple) assert.equal(plain(got.application_properties.v), plain(want), `property of type ${name}`);
    }
  },

  async everyPropertyPasses(client) {
    const connection = await client.connect();
    const sent = {
      durable: true, priority: 7, ttl: 60_000, message_id: 'an id', user_id: Buffer.from('guest'), to: client.queue,
      subject: 'a subject', reply_to: 'queues/replies', correlation_id: 7, content_type: 'text/plain',
      content_encoding: 'identity', absolute_expiry_time: 4_000_000_000_000, creation_time: 1_700_000_000_000,
      group_id: 'a group', group_sequence: 9, reply_to_group_id: 'another', body: 'a body',
    };
    await send(await sender(connection, client.queue), sent);
    const { message: got } = await (await receiver(connection, client.queue)).next();
    assert.ok(got.ttl > 0 && got.ttl <= sent.ttl, `ttl is ${got.ttl}`);
    for (const [name, want] of Object.entries(sent)) {
      if (name !== 'ttl') assert.equal(plain(got[name]), plain(want), name);
    }
  },

  async outcomesDecide(client) {
    const connection = await client.connect();
    await send(await sender(connection, client.queue), { body: 'again' });
    const inbox = await receiver(connection, { source: client.queue, autoaccept: false, credit_window: 0 });
    const steps = [
      [0, (d) => d.release({ delivery_failed: false })],
      [0, (d) => d.modified({ delivery_failed: true })],
      [1, (d) => d.modified({ delivery_failed: true })],
      [2, (d) => d.accept()],
    ];
    for (const [count, settle] of steps) {
      inbox.link.add_credit(1);
      const { message: got, delivery } = await inbox.next();
      assert.equal(got.delivery_count || 0, count);
      settle(delivery);
    }
    inbox.link.add_credit(1);
    await inbox.nothing();
  },

  async anycastPassesOutcomesBack(client) {
    const connection = await client.connect();
    const inbox = await receiver(connection, { source: `commands/${client.check}`, autoaccept: false });
    const link = await sender(connection, `commands/${client.check}`);
    const settlements = [
      ['accepted', (d) => d.accept()],
      ['rejected', (d) => d.reject({ condition: 'amqp:precondition-failed', description: 'it does not suit' })],
      ['released', (d) => d.release({ delivery_failed: false })],
      ['released', (d) => d.modified({ delivery_failed: true })], // rhea says released for modified as well
    ];
    for (const [want, settle] of settlements) {
      const settled = outcome(link);
      link.send({ body: want });
      settle((await inbox.next()).delivery);
      assert.equal(await settled, want);
    }
  },

  async creditIsKept(client) {
    const connection = await client.connect();
    await send(await sender(connection, client.queue), ...numbered(10));
    const inbox = await receiver(connection, { source: client.queue, credit_window: 0 });
    await inbox.nothing();
    inbox.link.add_credit(3);
    assert.deepEqual(await inbox.bodies(3), [0, 1, 2]);
    inbox.link.add_credit(2);
    assert.deepEqual(await inbox.bodies(2), [3, 4]);
    await inbox.nothing();
  },

  async drainIsAnswered(client) {
    const connection = await client.connect();
    await send(await sender(connection, client.queue), ...numbered(2));
    const inbox = await receiver(connection, { source: client.queue, credit_window: 0 });
    const drained = event(inbox.link, 'receiver_drained');
    inbox.link.drain = true;
    inbox.link.add_credit(10);
    assert.deepEqual(await inbox.bodies(2), [0, 1]);
    await drained;
    assert.equal(inbox.link.credit, 0);
  },

  async selectorChooses(client) {
    const connection = await client.connect();
    const link = await sender(connection, client.queue);
    for (const colour of ['red', 'green', 'red']) await send(link, { application_properties: { colour }, body: colour });
    const source = { address: client.queue, filter: filter.selector("colour = 'green'") };
    const chosen = await receiver(connection, { source });
    assert.ok(chosen.link.source.filter, 'the answer has no filter');
    assert.deepEqual(await chosen.bodies(1), ['green']);
    await chosen.nothing();
    assert.deepEqual(await (await receiver(connection, client.queue)).bodies(2), ['red', 'red']);
  },

  async browserTakesNothing(client) {
    const connection = await client.connect();
    await send(await sender(connection, client.queue), ...numbered(3));
    for (let i = 0; i < 2; i++) {
      const browser = await receiver(connection, { source: { address: client.queue, distribution_mode: 'copy' } });
      assert.deepEqual(await browser.bodies(3), numbers(3));
      browser.link.close();
    }
    assert.deepEqual(await (await receiver(connection, client.queue)).bodies(3), numbers(3));
  },

  async durableSubscriptionWaits(client) {
    const source = { address: client.topic, durable: 2, expiry_policy: 'never' };
    const link = await sender(await client.connect(), client.topic);
    const identity = { container_id: `subscriber-${client.check}` };
    const first = await client.connect(identity);
    const before = await receiver(first, { name: 'kept', source });
    await send(link, { body: 'heard' });
    assert.deepEqual(await before.bodies(1), ['heard']);
    before.link.detach();
    await event(before.link, 'receiver_close').catch(() => {});
    first.close();
    await event(first, 'connection_close');
    await send(link, { body: 'kept' });
    const after = await receiver(await client.connect(identity), { name: 'kept', source });
    assert.deepEqual(await after.bodies(1), ['kept']);
    after.link.close();
  },

  async requestGetsReply(client) {
    const connection = await client.connect();
    const replies = await receiver(connection, { source: { dynamic: true } });
    const requests = await receiver(await client.connect(), client.queue);
    const link = await sender(connection, client.queue);
    await send(link, { body: 'please', reply_to: replies.link.source.address, correlation_id: 'c-1' });
    const { message: request, connection: server } = await requests.next();
    server.send({ to: request.reply_to, correlation_id: request.correlation_id, body: request.body.toUpperCase() });
    const { message: reply } = await replies.next();
    assert.deepEqual([reply.body, reply.correlation_id], ['PLEASE', 'c-1']);
  },

  async unknownAddressIsRefused(client) {
    const connection = await client.connect();
    const link = connection.open_sender('nowhere');
    const { sender: refused } = await event(link, 'sender_error');
    assert.equal(refused.error.condition, 'amqp:not-found');
    await send(await sender(connection, client.queue), { body: 'the session goes on' });
  },

  async settledMessagesAreTaken(client) {
    const connection = await client.connect();
    const link = await sender(connection, { target: client.queue, snd_settle_mode: 1 });
    for (const m of numbered(20)) link.send(m);
    const inbox = await receiver(connection, { source: client.queue, snd_settle_mode: 1 });
    assert.deepEqual(await inbox.bodies(20), numbers(20));
  },

  async receiverSettlesSecond(client) {
    const connection = await client.connect();
    await send(await sender(connection, client.queue), { body: 'exactly once' });
    const inbox = await receiver(connection, { source: client.queue, rcv_settle_mode: 1, autosettle: false });
    const settled = event(inbox.link, 'settled');
    assert.deepEqual(await inbox.bodies(1), ['exactly once']);
    const { delivery } = await settled;
    assert.ok(delivery.remote_settled);
  },

  async severalSessionsSend(client) {
    const connection = await client.connect();
    const inbox = await receiver(connection, client.queue);
    for (let i = 0; i < 5; i++) {
      const session = connection.create_session();
      session.begin();
      const link = session.open_sender(client.queue);
      await event(link, 'sendable');
      await send(link, { body: i });
      session.close();
      await event(session, 'session_close');
    }
    assert.deepEqual(await inbox.bodies(5), numbers(5));
  },

  async heartbeatsKeepIdleConnection(client) {
    const connection = await client.connect({ idle_time_out: 300 });
    const link = await sender(connection, client.queue);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    await send(link, { body: 'still here' });
  },
};
