# SPDX-License-Identifier: Apache-2.0
"""--stats-json and --keylog: what a program or a decoder reads."""

import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import threading
import unittest

from harness import Case, PATIENCE, ROOT, wait_until
from proxy import Faults, Proxy

NUMBERS = ("datagrams_in", "datagrams_out", "bytes_in", "bytes_out", "sessions", "sessions_total", "messages_in", "messages_out",
           "packets_lost", "frames_resent", "packets_forged", "packets_replayed", "memory_held", "memory_max", "memory_cap",
           "secret_held", "rss", "allocations", "curve_operations", "bytes_unread", "bytes_waiting", "bytes_unacknowledged",
           "bytes_control", "bytes_application", "messages_open_in", "messages_open_out", "messages_held_back", "messages_cut_off",
           "pushed_back")
LINE = re.compile(r"^WEFT_SECRET [0-9a-f]{16} [0-9]+ (c2s|s2c) [0-9a-f]{64}$")


class Counters(Case):
    def setUp(self):
        super().setUp()
        self.path = self.dir / "stats.json"

    def counted(self, **more):
        daemon = self.daemon("--stats-json", self.path, **more)
        wait_until(self.path.exists, saying="no counters")
        return daemon

    def read(self):
        return json.loads(self.path.read_text())

    def stop(self, daemon):
        daemon.signal(signal.SIGTERM)
        self.assertEqual(daemon.wait(5), 0)
        return self.read()

    def test_every_counter_is_there_and_a_number(self):
        self.counted()
        counters = self.read()
        for name in NUMBERS:
            self.assertIsInstance(counters[name], int, name)
            self.assertGreaterEqual(counters[name], 0, name)
        self.assertIsInstance(counters["peers"], list)
        self.assertIsInstance(counters["admission"], dict)

    def test_they_are_rewritten_each_second_and_always_whole(self):
        daemon = self.counted()
        seen = set()
        stop = threading.Event()
        broken = []

        def watch():
            while not stop.is_set():
                try:
                    seen.add(self.path.stat().st_ino)
                    json.loads(self.path.read_text())
                except (ValueError, FileNotFoundError) as error:
                    broken.append(error)

        thread = threading.Thread(target=watch)
        thread.start()
        try:
            wait_until(lambda: len(seen) > 3, 10, "they are not rewritten")
        finally:
            stop.set()
            thread.join()
        self.assertEqual(broken, [])
        self.assertTrue(daemon.is_alive())

    def test_the_last_ones_have_everything_in_them(self):
        daemon = self.counted()
        source = self.file("a", 500_000)
        self.run_weft("send", source, daemon.peer)
        self.run_weft("echo", "-n", "3", "-i", "0", daemon.peer, "x")
        last = self.stop(daemon)
        self.assertEqual(last["sessions_total"], 2)
        self.assertEqual(last["messages_in"], 5, "offer, put and three echoes")
        self.assertEqual(last["messages_out"], 5)
        self.assertGreater(last["bytes_in"], 500_000)
        self.assertEqual(last["admission"]["accepted"], 2)
        self.assertEqual(last["admission"]["confirmed"], 2)
        self.assertEqual((last["packets_forged"], last["packets_replayed"]), (0, 0))
        self.assertGreater(last["curve_operations"], 0)
        self.assertLess(last["memory_held"], last["memory_max"] + 1)

    def test_a_peer_has_a_row_with_the_bytes_held_for_it(self):
        daemon = self.counted()
        client = self.weft("ping", "-n", "1000", "-i", "50", daemon.peer)
        row = wait_until(lambda: next(iter(self.read()["peers"]), None), 10, "no row of the peer")
        self.assertEqual(row["peer"], self.shown())
        self.assertRegex(row["address"], r"^127\.0\.0\.1:\d+$")
        self.assertGreater(row["bytes_held"], 0)
        self.assertIs(row["open"], True)
        client.signal(signal.SIGINT)
        client.wait()
        wait_until(lambda: self.read()["peers"] == [], 10, "the row stays when the peer has gone")

    def test_what_is_held_for_peers_goes_when_they_go(self):
        daemon = self.counted()
        self.run_weft("send", self.file("a", 5_000_000), daemon.peer)
        first = wait_until(lambda: (c := self.read())["sessions_total"] == 1 and c["sessions"] == 0 and c["memory_held"], 10)
        for _ in range(5):
            self.run_weft("send", self.file("a", 5_000_000), daemon.peer)
        last = self.stop(daemon)
        self.assertEqual(last["sessions_total"], 6)
        self.assertLess(last["memory_held"], first + (1 << 20))

    def test_commands_write_them_too(self):
        daemon = self.daemon()
        for command in (["ping", "-n", "1", daemon.peer], ["echo", daemon.peer, "x"], ["send", self.file("a", 5), daemon.peer]):
            self.run_weft(*command, "--stats-json", self.path)
            self.assertEqual(self.read()["sessions_total"], 1, command)
            self.path.unlink()

    def test_counters_that_cannot_be_written_are_told_once_and_the_work_goes_on(self):
        daemon = self.daemon("--stats-json", self.dir / "missing" / "stats")
        daemon.line(lambda line: "cannot write the counters" in line, "err")
        self.run_weft("echo", daemon.peer, "x")
        self.assertEqual(daemon.err.count("cannot write the counters"), 1)

    def test_damage_is_counted_as_what_it_is(self):
        daemon = self.counted()
        proxy = Proxy(daemon.port, Faults(flip=0.2, duplicate=0.2))
        self.addCleanup(proxy.close)
        self.run_weft("send", self.file("a", 2_000_000), self.peer_at(daemon, proxy.port))
        last = self.stop(daemon)
        self.assertGreater(last["packets_forged"] + last["dropped_unknown"] + last["dropped_malformed"], 0)
        self.assertGreater(last["packets_replayed"], 0)

    def test_a_flood_of_hellos_costs_no_memory_and_no_curves(self):  # SPEC 1.1-2
        daemon = self.counted()
        proxy = Proxy(daemon.port)
        self.addCleanup(proxy.close)
        self.run_weft("ping", "-n", "1", self.peer_at(daemon, proxy.port))
        hello = next(s.data for s in proxy.seen if s.data[0] == 1)
        before = wait_until(lambda: (c := self.read())["sessions_total"] == 1 and c["sessions"] == 0 and c, 10)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.connect(("127.0.0.1", daemon.port))
            for _ in range(20):
                for _ in range(100):
                    s.send(hello[:8] + os.urandom(16) + hello[24:])
        after = wait_until(lambda: (c := self.read())["admission"]["hello"] > before["admission"]["hello"] + 500 and c, 10)
        self.assertEqual(after["memory_held"], before["memory_held"])
        self.assertEqual(after["allocations"], before["allocations"])
        self.assertLessEqual(after["curve_operations"] - before["curve_operations"], 8, "a new transient key at most")


class Keylog(Case):
    def setUp(self):
        super().setUp()
        self.path = self.dir / "keys.log"

    def captured(self, *command, keylog_of="client"):
        """Runs a command through a proxy; what passed."""
        self.path.unlink(missing_ok=True)
        daemon = self.daemon(*(["--keylog", self.path] if keylog_of == "server" else []))
        proxy = Proxy(daemon.port)
        self.addCleanup(proxy.close)
        more = ["--keylog", self.path] if keylog_of == "client" else []
        self.run_weft(command[0], *more, *[self.peer_at(daemon, proxy.port) if c is None else c for c in command[1:]])
        return proxy.seen

    def decode(self, seen):
        text = "\n".join(s.data.hex() for s in seen) + "\n"
        done = subprocess.run([sys.executable, ROOT / "tools" / "decode" / "weft_decode.py", "datagrams", "--keylog", self.path],
                              input=text, capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual(done.returncode, 0, done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def test_its_lines_have_the_form_that_is_promised(self):
        self.captured("echo", None, "hello")
        lines = self.path.read_text().splitlines()
        self.assertEqual(len(lines), 2)
        for line in lines:
            self.assertRegex(line, LINE)
        self.assertEqual({line.split()[3] for line in lines}, {"c2s", "s2c"})

    def test_it_is_its_owner_s_alone_and_is_appended_to(self):
        self.captured("echo", None, "one")
        first = self.path.read_text()
        self.assertEqual(stat.S_IMODE(self.path.stat().st_mode), 0o600)
        daemon = self.daemon()
        self.run_weft("echo", "--keylog", self.path, daemon.peer, "two")
        self.assertTrue(self.path.read_text().startswith(first))
        self.assertEqual(len(self.path.read_text().splitlines()), 4)

    def test_a_link_in_its_place_is_refused(self):
        daemon = self.daemon()
        victim = self.file("victim", content=b"untouched")
        self.path.symlink_to(victim)
        self.fails("echo", "--keylog", self.path, daemon.peer, "x", says="cannot open a node")
        self.assertEqual(victim.read_bytes(), b"untouched")

    def test_the_independent_decoder_opens_every_captured_packet_with_it(self):
        for side in ("client", "server"):
            seen = self.captured("send", self.file(f"a-{side}", 200_000), None, keylog_of=side)
            decoded = self.decode(seen)
            self.assertEqual(len(decoded), len(seen))
            self.assertEqual([d["kind"] for d in decoded[:4]], ["hello", "challenge", "solve", "confirm"])
            packets = decoded[4:]
            self.assertGreater(len(packets), 5)
            for sent, packet in zip(seen[4:], packets):
                self.assertEqual(packet["kind"], "packet")
                self.assertNotIn("error", packet)
                self.assertEqual(packet["direction"], sent.way)

    def test_both_sides_log_the_same_secrets(self):
        daemon = self.daemon("--keylog", self.dir / "server.log")
        self.run_weft("echo", "--keylog", self.path, daemon.peer, "x")

        def secrets(path):
            return {tuple(line.split()[2:]) for line in path.read_text().splitlines()}

        self.assertEqual(secrets(self.path), secrets(self.dir / "server.log"))

    def test_without_it_no_packet_opens(self):
        seen = self.captured("echo", None, "hello")
        self.path.write_text("")
        for packet in self.decode(seen)[4:]:
            self.assertIn("error", packet)

    def test_no_secret_is_logged_unless_asked_for(self):
        daemon = self.daemon()
        self.run_weft("echo", daemon.peer, "x")
        for path in self.dir.rglob("*"):
            if path.is_file():
                self.assertNotIn(b"WEFT_SECRET", path.read_bytes(), path)


if __name__ == "__main__":
    unittest.main()
