# SPDX-License-Identifier: Apache-2.0
"""What others may have put where we write, and what a peer may have us show: links, devices, escape sequences."""

import json
import os
import stat
import unittest

from harness import Case, WEFT, WEFTD


class Terminal(Case):
    def test_what_a_peer_answers_moves_no_cursor(self):
        daemon = self.daemon()
        self.key()
        text = "a\033[2Jb\x07c\x9bd \u009be \u011b\ttab"
        status, shown = self.on_a_terminal("echo", daemon.peer, text)
        self.assertEqual(status, 0, shown)
        for bad in ("\033", "\x07", "\x9b"):
            self.assertNotIn(bad, shown)
        self.assertIn("\u011b\ttab", shown)  # what is harmless stays

    def test_in_a_pipe_the_answer_stays_as_it_is(self):
        daemon = self.daemon()
        process = self.run_weft("echo", daemon.peer, "a\033[2Jb")
        self.assertEqual(process.out, "a\033[2Jb")


class Objects(Case):
    def test_a_path_that_is_no_text_still_makes_an_object(self):
        path = os.fsdecode(os.fsencode(self.dir) + b"/key-\xff\xc3\xa9\xed\xa0\x80\x7f\x1b")
        process = self.start([WEFT, "key", "new", "--json", "--key", path], binary=True)
        out, _ = process.child.communicate()
        self.assertEqual(process.child.returncode, 0)
        name = json.loads(out.decode("utf-8"))["file"]
        self.assertTrue(name.endswith("key-\ufffd\u00e9\ufffd\ufffd\ufffd\x7f\x1b"), name)


class Places(Case):
    def victim(self):
        return self.file("victim", content=b"precious")

    def test_a_link_beside_the_counters_is_not_written_through(self):
        victim = self.victim()
        stats = self.dir / "stats.json"
        (self.dir / "stats.json.new").symlink_to(victim)
        stats.symlink_to(victim)
        daemon = self.daemon("--stats-json", stats)
        self.assert_alive(daemon)
        daemon.signal(15)
        self.assertEqual(daemon.wait(), 0, daemon.told())
        self.assertEqual(victim.read_bytes(), b"precious")
        self.assertIn("peers", json.loads(stats.read_text()))

    def test_a_device_is_no_place_for_secrets_and_keeps_its_mode(self):
        before = stat.S_IMODE(os.stat("/dev/null").st_mode)
        if os.geteuid() == 0:
            self.addCleanup(os.chmod, "/dev/null", before)
        self.key()
        process = self.fails("echo", "--keylog", "/dev/null", f"{self.key('server')}@127.0.0.1:9", "x",
                             says="cannot open a node")
        self.assertEqual(stat.S_IMODE(os.stat("/dev/null").st_mode), before, process.told())

    def test_a_pipe_is_no_place_for_secrets_and_holds_nobody_up(self):
        pipe = self.dir / "pipe"
        os.mkfifo(pipe)
        self.fails("echo", "--keylog", pipe, f"{self.key('server')}@127.0.0.1:9", "x", says="cannot open a node")

    def test_rules_that_anybody_may_write_are_refused(self):
        rules = self.dir / "rules"
        rules.write_text("any *\n")
        rules.chmod(0o646)
        config = self.config(receive=self.dir / "in", rules=rules, listen="127.0.0.1:0")
        self.assert_sentence(self.start([WEFTD, "--quiet", "--config", config], "server"), says=["rules", "chmod"])
        rules.chmod(0o644)
        daemon = self.start([WEFTD, "--json", "--config", config], "server")
        self.assertIn("peer", daemon.event("listening"))

    def test_a_setting_that_stands_twice_is_refused(self):
        config = self.config(listen=["127.0.0.1:0", "0.0.0.0:0"])
        self.assert_sentence(self.start([WEFTD, "--check-config", "--config", config], "server"), says=["line 2", "twice"])
        config = self.config(allow=["any echo", "any cat"], listen="127.0.0.1:0")
        self.assertEqual(self.start([WEFTD, "--check-config", "--config", config], "server").wait(), 0)


if __name__ == "__main__":
    unittest.main()
