#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs clang-tidy and cppcheck on what changed since they last passed.

A file has changed when its text, a header of ours that it reads, its compile command or .clang-tidy has. What passed is
remembered in the build folder, so a cold run looks at everything.

Usage: run-tidy.py BUILD_FOLDER
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

CPPCHECK = [
    "cppcheck", "--std=c11", "--enable=warning,performance,portability", "--inline-suppr", "--quiet",
    "--error-exitcode=1", "-D__GNUC__=12", "-DWEFT_DEBUG",
    "--suppress=missingIncludeSystem", "--suppress=internalAstError", "--suppress=checkersReport",
    "-Iinclude", "-Isrc", "-I.",
]
# Tests are for the sanitizers; a benchmark that fails just ends.
SKIPPED = ("tests/", "fuzz/", "bench/")


def find_tool(*names):
    return next((n for n in names if shutil.which(n)), None)


def dependencies(build):
    """{object: [files it was made from]} from ninja's own records."""
    out, current = {}, None
    text = subprocess.run(["ninja", "-C", build, "-t", "deps"], capture_output=True, text=True).stdout
    for line in text.splitlines():
        if line.startswith(" "):
            out[current].append(line.strip())
        elif ":" in line:
            current = line.split(":")[0]
            out[current] = []
    return out


def key_of(command, files, root, config):
    digest = hashlib.sha256(config + command.encode())
    for path in sorted(files):
        if path.startswith(root + os.sep) and os.path.isfile(path):
            digest.update(Path(path).read_bytes())
    return digest.hexdigest()


def analyse(tidy, build, path, root):
    done = subprocess.run([tidy, "--quiet", "-p", build, path], capture_output=True, text=True, cwd=root)
    text = "\n".join(l for l in done.stdout.splitlines() if l.strip())
    status = done.returncode
    checked = subprocess.run([*CPPCHECK, path], capture_output=True, text=True, cwd=root)
    return path, status or checked.returncode, text + checked.stderr


def main(build):
    root = os.getcwd()
    tidy = find_tool("clang-tidy-14", "clang-tidy")
    if tidy is None or shutil.which("cppcheck") is None:
        print("clang-tidy or cppcheck is missing: tools/install-deps.sh check")
        return 1
    passed = Path(build) / "tidy"
    passed.mkdir(exist_ok=True)
    config = Path(".clang-tidy").read_bytes() + " ".join(CPPCHECK).encode()
    made_from = dependencies(build)
    todo = {}
    for entry in json.loads((Path(build) / "compile_commands.json").read_text()):
        path = os.path.relpath(entry["file"], root)
        if path.startswith(SKIPPED) or path.startswith(".."):
            continue
        made = entry.get("output") or entry["command"].split(" -o ")[1].split()[0]
        files = made_from.get(made, []) + [entry["file"]]
        todo[path] = key_of(entry["command"], files, root, config)
    fresh = [p for p, key in sorted(todo.items()) if not (passed / key).exists()]
    failed = 0
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        for path, status, text in pool.map(lambda p: analyse(tidy, build, p, root), fresh):
            if status:
                failed += 1
                print(f"{path}:\n{text}")
            else:
                (passed / todo[path]).touch()
    print(f"{failed} of {len(fresh)} changed files have findings ({len(todo)} in all)")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
