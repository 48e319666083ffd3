"""Sends the octets that it reads as lines of hexadecimals, each as one message, and prints those that come back.

usage: echo.py HOST:PORT ADDRESS
"""

import sys

from proton import Handler
from proton.reactor import Container


class Echo(Handler):
    """Works below Proton's messages, which would be encoded anew."""

    def __init__(self, door, address, messages):
        super().__init__()
        self.door, self.address, self.messages = door, address, messages
        self.sent = self.received = 0

    def on_reactor_init(self, event):
        connection = event.container.connect(self.door, reconnect=False, handler=self)
        self.receiver = event.container.create_receiver(connection, self.address)
        self.sender = event.container.create_sender(connection, self.address)
        self.receiver.flow(len(self.messages))

    def on_link_flow(self, event):
        if event.link == self.sender:
            self.send()

    def send(self):
        while self.sender.credit and self.sent < len(self.messages):
            self.sender.delivery(str(self.sent))
            self.sender.stream(self.messages[self.sent])
            self.sender.advance()
            self.sent += 1

    def on_delivery(self, event):
        delivery = event.delivery
        if delivery.link.is_sender:
            if delivery.updated:
                if str(delivery.remote_state) != "ACCEPTED":
                    print(delivery.remote_state, delivery.remote.condition)
                    event.connection.close()
                delivery.settle()
        elif delivery.readable and not delivery.partial:
            print(delivery.link.recv(delivery.pending).hex())
            delivery.link.advance()
            delivery.update(delivery.ACCEPTED)
            delivery.settle()
            self.received += 1
            if self.received == len(self.messages):
                event.connection.close()

    def on_link_remote_close(self, event):
        print("link:", event.link.remote_condition)
        event.connection.close()


Container(Echo(sys.argv[1], sys.argv[2], [bytes.fromhex(line) for line in sys.stdin])).run()
