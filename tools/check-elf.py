#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Refuses release binaries that lost their hardening: full RELRO, no executable stack, position independence, no text
relocations, and stack protection somewhere in the library.

Usage: check-elf.py BUILD_FOLDER
"""

import subprocess
import sys
from pathlib import Path

BINARIES = ("libweft.so", "weft", "weftd", "weft-netem")


def problems(name, headers, dynamic, symbols):
    """headers, dynamic, symbols: what readelf -hlW, -dW and --dyn-syms -W print."""
    stack = [line for line in headers.splitlines() if "GNU_STACK" in line]
    checks = (
        ("DYN (" in headers, "is not position independent"),
        ("GNU_RELRO" in headers, "has no RELRO segment"),
        ("BIND_NOW" in dynamic or "NOW" in dynamic.split("FLAGS_1", 1)[-1].split("\n")[0], "binds lazily"),
        (bool(stack) and "RWE" not in stack[0], "has an executable stack"),
        ("TEXTREL" not in dynamic, "has text relocations"),
        (name != "libweft.so" or "__stack_chk_fail" in symbols, "has no stack protection"),
    )
    return [f"{name} {what}" for holds, what in checks if not holds]


def _readelf(path, *options):
    return subprocess.run(["readelf", *options, str(path)], check=True, capture_output=True, text=True).stdout


def main(build):
    found, seen = [], 0
    for name in BINARIES:
        path = Path(build) / name
        if path.exists():
            seen += 1
            found += problems(name, _readelf(path, "-hlW"), _readelf(path, "-dW"), _readelf(path, "--dyn-syms", "-W"))
    if not seen:
        found.append(f"nothing was built in {build}")
    print("\n".join(found) if found else f"{seen} binaries are hardened")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
