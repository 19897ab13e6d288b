#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Refuses files without a licence line, words that mark something unfinished, and calls that are banned.

Usage: check-text.py spdx|words|banned FILE...
"""

import re
import sys
from pathlib import Path

import csource

LICENCE = "SPDX-License-Identifier: Apache-2.0"
# What can carry a comment; data, documents and JSON cannot or need not.
LICENSED = {".c", ".h", ".def", ".py", ".sh", ".cmake", ".cpp", ".hpp", ".java", ".cs", ".lua", ".service"}
LICENSED_NAMES = {"CMakeLists.txt", "Makefile", ".clang-format", ".clang-tidy", "run"}

_WORDS = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|^\s*#\s*if\s+0\b", re.MULTILINE)
# Unbounded, locale-dependent, stateful or on the stack without limit.
_BANNED = re.compile(
    r"\b(strcpy|strcat|stpcpy|sprintf|vsprintf|gets|atoi|atol|atoll|atof|rand|srand|random|strtok|alloca|setjmp)\s*\("
)


def _line(text, at):
    return text.count("\n", 0, at) + 1


def check_spdx(path, text):
    if path.suffix in LICENSED or path.name in LICENSED_NAMES:
        if LICENCE not in "\n".join(text.split("\n", 3)[:3]):
            yield f"{path}: the first lines lack {LICENCE}"


def check_words(path, text):
    for match in _WORDS.finditer(text):
        yield f"{path}:{_line(text, match.start())}: {match.group(0).strip()}: do it, or write it into docs/ROADMAP.md"


def check_banned(path, text):
    if path.suffix not in (".c", ".h"):
        return
    for match in _BANNED.finditer(csource.strip_comments(text)):
        yield f"{path}:{_line(text, match.start())}: {match.group(1)} is banned"


CHECKS = {"spdx": check_spdx, "words": check_words, "banned": check_banned}


def main(check, paths):
    found = []
    for name in paths:
        path = Path(name)
        try:
            found += CHECKS[check](path, path.read_text(encoding="utf-8"))
        except UnicodeDecodeError:
            continue  # not text
    print("\n".join(found) if found else f"{len(paths)} files pass")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
