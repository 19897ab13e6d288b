# SPDX-License-Identifier: Apache-2.0
"""Transfers that break off: what arrived is kept under a name of its own, never passed off as whole, and goes on."""

import signal
import unittest

from harness import Case, only, sha256_of, wait_until
from proxy import Proxy

SIZE = 12_000_000
CARRIED = 4_000_000  # then the line stalls: it is caught in the middle
MIDDLE = 2_000_000


class BrokenOff(Case):
    def setUp(self):
        super().setUp()
        self.source = self.file("big.bin", SIZE)

    def stalling(self, daemon):
        self.proxy = Proxy(daemon.port, carries=CARRIED, record=False)
        self.addCleanup(self.proxy.close)
        return self.peer_at(daemon, self.proxy.port)

    def in_the_middle(self, process, folder):
        wait_until(lambda: self.part_size(folder) > MIDDLE or not process.is_alive(), saying="no part grew")
        self.assertTrue(process.is_alive(), process.told())
        self.assertFalse((folder / "big.bin").exists(), "a part bears the name of the whole")

    def sending(self, daemon):
        """A send that is in the middle of the file."""
        process = self.weft("send", "--json", self.source, self.stalling(daemon))
        self.in_the_middle(process, self.inbox)
        return process

    def goes_on(self, daemon):
        """The same command once more: it carries only what is missing."""
        told = only(self.run_weft("send", "--json", self.source, daemon.peer).objects())
        self.assertTrue(told["ok"], told)
        self.assertGreaterEqual(told["resumed_at"], MIDDLE)
        self.assertEqual(told["moved"], SIZE - told["resumed_at"])
        self.assertEqual(told["sha256"], sha256_of(self.source))
        self.assertEqual(told["name"], "big.bin")
        self.assert_same_file(self.inbox / "big.bin", self.source)
        self.assertEqual(self.parts(), [])

    def assert_kept_aside(self, folder):
        self.assertFalse((folder / "big.bin").exists())
        self.assertEqual(len(self.parts(folder)), 1)
        self.assertGreater(self.part_size(folder), MIDDLE)

    # --- the sender ends ---

    def test_after_kill_9_of_the_sender_the_file_goes_on_where_it_broke_off(self):  # SPEC 5.3-1
        daemon = self.daemon()
        sender = self.sending(daemon)
        sender.signal(signal.SIGKILL)
        sender.wait()
        self.assert_kept_aside(self.inbox)
        self.goes_on(daemon)

    def test_an_interrupted_sender_says_so_and_the_file_goes_on(self):
        daemon = self.daemon()
        sender = self.sending(daemon)
        sender.signal(signal.SIGINT)
        self.assertEqual(sender.wait(5), 130)
        self.assert_sentence(sender, says="interrupted")
        told = daemon.event("received")
        self.assertFalse(told["ok"])
        self.assertIn("error", told)
        self.assert_kept_aside(self.inbox)
        self.goes_on(daemon)

    def test_another_sender_does_not_go_on_with_somebody_else_s_part(self):
        daemon = self.daemon(allow="any *")
        sender = self.sending(daemon)
        sender.signal(signal.SIGINT)
        sender.wait()
        told = only(self.run_weft("send", "--json", self.source, daemon.peer, who="other").objects())
        self.assertEqual(told["resumed_at"], 0)
        self.assert_same_file(self.inbox / "big.bin", self.source)

    def test_a_source_that_changed_begins_again(self):
        daemon = self.daemon()
        sender = self.sending(daemon)
        sender.signal(signal.SIGINT)
        sender.wait()
        self.source = self.file("big.bin", SIZE, seed=2)
        told = only(self.run_weft("send", "--json", self.source, daemon.peer).objects())
        self.assertEqual(told["resumed_at"], 0)
        self.assert_same_file(self.inbox / "big.bin", self.source)

    def test_a_part_that_was_damaged_is_found_out_and_removed(self):  # SPEC 5.3-4
        daemon = self.daemon()
        sender = self.sending(daemon)
        sender.signal(signal.SIGINT)
        sender.wait()
        daemon.event("received")
        with open(only(self.parts()), "r+b") as part:
            part.seek(1000)
            byte = part.read(1)
            part.seek(1000)
            part.write(bytes([byte[0] ^ 1]))
        self.fails("send", self.source, daemon.peer, says=["not sent", "did not verify"])
        self.assertFalse((self.inbox / "big.bin").exists())
        self.assertEqual(self.parts(), [])
        self.run_weft("send", self.source, daemon.peer)
        self.assert_same_file(self.inbox / "big.bin", self.source)

    def test_a_part_that_became_a_link_is_not_written_through(self):
        daemon = self.daemon()
        sender = self.sending(daemon)
        sender.signal(signal.SIGINT)
        sender.wait()
        daemon.event("received")
        victim = self.file("victim", content=b"untouched")
        part = only(self.parts())
        part.unlink()
        part.symlink_to(victim)
        self.fails("send", self.source, daemon.peer, says="not sent")
        self.assertEqual(victim.read_bytes(), b"untouched")
        self.assertFalse((self.inbox / "big.bin").exists())
        self.assert_alive(daemon)

    # --- the receiver ends ---

    def test_after_kill_9_of_the_receiver_the_file_goes_on_where_it_broke_off(self):
        daemon = self.daemon()
        sender = self.sending(daemon)
        daemon.signal(signal.SIGKILL)
        daemon.wait()
        self.assert_kept_aside(self.inbox)
        sender.signal(signal.SIGINT)
        sender.wait()
        self.goes_on(self.daemon())

    def test_a_receiver_that_stops_tells_the_sender_at_once(self):
        daemon = self.daemon()
        sender = self.sending(daemon)
        daemon.signal(signal.SIGTERM)
        self.assertEqual(daemon.wait(5), 0)
        self.assertEqual(sender.wait(5), 1, sender.told())
        told = only(sender.objects())
        self.assertFalse(told["ok"])
        self.assertIn("closed", told["error"])
        self.assert_kept_aside(self.inbox)
        self.goes_on(self.daemon())

    def test_after_each_of_several_kills_more_is_there(self):
        daemon = self.daemon()
        sizes = [0]
        for _ in range(4):
            sender = self.weft("send", self.source, self.stalling(daemon))
            wait_until(lambda: self.part_size(self.inbox) > sizes[-1] + MIDDLE // 2, saying="the part does not grow")
            sender.signal(signal.SIGKILL)
            sender.wait()
            sizes.append(self.part_size(self.inbox))
        self.assertEqual(sizes, sorted(sizes))
        self.goes_on(daemon)

    # --- fetching ---

    def fetching(self, daemon):
        process = self.weft("get", self.stalling(daemon), "big.bin", "--dir", self.here)
        self.in_the_middle(process, self.here)
        return process

    def fetches_on(self, daemon):
        told = only(self.run_weft("get", "--json", daemon.peer, "big.bin", "--dir", self.here).objects())
        self.assertGreaterEqual(told["resumed_at"], MIDDLE)
        self.assertEqual(told["moved"], SIZE - told["resumed_at"])
        self.assert_same_file(self.here / "big.bin", self.source)
        self.assertEqual(self.parts(self.here), [])

    def offering(self):
        self.here = self.dir / "here"
        self.here.mkdir(exist_ok=True)
        return self.daemon(offer=self.source)

    def test_after_kill_9_of_the_fetching_side_it_goes_on(self):  # SPEC 5.3-5
        daemon = self.offering()
        getter = self.fetching(daemon)
        getter.signal(signal.SIGKILL)
        getter.wait()
        self.assert_kept_aside(self.here)
        self.fetches_on(daemon)

    def test_an_interrupted_fetch_says_so_and_goes_on(self):
        daemon = self.offering()
        getter = self.fetching(daemon)
        getter.signal(signal.SIGINT)
        self.assertEqual(getter.wait(5), 130)
        self.assert_sentence(getter, says="interrupted")
        self.assert_kept_aside(self.here)
        self.fetches_on(daemon)

    def test_a_fetch_whose_server_stops_ends_with_a_sentence_and_goes_on(self):
        daemon = self.offering()
        getter = self.fetching(daemon)
        daemon.signal(signal.SIGTERM)
        self.assertEqual(daemon.wait(5), 0)
        self.assertEqual(getter.wait(5), 1)
        self.assert_sentence(getter, says=["big.bin: not fetched", "closed"])
        self.assert_kept_aside(self.here)
        self.fetches_on(self.offering())

    def test_a_fetch_of_a_file_that_changed_begins_again(self):
        daemon = self.offering()
        getter = self.fetching(daemon)
        getter.signal(signal.SIGINT)
        getter.wait()
        self.source = self.file("big.bin", SIZE, seed=2)
        told = only(self.run_weft("get", "--json", daemon.peer, "big.bin", "--dir", self.here).objects())
        self.assertEqual(told["resumed_at"], 0)
        self.assert_same_file(self.here / "big.bin", self.source)

    # --- two at once ---

    def test_a_second_send_of_the_same_file_takes_the_place_of_the_first(self):  # SPEC 5.3-6
        daemon = self.daemon()
        first = self.sending(daemon)
        self.goes_on(daemon)
        self.assertEqual(first.wait(5), 1)
        self.assertIn("closed", only(first.objects())["error"])
        self.assertEqual([p.name for p in self.inbox.iterdir()], ["big.bin"])

    def test_a_second_fetch_of_the_same_file_is_refused_while_the_first_goes_on(self):
        daemon = self.offering()
        first = self.fetching(daemon)
        self.fails("get", daemon.peer, "big.bin", "--dir", self.here, says=["not fetched", "under way"])
        self.proxy.go_on()
        self.assertEqual(first.wait(), 0, first.told())
        self.assertEqual([p.name for p in self.here.iterdir()], ["big.bin"])
        self.assert_same_file(self.here / "big.bin", self.source)


if __name__ == "__main__":
    unittest.main()
