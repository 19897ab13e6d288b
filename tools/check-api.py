#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Demands that every public function is called in at least one example and in at least one test, by its name.

Usage: check-api.py [ROOT]
"""

import importlib.util
import re
import sys
from pathlib import Path

import csource

_CALL = re.compile(r"\b(weft_\w+)\s*\(")


def _declared_in_headers():
    """check-symbols.py knows what a declaration looks like."""
    path = Path(__file__).resolve().parent / "check-symbols.py"
    spec = importlib.util.spec_from_file_location("check_symbols", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.declared


def calls(text):
    """Names of all weft_ functions that a C file calls; what comments, strings and directives say does not count."""
    return set(_CALL.findall(csource.strip_preprocessor(csource.strip_comments(text))))


def texts(folder):
    return [path.read_text(encoding="utf-8") for path in sorted(folder.rglob("*.[ch]"))]


def problems(declared, in_examples, in_tests):
    found = [f"{name} is called in no example" for name in sorted(declared - in_examples)]
    return found + [f"{name} is called in no test" for name in sorted(declared - in_tests)]


def main(args):
    root = Path(args[0] if args else ".")
    declared_in = _declared_in_headers()
    declared = set().union(*map(declared_in, texts(root / "include" / "weft")))
    in_examples = set().union(*map(calls, texts(root / "examples")))
    in_tests = set().union(*map(calls, texts(root / "tests")))
    found = problems(declared, in_examples, in_tests)
    if not declared:
        found.append("no public function was found")
    print("\n".join(found) if found else f"{len(declared)} public functions have an example and a test")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
