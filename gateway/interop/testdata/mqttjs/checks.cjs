// Checks of MQTT.js. Each is given a function that makes a connected client, with a name of its own and these options.
'use strict';

const assert = require('node:assert/strict');
const { once } = require('node:events');

// versions are the protocols that the client speaks.
const versions = {
  31: { protocolId: 'MQIsdp', protocolVersion: 3 },
  311: { protocolVersion: 4 },
  5: { protocolVersion: 5 },
};

// message waits for the next one.
async function message(client) {
  const [topic, payload, packet] = await once(client, 'message');
  return { topic, text: payload.toString(), packet };
}

// each makes a check that is done with every version.
function each(check) {
  return async (connect) => {
    for (const [name, version] of Object.entries(versions)) await check(connect, name, version);
  };
}

exports.qualities = each(async (connect, name, version) => {
  const subscriber = await connect(version);
  const publisher = await connect(version);
  for (const qos of [0, 1, 2]) {
    const topic = `telemetry/qualities/${name}/${qos}`;
    const [granted] = await subscriber.subscribeAsync(topic, { qos });
    assert.equal(granted.qos, qos);
    const next = message(subscriber);
    await publisher.publishAsync(topic, 'hello', { qos });
    const { text, packet } = await next;
    assert.deepEqual([text, packet.qos, packet.retain], ['hello', qos, false]);
  }
});

exports.retained = each(async (connect, name, version) => {
  const topic = `telemetry/retained/${name}`;
  const publisher = await connect(version);
  await publisher.publishAsync(topic, 'kept', { qos: 1, retain: true });
  const subscriber = await connect(version);
  const next = message(subscriber);
  await subscriber.subscribeAsync(topic);
  const { text, packet } = await next;
  assert.deepEqual([text, packet.retain], ['kept', true]);
});

exports.missed = each(async (connect, name, version) => {
  const topic = `telemetry/missed/${name}`;
  const properties = name === '5' ? { sessionExpiryInterval: 3600 } : undefined;
  const options = { ...version, clientId: `sleeper ${name}`, clean: false, properties };
  const first = await connect(options);
  await first.subscribeAsync(topic, { qos: 2 });
  await first.endAsync();
  const publisher = await connect(version);
  await publisher.publishAsync(topic, 'missed', { qos: 2 });
  const got = [];
  const again = await connect({ ...options, onMessage: (text) => got.push(text) });
  while (got.length === 0) await once(again, 'message');
  assert.deepEqual(got, ['missed']);
});

exports.will = each(async (connect, name, version) => {
  const topic = `telemetry/will/${name}`;
  const watcher = await connect(version);
  await watcher.subscribeAsync(topic, { qos: 1 });
  const next = message(watcher);
  const mortal = await connect({ ...version, will: { topic, payload: Buffer.from('lost'), qos: 1, retain: false } });
  mortal.stream.destroy();
  assert.equal((await next).text, 'lost');
});

exports.refusal = each(async (connect, name, version) => {
  const client = await connect(version);
  const answer = await client.subscribeAsync('nowhere', { qos: 1 }).catch((e) => e);
  const code = answer instanceof Error ? answer.code ?? answer.packet?.granted[0] : answer[0].qos;
  assert.ok(code >= 0x80, `answered with ${code}`);
});

exports.properties = async (connect) => {
  const subscriber = await connect(versions[5]);
  await subscriber.subscribeAsync('telemetry/properties', { qos: 1, properties: { subscriptionIdentifier: 7 } });
  const next = message(subscriber);
  const publisher = await connect(versions[5]);
  const sent = {
    payloadFormatIndicator: true,
    messageExpiryInterval: 600,
    contentType: 'text/plain',
    responseTopic: 'telemetry/answers',
    correlationData: Buffer.from([0, 1]),
    userProperties: { a: ['1', '2'], b: '3' },
  };
  await publisher.publishAsync('telemetry/properties', 'text', { qos: 1, properties: sent });
  const { userProperties, messageExpiryInterval, ...rest } = (await next).packet.properties;
  assert.ok(messageExpiryInterval > 0 && messageExpiryInterval <= 600);
  assert.deepEqual({ ...userProperties }, sent.userProperties);
  delete sent.userProperties;
  delete sent.messageExpiryInterval;
  assert.deepEqual(rest, { ...sent, subscriptionIdentifier: 7 });
};

exports.aliases = async (connect) => {
  const subscriber = await connect({ ...versions[5], properties: { topicAliasMaximum: 5 } });
  await subscriber.subscribeAsync('telemetry/aliases');
  const publisher = await connect({ ...versions[5], autoUseTopicAlias: true, autoAssignTopicAlias: true });
  for (const text of ['one', 'two', 'three']) {
    const next = message(subscriber);
    publisher.publish('telemetry/aliases', text);
    const got = await next;
    assert.deepEqual([got.topic, got.text], ['telemetry/aliases', text]);
  }
};

exports.reconnect = async (connect) => {
  const client = await connect({ ...versions[5], reconnectPeriod: 10 });
  await client.subscribeAsync('telemetry/reconnect', { qos: 1 });
  const again = once(client, 'connect');
  client.stream.destroy();
  await again;
  const next = message(client);
  await client.publishAsync('telemetry/reconnect', 'here again', { qos: 1 });
  assert.equal((await next).text, 'here again');
};
