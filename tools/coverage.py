#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Sums up what gcov recorded: lines and branches reached, by folder of src/, and where they were not.

A line counts as reached when any object that contains it reached it.

Usage: coverage.py BUILD_FOLDER [--missing FOLDER]     (--missing lists the lines not reached below FOLDER)
"""

import json
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path


def read_reports(reports, root):
    """{file: {line: [hits, {branch index: hits}]}} of the files below src/ and include/."""
    files = defaultdict(lambda: defaultdict(lambda: [0, defaultdict(int)]))
    for report in reports:
        for entry in report["files"]:
            path = os.path.relpath(os.path.join(report["current_working_directory"], entry["file"]), root)
            if not path.startswith("src/"):
                continue
            for line in entry["lines"]:
                known = files[path][line["line_number"]]
                known[0] += line["count"]
                for i, branch in enumerate(line["branches"]):
                    known[1][i] += branch["count"]
    return files


def run_gcov(build):
    # By the compiler's notes, not by the records of runs: an object that never ran counts with zeros.
    notes = [str(p.resolve()) for p in Path(build).rglob("*.gcno") if "/src/" in str(p)]
    if not any(Path(build).rglob("*.gcda")):
        raise SystemExit(f"coverage: nothing was recorded in {build}; run the tests there first")
    out = subprocess.run(
        ["gcov", "--json-format", "--stdout", "--branch-probabilities", *notes],
        check=True, capture_output=True, text=True,
    ).stdout
    return [json.loads(line) for line in out.splitlines() if line.startswith("{")]


def totals(files):
    """{folder: [lines, lines reached, branches, branches reached]}, with "all"."""
    sums = defaultdict(lambda: [0, 0, 0, 0])
    for path, lines in files.items():
        for hits, branches in lines.values():
            for folder in (path.split("/")[1], "all"):
                sums[folder][0] += 1
                sums[folder][1] += hits > 0
                sums[folder][2] += len(branches)
                sums[folder][3] += sum(count > 0 for count in branches.values())
    return sums


def percent(part, whole):
    return f"{100 * part / whole:6.1f} %" if whole else "      -"


def main(build, rest):
    files = read_reports(run_gcov(build), os.getcwd())
    if rest[:1] == ["--missing"]:
        for path in sorted(p for p in files if p.startswith(rest[1])):
            missing = sorted(n for n, (hits, _) in files[path].items() if not hits)
            if missing:
                print(f"{path}: {' '.join(map(str, missing))}")
        return
    print(f"{'folder':12} {'lines':>8} {'reached':>9} {'branches':>9} {'reached':>9}")
    for folder, (lines, reached, branches, taken) in sorted(totals(files).items(), key=lambda item: item[0] == "all"):
        print(f"{folder:12} {lines:8} {percent(reached, lines):>9} {branches:9} {percent(taken, branches):>9}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
