#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Refuses functions over 70 lines or 5 parameters, and files over 1000 lines.

Usage: check-sizes.py FILE.c|FILE.h...
"""

import sys

import csource

FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 1000
PARAMETERS_MAX = 5


def problems(path, text):
    lines = text.count("\n")
    if lines > FILE_LINES_MAX:
        yield f"{path}: {lines} lines; at most {FILE_LINES_MAX}, so cut it into files"
    for f in csource.functions(text):
        where = f"{path}:{f.first_line}: {f.name}"
        if f.lines > FUNCTION_LINES_MAX:
            yield f"{where} has {f.lines} lines; at most {FUNCTION_LINES_MAX}"
        if f.parameters > PARAMETERS_MAX:
            yield f"{where} has {f.parameters} parameters; at most {PARAMETERS_MAX}, then a struct"


def main(paths):
    found = [p for path in paths for p in problems(path, open(path, encoding="utf-8").read())]
    print("\n".join(found) if found else f"{len(paths)} files within the limits")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
