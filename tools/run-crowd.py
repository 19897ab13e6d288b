#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Many clients with sessions at work at one server, over real sockets: what the server's memory and
answers are like. Says it as a table and, with --json FILE, in full.

usage: tools/run-crowd.py BUILD [--clients 10000] [--processes 4] [--seconds 10] [--every-ms 1000]"""

import argparse
import json
import pathlib
import subprocess
import sys
import time


def memory_kib(pid):
    """(resident, locked) of a process."""
    wanted = {}
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        name, _, value = line.partition(":")
        wanted[name] = value
    return int(wanted["VmRSS"].split()[0]), int(wanted["VmLck"].split()[0])


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


class Server:
    def __init__(self, program):
        self.process = subprocess.Popen([program, "server"], stdout=subprocess.PIPE, text=True)
        self.peer = self.process.stdout.readline().strip()

    def look(self):
        resident, locked = memory_kib(self.process.pid)
        return {"resident_kib": resident, "locked_kib": locked, "cpu_s": cpu_seconds(self.process.pid)}

    def end(self):
        self.process.terminate()
        self.process.wait()


class Crowd:
    """Some of the clients: one process."""

    def __init__(self, program, peer, count, options):
        self.process = subprocess.Popen(
            [program, peer, str(count), str(options.seconds), str(options.every_ms)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def hear(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit("run-crowd: a process of clients ended early")
        return json.loads(line)

    def go_on(self):
        self.process.stdin.write("go\n")
        self.process.stdin.flush()

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def measure(options):
    folder = pathlib.Path(options.build) / "bench"
    server = Server(folder / "weft-bench-weft-peer")
    figures = {"clients": options.clients, "empty": server.look()}
    share = options.clients // options.processes
    crowds = [Crowd(folder / "weft-bench-crowd", server.peer, share, options) for _ in range(options.processes)]
    try:
        figures["connected"] = [c.hear() for c in crowds]
        figures["full"] = server.look()
        for c in crowds:
            c.go_on()
        figures["answers"] = [c.hear() for c in crowds]
        figures["busy"] = server.look()
        if options.rest > 0:
            time.sleep(options.rest)
            figures["rested"] = server.look()
    finally:
        for c in crowds:
            c.end()
        server.end()
    return figures


def show(f):
    sessions = sum(c["answered"] for c in f["connected"])
    answers = sum(a["count"] for a in f["answers"])
    took = max(c["seconds"] for c in f["connected"])
    busy_s = f["busy"]["cpu_s"] - f["full"]["cpu_s"]

    print(f"{sessions} sessions of {f['clients']} clients, made in {took:.1f} s")
    print(f"{'':24}{'resident':>12}{'a session':>12}")
    for name in ("empty", "full", "busy", "rested"):
        if name in f:
            more = (f[name]["resident_kib"] - f["empty"]["resident_kib"]) * 1024 / max(sessions, 1)
            print(f"{name:24}{f[name]['resident_kib'] / 1024:>8.1f} MiB{more:>10.0f} B")
    print(f"{answers} answers, p50 {max(a['p50_us'] for a in f['answers']):.0f} us, "
          f"p99 {max(a['p99_us'] for a in f['answers']):.0f} us, "
          f"{busy_s * 1e6 / max(answers, 1):.1f} us of the server's processor each")


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    p.add_argument("build")
    p.add_argument("--clients", type=int, default=10000)
    p.add_argument("--processes", type=int, default=4)
    p.add_argument("--seconds", type=int, default=10)
    p.add_argument("--every-ms", type=int, default=1000)
    p.add_argument("--rest", type=int, default=0, help="seconds of silence, then another look at the server")
    p.add_argument("--json", help="write all figures there")
    options = p.parse_args()
    figures = measure(options)
    show(figures)
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
