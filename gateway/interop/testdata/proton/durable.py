"""Makes a durable subscription, lets its connection end while a message is published, comes back, and closes it.

usage: durable.py HOST:PORT ADDRESS
"""

import sys

from proton import Message, Timeout
from proton.reactor import Container, DurableSubscription
from proton.utils import BlockingConnection


def connect(door, name):
    container = Container()
    container.container_id = name
    return BlockingConnection(door, timeout=10, container=container)


def subscribe(connection, address):
    return connection.create_receiver(address, name="subscription", options=DurableSubscription())


def hear(receiver):
    print(receiver.receive(timeout=10).body)
    receiver.accept()


def main(door, address):
    publisher = connect(door, "publisher").create_sender(address)

    connection = connect(door, "subscriber")
    receiver = subscribe(connection, address)
    publisher.send(Message(body="heard"))
    hear(receiver)
    connection.close()
    publisher.send(Message(body="kept"))

    connection = connect(door, "subscriber")
    receiver = subscribe(connection, address)
    hear(receiver)
    receiver.close()
    publisher.send(Message(body="missed"))

    receiver = subscribe(connection, address)
    try:
        sys.exit("a subscription that was closed gave %.300r" % receiver.receive(timeout=0.3))
    except Timeout:
        print("nothing")
    connection.close()


main(*sys.argv[1:])
