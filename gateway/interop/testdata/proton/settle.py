"""Receives one message again and again, and settles it in another way each time, until it has rejected it.

usage: settle.py HOST:PORT ADDRESS
"""

import sys

from proton import Delivery
from proton.handlers import MessagingHandler
from proton.reactor import Container


class Settle(MessagingHandler):
    def __init__(self, door, address):
        super().__init__(prefetch=0, auto_accept=False)
        self.door, self.address = door, address
        self.steps = [self.release_it, self.fail_it, self.reject_it]

    def on_start(self, event):
        connection = event.container.connect(self.door)
        event.container.create_receiver(connection, self.address).flow(1)

    def on_message(self, event):
        print("delivery-count", event.message.delivery_count)
        self.steps.pop(0)(event.delivery)
        if self.steps:
            event.receiver.flow(1)
        else:
            event.receiver.close()
            event.connection.close()

    def release_it(self, delivery):
        self.release(delivery, delivered=False)

    def fail_it(self, delivery):
        delivery.local.failed = True
        self.settle(delivery, Delivery.MODIFIED)

    def reject_it(self, delivery):
        self.reject(delivery)

    def on_transport_error(self, event):
        print("transport:", event.transport.condition)


Container(Settle(sys.argv[1], sys.argv[2])).run()
