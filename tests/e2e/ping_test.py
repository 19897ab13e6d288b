# SPDX-License-Identifier: Apache-2.0
"""`weft ping` and `weft echo`."""

import json
import signal
import subprocess
import time
import unittest

from harness import Case, PATIENCE, WEFT, random_bytes


class Ping(Case):
    def test_ping_n_5_json_prints_five_objects_with_their_fields(self):
        daemon = self.daemon()
        told = self.run_weft("ping", "-n", "5", "-i", "0", "--json", daemon.peer).objects()
        self.assertEqual([o["seq"] for o in told], [1, 2, 3, 4, 5])
        for o in told:
            self.assertEqual(set(o), {"seq", "ok", "rtt_us", "handshake_us"})
            self.assertIs(o["ok"], True)
            self.assertGreater(o["rtt_us"], 0)
            self.assertLess(o["rtt_us"], 1_000_000)
        self.assertGreater(told[0]["handshake_us"], 0)
        self.assertEqual({o["handshake_us"] for o in told[1:]}, {0}, "one session for all")

    def test_a_ping_that_fails_is_an_object_too(self):
        self.key()
        peer = f"{self.key('server')}@127.0.0.1:9"
        process = self.run_weft("ping", "-n", "2", "-i", "0", "-w", "300", "--json", peer, status=1)
        self.assertEqual([o["ok"] for o in process.objects()], [False, False])
        for o in process.objects():
            self.assertEqual(o["error"], "nothing answered at that address")
        self.assertEqual(process.err, "")

    def test_words_for_people_end_with_a_summary(self):
        daemon = self.daemon()
        lines = self.run_weft("ping", "-n", "3", "-i", "0", daemon.peer).lines["out"]
        self.assertRegex(lines[0], r"^1: [0-9.]+ ms \(handshake [0-9.]+ ms\)$")
        self.assertRegex(lines[1], r"^2: [0-9.]+ ms$")
        self.assertRegex(lines[3], r"^3 of 3 answered; least [0-9.]+, mean [0-9.]+, most [0-9.]+ ms$")

    def test_the_interval_is_kept(self):
        daemon = self.daemon()
        began = time.monotonic()
        self.run_weft("ping", "-n", "4", "-i", "100", daemon.peer)
        self.assertGreaterEqual(time.monotonic() - began, 0.3)

    def test_an_interrupted_ping_ends_with_its_summary(self):
        daemon = self.daemon()
        process = self.weft("ping", "-n", "1000", "-i", "20", daemon.peer)
        process.line(lambda line: line.startswith("3:"))
        process.signal(signal.SIGINT)
        self.assertEqual(process.wait(5), 130)
        self.assertRegex(process.lines["out"][-1], r"^\d+ of \d+ answered")

    def test_a_peer_that_comes_later_is_reached_by_a_later_ping(self):
        first = self.daemon()
        first.signal(signal.SIGTERM)
        first.wait()
        process = self.weft("ping", "-n", "30", "-i", "100", "-w", "400", "--json", first.peer)
        process.line(lambda line: '"ok":false' in line)
        self.daemon(listen=f"127.0.0.1:{first.port}")
        process.line(lambda line: '"ok":true' in line)

    def test_ping_needs_no_permission(self):
        daemon = self.daemon(allow=None)
        self.run_weft("ping", "-n", "1", daemon.peer)

    def test_a_restarted_peer_is_reached_again(self):
        """The old session is gone there; the client must notice and make a new one."""
        daemon = self.daemon()
        process = self.weft("ping", "-n", "60", "-i", "100", "-w", "1000", "--json", daemon.peer)
        process.line(lambda line: '"ok":true' in line)
        daemon.signal(signal.SIGTERM)
        daemon.wait()
        before = len(process.lines["out"])
        self.daemon(listen=f"127.0.0.1:{daemon.port}")
        process.line(lambda line: '"ok":true' in line and line in process.lines["out"][before + 1:])

    def test_a_peer_that_was_killed_and_started_again_is_reached_before_its_session_fails(self):
        """It says that it knows no such session; else that would take 30 s. SPEC 1.6-2"""
        daemon = self.daemon()
        process = self.weft("ping", "-n", "80", "-i", "100", "-w", "2000", "--json", daemon.peer)
        process.line(lambda line: '"ok":true' in line)
        daemon.signal(signal.SIGKILL)
        daemon.wait()
        self.daemon(listen=f"127.0.0.1:{daemon.port}")
        failed = json.loads(process.line(lambda line: '"ok":false' in line))["seq"]
        process.line(lambda line: '"ok":true' in line and json.loads(line)["seq"] > failed)
        self.assertLess(len([o for o in process.objects() if not o["ok"]]), 10)


class Echo(Case):
    def test_what_is_sent_comes_back(self):
        daemon = self.daemon()
        self.assertEqual(self.run_weft("echo", daemon.peer, "one", "two").out, "one two")
        self.assertEqual(self.run_weft("echo", daemon.peer, "").out, "")

    def test_echo_n_json_prints_an_object_each(self):
        daemon = self.daemon()
        told = self.run_weft("echo", "-n", "3", "-i", "0", "--json", daemon.peer, "x" * 100).objects()
        self.assertEqual([(o["seq"], o["ok"], o["bytes"]) for o in told], [(1, True, 100), (2, True, 100), (3, True, 100)])
        for o in told:
            self.assertEqual(o["grade"], "sealed, sender proved, forward secret")
            self.assertGreater(o["took_us"], 0)
        self.assertEqual(told[0]["packets"], 4)

    def test_standard_input_is_echoed_up_to_its_limit(self):
        daemon = self.daemon()
        for size in (0, 1, 1000, 65536):
            data = random_bytes(size)
            done = subprocess.run([WEFT, "echo", daemon.peer], input=data, stdout=subprocess.PIPE, env=self.env(), timeout=PATIENCE)
            self.assertEqual(done.returncode, 0)
            self.assertEqual(done.stdout, data if data.endswith(b"\n") else data + b"\n")

    def test_more_than_the_limit_is_refused_and_not_cut(self):
        daemon = self.daemon()
        done = subprocess.run([WEFT, "echo", daemon.peer], input=bytes(65537), capture_output=True, env=self.env(), timeout=PATIENCE)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"at most 64 KiB", done.stderr)
        self.fails("echo", daemon.peer, "x" * 40000, "y" * 40000, says="at most 64 KiB")

    def test_two_clients_of_one_key_at_once_are_both_answered(self):
        daemon = self.daemon()
        processes = [self.weft("echo", "-n", "20", "-i", "5", daemon.peer, f"number {i}") for i in range(4)]
        for i, process in enumerate(processes):
            self.assertEqual(process.wait(), 0, process.told())
            self.assertEqual(set(process.lines["out"]), {f"number {i}"})

    def test_with_work_asked_a_client_gets_in_all_the_same(self):  # SPEC 1.3-2
        daemon = self.daemon(work_effort=2000)
        self.assertEqual(self.run_weft("echo", daemon.peer, "x").out, "x")

    def test_when_places_are_few_a_new_client_gets_in_and_old_ones_go_on(self):
        daemon = self.daemon(sessions_max=3)
        clients = [self.weft("ping", "-n", "1000", "-i", "20", "--json", daemon.peer, who="client") for _ in range(3)]
        for client in clients:
            client.line(lambda line: '"ok":true' in line)
        self.run_weft("ping", "-n", "1", daemon.peer, status=0)
        for client in clients:
            seen = len(client.lines["out"])
            client.line(lambda line, c=client, n=seen: '"ok":true' in line and line in c.lines["out"][n:])


if __name__ == "__main__":
    unittest.main()
