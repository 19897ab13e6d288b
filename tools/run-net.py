#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Measures weft beside TCP of the kernel over links that weft-netem makes between two network namespaces. As root.

Usage: tools/run-net.py BUILD [--rows NAME...] [--runs N] [--quick] [--out FILE]

Each row is measured several times, ours and its peers in turn; medians are shown with the goal where there is one. Writes
bench/results/net.json. --quick: shorter transfers, for a look.
"""
import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time

OUT = "10.96.0.1"
IN = "10.96.0.2"
PEER = "bench/weft-bench-net-peer"
TCP_BUFFERS = "4096 131072 67108864"  # enough for 1 Gb/s and 100 ms; the default ends at 4 and 6 MB


def fail(text):
    raise SystemExit(f"run-net: {text}")


class Server:
    """A weft server: what it had got when. start(file) starts it with that for standard output."""

    def __init__(self, start):
        self.out = tempfile.TemporaryFile("a+")  # appended to: we move the place where the child would write
        self.child = start(self.out)
        deadline = time.monotonic() + 10
        while "\n" not in self.text():
            if time.monotonic() > deadline or self.child.poll() is not None:
                fail("the weft server does not start")
            time.sleep(0.02)
        self.peer = self.text().partition("\n")[0]

    def text(self):
        self.out.seek(0)
        return self.out.read()

    def samples(self):
        """(seconds of CLOCK_MONOTONIC, bytes so far), oldest first."""
        rows = [json.loads(line) for line in self.text().splitlines()[1:] if line.endswith("}")]
        return [(r["at_us"] / 1e6, r["bytes"]) for r in rows]

    def bytes_at(self, when, samples=None):
        """Interpolated, since it tells each 100 ms."""
        before = (0.0, 0)
        for at, count in samples or self.samples():
            if at >= when:
                share = (when - before[0]) / (at - before[0]) if before[0] else 0
                return before[1] + share * (count - before[1])
            before = (at, count)
        return before[1]

    def rate(self, start, end):
        """Bits a second in between."""
        samples = self.samples()
        return (self.bytes_at(end, samples) - self.bytes_at(start, samples)) * 8 / (end - start)


class Net:
    """Two namespaces, an emulated link between them, and what runs there. Everything goes at its end."""

    def __init__(self, build, *options):
        self.build = build
        self.spaces = [f"weftnet{os.getpid()}-{name}" for name in ("out", "in")]
        self.children = []
        self.report = None
        self.json = tempfile.mktemp(prefix="weft-net-")
        self.options = [str(o) for o in options]

    def program(self, name):
        return os.path.join(self.build, name)

    def __enter__(self):
        for space in self.spaces:
            subprocess.run(["ip", "netns", "add", space], check=True)
            subprocess.run(["ip", "-n", space, "link", "set", "lo", "up"], check=True)
            for name in ("rmem", "wmem"):
                subprocess.run(["ip", "netns", "exec", space, "sysctl", "-qw", f"net.ipv4.tcp_{name}={TCP_BUFFERS}"], check=True)
        ends = [f"{space}:we{i}:{at}/24" for i, (space, at) in enumerate(zip(self.spaces, (OUT, IN)))]
        self.netem = subprocess.Popen([self.program("weft-netem"), "tun", "--a", ends[0], "--b", ends[1], "--json", self.json, *self.options],
                                      stdout=subprocess.PIPE, text=True)
        if not self.netem.stdout.readline().startswith("ready"):
            fail("the emulator does not start")
        return self

    def __exit__(self, *_):
        for child in self.children:
            if child.poll() is None:
                child.terminate()
            try:
                child.wait(timeout=5)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        self.netem.send_signal(signal.SIGTERM)
        self.netem.wait()
        if os.path.exists(self.json):
            with open(self.json, encoding="utf-8") as f:
                self.report = json.load(f)
            os.unlink(self.json)
        for space in self.spaces:
            subprocess.run(["ip", "netns", "del", space], check=False)

    def start(self, space, *command, stdout=subprocess.PIPE):
        child = subprocess.Popen(["ip", "netns", "exec", space, *map(str, command)], stdout=stdout, stderr=subprocess.PIPE, text=True)
        self.children.append(child)
        return child

    def outside(self, *command):
        return self.start(self.spaces[0], *command)

    def inside(self, *command, stdout=subprocess.PIPE):
        return self.start(self.spaces[1], *command, stdout=stdout)

    # --- weft ---

    def server(self, port=4870):
        return Server(lambda out: self.inside(self.program(PEER), "server", f"{IN}:{port}", stdout=out))

    def send(self, server, seconds, priority="normal", *congestion):
        return self.outside(self.program(PEER), "send", server.peer, seconds, priority, *congestion)

    def told(self, child):
        out, err = child.communicate(timeout=300)
        if child.returncode != 0:
            fail(err.strip() or f"a program ended with {child.returncode}")
        return json.loads(out.strip().splitlines()[-1])

    # --- TCP of the kernel ---

    def tcp(self, seconds, congestion, port=5391):
        self.inside("iperf3", "-s", "-B", IN, "-p", port, "-1")
        time.sleep(0.4)
        return self.outside("iperf3", "-c", IN, "-p", port, "-t", seconds, "-C", congestion, "-J")

    def tcp_told(self, child):
        out, _ = child.communicate(timeout=300)
        told = json.loads(out)
        if "error" in told:
            fail(f"iperf3: {told['error']}")
        return told["end"]["sum_received"]["bits_per_second"], told


class Bench:
    def __init__(self, args):
        self.build = args.build
        self.runs = args.runs or (1 if args.quick else 3)
        self.quick = args.quick
        self.rows = []

    def seconds(self, full):
        return max(8, full // 3) if self.quick else full

    def net(self, *options, seed=1):
        return Net(self.build, "--seed", seed, *options)

    def row(self, name, unit, values, better="higher", goal=None, **more):
        """goal: a number, or the two ends of a range."""
        ours = statistics.median(values)
        met = None
        if isinstance(goal, tuple):
            met = goal[0] <= ours <= goal[1]
        elif goal is not None:
            met = ours >= goal if better == "higher" else ours <= goal
        self.rows.append({"row": name, "unit": unit, "better": better, "ours": round(ours, 4), "all": [round(v, 4) for v in values],
                          "limit": goal, "met": met, "runs": len(values), **more})
        said = ", ".join(f"{k} {v:g}" if isinstance(v, float) else f"{k} {v}" for k, v in more.items())
        verdict = "" if met is None else f"goal {goal}: {'met' if met else 'NOT MET'}"
        spread = f"({min(values):.4g}..{max(values):.4g})" if len(values) > 1 else ""
        print(f"{name:32} {ours:>10.4g} {unit:6} {spread:20} {verdict:28} {said}", flush=True)


SLOW = ("--delay", "20ms", "--rate", "10mbit", "--queue", "100ms")


def share(b):
    """Beside one flow of kernel CUBIC on 10 Mb/s, 40 ms, a queue of 100 ms."""
    seconds = b.seconds(60)
    shares, totals = [], []
    for seed in range(1, b.runs + 1):
        with b.net(*SLOW, seed=seed) as net:
            server = net.server()
            tcp = net.tcp(seconds, "cubic")
            told = net.told(net.send(server, seconds))
            rate = server.rate(told["start_us"] / 1e6, told["end_us"] / 1e6)
            cubic, _ = net.tcp_told(tcp)
        shares.append(rate / (rate + cubic))
        totals.append((rate + cubic) / 1e6)
    b.row("share-beside-cubic", "", shares, goal=(0.35, 0.65), mbit_both=round(statistics.median(totals), 2), seconds=seconds)


def share_background(b):
    """A background message that has the link alone, then kernel CUBIC beside it."""
    alone, beside = b.seconds(15), b.seconds(45)
    shares, yields, rates = [], [], []
    for seed in range(1, b.runs + 1):
        with b.net(*SLOW, seed=seed) as net:
            server = net.server()
            sender = net.send(server, alone + beside, "background")
            time.sleep(alone)
            began = time.clock_gettime(time.CLOCK_MONOTONIC)
            cubic, _ = net.tcp_told(net.tcp(beside - 2, "cubic"))
            ended = time.clock_gettime(time.CLOCK_MONOTONIC)
            net.told(sender)
            rate = server.rate(began, ended)
            rates.append(server.rate(began - alone / 2, began) / 1e6)
            shares.append(rate / (rate + cubic))
            low = [i for i in range(int((ended - began) * 2) - 1) if server.rate(began + i / 2, began + (i + 2) / 2) < 2e6]
            yields.append(low[0] / 2 if low else ended - began)
    b.row("share-of-background", "", shares, "lower", 0.20, seconds=beside)
    b.row("background-yields-after", "s", yields, "lower", None)
    b.row("background-alone", "Mb/s", rates, "higher", None, link=10.0)


def jain(b):
    """Four weft transfers on 20 Mb/s: Jain's index of their rates in the second half."""
    seconds = b.seconds(60)
    indices, totals = [], []
    for seed in range(1, b.runs + 1):
        with b.net("--delay", "20ms", "--rate", "20mbit", "--queue", "100ms", seed=seed) as net:
            servers = [net.server(4870 + i) for i in range(4)]
            senders = []
            for server in servers:
                senders.append(net.send(server, seconds))
                time.sleep(0.2)
            told = [net.told(s) for s in senders]
            start, end = max(t["start_us"] for t in told) / 1e6, min(t["end_us"] for t in told) / 1e6
            rates = [s.rate((start + end) / 2, end) for s in servers]
        indices.append(sum(rates) ** 2 / (4 * sum(r * r for r in rates)))
        totals.append(sum(rates) / 1e6)
    b.row("jain-of-four", "", indices, goal=0.95, mbit_all=round(statistics.median(totals), 2), seconds=seconds)


def time_to(server, start, end, rate):
    """Seconds until half a second went at that rate; the whole time when none did."""
    at = start
    while at + 0.5 <= end:
        if server.rate(at, at + 0.5) >= rate:
            return at + 0.5 - start
        at += 0.1
    return end - start


def goodput(b):
    """With loss both at random, 100 ms: weft, then TCP of the kernel through the same link."""
    seconds = b.seconds(20)
    for rate, bits in (("100mbit", 100e6), ("1gbit", 1e9)):
        for loss in ("1%", "5%"):
            link = ("--delay", "50ms", "--rate", rate, "--queue", "100ms", "--up-loss", loss)
            ours, starts, late = {"cubic": [], "bbr": []}, [], []
            peers = {"cubic": [], "bbr": []}
            for seed in range(1, b.runs + 1):
                for name, values in ours.items():
                    with b.net(*link, seed=seed) as net:
                        server = net.server()
                        told = net.told(net.send(server, seconds, "normal", name))
                        start, end = told["start_us"] / 1e6, told["end_us"] / 1e6
                        values.append(server.rate(start, end) / 1e6)
                    late.append(net.report["up"]["late_mean_us"] / 1000)
                starts.append(time_to(server, start, end, 0.8 * bits))  # of bbr, the last
                for name, values in peers.items():
                    with b.net(*link, seed=seed) as net:
                        values.append(net.tcp_told(net.tcp(seconds, name))[0] / 1e6)
            told = {f"tcp_{k}": round(statistics.median(v), 2) for k, v in peers.items()}
            for name, values in ours.items():
                b.row(f"goodput-{name}-{rate}-loss-{loss}", "Mb/s", values, **told, late_ms=round(statistics.median(late), 2))
            b.row(f"bbr-to-80%-{rate}-loss-{loss}", "s", starts, "lower", 3.0 if (rate, loss) == ("1gbit", "1%") else None)


def clean(b):
    """The same links without loss: what there is to be had."""
    seconds = b.seconds(15)
    for rate in ("100mbit", "1gbit"):
        link = ("--delay", "5ms", "--rate", rate, "--queue", "50ms")
        ours, cubic = [], []
        for seed in range(1, b.runs + 1):
            with b.net(*link, seed=seed) as net:
                server = net.server()
                told = net.told(net.send(server, seconds))
                ours.append(server.rate(told["start_us"] / 1e6, told["end_us"] / 1e6) / 1e6)
            with b.net(*link, seed=seed) as net:
                cubic.append(net.tcp_told(net.tcp(seconds, "cubic"))[0] / 1e6)
        b.row(f"goodput-{rate}-clean", "Mb/s", ours, tcp_cubic=round(statistics.median(cubic), 2))


def urgent(b):
    """Requests of 200 bytes each 10 ms on 1 Gb/s and 10 ms, with and without a message beside them."""
    seconds = b.seconds(15)
    told = {beside: [] for beside in ("none", "background", "normal")}
    for seed in range(1, b.runs + 1):
        for beside, values in told.items():
            with b.net("--delay", "5ms", "--rate", "1gbit", "--queue", "50ms", seed=seed) as net:
                server = net.server()
                values.append(net.told(net.outside(net.program(PEER), "ask", server.peer, seconds, 10, beside)))
    for p in ("p50_us", "p99_us"):
        quiet = [v[p] / 1000 for v in told["none"]]
        b.row(f"urgent-alone-{p[:3]}", "ms", quiet, "lower")
        for beside in ("background", "normal"):
            loud = [v[p] / 1000 for v in told[beside]]
            b.row(f"urgent-beside-{beside}-{p[:3]}", "ms", loud, "lower")
            costs = [l - q for l, q in zip(loud, quiet)]
            b.row(f"cost-of-{beside}-{p[:3]}", "ms", costs, "lower", 2.0 if (beside, p) == ("background", "p99_us") else None)


def relayed(b, seconds, options, seed):
    """A transfer on loopback through the UDP relay, where rebinding is: the server, and when it began and ended."""
    peer = os.path.join(b.build, PEER)
    server = Server(lambda out: subprocess.Popen([peer, "server", "127.0.0.1:0"], stdout=out))
    key, _, at = server.peer.partition("@")
    netem = subprocess.Popen([os.path.join(b.build, "weft-netem"), "udp", "--listen", "127.0.0.1:0", "--to", at, "--seed", str(seed),
                              *options], stdout=subprocess.PIPE, text=True)
    try:
        listening = netem.stdout.readline().split()[1]
        done = subprocess.run([peer, "send", f"{key}@{listening}", str(seconds), "normal"], capture_output=True, text=True, timeout=300)
        if done.returncode != 0:
            fail(done.stderr.strip())
        told = json.loads(done.stdout.splitlines()[-1])
        return server, told["start_us"] / 1e6, told["end_us"] / 1e6
    finally:
        for child in (netem, server.child):
            child.terminate()
            child.wait()


ROAM = ("--delay", "20ms", "--rate", "20mbit", "--queue", "100ms", "--mtu", "1500")


def roam(b):
    """Another port, or another address, every 5 s: the share of the goodput that is left."""
    seconds = b.seconds(30)
    addresses = [word for n in range(2, 6) for word in ("--rebind-address", f"127.0.0.{n}")]
    kinds = {"port": ("--rebind", "5s"), "address": ("--rebind", "5s", *addresses)}
    ratios = {kind: [] for kind in kinds}
    for seed in range(1, b.runs + 1):
        server, start, end = relayed(b, seconds, ROAM, seed)
        still = server.rate(start, end)
        for kind, options in kinds.items():
            server, start, end = relayed(b, seconds, (*ROAM, *options), seed)
            ratios[kind].append(server.rate(start, end) / still)
    for kind, values in ratios.items():
        b.row(f"goodput-rebinding-{kind}-each-5s", "", values, goal=0.80, seconds=seconds)


def dark(b):
    """Two seconds of nothing in the middle: how long until 80 % of the rate before is there again."""
    times = []
    for seed in range(1, b.runs + 1):
        server, start, end = relayed(b, 16, (*ROAM, "--blackout", "8s+2s"), seed)
        samples = server.samples()
        before = server.rate(start + 3, start + 6)
        still = [a for a in samples if start + 6 < a[0] < end]
        # The blackout begins where the count stops for longer than a second.
        stop = next((i for i in range(len(still) - 10) if still[i + 10][1] == still[i][1]), None)
        if stop is None:
            fail("no blackout was seen")
        light = still[stop][0] + 2
        times.append(time_to(server, light, end, 0.8 * before))
    b.row("80%-again-after-blackout", "s", times, "lower", 3.0)


ROWS = {"share": share, "background": share_background, "jain": jain, "goodput": goodput, "clean": clean, "urgent": urgent, "roam": roam,
        "dark": dark}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build")
    parser.add_argument("--rows", default="all")
    parser.add_argument("--runs", type=int, default=0)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--out", default="bench/results/net.json")
    args = parser.parse_args()
    wanted = args.rows.split()
    unknown = [w for w in wanted if w != "all" and w not in ROWS]
    if unknown or not wanted:
        fail(f"no row {' '.join(unknown)}; there are: {' '.join(ROWS)}")
    if os.geteuid() != 0:
        fail("network namespaces need root; run it as root")
    bench = Bench(args)
    for name, measure in ROWS.items():
        if "all" in wanted or name in wanted:
            measure(bench)
    os.makedirs(os.path.dirname(args.out) or ".", exist_ok=True)
    with open(args.out, "w", encoding="utf-8") as f:
        json.dump(bench.rows, f, indent=1)
        f.write("\n")
    print(f"written to {args.out}")
    return 0 if all(r["met"] is not False for r in bench.rows) else 1


if __name__ == "__main__":
    sys.exit(main())
