#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the benchmarks: ours, peer, ours, peer in one run, pinned, and prints medians with ratios.

Usage: tools/run-bench.py BUILD [--rows transport|admission|work|NAME...] [--runs N] [--out FILE]

Server on core 1, client on core 0, loopback. Writes bench/results/latest.json.
"""
import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import time

RUNS = 5
RR_COUNT = 20000
BULK_BYTES = 2 << 30
IPERF_SECONDS = 2


def pinned(core, command):
    return ["taskset", "-c", str(core)] + command


class Server:
    """A program that prints one line (how to reach it) and serves until it is ended."""

    def __init__(self, command, core=1):
        self.process = subprocess.Popen(pinned(core, command), stdout=subprocess.PIPE, text=True)
        self.at = self.process.stdout.readline().strip()
        if not self.at:
            raise SystemExit(f"run-bench: {command[0]} did not start")

    def __enter__(self):
        return self.at

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(timeout=10)


def client(command, core=0):
    done = subprocess.run(pinned(core, command), capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        raise SystemExit(f"run-bench: {' '.join(command)} failed: {done.stderr.strip()}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def iperf3(build):
    """Plain TCP, one stream, cubic: GB/s."""
    server = subprocess.Popen(pinned(1, ["iperf3", "-s", "-B", "127.0.0.1", "-p", "5291", "-1"]),
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(0.3)
    try:
        done = subprocess.run(pinned(0, ["iperf3", "-c", "127.0.0.1", "-p", "5291", "-t", str(IPERF_SECONDS),
                                         "-C", "cubic", "-J"]), capture_output=True, text=True, timeout=60)
        return json.loads(done.stdout)["end"]["sum_received"]["bits_per_second"] / 8e9
    finally:
        server.terminate()
        server.wait(timeout=10)


def pair(build, name, mode, amount):
    """One run of a server of ours or the TLS peer and its client."""
    program = os.path.join(build, "bench", f"weft-bench-{name}-peer")
    with Server([program, "server"]) as at:
        return client([program, mode, at, str(amount)])


def bulk_of(name):
    return lambda build: pair(build, name, "bulk", BULK_BYTES)["gb_per_s"]


def rr_of(name, field):
    return lambda build: pair(build, name, "rr", RR_COUNT)[field]


def printed(name, field):
    """A row that a program of ours measures by itself."""
    def run(build):
        program = os.path.join(build, "bench", f"weft-bench-{name}")
        out = subprocess.run(pinned(1, [program]), capture_output=True, text=True, timeout=300)
        if out.returncode != 0:
            raise SystemExit(f"run-bench: {program} failed: {out.stderr.strip()}")
        rows = [json.loads(line) for line in out.stdout.splitlines() if line.startswith("{")]
        found = [r for r in rows if r.get("row") == field]
        if not found:
            raise SystemExit(f"run-bench: {program} printed no row {field}")
        return found[0]["ours"]
    return run


# name, group, unit, what is better, ours, peers
ROWS = [
    ("bulk-mtu-chacha", "transport", "GB/s", "higher", bulk_of("weft"),
     {"tcp-cubic-iperf3": iperf3, "tls13-chacha-openssl": bulk_of("tls")}),
    ("rr-p50-us", "transport", "us", "lower", rr_of("weft", "p50_us"), {"tls13-openssl": rr_of("tls", "p50_us")}),
    ("rr-p99-us", "transport", "us", "lower", rr_of("weft", "p99_us"), {"tls13-openssl": rr_of("tls", "p99_us")}),
    ("handshakes-per-s", "admission", "1/s", "higher", printed("handshake-bench", "handshakes-per-s"), {}),
    ("handshakes-mutual-per-s", "admission", "1/s", "higher", printed("handshake-bench", "handshakes-mutual-per-s"), {}),
    ("work1-tries-per-s", "work", "1/s", "higher", printed("work-bench", "work1-tries-per-s"), {}),
    ("work1-check-us", "work", "us", "lower", printed("work-bench", "work1-check-us"), {}),
    ("work2-tries-per-s", "work", "1/s", "higher", printed("work-bench", "work2-tries-per-s"), {}),
    ("work2-check-us", "work", "us", "lower", printed("work-bench", "work2-check-us"), {}),
]


def measure(row, build, runs):
    name, _, unit, better, ours, peers = row
    values = {"ours": []}
    for peer in peers:
        values[peer] = []
    for _ in range(runs):
        values["ours"].append(ours(build))
        for peer, run in peers.items():
            values[peer].append(run(build))
    medians = {who: statistics.median(v) for who, v in values.items()}
    return {"row": name, "unit": unit, "better": better, "ours": round(medians.pop("ours"), 3),
            "peers": {p: round(v, 3) for p, v in medians.items()}, "limit": None, "runs": runs}


def show(rows):
    print(f"{'row':26} {'unit':6} {'ours':>12}   peers (ratio ours / peer)")
    for r in rows:
        peers = ", ".join(f"{p} {v:g} ({r['ours'] / v:.2f}x)" for p, v in r["peers"].items() if v) or "-"
        print(f"{r['row']:26} {r['unit']:6} {r['ours']:>12g}   {peers}")


def version(command):
    try:
        out = subprocess.run(command, capture_output=True, text=True, check=False).stdout
        return re.sub(r"\s+", " ", out.splitlines()[0]) if out else "unknown"
    except OSError:
        return "missing"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build")
    parser.add_argument("--rows", default="all")
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--out", default="bench/results/latest.json")
    args = parser.parse_args()
    wanted = args.rows.split() or ["all"]
    chosen = [r for r in ROWS if "all" in wanted or r[0] in wanted or r[1] in wanted]
    if not chosen:
        raise SystemExit(f"run-bench: no row or group of that name; there are: {' '.join(r[0] for r in ROWS)}")
    print(f"peers: {version(['iperf3', '--version'])}; {version(['openssl', 'version'])}")
    done = []
    for row in chosen:
        if sys.stderr.isatty():
            print(f"measuring {row[0]} …", file=sys.stderr)
        done.append(measure(row, args.build, args.runs))
    show(done)
    os.makedirs(os.path.dirname(args.out), exist_ok=True)
    with open(args.out, "w", encoding="utf-8") as f:
        json.dump(done, f, indent=1)
        f.write("\n")
    print(f"written to {args.out}")


if __name__ == "__main__":
    main()
