"""Checks aiocoap over one transport; prints "PASS name" or "FAIL name: reason" for each check.

usage: aiocoap_checks.py URI CA-FILE KEY   where URI is the door's, such as coap+tcp://127.0.0.1:5683
"""

import asyncio
import inspect
import sys
import traceback

from aiocoap import DELETE, GET, POST, PUT, Context, Message, Reliable, Unreliable
from aiocoap.numbers import codes
from aiocoap.numbers.codes import FETCH, PATCH
from aiocoap.optiontypes import OpaqueOption

PATIENCE = 30  # seconds
base, authority, key = sys.argv[1:]
scheme = base.split(":")[0]
name = scheme.replace("+", "-")  # of this run's addresses
UNKNOWN_CRITICAL, UNKNOWN_ELECTIVE = 65001, 65000


def body(size):
    return bytes((i ^ i >> 8 ^ i // 251) & 0xFF for i in range(size))


async def new_context():
    context = await Context.create_client_context()
    if scheme == "coaps":
        credentials = {"dtls": {"psk": {"ascii": key}, "client-identity": {"ascii": "sensor1"}}}
        context.client_credentials.load_from_dict({base + "/*": credentials})
    elif scheme == "coaps+tcp":
        context.client_credentials.load_from_dict({base + "/*": {"tlscert": {"certfile": authority}}})
    return context


async def ask(context, code, path, payload=b"", options=(), **more):
    message = Message(code=code, uri=base + path, payload=payload, **more)
    for number, value in options:
        message.opt.add_option(OpaqueOption(number, value))
    return await context.request(message).response


async def want(context, wanted, *request, **more):
    answer = await ask(context, *request, **more)
    assert answer.code is wanted, f"{request[:2]} was answered {answer.code}: {answer.payload[:200]}"
    return answer


def lock_of(answer):
    return "/" + "/".join(answer.opt.location_path)


async def emptied(context, queue):
    await want(context, codes.CHANGED, POST, f"/q/{queue}/head?timeout=0")


async def sends_receives_and_settles(context):
    queue = f"queues/{name}/settles"
    await want(context, codes.CHANGED, POST, f"/a/{queue}?property=color=red", b"hello", content_format=50)
    for back in "", "?failed":
        got = await want(context, codes.CONTENT, POST, f"/q/{queue}/head?meta")
        assert got.payload == b"hello" and got.opt.content_format == 50, got
        assert "property=color=red" in got.opt.location_query, got.opt.location_query
        await want(context, codes.CHANGED, PUT, lock_of(got) + back)
    lock = lock_of(await want(context, codes.CONTENT, POST, f"/q/{queue}/head"))
    await want(context, codes.CHANGED, POST, lock + "/renew?lock=60")
    await want(context, codes.DELETED, DELETE, lock)
    await want(context, codes.NOT_FOUND, DELETE, lock)
    await emptied(context, queue)


async def reads_what_a_topic_keeps(context):
    topic = f"/a/telemetry/{name}/keeps"
    await want(context, codes.NOT_FOUND, GET, topic)
    await want(context, codes.CHANGED, PUT, topic, b"on")
    got = await want(context, codes.CONTENT, GET, topic)
    assert got.payload == b"on" and got.opt.etag, got
    await want(context, codes.VALID, GET, topic, etags=[got.opt.etag])
    await want(context, codes.CHANGED, PUT, topic, b"off")
    assert (await want(context, codes.CONTENT, GET, topic, etags=[got.opt.etag])).payload == b"off"


async def moves_blocks(context):
    for size in 6_668, 200_000:
        whole, queue, topic = body(size), f"queues/{name}/blocks", f"/a/telemetry/{name}/blocks/{size}"
        await want(context, codes.CHANGED, POST, "/a/" + queue, whole)
        got = await want(context, codes.CONTENT, POST, f"/q/{queue}/head")
        assert got.payload == whole, len(got.payload)
        await want(context, codes.DELETED, DELETE, lock_of(got))
        await emptied(context, queue)
        await want(context, codes.CHANGED, PUT, topic, whole)
        got = await want(context, codes.CONTENT, GET, topic)
        assert got.payload == whole, len(got.payload)


async def reads_large_state_from_an_unproven_address(context):
    topic, whole = f"/a/telemetry/{name}/large", body(50_000)
    await want(context, codes.CHANGED, PUT, topic, whole)
    for _ in range(3):
        fresh = await new_context()
        assert (await want(fresh, codes.CONTENT, GET, topic)).payload == whole
        await fresh.shutdown()


async def takes_a_large_message_from_an_unproven_address(context):
    queue, whole = f"queues/{name}/large", body(50_000)
    for code in POST, DELETE:
        await want(context, codes.CHANGED, POST, "/a/" + queue, whole)
        fresh = await new_context()
        got = await want(fresh, codes.CONTENT, code, f"/q/{queue}/head")
        assert got.payload == whole, len(got.payload)
        if code is POST:
            await want(fresh, codes.DELETED, DELETE, lock_of(got))
        await emptied(context, queue)
        await fresh.shutdown()


async def observes(context):
    topic = f"/a/telemetry/{name}/observed"
    request = context.request(Message(code=GET, uri=base + topic, observe=0))
    first = await request.response
    assert first.code is codes.CONTENT and first.opt.observe is not None, first
    notifications = aiter(request.observation)
    for i in range(50):
        sent = b"%d" % i
        await want(context, codes.CHANGED, POST, topic, sent, transport_tuning=Unreliable if i % 2 else Reliable)
        got = await anext(notifications)
        assert got.payload == sent, f"{got.payload} came, want {sent}"
    request.observation.cancel()
    await want(context, codes.CHANGED, POST, topic, b"after the end")


async def observes_large_state(context):
    topic = f"/a/telemetry/{name}/observed/large"
    await want(context, codes.CHANGED, PUT, topic, body(10_000))
    request = context.request(Message(code=GET, uri=base + topic, observe=0))
    assert (await request.response).payload == body(10_000)
    notifications = aiter(request.observation)
    await want(context, codes.CHANGED, PUT, topic, body(20_000))
    got = await anext(notifications)
    assert got.payload == body(20_000), len(got.payload)
    request.observation.cancel()


async def consumes_a_queue_by_observing_it(context):
    queue = f"/a/queues/{name}/consumed"
    for i in range(20):
        await want(context, codes.CHANGED, POST, queue, b"%d" % i)
    # Its layer for blocks, and an iterator, leave out notifications that come too fast.
    request = context.request(Message(code=GET, uri=base + queue, observe=0), handle_blockwise=False)
    came = asyncio.Queue()
    request.observation.register_callback(came.put_nowait)
    assert (await request.response).code is codes.CONTENT
    got = [(await came.get()).payload for _ in range(20)]
    assert got == [b"%d" % i for i in range(20)], got
    request.observation.cancel()
    await emptied(context, f"queues/{name}/consumed")


async def asks_for_no_answer(context):
    queue = f"queues/{name}/unanswered"
    message = Message(code=POST, uri=f"{base}/a/{queue}", payload=b"quiet", transport_tuning=Unreliable, no_response=26)
    answer = asyncio.ensure_future(context.request(message).response)
    got = await want(context, codes.CONTENT, DELETE, f"/q/{queue}/head?timeout=20")
    assert got.payload == b"quiet" and not answer.done(), answer
    answer.cancel()


async def asks_a_hundred_things_at_once(context):
    queue = f"queues/{name}/many"
    answers = await asyncio.gather(*(ask(context, POST, f"/a/{queue}", b"%d" % i) for i in range(100)))
    sent = {b"%d" % i for i, answer in enumerate(answers) if answer.code is codes.CHANGED}
    refused = [answer.code for answer in answers if answer.code not in (codes.CHANGED, codes.TOO_MANY_REQUESTS)]
    assert len(sent) >= 64 and not refused, (len(sent), refused)
    got = [(await want(context, codes.CONTENT, DELETE, f"/q/{queue}/head")).payload for _ in sent]
    assert set(got) == sent, got
    await emptied(context, queue)


async def is_refused_with_the_right_code(context):
    for wanted, code, path, options in (
        (codes.NOT_FOUND, GET, "/nothing", ()),
        (codes.NOT_FOUND, GET, f"/a/telemetry/{name}/empty", ()),
        (codes.NOT_FOUND, POST, "/a/nowhere", ()),
        (codes.METHOD_NOT_ALLOWED, PATCH, f"/a/queues/{name}", ()),
        (codes.BAD_OPTION, GET, f"/a/telemetry/{name}", [(UNKNOWN_CRITICAL, b"x")]),
        (codes.BAD_REQUEST, POST, f"/a/queues/{name}?color=red", ()),
        (codes.SERVICE_UNAVAILABLE, POST, f"/a/commands/{name}", ()),
        (codes.CHANGED, POST, f"/a/telemetry/{name}", [(UNKNOWN_ELECTIVE, b"x")]),
    ):
        await want(context, wanted, code, path, b"", options)


async def selects_with_fetch(context):
    topic = f"/a/telemetry/{name}/selected"
    await want(context, codes.CHANGED, PUT, topic + "?property=color=red", b"red")
    assert (await want(context, codes.CONTENT, FETCH, topic, b"color = 'red'")).payload == b"red"
    await want(context, codes.NOT_FOUND, FETCH, topic, b"color = 'blue'")


async def discovers(context):
    got = await want(context, codes.CONTENT, GET, "/.well-known/core")
    assert got.opt.content_format == 40 and b"</ps>" in got.payload, got.payload


async def main():
    failed = False
    checks = [f for f in globals().values() if inspect.iscoroutinefunction(f) and list(inspect.signature(f).parameters) == ["context"]]
    if scheme not in ("coap", "coaps"):
        checks.remove(asks_for_no_answer)  # aiocoap leaves the option out
    for check in checks:
        context = await new_context()
        try:
            await asyncio.wait_for(check(context), PATIENCE)
            print("PASS", check.__name__)
        except Exception as failure:
            failed = True
            where = traceback.extract_tb(failure.__traceback__)[-1]
            print(f"FAIL {check.__name__}: {failure!r} at line {where.lineno}".replace("\n", " "))
        await context.shutdown()
    sys.exit(failed)


asyncio.run(main())
