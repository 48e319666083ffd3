"""Sends in transactions, one of which it rolls back, and receives what a selector lets through, in transactions too, of
which it rolls back the first. What it prints is what was received in the end.

usage: linkroute.py HOST:PORT ADDRESS
"""

import sys

from proton import Message, symbol
from proton.handlers import MessagingHandler, TransactionHandler
from proton.reactor import Container, LinkOption, Selector


class Queue(LinkOption):
    """Asks for a queue, where the broker would make a topic."""

    def apply(self, link):
        (link.target if link.is_sender else link.source).capabilities.put_object(symbol("queue"))


class Links(MessagingHandler, TransactionHandler):
    def __init__(self, door, address):
        super().__init__(prefetch=0, auto_accept=False)
        self.door, self.address = door, address
        self.transaction, self.sent, self.aborted, self.taken = None, 0, 0, []

    def on_start(self, event):
        self.container = event.container
        self.connection = self.container.connect(self.door, reconnect=False)
        self.sender = self.container.create_sender(self.connection, self.address, options=Queue())

    def on_link_opened(self, event):
        if event.link == self.sender:
            self.container.declare_transaction(self.connection, handler=self)

    def on_link_error(self, event):
        sys.exit("link: %s" % event.link.remote_condition)

    def on_transport_error(self, event):
        sys.exit("transport: %s" % event.transport.condition)

    def on_transaction_declared(self, event):
        self.transaction = event.transaction
        if self.sent < 2:  # one transaction that is rolled back, and one that is not
            self.sent += 1
            for i in range(4):
                body = "%d of %d" % (i, self.sent)
                self.transaction.send(self.sender, Message(body=body, durable=True, properties={"odd": i % 2 == 1}))
            if self.sent == 1:
                self.transaction.abort()
            else:
                self.transaction.commit()
        else:
            self.receiver.flow(2 - len(self.taken))

    def on_transaction_declare_failed(self, event):
        sys.exit("no transaction: %s" % event.transaction)

    def on_message(self, event):
        self.transaction.accept(event.delivery)
        self.taken.append(event.message.body)
        if len(self.taken) < 2:
            return
        if self.aborted:
            self.transaction.commit()
        else:
            self.aborted, self.taken = 1, []
            self.transaction.abort()

    def on_transaction_aborted(self, event):
        self.container.declare_transaction(self.connection, handler=self)

    def on_transaction_committed(self, event):
        if self.taken:
            print("\n".join(sorted(self.taken)))
            self.connection.close()
            return
        self.receiver = self.container.create_receiver(self.connection, self.address, options=[Queue(), Selector("odd = TRUE")])
        self.container.declare_transaction(self.connection, handler=self)


Container(Links(*sys.argv[1:])).run()
