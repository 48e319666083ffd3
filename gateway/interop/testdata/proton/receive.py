"""Receives numbered messages with the credit and the acceptance that the library has by default, and ends after the last.

usage: receive.py HOST:PORT ADDRESS COUNT [BYTES]
"""

import sys

from proton.handlers import MessagingHandler
from proton.reactor import Container


class Receive(MessagingHandler):
    def __init__(self, door, address, count, padding):
        super().__init__()
        self.door, self.address, self.count, self.padding = door, address, count, padding
        self.received = 0

    def on_start(self, event):
        connection = event.container.connect(self.door)
        event.container.create_receiver(connection, self.address)

    def on_link_opened(self, event):
        print("attached to", event.receiver.remote_source.address, flush=True)

    def on_message(self, event):
        m, n = event.message, self.received
        said = (m.id, m.subject, m.correlation_id, m.properties, m.body)
        want = (n, "number", "c-%d" % n, {"number": n, "even": n % 2 == 0},
                {"number": n, "padding": b"x" * self.padding})
        if said != want:
            print("received %.300r instead of %.300r" % (said, want))
            event.connection.close()
            return
        self.received += 1
        if self.received == self.count:
            print("received", self.received)
            event.receiver.close()
            event.connection.close()

    def on_link_error(self, event):
        print("link:", event.link.remote_condition.name)
        event.connection.close()

    def on_transport_error(self, event):
        print("transport:", event.transport.condition)


Container(Receive(sys.argv[1], sys.argv[2], int(sys.argv[3]), int((sys.argv[4:] or ["0"])[0]))).run()
