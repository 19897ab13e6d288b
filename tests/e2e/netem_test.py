# SPDX-License-Identifier: Apache-2.0
"""weft-netem between plain UDP sockets: what it does to datagrams, counted, and what it refuses."""

import json
import signal
import socket
import unittest

import harness
from harness import NETEM, Case, wait_until

ECT0, CE = 2, 3
OFTEN = ("--every", "10ms")


class Link(Case):
    """A server socket, the emulator, a client socket."""

    def setUp(self):
        super().setUp()
        self.server = self.socket()

    def socket(self):
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.setsockopt(socket.SOL_IP, socket.IP_RECVTOS, 1)
        s.bind(("127.0.0.1", 0))
        s.settimeout(harness.PATIENCE)
        self.addCleanup(s.close)
        return s

    def through(self, *options):
        relay = self.relay(self.server.getsockname()[1], *options)
        self.client = self.socket()
        self.client.connect(("127.0.0.1", relay.port))
        return relay

    def report_after(self, relay, count):
        """The report, when so many datagrams of the client have come in. The relay has OFTEN."""

        def came(line):
            told = json.loads(line)
            return told["event"] == "report" and told["up"]["packets_in"] >= count

        relay.line(came)
        return relay.report()

    def got(self, count):
        return [self.server.recvfrom(70000)[0] for _ in range(count)]


class WhatItDoes(Link):
    def test_datagrams_pass_both_ways_and_are_counted(self):
        relay = self.through()
        for i in range(20):
            self.client.send(b"%d" % i)
            data, at = self.server.recvfrom(100)
            self.assertEqual(data, b"%d" % i)
            self.server.sendto(data + b"!", at)
            self.assertEqual(self.client.recv(100), data + b"!")
        told = relay.report()
        self.assertEqual(told["clients"], 1)
        for way, size in (("up", 30), ("down", 50)):
            self.assertEqual(told[way]["packets_in"], 20)
            self.assertEqual(told[way]["packets_out"], 20)
            self.assertEqual(told[way]["fates"]["passed"], 20)
            self.assertEqual(told[way]["bytes_out"], 20 * 28 + size)

    def test_datagrams_of_all_sizes_arrive_whole(self):
        relay = self.through()
        for size in (1, 1472, 9000, 65507):
            data = harness.random_bytes(size)
            self.client.send(data)
            self.assertEqual(self.got(1), [data])
        self.assertEqual(relay.report()["up"]["packets_out"], 4)

    def test_chosen_datagrams_are_dropped(self):
        relay = self.through("--up-drop", "2-7")
        for i in range(10):
            self.client.send(b"%d" % i)
        self.assertEqual(self.got(4), [b"0", b"7", b"8", b"9"])
        self.assertEqual(relay.report()["up"]["fates"]["lost"], 6)

    def test_one_seed_loses_the_same_ones(self):
        def passed(seed):
            relay = self.through("--up-loss", "30%", "--seed", seed, *OFTEN)
            for i in range(100):
                self.client.send(b"%d" % i)
            return self.got(self.report_after(relay, 100)["up"]["packets_out"])

        first = passed(5)
        self.assertEqual(first, passed(5))
        self.assertNotEqual(first, passed(6))
        self.assertLess(len(first), 100)

    def test_one_bit_of_each_flips(self):
        self.through("--up-corrupt", "100%")
        for _ in range(20):
            self.client.send(bytes(32))
            self.assertEqual(sum(b.bit_count() for b in self.got(1)[0]), 1)

    def test_each_comes_twice(self):
        relay = self.through("--up-duplicate", "100%")
        self.client.send(b"twin")
        self.assertEqual(self.got(2), [b"twin", b"twin"])
        self.assertEqual(relay.report()["up"]["duplicated"], 1)

    def test_the_mtu_counts_the_headers(self):
        relay = self.through("--mtu", "1400")
        self.client.send(bytes(1373))
        self.client.send(bytes(1372))  # behind it, so it is read after it
        self.assertEqual(len(self.got(1)[0]), 1372)
        told = relay.report()["up"]
        self.assertEqual((told["fates"]["too_big"], told["too_big_told"]), (1, 0))

    def test_a_delay_is_at_least_kept(self):
        relay = self.through("--delay", "50ms")
        self.client.send(b"x")
        data, at = self.server.recvfrom(10)
        self.server.sendto(data, at)
        self.client.recv(10)
        told = relay.report()
        self.assertGreaterEqual(told["up"]["delay_min_us"], 50000)
        self.assertGreaterEqual(told["down"]["delay_min_us"], 50000)

    def test_a_queue_drops_what_is_above_it(self):
        relay = self.through("--up-rate", "1mbit", "--up-queue", "5000", *OFTEN)
        for _ in range(20):
            self.client.send(bytes(972))
        self.got(5)
        told = self.report_after(relay, 20)["up"]
        self.assertLessEqual(told["queue_max"], 5000)
        self.assertGreater(told["fates"]["queue_full"], 0)

    def test_one_way_can_be_cut(self):
        relay = self.through("--down-cut", "yes")
        self.client.send(b"x")
        data, at = self.server.recvfrom(10)
        self.server.sendto(data, at)
        self.client.settimeout(0.2)
        self.assertRaises(TimeoutError, self.client.recv, 10)
        self.assertEqual(relay.report()["down"]["fates"]["cut"], 1)

    def test_what_follows_at_holds_from_then_on(self):
        self.through("--cut", "yes", "--at", "300ms", "--cut", "no")

        def passes():
            self.client.send(b"x")
            self.server.settimeout(0.05)
            try:
                return self.server.recv(10)
            except TimeoutError:
                return None

        self.assertIsNone(passes())
        wait_until(passes)

    def test_ecn_bits_pass_are_marked_or_cleared(self):
        for options, want in (([], ECT0), (["--ecn-bleach", "yes"], 0), (["--rate", "80kbit", "--ecn-mark", "1"], CE)):
            self.through(*options)
            self.client.setsockopt(socket.SOL_IP, socket.IP_TOS, ECT0)
            for _ in range(2):  # the first waits for the rate, the second finds it waiting
                self.client.send(bytes(100))
            self.server.recvmsg(100, 100)
            _, ancillary, _, _ = self.server.recvmsg(100, 100)
            self.assertEqual(ancillary[0][2][0] & 3, want, options)


class Rebinding(Link):
    def sources(self, count, *options):
        """The first so many addresses by which the server knows the client, and the report."""
        relay = self.through(*options)
        seen = []

        def look():
            self.client.send(b"x")
            at = self.server.recvfrom(10)[1]
            if at not in seen:
                seen.append(at)
            return len(seen) >= count

        wait_until(look)
        return seen, relay.report()

    def test_the_port_changes(self):
        seen, told = self.sources(3, "--rebind", "100ms")
        self.assertEqual({host for host, _ in seen}, {"127.0.0.1"})
        self.assertGreaterEqual(told["rebinds"], 2)
        self.assertEqual(told["clients"], 1)

    def test_the_address_changes(self):
        seen, _ = self.sources(3, "--rebind", "100ms", "--rebind-address", "127.0.0.2", "--rebind-address", "127.0.0.3")
        self.assertEqual([host for host, _ in seen], ["127.0.0.2", "127.0.0.3", "127.0.0.2"])

    def test_what_comes_to_a_former_address_is_lost(self):
        relay = self.through("--rebind", "100ms")
        self.client.send(b"x")
        first = self.server.recvfrom(10)[1]

        def moved():
            self.client.send(b"x")
            return self.server.recvfrom(10)[1] != first

        wait_until(moved)
        self.server.sendto(b"late", first)
        self.client.settimeout(0.2)
        self.assertRaises(TimeoutError, self.client.recv, 10)
        self.assertEqual(relay.report()["down"]["packets_out"], 0)


class Reports(Link):
    def test_a_file_is_rewritten_and_complete_at_the_end(self):
        path = self.dir / "told.json"
        relay = self.start([NETEM, "udp", "--listen", "127.0.0.1:0", "--to", "127.0.0.1:9", "--json", path, "--every", "20ms", "--for",
                            "400ms"])
        self.assertTrue(relay.line(lambda l: l.startswith("ready 127.0.0.1:")))
        wait_until(path.exists)
        self.assertIn(json.loads(path.read_text())["event"], ("report", "end"))
        self.assertEqual(relay.wait(), 0, relay.told())
        told = json.loads(path.read_text())
        self.assertEqual((told["event"], told["mode"]), ("end", "udp"))
        self.assertGreaterEqual(told["duration_us"], 400000)
        self.assertEqual(list(self.dir.glob("*.new")), [])

    def test_more_clients_than_it_keeps_push_out_the_oldest(self):
        relay = self.through()
        clients = [self.socket() for _ in range(70)]
        for i, client in enumerate(clients):
            client.sendto(b"%d" % i, ("127.0.0.1", relay.port))
            self.assertEqual(self.got(1), [b"%d" % i])
        told = relay.report()
        self.assertEqual((told["clients"], told["clients_forgotten"]), (70, 6))

    def test_memory_is_bounded(self):
        relay = self.through("--delay", "20s", "--held-max", "65536", *OFTEN)
        for _ in range(200):
            self.client.send(bytes(1000))
        told = self.report_after(relay, 200)["up"]
        self.assertLessEqual(told["held_max"], 32768)
        self.assertGreater(told["no_room"], 0)


class Refusals(Case):
    def refused(self, *args, says):
        self.assert_sentence(self.start([NETEM, *args]), says)

    def test_each_is_one_sentence(self):
        ends = ("udp", "--listen", "127.0.0.1:0", "--to", "127.0.0.1:9")
        self.refused(says="tun or weft-netem udp")
        self.refused("udp", says="--listen")
        self.refused(*ends, "--delay", "5", says="20ms")
        self.refused(*ends, "--speed", "5", says="--help")
        self.refused(*ends, "--scenario", self.dir / "none", says=["none", "No such file"])
        self.refused(*ends, "--scenario", "/dev/zero", says="scenario")
        self.refused(*ends, "--json", "/nowhere/told.json", "--for", "600s", says="/nowhere/told.json")
        self.refused("tun", "--a", "no-such-space:we0:10.9.0.1/24", "--b", "-:we1:10.9.0.2/24", says="no-such-space")

    def test_a_taken_port_is_told(self):
        taken = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(taken.close)
        taken.bind(("127.0.0.1", 0))
        self.refused("udp", "--listen", f"127.0.0.1:{taken.getsockname()[1]}", "--to", "127.0.0.1:9", says="port 0")

    def test_a_scenario_is_read_and_its_faults_named_by_line(self):
        good = self.file("good", content=b"# slow\ndelay 5ms\nat 1s\nloss 3%\nfor 50ms\n")
        bad = self.file("bad", content=b"delay 5ms\nloss much\n")
        ends = ("udp", "--listen", "127.0.0.1:0", "--to", "127.0.0.1:9", "--scenario")
        self.assertEqual(self.start([NETEM, *ends, good]).wait(), 0)
        self.refused(*ends, bad, says=["line 2", "loss"])

    def test_help_and_version_are_told(self):
        for word in ("--help", "--version"):
            process = self.start([NETEM, word])
            self.assertEqual(process.wait(), 0)
            self.assertIn("weft-netem", process.out)


if __name__ == "__main__":
    unittest.main()
