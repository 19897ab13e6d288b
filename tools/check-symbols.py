#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Holds the public symbols together: what libweft.so exports, what the headers declare WEFT_API and what
tools/symbols.txt lists are the same names.

Usage: check-symbols.py SYMBOLS.txt INCLUDE_FOLDER LIBWEFT.so
       check-symbols.py --write SYMBOLS.txt INCLUDE_FOLDER LIBWEFT.so    (makes the list what is exported)
"""

import re
import subprocess
import sys
from pathlib import Path

import csource

_DECLARED = re.compile(r"\bWEFT_API\b([^;{]*?)\b(weft_\w+)\s*(?:\(|\[|;|=)", re.DOTALL)


def listed(text):
    return {line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")}


def declared(text):
    """Names of the WEFT_API declarations of one header."""
    code = csource.strip_preprocessor(csource.strip_comments(text))
    return {match.group(2) for match in _DECLARED.finditer(code)}


def exported(library):
    out = subprocess.run(
        ["nm", "-D", "--defined-only", str(library)], check=True, capture_output=True, text=True
    ).stdout
    return {line.split()[-1].split("@")[0] for line in out.splitlines()}


def problems(in_list, in_headers, in_library):
    pairs = (
        (in_library - in_headers, "is exported but no public header declares it WEFT_API"),
        (in_headers - in_library, "is declared WEFT_API but libweft.so does not export it"),
        (in_library - in_list, "is exported but missing in tools/symbols.txt"),
        (in_list - in_library, "is listed in tools/symbols.txt but not exported"),
    )
    return [f"{name} {what}" for names, what in pairs for name in sorted(names)]


def main(args):
    write = args[0] == "--write"
    symbols_path, include, library = args[1:4] if write else args[0:3]
    in_library = exported(library)
    if write:
        head = "# SPDX-License-Identifier: Apache-2.0\n# Every symbol libweft.so exports: the promise of its ABI.\n"
        Path(symbols_path).write_text(head + "".join(f"{s}\n" for s in sorted(in_library)), encoding="utf-8")
    headers = Path(include).rglob("*.h")
    in_headers = set().union(*(declared(h.read_text(encoding="utf-8")) for h in headers))
    in_list = listed(Path(symbols_path).read_text(encoding="utf-8"))
    found = problems(in_list, in_headers, in_library)
    print("\n".join(found) if found else f"{len(in_library)} symbols are exported, declared and listed")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
