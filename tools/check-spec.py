#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Holds the specification, the code and the tests together by the numbers of the requirements.

A requirement is "**4.2-3**" in docs/spec; the code and the tests that carry it say "SPEC 4.2-3". A tag that names no
requirement, a number given twice, a requirement without code or without test, and a paragraph that says MUST and has no
number are refused.

Usage: check-spec.py ROOT
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


def without_number(text):
    """Lines at which a paragraph or list item begins that says MUST and names no requirement."""
    line = 1
    for part in re.split(r"(\n\s*\n|\n(?=- ))", text):
        if re.search(r"\bMUST\b", part) and not _REQUIREMENT.search(part):
            yield line
        line += part.count("\n")


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
    root = Path(args[0])
    required = []
    unnumbered = []
    for page in sorted((root / "docs" / "spec").glob("*.md")):
        text = page.read_text(encoding="utf-8")
        required += requirements(text)
        unnumbered += [f"{page.name}:{line}: MUST without a number" for line in without_number(text)]
    in_code, in_tests = collect(root, CODE), collect(root, TESTS)
    wrong, missing = compare(required, in_code, in_tests)
    wrong += missing + unnumbered
    print("\n".join(wrong))
    known = set(required)
    print(f"{len(known)} requirements: {len(known & set(in_code))} tagged in code, {len(known & set(in_tests))} in tests")
    return 1 if wrong or not required else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
