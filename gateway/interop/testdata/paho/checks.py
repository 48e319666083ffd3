"""Checks of Eclipse Paho's client for Python, of either generation: checks.py tcp|websockets HOST PORT.

Prints PASS or FAIL for each check, and exits with 1 when one has failed.
"""

import queue
import ssl  # noqa: F401  some versions of the library expect it to be loaded
import sys
import traceback

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

PATIENCE = 30  # seconds for an answer
TRANSPORT, HOST, PORT = sys.argv[1], sys.argv[2], int(sys.argv[3])


class Client:
    """A client whose callbacks put what they are told into queues."""

    def __init__(self, name, version, interface=2, clean=True, expiry=0, will=None):
        self.version = version
        self.connected, self.subscribed, self.published = queue.Queue(), queue.Queue(), queue.Queue()
        self.messages, self.unsubscribed = queue.Queue(), queue.Queue()
        options = {"client_id": name, "protocol": version, "transport": TRANSPORT}
        if version != mqtt.MQTTv5:
            options["clean_session"] = clean
        if hasattr(mqtt, "CallbackAPIVersion"):  # since version 2 of the library
            generation = mqtt.CallbackAPIVersion.VERSION2 if interface == 2 else mqtt.CallbackAPIVersion.VERSION1
            options["callback_api_version"] = generation
        self.client = c = mqtt.Client(**options)
        c.on_connect = lambda *args: self.connected.put(args)
        c.on_subscribe = lambda *args: self.subscribed.put(args)
        c.on_unsubscribe = lambda *args: self.unsubscribed.put(args)
        c.on_publish = lambda *args: self.published.put(args)
        c.on_message = lambda _, __, message: self.messages.put(message)
        if TRANSPORT == "websockets":
            c.ws_set_options(path="/mqtt")
        if will:
            c.will_set(*will)
        if version == mqtt.MQTTv5:
            properties = Properties(PacketTypes.CONNECT)
            properties.SessionExpiryInterval = expiry
            c.connect(HOST, PORT, clean_start=clean, properties=properties)
        else:
            c.connect(HOST, PORT)
        c.loop_start()
        _, _, flags, code = self.connected.get(timeout=PATIENCE)[:4]
        assert code == 0, code
        self.present = flags["session present"] if isinstance(flags, dict) else flags.session_present

    def subscribe(self, topic, qos=1, **options):
        if self.version == mqtt.MQTTv5:
            self.client.subscribe(topic, options=SubscribeOptions(qos=qos, **options))
        else:
            self.client.subscribe(topic, qos)
        self.subscribed.get(timeout=PATIENCE)

    def publish(self, topic, payload, qos=1, **options):
        info = self.client.publish(topic, payload, qos, **options)
        info.wait_for_publish(PATIENCE)
        assert info.is_published()

    def receive(self):
        return self.messages.get(timeout=PATIENCE)

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()


def versions():
    return [mqtt.MQTTv31, mqtt.MQTTv311, mqtt.MQTTv5]


def each_quality(name, version, interface=2):
    sub, pub = Client(name + "-sub", version, interface), Client(name + "-pub", version, interface)
    for qos in range(3):
        topic = "telemetry/%s/%d" % (name, qos)
        sub.subscribe(topic, qos)
        pub.publish(topic, "with %d" % qos, qos)
        message = sub.receive()
        assert (message.topic, message.payload, message.qos) == (topic, b"with %d" % qos, qos), message
    sub.close()
    pub.close()


def check_version_31():
    each_quality("v31", mqtt.MQTTv31)


def check_version_311():
    each_quality("v311", mqtt.MQTTv311)


def check_version_5():
    each_quality("v5", mqtt.MQTTv5)


def check_first_callback_interface():
    for version in versions():
        each_quality("first%d" % version, version, interface=1)


def check_retained_messages():
    for version in versions():
        topic = "telemetry/retained/%d" % version
        pub = Client("retains%d" % version, version)
        pub.publish(topic, "kept", retain=True)
        sub = Client("asks%d" % version, version)
        sub.subscribe(topic)
        message = sub.receive()
        assert message.retain and message.payload == b"kept", message
        pub.publish(topic, "", retain=True)
        sub.close()
        pub.close()


def check_messages_of_the_absent():
    for version in versions():
        name, topic = "sleeper%d" % version, "telemetry/absent/%d" % version
        first = Client(name, version, clean=False, expiry=3600)
        assert not first.present
        first.subscribe(topic, 2)
        first.close()
        pub = Client("awake%d" % version, version)
        for qos in (1, 2):
            pub.publish(topic, "%d" % qos, qos)
        again = Client(name, version, clean=False, expiry=3600)
        assert again.present or version == mqtt.MQTTv31  # which cannot tell
        assert [again.receive().payload for _ in range(2)] == [b"1", b"2"]
        again.close()
        pub.close()


def check_will():
    for version in versions():
        topic = "telemetry/will/%d" % version
        watcher = Client("watcher%d" % version, version)
        watcher.subscribe(topic)
        mortal = Client("mortal%d" % version, version, will=(topic, "lost", 1))
        mortal.client.loop_stop()
        mortal.client.socket().close()
        assert watcher.receive().payload == b"lost"
        watcher.close()


def check_unsubscribe():
    sub, pub = Client("leaves", mqtt.MQTTv5), Client("stays", mqtt.MQTTv5)
    sub.subscribe("telemetry/one")
    sub.subscribe("telemetry/two")
    sub.client.unsubscribe("telemetry/one")
    sub.unsubscribed.get(timeout=PATIENCE)
    pub.publish("telemetry/one", "not heard")
    pub.publish("telemetry/two", "heard")
    assert sub.receive().payload == b"heard"
    sub.close()
    pub.close()


def check_properties():
    sub, pub = Client("reads", mqtt.MQTTv5), Client("writes", mqtt.MQTTv5)
    sub.subscribe("telemetry/properties")
    sent = Properties(PacketTypes.PUBLISH)
    sent.PayloadFormatIndicator = 1
    sent.MessageExpiryInterval = 600
    sent.ContentType = "text/plain"
    sent.ResponseTopic = "telemetry/answers"
    sent.CorrelationData = b"\x00\x01"
    sent.UserProperty = [("b", "1"), ("a", "2"), ("b", "3")]
    pub.publish("telemetry/properties", "text", properties=sent)
    got = sub.receive().properties
    for name in ("PayloadFormatIndicator", "ContentType", "ResponseTopic", "CorrelationData", "UserProperty"):
        assert getattr(got, name) == getattr(sent, name), name
    assert 0 < got.MessageExpiryInterval <= 600
    sub.close()
    pub.close()


def check_subscription_options():
    both = Client("both", mqtt.MQTTv5)
    other = Client("other", mqtt.MQTTv5)
    both.subscribe("telemetry/local", noLocal=True)
    both.publish("telemetry/local", "own")
    other.publish("telemetry/local", "other's", retain=True)
    message = both.receive()
    assert message.payload == b"other's" and not message.retain
    both.subscribe("telemetry/local", retainAsPublished=True, retainHandling=2)
    other.publish("telemetry/local", "again", retain=True)
    message = both.receive()
    assert message.payload == b"again" and message.retain
    both.close()
    other.close()


def check_shared_subscription():
    workers = [Client("worker%d" % n, mqtt.MQTTv5) for n in range(2)]
    for worker in workers:
        worker.subscribe("$share/group/telemetry/work")
    pub = Client("gives", mqtt.MQTTv5)
    for n in range(4):
        pub.publish("telemetry/work", "%d" % n)
    got = [worker.receive().payload for worker in workers for _ in range(2)]
    assert sorted(got) == [b"0", b"1", b"2", b"3"], got
    for client in workers + [pub]:
        client.close()


def check_large_payload():
    sub, pub = Client("wide", mqtt.MQTTv5), Client("long", mqtt.MQTTv5)
    payload = bytes(range(256)) * 2000
    sub.subscribe("telemetry/large", 2)
    pub.publish("telemetry/large", payload, 2)
    assert sub.receive().payload == payload
    sub.close()
    pub.close()


def main():
    failed = False
    for name, check in list(globals().items()):
        if not name.startswith("check_"):
            continue
        try:
            check()
            print("PASS", name[6:], flush=True)
        except Exception as e:  # each check is to be told of
            failed = True
            where = traceback.extract_tb(e.__traceback__)[-1].lineno
            print("FAIL %s: %r at line %d" % (name[6:], e, where), flush=True)
    sys.exit(failed)


main()
