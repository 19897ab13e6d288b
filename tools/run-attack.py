#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Attacks weftd with weft-attack and measures what it costs; prints a table with goals and writes bench/results/attack.json.

Usage: tools/run-attack.py BUILD [--rows NAME...] [--runs N] [--out FILE] [--quick]

The server is pinned to core 1; attackers and honest clients share core 0. Needs root for the rows that forge senders
(spoofed, forged): they run in network namespaces made and taken down here. A whole run takes about five minutes; --quick
sends a tenth, to try the script itself.

Costs are taken without anybody else on the machine's clock: the server is stopped, its socket's buffer is filled, the
attacker is stopped, the server goes on until the buffer is empty, and its own time on the processor is divided by the
datagrams. A bare loop with the same socket options and batches gets the same datagrams in turn.
"""
import argparse
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

SERVER_CORE, CLIENT_CORE = 1, 0
BURST = 3000  # datagrams that fit the socket's buffer whatever their length
BURSTS = 15
RATE = 200_000
FLOOD_SECONDS = 2
BULK_BYTES = 3 << 30
FORGED_A_RUN = 200_000
FORGED_RATE = 100_000
POOL_KEYS = 64
PATIENCE = 60


def pinned(core, command):
    return ["taskset", "-c", str(core)] + [str(c) for c in command]


def wait_until(what, saying, seconds=PATIENCE):
    deadline = time.monotonic() + seconds
    while True:
        value = what()
        if value:
            return value
        if time.monotonic() > deadline:
            raise SystemExit(f"run-attack: {saying}")
        time.sleep(0.002)


class Process:
    """A server: its first line says where it listens. Ended by its id."""

    def __init__(self, command, namespace=None, env=None, pick=lambda line: line):
        enter = ["ip", "netns", "exec", namespace] if namespace else []
        self.child = subprocess.Popen(enter + pinned(SERVER_CORE, command), stdout=subprocess.PIPE, text=True, env=env)
        self.peer = pick(self.child.stdout.readline().strip())
        if not self.peer:
            raise SystemExit(f"run-attack: {command[0]} did not start")
        self.address = self.peer.split("@")[-1]
        self.port = int(self.address.rsplit(":", 1)[1])
        self.pid = self.child.pid  # ip and taskset become the program

    def end(self):
        self.child.send_signal(signal.SIGCONT)
        self.child.terminate()
        self.child.wait(timeout=20)

    def cpu_ns(self):
        with open(f"/proc/{self.pid}/schedstat", encoding="ascii") as f:
            return int(f.read().split()[0])

    def socket(self):
        """Bytes that wait in its socket, and datagrams that found no room."""
        with open(f"/proc/{self.pid}/net/udp", encoding="ascii") as f:
            for row in f.read().splitlines()[1:]:
                field = row.split()
                if int(field[1].split(":")[1], 16) == self.port:
                    return int(field[4].split(":")[1], 16), int(field[-1])
        raise SystemExit(f"run-attack: no socket with port {self.port}")

    def drain(self):
        wait_until(lambda: self.socket()[0] == 0, "the server does not empty its socket")
        time.sleep(0.003)


class Bench:
    def __init__(self, args):
        self.build = os.path.abspath(args.build)
        self.runs = args.runs
        self.share = 10 if args.quick else 1
        self.dir = tempfile.mkdtemp(prefix="weft-attack-")
        self.stats_path = os.path.join(self.dir, "stats.json")
        self.namespaces = []
        self.processes = []
        self.rows = []

    # --- what runs ---

    def program(self, name):
        path = os.path.join(self.build, "bench", name)
        return path if os.path.exists(path) else os.path.join(self.build, name)

    def env(self):
        return {**os.environ, "WEFT_HOME": self.dir}

    def start(self, *command, **more):
        process = Process(command, env=self.env(), **more)
        self.processes.append(process)
        return process

    def weftd(self, listen="127.0.0.1:0", namespace=None):
        """A daemon that has made its keys ahead; self.before is what it had counted then."""
        if not os.path.exists(os.path.join(self.dir, "key")):
            subprocess.run([self.program("weft"), "key", "new"], env=self.env(), stdout=subprocess.DEVNULL, check=True)
        config = os.path.join(self.dir, "weftd.conf")
        with open(config, "w", encoding="ascii") as f:
            f.write(f"receive = {self.dir}/inbox\nallow = any *\nlisten = {listen}\n")
        if os.path.exists(self.stats_path):
            os.unlink(self.stats_path)
        server = self.start(self.program("weftd"), "--config", config, "--quiet", "--stats-json", self.stats_path,
                            namespace=namespace, pick=lambda line: line.replace("listening as ", ""))
        self.before = wait_until(lambda: self.counted(lambda c: c["admission"]["pool_keys"] == POOL_KEYS), "no keys ahead")
        return server

    def counted(self, enough=lambda c: True):
        """The counters, when there are some and they are enough."""
        if not os.path.exists(self.stats_path):
            return None
        with open(self.stats_path, encoding="utf-8") as f:
            counters = json.load(f)
        return counters if enough(counters) else None

    def settled(self):
        """The counters when they stand still."""
        last = {}

        def same():
            nonlocal last
            now = self.counted()
            still, last = last.get("datagrams_in") == now["datagrams_in"], now
            time.sleep(1.1)
            return now if still else None

        return wait_until(same, "the counters do not stand still")

    def end(self, *servers):
        for server in servers:
            self.processes.remove(server)
            server.end()

    def attack(self, kind, target, *options, namespace=None):
        enter = ["ip", "netns", "exec", namespace] if namespace else []
        command = enter + pinned(CLIENT_CORE, [self.program("weft-attack"), kind, "--target", target, *options])
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def attacked(self, *args, **more):
        """Runs it to its end; what it says."""
        process = self.attack(*args, **more)
        out, _ = process.communicate(timeout=400)
        if process.returncode != 0:
            raise SystemExit(f"run-attack: {' '.join(map(str, args))} failed")
        return json.loads(out.splitlines()[-1])

    def client(self, *command, namespace=None):
        enter = ["ip", "netns", "exec", namespace] if namespace else []
        done = subprocess.run(enter + pinned(CLIENT_CORE, command), capture_output=True, text=True, timeout=400)
        if done.returncode != 0:
            raise SystemExit(f"run-attack: {command[0]} failed: {done.stderr.strip()}")
        return json.loads(done.stdout.splitlines()[-1])

    # --- network namespaces ---

    def ip(self, *args):
        subprocess.run(["ip", *args], check=True)

    def namespace(self, name):
        full = f"weftatk{os.getpid()}-{name}"
        self.ip("netns", "add", full)
        self.namespaces.append(full)
        self.ip("-n", full, "link", "set", "lo", "up")
        return full

    def two_namespaces(self):
        """(attacker's, server's); whatever the server says goes to the attacker's."""
        a, s = self.namespace("a"), self.namespace("s")
        self.ip("link", "add", "a0", "netns", a, "type", "veth", "peer", "name", "s0", "netns", s)
        for ns, device, address in ((a, "a0", "10.90.0.1/24"), (s, "s0", "10.90.0.2/24")):
            self.ip("-n", ns, "addr", "add", address, "dev", device)
            self.ip("-n", ns, "link", "set", device, "up")
        self.ip("-n", s, "route", "add", "default", "via", "10.90.0.1")
        return a, s

    def drop_namespaces(self):
        while self.namespaces:
            subprocess.run(["ip", "netns", "del", self.namespaces.pop()], check=False)

    def clean_up(self):
        for process in list(self.processes):
            process.child.kill()
            process.child.wait()
        self.drop_namespaces()
        shutil.rmtree(self.dir, ignore_errors=True)

    # --- results ---

    def row(self, name, ours, goal, unit="", better="lower", **more):
        met = ours <= goal if better == "lower" else ours >= goal
        self.rows.append({"row": name, "unit": unit, "better": better, "ours": round(ours, 4), "limit": goal, "met": met, **more})
        said = ", ".join(f"{k} {v:g}" for k, v in more.items() if isinstance(v, (int, float)))
        print(f"{name:34} {ours:>12g} {unit:9} goal {'<=' if better == 'lower' else '>='} {goal:<9g} {'met' if met else 'NOT MET':8} {said}",
              flush=True)


def more(before, after, name):
    return after[name] - before[name]


# --- rows ---


def spoofed(b):
    """A million HELLOs from a million addresses."""
    if os.geteuid() != 0:
        print("spoofed: needs root, left out")
        return
    a, s = b.two_namespaces()
    server = b.weftd("10.90.0.2:0", namespace=s)
    # Buffers that were there from the start are touched for the first time.
    b.attacked("spoofed", server.peer, "--namespace", "--count", 10_000, "--rate", 150_000, namespace=a)
    b.before = b.settled()
    done = b.attacked("spoofed", server.peer, "--namespace", "--count", 1_000_000 // b.share, "--rate", 150_000, "--seconds", 60,
                      namespace=a)
    after = b.settled()
    seen = more(b.before, after, "datagrams_in")
    b.row("spoofed-allocations", more(b.before, after, "allocations"), 0, sent=done["sent"], seen=seen)
    b.row("spoofed-rss-bytes", more(b.before, after, "rss"), 65536, "bytes")
    b.row("spoofed-curve-operations", more(b.before, after, "curve_operations"), 0)
    b.row("spoofed-table-entries", after["admission"]["table_entries"], 0)
    b.row("spoofed-sessions", after["sessions_total"], 0)
    b.row("spoofed-bytes-out-per-in", after["bytes_out"] / max(1, after["bytes_in"]), 1.0,
          answers=after["datagrams_out"])
    b.end(server)
    b.drop_namespaces()


def replay(b):
    """A solved SOLVE a million times, as it is; then changed in every way."""
    for name, shape in (("replayed", ["--shape", "same"]), ("altered", [])):
        server = b.weftd()
        done = b.attacked("replay", server.peer, "--count", 1_000_000 // b.share, "--rate", 100_000, "--seconds", 60, *shape)
        after = b.settled()
        b.row(f"{name}-sessions", after["sessions_total"], 1, sent=done["sent"], seen=after["admission"]["solve"])
        b.row(f"{name}-curve-operations", more(b.before, after, "curve_operations"), 4 * 8)
        b.end(server)


def handshakes(b, server, attack, target):
    """Honest clients while an attack goes on; what they say and its rate."""
    kind, *options = attack
    process = b.attack(kind, target, *options, "--rate", RATE, "--count", 10_000_000, "--seconds", FLOOD_SECONDS + 1, "--deaf")
    time.sleep(0.3)
    got = b.client(b.program("weft-bench-honest-client"), server.peer, FLOOD_SECONDS)
    out, _ = process.communicate(timeout=30)
    told = json.loads(out.splitlines()[-1])
    return got, told["sent"] / told["seconds"]


def flood(b):
    """Honest handshakes: quiet (the attack goes to a socket that nobody reads) and under attack, in turn."""
    attacks = {"garbage": ["garbage"], "hello": ["spoofed"], "replayed": ["replay", "--shape", "same"]}
    runs = {name: [] for name in attacks}
    nobody = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    nobody.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    nobody.bind(("127.0.0.1", 0))
    server = b.weftd()
    for _ in range(b.runs):
        for name, attack in attacks.items():
            quiet_attack = ["garbage", "--shape", "solve"] if name == "replayed" else attack
            quiet, _ = handshakes(b, server, quiet_attack, f"127.0.0.1:{nobody.getsockname()[1]}")
            loud, rate = handshakes(b, server, attack, server.peer)
            runs[name].append((quiet, loud, rate))
    b.end(server)
    nobody.close()
    for name, done in runs.items():
        tried = sum(loud["tried"] for _, loud, _ in done)
        medians = {f"{who}_{p}": statistics.median(pair[i][p] for pair in done)
                   for i, who in enumerate(("quiet", "loud")) for p in ("p50_us", "p99_us")}
        b.row(f"flood-success-{name}", sum(loud["ok"] for _, loud, _ in done) / max(1, tried), 0.999, better="higher",
              tried=tried, rate=round(statistics.median(rate for _, _, rate in done)))
        b.row(f"flood-p99-ratio-{name}", statistics.median(l["p99_us"] / q["p99_us"] for q, l, _ in done), 2.0, "x", runs=b.runs,
              **medians)


def burst(b, server, attack):
    """The server's own time for one datagram, in microseconds."""
    dropped = server.socket()[1]
    os.kill(server.pid, signal.SIGSTOP)
    attacker = b.attack(attack[0], server.peer, *attack[1:], "--count", BURST)
    time.sleep(0.08)
    attacker.send_signal(signal.SIGSTOP)  # so that no answer wakes it at the server's cost
    began = server.cpu_ns()
    os.kill(server.pid, signal.SIGCONT)
    server.drain()
    took = server.cpu_ns() - began
    attacker.send_signal(signal.SIGCONT)
    attacker.communicate(timeout=20)
    return took / (BURST - (server.socket()[1] - dropped)) / 1000


def cost(b):
    """What a stranger's datagram costs the server beyond a bare loop."""
    server = b.weftd()
    bare = {what: b.start(b.program("weft-bench-bare-peer"), what) for what in ("sink", "echo")}
    kinds = [(f"garbage-{s}-us", ["garbage", "--shape", s], "sink", 0.3) for s in ("any", "hello", "session", "type")]
    # A SOLVE of another instance is told to begin anew, so it is an answered one.
    kinds += [("foreign-solve-us", ["garbage", "--shape", "solve"], "echo", 1.0), ("hello-us", ["spoofed"], "echo", 0.5)]
    for name, attack, peer, goal in kinds:
        pairs = [(burst(b, bare[peer], attack), burst(b, server, attack)) for _ in range(max(b.runs, BURSTS // b.share))]
        b.row(name, statistics.median(ours - least for least, ours in pairs), goal, "us", runs=len(pairs),
              bare=round(statistics.median(least for least, _ in pairs), 3), whole=round(statistics.median(o for _, o in pairs), 3))
    b.row("garbage-us", statistics.mean(r["ours"] for r in b.rows if r["row"].startswith("garbage-")), 0.3, "us")
    b.end(server, *bare.values())


def forged(b):
    """A bulk transfer while packets of its session are forged, against one while as many go to a socket that nobody reads."""
    if os.geteuid() != 0:
        print("forged: needs root, left out")
        return
    ns = b.namespace("f")
    sink = b.start(b.program("weft-bench-bare-peer"), "echo", namespace=ns)
    os.kill(sink.pid, signal.SIGSTOP)
    server = b.start(b.program("weft-bench-weft-peer"), "server", namespace=ns)
    rates = {"quiet": [], "loud": []}
    sent = 0
    for _ in range(b.runs):
        for name in rates:
            options = ["--namespace", "--count", FORGED_A_RUN // b.share, "--rate", FORGED_RATE, "--seconds", 30]
            if name == "quiet":
                attack = b.attack("forged", sink.address, *options, "--from", "127.0.0.1:9", "--cid", "0" * 16, namespace=ns)
            else:
                attack = b.attack("forged", server.address, *options, namespace=ns)
            rates[name].append(b.client(b.program("weft-bench-weft-peer"), "bulk", server.peer, BULK_BYTES // b.share,
                                        namespace=ns)["gb_per_s"])
            out, _ = attack.communicate(timeout=60)
            sent += json.loads(out.splitlines()[-1])["sent"] if name == "loud" and attack.returncode == 0 else 0
    b.end(server, sink)
    b.drop_namespaces()
    b.row("forged-goodput-ratio", statistics.median(rates["loud"]) / statistics.median(rates["quiet"]), 0.95, "x", "higher",
          runs=b.runs, sent=sent, quiet=statistics.median(rates["quiet"]), loud=statistics.median(rates["loud"]))


def half_open(b):
    """50,000 SOLVEs that nothing follows; honest clients meanwhile; what is left after 10 s."""
    server = b.weftd()
    attack = b.attack("half-open", server.peer, "--count", 50_000 // b.share, "--seconds", 60)
    honest = {"tried": 0, "ok": 0}
    peak = 0
    while attack.poll() is None:
        got = b.client(b.program("weft-bench-honest-client"), server.peer, 1)
        honest = {k: honest[k] + got[k] for k in honest}
        peak = max(peak, b.counted()["sessions"])
        time.sleep(1)  # the attacker's turn: both are on one core
    told = json.loads(attack.stdout.read().splitlines()[-1])
    time.sleep(11.5)
    after = b.counted()
    b.row("half-open-success", honest["ok"] / max(1, honest["tried"]), 0.999, better="higher", tried=honest["tried"],
          sent=told["handshakes"], seconds=told["seconds"])
    b.row("half-open-bytes-each", (after["memory_max"] - b.before["memory_held"]) / max(1, peak), 16384, "bytes", sessions=peak)
    b.row("half-open-left-after-10-s", after["sessions"], 0)
    b.end(server)


ROWS = {"spoofed": spoofed, "replay": replay, "flood": flood, "cost": cost, "forged": forged, "half-open": half_open}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build")
    parser.add_argument("--rows", default="all")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--out", default="bench/results/attack.json")
    args = parser.parse_args()
    wanted = args.rows.split()
    unknown = [w for w in wanted if w != "all" and w not in ROWS]
    if unknown or not wanted:
        raise SystemExit(f"run-attack: no row {' '.join(unknown)}; there are: {' '.join(ROWS)}")
    bench = Bench(args)
    try:
        for name, measure in ROWS.items():
            if "all" in wanted or name in wanted:
                measure(bench)
    finally:
        bench.clean_up()
    os.makedirs(os.path.dirname(args.out) or ".", exist_ok=True)
    with open(args.out, "w", encoding="utf-8") as f:
        json.dump(bench.rows, f, indent=1)
        f.write("\n")
    print(f"written to {args.out}")
    return 0 if all(r["met"] for r in bench.rows) else 1


if __name__ == "__main__":
    sys.exit(main())
