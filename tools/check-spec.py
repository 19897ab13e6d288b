#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Holds the specification, the code and the tests together by the numbers of the requirements.

A requirement is "**4.2-3**" in docs/spec; the code and the tests that carry it say "SPEC 4.2-3". A tag that names no
requirement, or a number given twice, is refused; requirements without code or without test are reported, and refused
with --strict.

Usage: check-spec.py [--strict] ROOT
"""

import re
import sys
from collections import defaultdict
from pathlib import Path

_REQUIREMENT = re.compile(r"\*\*(\d+\.\d+-\d+)\*\*")
_TAG = re.compile(r"\bSPEC ((?:\d+\.\d+-\d+)(?:(?:, | and )\d+\.\d+-\d+)*)")
CODE = ("src", "apps", "include")
TESTS = ("tests", "sim", "vectors")
SUFFIXES = {".c", ".h", ".def", ".py", ".sh"}


def requirements(text):
    return _REQUIREMENT.findall(text)


def tags(text):
    """[(line, number)]"""
    return [
        (text.count("\n", 0, match.start()) + 1, number)
        for match in _TAG.finditer(text)
        for number in re.findall(r"\d+\.\d+-\d+", match.group(1))
    ]


def in_order(numbers):
    return sorted(numbers, key=lambda n: [int(part) for part in re.split(r"[.-]", n)])


def compare(required, in_code, in_tests):
    """(what is wrong, what is missing); in_code and in_tests: {number: [places]}"""
    wrong = [f"{n} is given twice in docs/spec" for n in in_order({n for n in required if required.count(n) > 1})]
    known = set(required)
    for places in (in_code, in_tests):
        for number in in_order(set(places) - known):
            wrong += [f"{place}: docs/spec has no requirement {number}" for place in places[number]]
    missing = [f"{n} is in no code" for n in in_order(known - set(in_code))]
    missing += [f"{n} is in no test" for n in in_order(known - set(in_tests))]
    return wrong, missing


def collect(root, folders):
    places = defaultdict(list)
    for folder in folders:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in SUFFIXES and path.parent != root / "tests" / "tools":
                for line, number in tags(path.read_text(encoding="utf-8")):
                    places[number].append(f"{path.relative_to(root)}:{line}")
    return places


def main(args):
    strict = args[0] == "--strict"
    root = Path(args[-1])
    required = []
    for page in sorted((root / "docs" / "spec").glob("*.md")):
        required += requirements(page.read_text(encoding="utf-8"))
    in_code, in_tests = collect(root, CODE), collect(root, TESTS)
    wrong, missing = compare(required, in_code, in_tests)
    print("\n".join(missing + wrong))
    known = set(required)
    print(f"{len(known)} requirements: {len(known & set(in_code))} tagged in code, {len(known & set(in_tests))} in tests")
    return 1 if wrong or not required or (strict and missing) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
