#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the tests of a build folder, as many at once as there are cores, and counts them by name.

Each program speaks TAP; a claim is one test. A program that dies fails the claim it was in and every one it had not
reached. A replay of a corpus is one test. The last line is "N passed, N failed" (and skipped, if any).

Scripts named after --scripts are run one after the other instead; one that speaks no TAP is one test.

Usage: run-tests.py BUILD_FOLDER [--match TEXT] [--label LABEL] [--counts FILE] [--verbose] [--scripts FILE...]
Scripts find the build folder in WEFT_BUILD.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

_PLAN = re.compile(r"^1\.\.(\d+)$")
_RESULT = re.compile(r"^(ok|not ok) (\d+)(?: - (.*)|( # SKIP.*))$")
OUTPUT_LINES_SHOWN = 30
SCRIPT_SECONDS_MAX = 600


@dataclass
class Outcome:
    name: str
    passed: list = field(default_factory=list)
    failed: list = field(default_factory=list)
    skipped: list = field(default_factory=list)
    seconds: float = 0.0
    output: str = ""


def read_tap(name, text, status):
    """What a test program's output and exit status say."""
    out = Outcome(name, output=text)
    planned = None
    for line in text.splitlines():
        plan = _PLAN.match(line)
        if plan and planned is None:
            planned = int(plan.group(1))
            continue
        result = _RESULT.match(line)
        if not result:
            continue
        verdict, _, claim, skip = result.groups()
        if skip is not None or (claim or "").startswith("# SKIP"):
            out.skipped.append((skip or claim).replace("# SKIP", "").strip())
        elif verdict == "ok":
            out.passed.append(claim)
        else:
            out.failed.append(claim)
    seen = len(out.passed) + len(out.failed) + len(out.skipped)
    if planned is None:
        out.failed.append(f"{name} told no plan (exit status {status})")
    elif seen < planned:
        out.failed += [f"{name} ended early (exit status {status})"] + ["not reached"] * (planned - seen - 1)
    elif status != 0 and not out.failed:
        out.failed.append(f"{name} exited with status {status}")
    return out


def read_plain(name, text, status):
    """A program that is one test: a corpus replay, a script."""
    out = Outcome(name, output=text)
    (out.passed if status == 0 else out.failed).append(name)
    return out


def registered(build, label):
    """The tests that CMake registered, as (name, command, environment, folder, seconds allowed, labels)."""
    shown = subprocess.run(
        ["ctest", "--test-dir", build, "--show-only=json-v1"], check=True, capture_output=True, text=True
    ).stdout
    for test in json.loads(shown)["tests"]:
        properties = {p["name"]: p["value"] for p in test.get("properties", [])}
        labels = properties.get("LABELS", [])
        if "command" not in test:
            raise SystemExit(f"run-tests: {test['name']} is registered but not built")
        if label and label not in labels:
            continue
        environment = dict(e.split("=", 1) for e in properties.get("ENVIRONMENT", []))
        yield (test["name"], test["command"], environment, properties.get("WORKING_DIRECTORY", build),
               properties.get("TIMEOUT", 300), labels)


def select(tests, text):
    """Those whose name contains text, whole; of the others, the claims that contain it."""
    for test in tests:
        name, command, *rest = test
        if not text or text in name:
            yield test
        elif "unit" in test[5]:
            claims = subprocess.run(command + ["--list"], capture_output=True, text=True).stdout
            if text in claims:
                yield (name, command + [f"*{text}*"], *rest)


def run_one(test):
    name, command, environment, folder, limit, labels = test
    started = time.monotonic()
    try:
        done = subprocess.run(
            command, env={**os.environ, **environment}, cwd=folder, timeout=limit, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
        )
        text, status = done.stdout, done.returncode
    except subprocess.TimeoutExpired as late:
        text = (late.stdout or b"").decode(errors="replace") + f"\n# stopped after {limit} seconds\n"
        status = 124
    speaks_tap = "unit" in labels or re.search(r"^1\.\.\d+$", text, re.MULTILINE)
    out = (read_tap if speaks_tap else read_plain)(name, text, status)
    out.seconds = time.monotonic() - started
    return out


def excerpt(text):
    """What a person wants of a failed program's output: no good claims, and no middle of a flood."""
    lines = [line for line in text.splitlines() if not line.startswith("ok ")]
    if len(lines) > 2 * OUTPUT_LINES_SHOWN:
        left_out = len(lines) - 2 * OUTPUT_LINES_SHOWN
        lines[OUTPUT_LINES_SHOWN:-OUTPUT_LINES_SHOWN] = [f"... {left_out} lines ..."]
    return lines


def report(out, verbose):
    if out.failed:
        print(f"FAILED {out.name} ({out.seconds:.1f} s)")
        print("\n".join("    " + line for line in excerpt(out.output)))
    elif verbose:
        print(f"ok {out.name}: {len(out.passed)} ({out.seconds:.1f} s)")
    for claim in out.skipped:
        print(f"  skipped: {out.name}: {claim}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--match", default="")
    parser.add_argument("--label", default="")
    parser.add_argument("--counts")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--scripts", nargs="+")
    args = parser.parse_args()

    if args.scripts:
        tests = [(s, [os.path.abspath(s)], {"WEFT_BUILD": os.path.abspath(args.build)}, ".", SCRIPT_SECONDS_MAX, [])
                 for s in args.scripts]
    else:
        tests = list(select(registered(args.build, args.label), args.match))
    if not tests:
        print(f"run-tests: no test matches {args.match or args.label or args.build}")
        return 1
    totals = {"passed": 0, "failed": 0, "skipped": 0}
    slowest = []
    failures = []
    workers = 1 if args.scripts else os.cpu_count() or 1
    with ThreadPoolExecutor(max_workers=workers) as pool:
        for out in pool.map(run_one, tests):
            report(out, args.verbose or bool(args.match))
            for key in totals:
                totals[key] += len(getattr(out, key))
            slowest.append((out.seconds, out.name))
            failures += [f"failed: {out.name}: {claim}" for claim in out.failed]
    if failures:
        print("\n".join(failures))
    slowest.sort(reverse=True)
    print("slowest: " + ", ".join(f"{name} {seconds:.1f} s" for seconds, name in slowest[:3]))
    if args.counts:
        with open(args.counts, "w", encoding="utf-8") as f:
            json.dump(totals, f)
    tail = f", {totals['skipped']} skipped" if totals["skipped"] else ""
    print(f"{totals['passed']} passed, {totals['failed']} failed{tail}")
    return 1 if totals["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
