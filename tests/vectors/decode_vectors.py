#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Opens every golden vector with the independent decoder and compares; then tests the decoder itself.

No vector at all is a failure: a comparison with nothing proves nothing.

Usage: decode_vectors.py [--counts FILE] [VECTOR...]     (default: vectors/*.json)
"""

import json
import sys
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(HERE), str(ROOT / "tools" / "decode")]

import decoder_test
from compare import differences


class Vector(unittest.TestCase):
    """One file."""

    def __init__(self, path):
        super().__init__("runTest")
        self.path = path

    def __str__(self):
        return f"vector {self.path}"

    def runTest(self):
        vector = json.loads(self.path.read_text(encoding="utf-8"))
        self.assertEqual(differences(vector), [])


class ThereAreVectors(unittest.TestCase):
    def runTest(self):
        self.fail("there is no vector")


def suite(paths):
    tests = unittest.TestSuite(Vector(path) for path in paths)
    if not paths:
        tests.addTest(ThereAreVectors())
    tests.addTests(unittest.defaultTestLoader.loadTestsFromModule(decoder_test))
    return tests


def main(args):
    counts_file = None
    if args[:1] == ["--counts"]:
        counts_file, args = args[1], args[2:]
    paths = [Path(a) for a in args] or sorted((ROOT / "vectors").glob("*.json"))
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=1).run(suite(paths))
    # Subtests count as the test they belong to.
    failed = len({str(getattr(test, "test_case", test)) for test, _ in result.failures + result.errors})
    counts = {"passed": result.testsRun - failed, "failed": failed, "skipped": 0}
    if counts_file:
        Path(counts_file).write_text(json.dumps(counts), encoding="utf-8")
    print(f"{len(paths)} vectors; {counts['passed']} passed, {counts['failed']} failed")
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
