#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the tests of the checking tools and counts them.

Usage: run.py [--counts FILE]
"""

import json
import sys
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main(args):
    sys.path.insert(0, str(HERE))
    suite = unittest.defaultTestLoader.discover(str(HERE), pattern="*_test.py")
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=1).run(suite)
    failed = len(result.failures) + len(result.errors)
    counts = {"passed": result.testsRun - failed - len(result.skipped), "failed": failed, "skipped": len(result.skipped)}
    if args[:1] == ["--counts"]:
        Path(args[1]).write_text(json.dumps(counts), encoding="utf-8")
    print(f"{counts['passed']} passed, {counts['failed']} failed")
    return 0 if result.testsRun and not failed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
