# SPDX-License-Identifier: Apache-2.0
"""The runner never takes a dead or silent program for a passed test."""

import unittest

from tool import load

runner = load("run-tests.py")


def counts(text, status):
    out = runner.read_tap("x", text, status)
    return len(out.passed), len(out.failed), len(out.skipped)


class Tap(unittest.TestCase):
    def test_claims_are_counted_by_name(self):
        self.assertEqual(counts("1..3\nok 1 - a\nnot ok 2 - b\n# why\nok 3 - c\n", 1), (2, 1, 0))

    def test_a_skipped_claim_is_neither_passed_nor_failed(self):
        self.assertEqual(counts("1..2\nok 1 - a\nnot ok 2 # SKIP b\n", 0), (1, 0, 1))

    def test_a_program_that_dies_fails_what_it_did_not_reach(self):
        self.assertEqual(counts("1..4\nok 1 - a\n", -6), (1, 3, 0))

    def test_a_program_that_says_nothing_has_failed(self):
        self.assertEqual(counts("", 0), (0, 1, 0))
        self.assertEqual(counts("", 127), (0, 1, 0))

    def test_a_bad_exit_after_good_claims_has_failed(self):
        self.assertEqual(counts("1..1\nok 1 - a\n", 1), (1, 1, 0))

    def test_a_flood_keeps_its_beginning_and_end(self):
        text = "ok 1 - a\nnot ok 2 - b\n" + "leak\n" * 1000 + "the end\n"
        shown = runner.excerpt(text)
        self.assertEqual((shown[0], shown[-1], len(shown)), ("not ok 2 - b", "the end", 61))

    def test_a_plain_program_is_one_test(self):
        self.assertEqual(len(runner.read_plain("x", "", 0).passed), 1)
        self.assertEqual(len(runner.read_plain("x", "", 3).failed), 1)


if __name__ == "__main__":
    unittest.main()
