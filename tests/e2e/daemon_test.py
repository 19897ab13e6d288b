# SPDX-License-Identifier: Apache-2.0
"""weftd: its configuration, its start and its end."""

import os
import signal
import time
import unittest

from harness import Case, WEFTD, random_bytes, wait_until

GOOD = """# a comment
   # an indented one

role = node
listen=127.0.0.1:0
receive   =   {dir}/in
allow = any echo
allow = {key} *
offer = {dir}/offered
echo = yes
memory-max = 268435456
sessions-max = 100
unread-time = 60
fold-time = 1
rest-time = 3600
presences-max = 1000
rest-file = {dir}/rest
rest-memory-time = 60
work-effort = 0
work-ceiling = 20
cookies-max = 100000
stats-json = {dir}/stats
keylog = {dir}/keys
rules = {dir}/rules
key = {dir}/key
"""


class Configuration(Case):
    def check(self, text, *args):
        path = self.dir / "weftd.conf"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        process = self.start([WEFTD, "--config", path, "--check-config", *args], "server")
        process.wait()
        return process

    def test_a_good_one_is_called_good_and_nothing_is_done(self):
        (self.dir / "offered").write_text("x")
        before = sorted(p.name for p in self.dir.iterdir())
        key = self.key("somebody")
        process = self.check(GOOD.format(dir=self.dir, key=key))
        self.assertEqual(process.wait(), 0, process.told())
        self.assertEqual(process.out, "the configuration is good")
        after = {p.name for p in self.dir.iterdir()} - {"weftd.conf", "server", "somebody"}
        self.assertEqual(sorted(after), before)

    def test_an_empty_one_and_one_without_a_last_newline_are_good(self):
        for text in ("", "\n\n", "echo = no", "# only a comment"):
            self.assertEqual(self.check(text).wait(), 0, text)

    def test_each_kind_of_bad_line_is_told_with_its_number(self):
        key = self.key("somebody")
        mistyped = key[:-1] + ("p" if key[-1] == "q" else "q")
        bad = {
            "nonsense": "expected name = value",
            "nonsense = 1": "there is no such name",
            "= 1": "there is no such name",
            "Echo = yes": "there is no such name",
            "echo =": "the value is missing",
            "echo": "expected name = value",
            "echo = maybe": "expected yes or no",
            "role = node\nrole = node": "that name stands here twice",
            "role = king": "the only role",
            "allow = any": "a key (or any) and a service",
            "allow = any a b": "a key (or any) and a service",
            f"allow = {mistyped} echo": "mistyped",
            f"allow = any {'s' * 65}": "a key (or any) and a service",
            "memory-max = 1": "out of range",
            "memory-max = many": "that is no number",
            "memory-max = -1": "that is no number",
            "memory-max = 99999999999999999999999": "out of range",
            "sessions-max = 0": "out of range",
            "unread-time = 0": "out of range",
            "fold-time = 0": "out of range",
            "rest-time = 59": "out of range",
            "presences-max = 0": "out of range",
            "rest-memory-time = 0": "out of range",
            "sessions-max = 1.5": "that is no number",
            "work-effort = 99999999999": "out of range",
            "work-ceiling = 0": "out of range",
            "work-ceiling = 33": "out of range",
            "cookies-max = 1023": "out of range",
        }
        for line, says in bad.items():
            process = self.check(f"# first\n\n{line}\n")
            self.assert_sentence(process, says=[says, f"line {3 + line.count(chr(10))}"])
            self.assertEqual(process.out, "")

    def test_the_same_line_stops_a_start(self):
        process = self.start([WEFTD, "--config", self.config(echo="maybe")], "server")
        self.assert_sentence(process, says="line 1")

    def test_too_many_lines_of_a_kind_are_told(self):
        self.assert_sentence(self.check("offer = x\n" * 65), says="more than 64 offers")
        self.assert_sentence(self.check("allow = any x\n" * 65), says="more than 64 rules")
        self.assertEqual(self.check("offer = x\n" * 64).wait(), 0)

    def test_files_that_are_no_text_or_too_long_are_told(self):
        self.assert_sentence(self.check(b"echo = yes\n\0"), says="longer than 64 KiB or no text")
        self.assert_sentence(self.check("#" * 65537), says="longer than 64 KiB or no text")
        self.assertEqual(self.check("#" * 65536).wait(), 0)
        self.assertNotEqual(self.check(random_bytes(3000)).wait(), 0)

    def test_a_configuration_that_is_missing_or_a_folder_is_told(self):
        for path in (self.dir / "missing", self.dir):
            process = self.start([WEFTD, "--config", path], "server")
            self.assert_sentence(process, says="cannot read the configuration")

    def test_options_win_over_the_file(self):
        config = self.config(listen="127.0.0.1:1", stats_json=self.dir / "wrong", key=self.dir / "wrong")
        daemon = self.start([WEFTD, "--config", config, "--listen", "127.0.0.1:0", "--stats-json", self.dir / "right",
                             "--key", self.dir / "key", "--json"], "server")
        daemon.event("listening")
        wait_until((self.dir / "right").exists, saying="no counters")
        self.assertTrue((self.dir / "key").exists())
        self.assertFalse((self.dir / "wrong").exists())

    def test_an_address_that_is_none_stops_the_start(self):
        self.assert_sentence(self.start([WEFTD, "--quiet", "--key", self.dir / "key", "--listen", "nonsense"], "server"),
                             says="cannot open a node at nonsense")


class Life(Case):
    def test_sigterm_and_sigint_end_it_cleanly_and_at_once(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            daemon = self.daemon()
            self.run_weft("ping", "-n", "1", daemon.peer)
            began = time.monotonic()
            daemon.signal(number)
            self.assertEqual(daemon.wait(5), 0, daemon.told())
            self.assertLess(time.monotonic() - began, 2)

    def test_a_signal_right_after_the_start_ends_it_cleanly(self):
        for _ in range(5):
            daemon = self.daemon()
            daemon.signal(signal.SIGTERM)
            self.assertEqual(daemon.wait(5), 0, daemon.told())

    def test_its_port_is_free_at_once_after_its_end(self):
        daemon = self.daemon()
        self.run_weft("ping", "-n", "1", daemon.peer)
        daemon.signal(signal.SIGTERM)
        daemon.wait(5)
        again = self.daemon(listen=f"127.0.0.1:{daemon.port}")
        self.assertEqual(again.peer, daemon.peer, "the same key at the same place")
        self.run_weft("ping", "-n", "1", again.peer)

    def test_sighup_and_sigpipe_of_a_closed_output_do_not_break_it(self):
        daemon = self.daemon()
        source = self.file("a", 5)
        os.kill(daemon.pid, signal.SIGPIPE)
        self.run_weft("send", source, daemon.peer)
        self.assert_alive(daemon)

    def test_it_says_where_it_listens_in_words_too(self):
        config = self.config(listen="127.0.0.1:0")
        daemon = self.start([WEFTD, "--config", config], "server")
        self.assertRegex(daemon.line(lambda line: True), r"^listening as weft1\S+@127\.0\.0\.1:\d+$")

    def test_it_keeps_no_core_and_cannot_be_looked_into(self):
        daemon = self.daemon()
        with open(f"/proc/{daemon.pid}/limits", encoding="ascii") as f:
            limit = next(line for line in f if line.startswith("Max core file size"))
        self.assertEqual(limit.split()[4:6], ["0", "0"])
        self.assertEqual(os.stat(f"/proc/{daemon.pid}/mem").st_uid, 0)

    def test_its_descriptors_and_memory_do_not_grow_with_clients(self):
        daemon = self.daemon()
        source = self.file("a", 100_000)

        def count():
            return len(os.listdir(f"/proc/{daemon.pid}/fd"))

        def use():
            self.run_weft("send", source, daemon.peer)
            self.run_weft("echo", "-n", "20", "-i", "0", daemon.peer, "x")

        use()
        before = count()
        for _ in range(8):
            use()
        wait_until(lambda: count() <= before, saying="descriptors are left open")


if __name__ == "__main__":
    unittest.main()
