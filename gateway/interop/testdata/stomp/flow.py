"""Checks stomp.py in each version of the protocol; prints "PASS name" or "FAIL name: reason" for each check.

usage: flow.py HOST:PORT
"""

import queue
import sys

import stomp

PATIENCE = 20  # seconds
host, port = sys.argv[1].rsplit(":", 1)


class Inbox(stomp.ConnectionListener):
    def __init__(self):
        self.messages, self.receipts = queue.Queue(), queue.Queue()

    def on_message(self, frame):
        self.messages.put(frame)

    def on_receipt(self, frame):
        self.receipts.put(frame.headers["receipt-id"])


def connect(version):
    options = {} if version is stomp.Connection10 else {"heartbeats": (1000, 1000)}
    connection, inbox = version([(host, int(port))], **options), Inbox()
    connection.set_listener("inbox", inbox)
    connection.connect(wait=True)
    return connection, inbox


def sends_and_receives(version):
    connection, inbox = connect(version)
    connection.subscribe("/queue/queues/stomp.py", id="1", ack="client")
    connection.send("/queue/queues/stomp.py", "größe", headers={"color": "red"}, receipt="sent")
    got = inbox.messages.get(timeout=PATIENCE)
    assert got.body == "größe" and got.headers["color"] == "red", got
    assert inbox.receipts.get(timeout=PATIENCE) == "sent"
    if version is stomp.Connection12:
        connection.ack(got.headers["ack"], receipt="taken")
    elif version is stomp.Connection11:
        connection.ack(got.headers["message-id"], "1", receipt="taken")
    else:
        connection.ack(got.headers["message-id"], receipt="taken")
    assert inbox.receipts.get(timeout=PATIENCE) == "taken"
    connection.disconnect()


failed = False
for version in (stomp.Connection10, stomp.Connection11, stomp.Connection12):
    name = f"sends_and_receives.{version.__name__}"
    try:
        sends_and_receives(version)
        print("PASS", name)
    except Exception as error:
        failed = True
        print(f"FAIL {name}: {error!r}")
sys.exit(failed)
