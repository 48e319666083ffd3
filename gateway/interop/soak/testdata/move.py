"""Moves messages from one queue to another, each in a transaction of its own, until the connection ends.

usage: move.py HOST:PORT FROM TO

Prints "took DELIVERY-COUNT BODY" for each message that it gets, begins to move it when it has read a line, and prints "moved"
when that is committed.
"""

import sys

from proton import Message
from proton.handlers import MessagingHandler, TransactionHandler
from proton.reactor import Container


class Move(MessagingHandler, TransactionHandler):
    def __init__(self, door, source, target):
        super().__init__(prefetch=0, auto_accept=False)
        self.door, self.source, self.target = door, source, target

    def on_start(self, event):
        self.container = event.container
        self.connection = event.container.connect(self.door, reconnect=False)
        self.sender = event.container.create_sender(self.connection, self.target)
        self.receiver = event.container.create_receiver(self.connection, self.source)

    def on_link_opened(self, event):
        if event.receiver == self.receiver:
            print("ready", flush=True)
            self.receiver.flow(1)

    def on_message(self, event):
        self.delivery, self.message = event.delivery, event.message
        print("took", self.message.delivery_count, bytes(self.message.body).decode(), flush=True)
        sys.stdin.readline()
        self.container.declare_transaction(self.connection, handler=self)

    def on_transaction_declared(self, event):
        event.transaction.send(self.sender, Message(body=self.message.body, inferred=True))
        event.transaction.accept(self.delivery)
        event.transaction.commit()

    def on_transaction_committed(self, event):
        print("moved", flush=True)
        self.receiver.flow(1)

    def on_transaction_aborted(self, event):
        sys.exit("the transaction was aborted")

    def on_transport_error(self, event):
        sys.exit("transport: %s" % event.transport.condition)


Container(Move(*sys.argv[1:])).run()
