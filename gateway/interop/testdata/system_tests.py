"""Runs one file of the system tests of the Qpid Dispatch Router, and prints how many of its tests passed.

The last line is "passed P of T". Why others did not goes to the standard error before it.
"""

import sys
import unittest


class Count(unittest.TextTestResult):
    """A result that counts what passed."""

    passed = 0

    def addSuccess(self, test):
        super().addSuccess(test)
        self.passed += 1


suite = unittest.defaultTestLoader.loadTestsFromName(sys.argv[1])
total = suite.countTestCases()
result = unittest.TextTestRunner(verbosity=2, resultclass=Count).run(suite)
print("passed %d of %d" % (result.passed, total), flush=True)
