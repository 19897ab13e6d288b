#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the end-to-end tests, some files at once (they mostly wait), and counts them.

Usage: run.py [--counts FILE] [--match TEXT] [--jobs N] [--verbose]

The programs are those of WEFT_BUILD (build/dev). TEXT is part of a file's, a class's or a test's name. With WEFT_LONG in
the environment the tests that take minutes run too.
"""

import argparse
import json
import os
import subprocess
import sys
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
FILE_SECONDS_MAX = 1800 if os.environ.get("WEFT_LONG") else 300


class Result(unittest.TextTestResult):
    """Tells the slow ones too."""

    def startTest(self, test):
        self.began = time.monotonic()
        super().startTest(test)

    def stopTest(self, test):
        self.times = getattr(self, "times", []) + [(time.monotonic() - self.began, test.id())]
        super().stopTest(test)


def flatten(suite):
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from flatten(test)
        else:
            yield test


def tests_of(module, text):
    sys.path.insert(0, str(HERE))
    found = flatten(unittest.defaultTestLoader.loadTestsFromName(module))
    return unittest.TestSuite(t for t in found if text in t.id())


def run_module(module, text):
    """In a process of its own: the tests of one file; the counts are the last line."""
    runner = unittest.TextTestRunner(stream=sys.stdout, verbosity=2, resultclass=Result)
    result = runner.run(tests_of(module, text))
    failed = len(result.failures) + len(result.errors) + len(result.unexpectedSuccesses)
    skipped = len(result.skipped)
    times = sorted(getattr(result, "times", []), reverse=True)[:3]
    print(json.dumps({
        "passed": result.testsRun - failed - skipped, "failed": failed, "skipped": skipped,
        "times": times, "reasons": [f"{test.id()}: {why}" for test, why in result.skipped],
    }))
    return 1 if failed else 0


def run_file(module, text):
    command = [sys.executable, str(Path(__file__)), "--module", module, "--match", text]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, errors="replace", timeout=FILE_SECONDS_MAX)
        output = done.stdout
    except subprocess.TimeoutExpired as late:
        output = (late.stdout or b"").decode(errors="replace") + f"\nstopped after {FILE_SECONDS_MAX} s"
    try:
        return module, output, json.loads(output.splitlines()[-1])
    except (IndexError, ValueError):
        return module, output, {"passed": 0, "failed": 1, "skipped": 0, "times": [], "reasons": []}


def run_all(args):
    totals = {"passed": 0, "failed": 0, "skipped": 0}
    times = []
    modules = sorted(p.stem for p in HERE.glob("*_test.py"))
    with ThreadPoolExecutor(max_workers=args.jobs) as pool:
        for _, output, counts in pool.map(lambda m: run_file(m, args.match), modules):
            if counts["failed"] or (args.verbose and counts["passed"] + counts["skipped"]):
                print(output)
            for key in totals:
                totals[key] += counts[key]
            times += [tuple(t) for t in counts["times"]]
            for reason in counts["reasons"]:
                print(f"  skipped: {reason}")
    for seconds, test in sorted(times, reverse=True)[:5]:
        print(f"  {seconds:5.1f} s {test}")
    if args.counts:
        Path(args.counts).write_text(json.dumps(totals), encoding="utf-8")
    print(f"{totals['passed']} passed, {totals['failed']} failed")
    return 0 if totals["passed"] and not totals["failed"] else 1


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--counts")
    parser.add_argument("--match", default="")
    parser.add_argument("--jobs", type=int, default=2 * (os.cpu_count() or 1))
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--module", help=argparse.SUPPRESS)
    args = parser.parse_args()
    return run_module(args.module, args.match) if args.module else run_all(args)


if __name__ == "__main__":
    sys.exit(main())
