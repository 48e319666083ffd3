// Sends numbered messages to an address as credit comes, and once all have been accepted receives them.
//
// usage: NODE_PATH=... node exchange.cjs HOST PORT ADDRESS COUNT
'use strict';

const rhea = require('rhea');

const [host, port, address, n] = process.argv.slice(2);
const count = Number(n);
let sent = 0, accepted = 0, received = 0;

const connection = rhea.create_container().connect({ host, port: Number(port), reconnect: false });
connection.open_sender(address);

function fail(what) {
  console.log(what);
  process.exit(1);
}

connection.on('sendable', ({ sender }) => {
  while (sender.sendable() && sent < count) {
    sender.send({
      message_id: sent, correlation_id: `c-${sent}`, application_properties: { number: sent }, body: { number: sent },
    });
    sent++;
  }
});

connection.on('accepted', () => {
  accepted++;
  if (accepted === count) {
    console.log('accepted', accepted);
    connection.open_receiver(address);
  }
});

connection.on('message', ({ message, receiver }) => {
  if (message.body.number !== received || message.application_properties.number !== received ||
    message.correlation_id !== `c-${received}`) {
    fail(`received ${JSON.stringify(message)} as number ${received}`);
  }
  received++;
  if (received === count) {
    console.log('received', received);
    receiver.close();
    connection.close();
  }
});

for (const event of ['rejected', 'released', 'modified', 'sender_error', 'receiver_error', 'connection_error', 'disconnected']) {
  connection.on(event, (context) => fail(`${event} ${context.error || ''}`));
}
