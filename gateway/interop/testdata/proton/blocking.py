"""Sends and receives one after the other over a blocking connection, finds a queue empty, and is refused an address.

usage: blocking.py HOST:PORT ADDRESS
"""

import sys

from proton import Message, Timeout
from proton.utils import BlockingConnection, LinkDetached

door, address = sys.argv[1:]
connection = BlockingConnection(door, timeout=10)
sender = connection.create_sender(address)
receiver = connection.create_receiver(address)
for body in ["text", b"bytes", 42, [1, "two", None], {"key": "value"}, "", "ü" * 100_000]:
    sender.send(Message(body=body, durable=True, priority=7, ttl=60))
    m = receiver.receive(timeout=10)
    if m.body != body or not m.durable or m.priority != 7 or not 0 < m.ttl <= 60:
        sys.exit("sent %.100r, received %.300r" % (body, m))
    receiver.accept()
try:
    sys.exit("an empty queue gave %.300r" % receiver.receive(timeout=0.2))
except Timeout:
    print("empty")
try:
    connection.create_sender("nowhere")
except LinkDetached as e:
    print("refused:", e.condition)
connection.close()
