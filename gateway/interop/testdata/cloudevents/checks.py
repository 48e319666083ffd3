"""Sends events with the CloudEvents SDK for Python, takes them back and has the SDK read them.

Prints "PASS name" or "FAIL name: reason" for each check.

usage: checks.py http://HOST:PORT/v1/TENANT/QUEUE
"""

import json
import sys
import urllib.request
from datetime import datetime, timezone

from cloudevents.core.bindings.http import HTTPMessage, from_http_event, to_binary_event, to_structured_event
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

PATIENCE = 30  # seconds
queue = sys.argv[1]


def sample(name):
    """An event with something in each attribute."""
    return CloudEvent(
        attributes={
            "id": name,
            "source": "/kitchen/größe",
            "type": "example.temperature",
            "specversion": "1.0",
            "subject": 'a "subject" at 100 %',
            "time": datetime(2026, 11, 22, 9, 30, 0, 125_000, timezone.utc),
            "datacontenttype": "application/json",
            "dataschema": "https://example.com/schema",
            "colour": "rot & grün",
        },
        data={"celsius": 21.5},
    )


def ask(method, path, headers={}, body=None):
    request = urllib.request.Request(queue + path, data=body, method=method, headers=headers)
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        return HTTPMessage(dict(answer.headers.items()), answer.read())


def take(want, mode):
    """Receives one message and compares it."""
    got = ask("DELETE", "/messages/head?timeout=20")
    structured = got.headers["Content-Type"].startswith("application/cloudevents")
    assert structured == (mode == "structured"), got.headers
    compare(from_http_event(got), want)


def compare(got, want):
    assert got.get_attributes() == want.get_attributes(), got.get_attributes()
    assert got.get_data() == want.get_data(), got.get_data()


def single(mode, write):
    event = sample(mode)
    message = write(event)
    ask("POST", "/messages", message.headers, message.body)
    take(event, mode)


def python_binary():
    single("binary", to_binary_event)


def python_structured():
    single("structured", to_structured_event)


def python_batched():
    """The SDK writes no batches, but the events in one."""
    events = [sample(f"batched {n}") for n in range(3)]
    body = b"[" + b",".join(to_structured_event(event).body for event in events) + b"]"
    ask("POST", "/messages/batch", {"Content-Type": "application/cloudevents-batch+json"}, body)
    for event in events:
        take(event, "structured")


def python_streamed():
    """The data of each server-sent event is an event in structured mode."""
    event = sample("streamed")
    with urllib.request.urlopen(queue + "/stream?data=raw&resume=false", timeout=PATIENCE) as stream:
        message = to_structured_event(event)
        ask("POST", "/messages", message.headers, message.body)
        for line in stream:
            if line.startswith(b"data: "):
                compare(JSONFormat().read(None, line[len(b"data: "):]), event)
                return
    raise AssertionError("the stream ended")


def python_shown():
    """An envelope has the attributes of an event in binary mode as application properties."""
    event = sample("shown")
    message = to_binary_event(event)
    ask("POST", "/messages", message.headers, message.body)
    (envelope,) = json.loads(ask("GET", "/messages").body)
    headers = {"ce-" + name.removeprefix("cloudEvents:"): value for name, value in envelope["properties"].items()}
    headers["content-type"] = envelope["contentType"]
    shown = from_http_event(HTTPMessage(headers, envelope["body"].encode()))
    assert shown.get_id() == "shown" and shown.get_data() == event.get_data(), envelope
    take(event, "binary")


failed = False
for check in (python_binary, python_structured, python_batched, python_streamed, python_shown):
    try:
        check()
        print("PASS", check.__name__)
    except Exception as error:
        failed = True
        print(f"FAIL {check.__name__}: {error!r}")
sys.exit(failed)
