"""Sends numbered messages over one link as credit comes, and ends when all have been accepted.

usage: send.py HOST:PORT ADDRESS COUNT [BYTES]
"""

import sys

from proton import Message
from proton.handlers import MessagingHandler
from proton.reactor import Container


class Send(MessagingHandler):
    def __init__(self, door, address, count, padding):
        super().__init__()
        self.door, self.address, self.count, self.padding = door, address, count, padding
        self.sent = self.accepted = 0

    def on_start(self, event):
        connection = event.container.connect(self.door)
        event.container.create_sender(connection, self.address)

    def on_sendable(self, event):
        while event.sender.credit and self.sent < self.count:
            event.sender.send(Message(
                id=self.sent, subject="number", correlation_id="c-%d" % self.sent,
                properties={"number": self.sent, "even": self.sent % 2 == 0},
                body={"number": self.sent, "padding": b"x" * self.padding}))
            self.sent += 1

    def on_accepted(self, event):
        self.accepted += 1
        if self.accepted == self.count:
            print("accepted", self.accepted)
            event.connection.close()

    def on_rejected(self, event):
        print("rejected:", event.delivery.remote.condition.name)
        event.connection.close()

    def on_released(self, event):
        print("released")
        event.connection.close()

    def on_link_error(self, event):
        print("link:", event.link.remote_condition.name)
        event.connection.close()

    def on_transport_error(self, event):
        print("transport:", event.transport.condition)


Container(Send(sys.argv[1], sys.argv[2], int(sys.argv[3]), int((sys.argv[4:] or ["0"])[0]))).run()
