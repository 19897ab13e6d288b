# SPDX-License-Identifier: Apache-2.0
"""Attacks on a daemon, small ones: what is counted is what they made it do. The programs are those of bench/attack."""

import json
import signal
import unittest

from harness import BUILD, Case, random_bytes, wait_until

ATTACK = BUILD / "bench" / "weft-attack"
PACKETS = 20_000
POOL_KEYS = 64  # made ahead by an idle daemon: curve operations of its own
TRIES = 4  # different boxes that one cookie may make the daemon look at
CURVES_A_TRY = 8  # at most: ee, es, the map of a key, se, ss, e2, ce and the key made ahead
HALF_OPEN = 300
HALF_OPEN_BYTES = 16 << 10


class Attacked(Case):
    def setUp(self):
        super().setUp()
        self.path = self.dir / "stats.json"

    def victim(self, **more):
        """A daemon that has made its keys ahead, and its counters then."""
        daemon = self.daemon("--stats-json", self.path, listen="127.0.0.1:0", allow="any *", **more)
        self.before = wait_until(self.rested, saying="it makes no keys ahead")
        daemon.at = daemon.peer.split("@")[1]
        return daemon

    def read(self):
        return json.loads(self.path.read_text())

    def rested(self):
        return self.path.exists() and (c := self.read())["admission"]["pool_keys"] == POOL_KEYS and c

    def attack(self, kind, target, *args, status=0):
        process = self.start([ATTACK, kind, "--target", target, *args])
        self.assertEqual(process.wait(), status, process.told())
        return json.loads(process.out) if status == 0 else process

    def counted(self, enough):
        return wait_until(lambda: (c := self.read()) and enough(c) and c, 20, "the counters do not get there")

    def stop(self, daemon):
        daemon.signal(signal.SIGTERM)
        self.assertEqual(daemon.wait(), 0, daemon.told())
        return self.read()

    def more(self, after, name):
        return after[name] - self.before[name]

    def assert_nothing_was_done(self, after):
        for name in ("allocations", "curve_operations", "sessions_total", "memory_held", "secret_held"):
            self.assertEqual(self.more(after, name), 0, name)
        self.assertEqual(after["admission"]["table_entries"], 0)
        self.assertLessEqual(after["bytes_out"], after["bytes_in"])


class Strangers(Attacked):
    def test_garbage_of_every_kind_leaves_nothing_and_is_hardly_answered(self):
        daemon = self.victim()
        done = self.attack("garbage", daemon.at, "--count", PACKETS, "--rate", "20000")
        self.assertEqual(done["sent"], PACKETS)
        after = self.counted(lambda c: c["datagrams_in"] > PACKETS * 0.9)
        self.assert_nothing_was_done(after)
        # A SOLVE for another instance is told to begin anew, with less than it sent.
        self.assertLessEqual(done["received_bytes"], done["sent_bytes"] / 10)
        self.assert_alive(daemon)

    def test_hellos_from_anywhere_are_answered_from_nothing(self):
        daemon = self.victim()
        done = self.attack("spoofed", daemon.at, "--count", PACKETS, "--rate", "20000")
        after = self.counted(lambda c: c["admission"]["hello"] > PACKETS * 0.9)
        self.assert_nothing_was_done(after)
        self.assertGreater(after["admission"]["challenge"], 0)
        self.assertGreater(done["received"], 0)
        self.assertLessEqual(done["received_bytes"], done["sent_bytes"])
        self.assertLessEqual(after["datagrams_out"], after["datagrams_in"])

    def test_answers_to_answers_die_out(self):
        daemon = self.victim()
        done = self.attack("reflect", daemon.peer, "--count", "2000")
        self.assertGreater(done["received"], 100)
        self.assertGreaterEqual(done["longest_chain"], 2)
        self.assertLessEqual(done["longest_chain"], 3)
        self.assertEqual(done["worst_growth"], 0)

    def test_two_daemons_do_not_talk_each_other_to_death(self):
        daemon = self.victim()
        other = self.daemon(who="other", receive=None)
        done = self.attack("reflect", daemon.peer, "--second", other.peer.split("@")[1], "--count", "2000")
        self.assertLessEqual(done["longest_chain"], 3)
        self.assertEqual(done["worst_growth"], 0)


class Solved(Attacked):
    def assert_one_session(self, after, tries):
        self.assertEqual(after["admission"]["accepted"], 1)
        self.assertEqual(after["sessions_total"], 1)
        self.assertLessEqual(after["admission"]["table_entries"], 1)
        # The key taken for CONFIRM is made anew.
        self.assertLessEqual(self.more(after, "curve_operations"), tries * CURVES_A_TRY)

    def test_a_solve_sent_again_makes_one_session(self):
        daemon = self.victim()
        done = self.attack("replay", daemon.peer, "--count", PACKETS, "--rate", "20000", "--shape", "same")
        after = self.counted(lambda c: c["admission"]["solve"] > PACKETS * 0.9)
        self.assert_one_session(after, 1)
        self.assertLessEqual(done["received_bytes"], done["sent_bytes"])

    def test_a_solve_changed_in_every_way_makes_one_session(self):
        daemon = self.victim()
        self.attack("replay", daemon.peer, "--count", PACKETS, "--rate", "20000")
        self.assert_one_session(self.counted(lambda c: c["admission"]["solve"] > PACKETS * 0.9), TRIES)

    def test_one_cookie_with_many_boxes_is_tried_four_times(self):
        daemon = self.victim()
        self.attack("replay", daemon.peer, "--count", PACKETS, "--rate", "20000", "--shape", "boxes")
        after = self.counted(lambda c: c["admission"]["solve"] > PACKETS * 0.9)
        self.assertEqual(after["admission"]["accepted"], 0)
        self.assertEqual(after["admission"]["solve_bad_box"], TRIES)
        self.assertEqual(self.more(after, "curve_operations"), TRIES, "each fails at its first")

    def test_half_open_sessions_hold_little_and_honest_ones_come_through(self):
        daemon = self.victim()
        done = self.attack("half-open", daemon.peer, "--count", HALF_OPEN)
        self.assertEqual(done["handshakes"], HALF_OPEN)
        self.assert_alive(daemon)
        after = self.counted(lambda c: c["sessions_total"] > HALF_OPEN)
        self.assertLessEqual(self.more(after, "memory_max"), (HALF_OPEN + 1) * HALF_OPEN_BYTES)


class Sessions(Attacked):
    def test_forged_packets_in_the_middle_of_a_file_change_nothing(self):
        daemon = self.victim()
        relay = self.start([ATTACK, "relay", "--target", daemon.at, "--second", "127.0.0.1:0", "--count", PACKETS, "--seconds", "60"])
        port = json.loads(relay.line(lambda line: "listening" in line))["listening"].split(":")[1]
        source = self.file("a", content=random_bytes(4_000_000))
        client = self.weft("send", source, self.peer_at(daemon, port))
        self.assertEqual(client.wait(), 0, client.told())
        self.assert_same_file(self.inbox / "a", source)
        after = self.counted(lambda c: c["sessions"] == 0 and c["sessions_total"] == 1)
        self.assertGreater(after["packets_forged"], 1000)
        self.assertTrue(relay.is_alive(), relay.told())
        self.assert_alive(daemon)


class Bounds(Attacked):
    def test_it_is_aimed_at_this_machine_alone(self):
        for target in ("192.0.2.1:4870", "8.8.8.8:53", "[2001:db8::1]:4870", "10.0.0.1:4870", "0.0.0.0:4870"):
            for flag in ([], ["--namespace"]):
                process = self.attack("garbage", target, "--count", "1", *flag, status=1)
                self.assertEqual(process.out, "")
                self.assertEqual(len(process.lines["err"]), 1, process.told())

    def test_it_is_bounded(self):
        for option in (["--count", "10000001"], ["--seconds", "301"], ["--rate", "2000001"], ["--count", "-1"], ["--cid", "0"]):
            self.attack("garbage", "127.0.0.1:9", *option, status=2)
        self.attack("everything", "127.0.0.1:9", status=2)

    def test_help_names_every_kind(self):
        process = self.start([ATTACK, "--help"])
        self.assertEqual(process.wait(), 0)
        for kind in ("garbage", "spoofed", "replay", "half-open", "forged", "relay", "reflect"):
            self.assertIn(f"\n  {kind} ", process.out)


if __name__ == "__main__":
    unittest.main()
