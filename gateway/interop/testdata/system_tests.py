"""Runs one file of the system tests of the Qpid Dispatch Router, and prints how many of its tests passed.

The last line is "passed P of T". Why others did not goes to the standard error before it. A file that takes longer than
LIMIT seconds is ended; then the last line says so, with what had passed by then.

usage: system_tests.py MODULE LIMIT
"""

import os
import sys
import threading
import unittest


class Count(unittest.TextTestResult):
    """A result that counts what passed, in all that are there."""

    passed = 0

    def addSuccess(self, test):
        super().addSuccess(test)
        Count.passed += 1


def end(total):
    print("passed %d of %d, and the time was over" % (Count.passed, total), flush=True)
    os._exit(1)


suite = unittest.defaultTestLoader.loadTestsFromName(sys.argv[1])
total = suite.countTestCases()
watch = threading.Timer(float(sys.argv[2]), end, [total])
watch.daemon = True
watch.start()
unittest.TextTestRunner(verbosity=2, resultclass=Count).run(suite)
print("passed %d of %d" % (Count.passed, total), flush=True)
