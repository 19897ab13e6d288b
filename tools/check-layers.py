#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Refuses an #include "..." that tools/layers.txt does not allow.

Folders of src/ include themselves, what their line lists and weft/. Programs and examples include public headers and
their own; the simulator, tests, fuzz targets and benchmarks may look inside, but never the other way round.

Usage: check-layers.py LAYERS.txt ROOT
"""

import re
import subprocess
import sys
from pathlib import Path

_INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)


def read_layers(text):
    """({folder: set of folders it may include}, problems of the list itself)"""
    allowed, ranks, problems, rank = {}, {}, [], None
    for number, line in enumerate(text.splitlines(), 1):
        line = line.split("#")[0].strip()
        if not line:
            continue
        section = re.fullmatch(r"\[rank (\d+)\]", line)
        if section:
            rank = int(section.group(1))
            continue
        folder, colon, rest = line.partition(":")
        if not colon or rank is None:
            problems.append(f"layers.txt:{number}: not understood: {line}")
            continue
        for lower in rest.split():
            if ranks.get(lower, rank) >= rank:
                problems.append(f"layers.txt:{number}: {folder} of rank {rank} may not include {lower}")
        ranks[folder] = rank
        allowed[folder] = set(rest.split())
    return allowed, problems


def _own_public_header(root, target):
    return target.startswith("weft/") and (root / "include" / target).is_file()


def check_include(root, allowed, path, quote, target):
    """Why the file at path (relative to root) may not include target, or None."""
    parts = path.parts
    if quote == "<":
        return "our own headers are included with quotes" if target.startswith("weft/") else None
    if _own_public_header(root, target):
        return None
    if parts[0] == "include":
        return "a public header includes public headers only"
    if parts[0] == "examples":
        return "an example includes public headers only"
    folder = target.split("/")[0]
    if parts[0] == "apps":
        if (root / "apps" / parts[1] / target).is_file():
            return None
        if (root / "apps" / target).is_file() and folder in (parts[1], "common"):
            return None
        return "a program includes public headers, its own folder and common/ only"
    if parts[0] == "src":
        if not (root / "src" / target).is_file():
            return "no such header; name it by folder, as in base/reader.h"
        if folder != parts[1] and folder not in allowed.get(parts[1], set()):
            return f"{parts[1]} may not include {folder} (tools/layers.txt)"
        return None
    if parts[0] == "sim" and folder in ("tests", "fuzz", "bench", "apps"):
        return f"the simulator may not include {folder}"
    return None


def problems(layers_text, root, paths):
    allowed, found = read_layers(layers_text)
    for path in paths:
        if path.parts[0] == "src" and len(path.parts) > 1 and path.parts[1] not in allowed:
            found.append(f"{path}: the folder {path.parts[1]} has no line in tools/layers.txt")
            continue
        text = (root / path).read_text(encoding="utf-8")
        for match in _INCLUDE.finditer(text):
            why = check_include(root, allowed, path, match.group(1), match.group(2))
            if why:
                line = text.count("\n", 0, match.start(2)) + 1
                found.append(f"{path}:{line}: {match.group(2)}: {why}")
    return found


def main(layers_path, root):
    listed = subprocess.run(
        ["git", "-C", root, "ls-files", "--cached", "--others", "--exclude-standard", "*.c", "*.h"],
        check=True, capture_output=True, text=True,
    ).stdout.split("\n")
    paths = [Path(p) for p in listed if p and (Path(root) / p).is_file()]
    found = problems(Path(layers_path).read_text(encoding="utf-8"), Path(root), paths)
    print("\n".join(found) if found else f"{len(paths)} files include only what they may")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
