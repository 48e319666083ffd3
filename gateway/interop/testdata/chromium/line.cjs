// A line between a browser and the door that can be cut.
'use strict';

const net = require('node:net');

class Line {
  // lastEventIDs are those of the requests for streams, in their order; undefined where there was none.
  lastEventIDs = [];
  #sockets = new Set();
  #server;

  static async to(door) {
    const line = new Line();
    const { hostname, port } = new URL(door);
    line.#server = net.createServer((near) => line.#join(near, net.connect(port, hostname)));
    await new Promise((resolve) => line.#server.listen(0, '127.0.0.1', resolve));
    line.url = `http://127.0.0.1:${line.#server.address().port}`;
    return line;
  }

  #join(near, far) {
    for (const [from, to] of [[near, far], [far, near]]) {
      this.#sockets.add(from);
      from.pipe(to);
      from.on('error', () => to.destroy());
      from.on('close', () => { this.#sockets.delete(from); to.destroy(); });
    }
    near.on('data', (octets) => this.#note(octets.toString('latin1')));
  }

  #note(request) {
    if (/^GET \S*\/stream/.test(request)) this.lastEventIDs.push(/^last-event-id: (\S+)\r$/im.exec(request)?.[1]);
  }

  // cut breaks all connections; new ones are let through.
  cut() {
    for (const socket of this.#sockets) socket.destroy();
  }

  end() {
    this.#server.close();
    this.cut();
  }
}

module.exports = { Line };
