"""Runs an interoperability suite of Eclipse Paho, as it stands: run.py FOLDER SUITE PORT.

FOLDER holds client_test.py and client_test5.py; SUITE is one of these names without ".py". Prints PASS or FAIL for each
of its cases, and exits with 1 when one has failed.

One thing is done for the suite: its subscribe returns when the server has answered. Two cases of client_test5 subscribe
with one client and publish with another at once, and look for the answer of the first where it never comes. Then the
packets of two connections race each other, on the way and in the server.
"""

import importlib
import logging
import sys
import time
import unittest

TOPICS = ["TopicA", "TopicA/B", "Topic/C", "TopicA/C", "/TopicA"]
FILTERS = ["TopicA/+", "+/C", "#", "/#", "/+", "+/+", "TopicA/#"]
PATIENCE = 30  # seconds for an answer


def answered(subscribe):
    """Makes a client's subscribe wait for SUBACK, if the client listens."""

    def wait(client, *args, **options):
        packet = subscribe(client, *args, **options)
        end = time.time() + PATIENCE
        while client.callback and time.time() < end:
            if any(answer[0] == packet for answer in client.callback.subscribeds):
                break
            time.sleep(0.01)
        return packet

    return wait


def load(name, port):
    """Sets a suite up as its own main program does."""
    suite = importlib.import_module(name)
    suite.host, suite.port = "127.0.0.1", port
    suite.topics, suite.wildtopics = TOPICS, FILTERS
    suite.nosubscribe_topics = ["test/nosubscribe"]
    suite.topic_prefix = "client_test5/"
    client = suite.mqtt_client.Client
    client.subscribe = answered(client.subscribe)
    return suite


class Results(unittest.TestResult):
    """Prints what becomes of each case."""

    def addSuccess(self, test):
        super().addSuccess(test)
        self.tell("PASS", test)

    def addFailure(self, test, error):
        super().addFailure(test, error)
        self.tell("FAIL", test, repr(error[1]))

    def addError(self, test, error):
        super().addError(test, error)
        self.tell("FAIL", test, repr(error[1]))

    def tell(self, what, test, why=""):
        print(what, test.id() + (": " + why.replace("\n", " ") if why else ""), flush=True)


def main(folder, name, port):
    sys.path.insert(0, folder)
    logging.getLogger().setLevel(logging.ERROR)
    suite = load(name, int(port))
    results = Results()
    unittest.defaultTestLoader.loadTestsFromModule(suite).run(results)
    sys.exit(not results.wasSuccessful())


main(*sys.argv[1:])
