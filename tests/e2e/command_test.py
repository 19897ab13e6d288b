# SPDX-License-Identifier: Apache-2.0
"""The command line itself: help, options, objects for programs, a bar for people."""

import json
import os
import subprocess
import unittest

from harness import Case, PATIENCE, WEFT, WEFTD, only
from proxy import Proxy

COMMANDS = ("key", "allow", "pin", "statement", "group", "listen", "send", "get", "ping", "echo", "cat")
SPELLED = ("--key", "--listen", "--stats-json", "--keylog", "--json")


class Help(Case):
    def test_help_of_everything_ends_well_and_says_how_to_use_it(self):
        for argv in ([WEFT, "--help"], [WEFT, "-h"], [WEFT, "help"], [WEFTD, "--help"], [WEFTD, "-h"],
                     *([WEFT, c, "--help"] for c in COMMANDS), *([WEFT, c, "-h"] for c in COMMANDS)):
            process = self.start(argv)
            self.assertEqual(process.wait(), 0, process.told())
            self.assertIn("usage: weft", process.out)
            self.assertEqual(process.err, "")

    def test_help_names_every_command_and_option(self):
        text = self.run_weft("--help").out
        for word in (*COMMANDS, *SPELLED):
            self.assertIn(word, text)
        daemon = self.start([WEFTD, "--help"])
        daemon.wait()
        for word in (*SPELLED, "--config", "--check-config", "SIGTERM"):
            self.assertIn(word, daemon.out)

    def test_the_version_is_told(self):
        for argv in ([WEFT, "--version"], [WEFTD, "--version"]):
            process = self.start(argv)
            self.assertEqual(process.wait(), 0)
            self.assertRegex(process.out, r"^weftd? \d+\.\d+\.\d+$")

    def test_nothing_at_all_shows_the_help_and_is_an_error(self):
        process = self.run_weft(status=1)
        self.assertIn("usage: weft", process.err)

    def test_help_makes_no_key(self):
        for command in COMMANDS:
            self.run_weft(command, "--help")
        self.assertEqual(list((self.dir / "client").iterdir()), [])


class Mistakes(Case):
    def test_a_command_that_does_not_exist_is_told(self):
        for word in ("nonsense", "Send", "", "--nonsense", "x" * 1000):
            self.fails(word, says="See weft --help") if word else self.fails(word, says="there is no command")

    def test_options_before_the_command_are_told_where_they_belong(self):
        self.fails("--key", "mine", "ping", "x", says=["options come after the command", "weft COMMAND --key", "See weft --help"])

    def test_options_that_do_not_exist_are_told_by_each_command(self):
        for command in COMMANDS:
            for option in ("--nonsense", "-Z", "--js", "--jsonx", "-qj"):
                self.fails(command, option, says=[f"no option {option}", "--help"])
        daemon = self.start([WEFTD, "--nonsense"])
        self.assert_sentence(daemon, says="--nonsense")

    def test_options_without_their_value_and_values_without_use_are_told(self):
        for command in COMMANDS:
            self.fails(command, "--key", says="needs a value")
            self.fails(command, "--json=yes", says="takes no value")

    def test_too_few_and_too_many_arguments_show_the_usage(self):
        for argv in (["key"], ["key", "a", "b"], ["allow", "any"], ["allow", "any", "a", "b"], ["send", "x"], ["get"],
                     ["get", "a", "b", "c"], ["ping"], ["ping", "a", "b"], ["echo"], ["listen", "x"], ["cat", "a", "b"]):
            process = self.run_weft(*argv, status=1)
            self.assertIn("usage: weft", process.err, argv)

    def test_numbers_that_are_none_are_told(self):
        for text in ("x", "-1", "1x", "", "99999999999999999999", "0x10", "1.5", " 1"):
            self.fails("ping", "-n", text, "x", says="is no number")

    def test_a_daemon_takes_no_arguments(self):
        self.assert_sentence(self.start([WEFTD, "extra"]), says='"extra"')

    def test_options_may_stand_anywhere_and_two_dashes_end_them(self):
        daemon = self.daemon()
        key = self.dir / "client" / "key"
        self.assertEqual(self.run_weft("echo", daemon.peer, "--key", key, "a", "-q", "b").out, "a b")
        self.assertEqual(self.run_weft("echo", f"--key={key}", daemon.peer, "--", "--json", "-q").out, "--json -q")

    def test_allow_refuses_services_that_are_none(self):
        for service in ("", "a b", "a#b", "x" * 65, "a\nb"):
            self.fails("allow", "any", service, says="1 to 64 characters")
        self.assertFalse((self.dir / "client" / "allow").exists())


class Objects(Case):
    """--json: one object a line on standard output and nothing else there, whatever happens."""

    def test_every_command_prints_objects_alone(self):
        daemon = self.daemon(offer=self.file("offered", 10))
        peer, source = daemon.peer, self.file("a", 10)
        for command, status in ((["key", "show"], 0), (["send", source, peer], 0), (["send", source, source, peer], 0),
                                (["get", peer], 0), (["get", peer, "offered", "--dir", self.dir], 0),
                                (["get", peer, "missing"], 1), (["ping", "-n", "2", "-i", "0", peer], 0),
                                (["echo", peer, "x"], 0), (["echo", "-n", "2", "-i", "0", peer, "x"], 0),
                                (["echo", peer, "x", "--key", self.dir / "new-key"], 1)):
            process = self.run_weft(*command, "--json", status=status)
            objects = process.objects()
            self.assertGreaterEqual(len(objects), 1, process.told())
            for o in objects:
                self.assertIsInstance(o, dict)
        for line in daemon.lines["out"]:
            self.assertIsInstance(json.loads(line), dict)

    def test_names_with_quotes_and_backslashes_are_still_objects(self):
        name = 'a "quoted" \\ name'
        daemon = self.daemon(offer=self.file(name, 1))
        self.assertEqual(only(self.run_weft("get", "--json", daemon.peer).objects())["name"], name)
        self.assertEqual(only(self.run_weft("send", "--json", self.file(name, 1), daemon.peer).objects())["name"], name)
        self.assertEqual(daemon.event("received")["name"], name)

    def ping_into(self, out, count):
        return subprocess.Popen([WEFT, "ping", "-n", str(count), "-i", "1", self.daemon().peer], env=self.env(), stdout=out)

    def test_an_output_that_is_closed_is_no_crash(self):
        read, write = os.pipe()
        child = self.ping_into(write, 500)
        os.close(write)
        self.assertTrue(os.read(read, 100).startswith(b"1:"))
        os.close(read)
        self.assertGreaterEqual(child.wait(PATIENCE), 0, "a signal ended it")

    def test_an_output_on_a_full_disk_is_no_crash(self):
        with open("/dev/full", "w", encoding="ascii") as full:
            self.assertGreaterEqual(self.ping_into(full, 1).wait(PATIENCE), 0, "a signal ended it")

    def test_what_could_not_be_printed_is_a_failure_and_what_nobody_reads_is_none(self):
        self.key()
        show = [WEFT, "key", "show"]
        with open("/dev/full", "w", encoding="ascii") as full:
            done = subprocess.run(show, env=self.env(), stdout=full, stderr=subprocess.PIPE, text=True, timeout=PATIENCE)
        self.assertEqual(done.returncode, 1)
        self.assertIn("the output could not be written whole", done.stderr)
        read, write = os.pipe()
        os.close(read)
        done = subprocess.run(show, env=self.env(), stdout=write, stderr=subprocess.PIPE, text=True, timeout=PATIENCE)
        os.close(write)
        self.assertEqual((done.returncode, done.stderr), (0, ""))


class Bar(Case):
    """A bar is drawn on a terminal alone."""

    def slowly(self):
        """A daemon behind a slow line, so that a bar has something to show."""
        daemon = self.daemon(offer=self.file("big.bin", 3_000_000))
        proxy = Proxy(daemon.port, rate=6_000_000, record=False)
        self.addCleanup(proxy.close)
        return self.peer_at(daemon, proxy.port)

    def test_on_a_terminal_a_bar_grows_and_goes(self):
        peer = self.slowly()
        status, shown = self.on_a_terminal("send", self.file("big.bin", 3_000_000), peer)
        self.assertEqual(status, 0, shown)
        self.assertRegex(shown, r"\r\x1b\[Kbig\.bin \[#* *\] .* of 2\.9 MiB")
        self.assertRegex(shown.rsplit("\x1b[K", 1)[1], r"^sent big\.bin: 2\.9 MiB")

    def test_a_fetch_has_its_bar_too(self):
        status, shown = self.on_a_terminal("get", self.slowly(), "big.bin", "--dir", self.dir)
        self.assertEqual(status, 0, shown)
        self.assertRegex(shown, r"\r\x1b\[Kbig\.bin \[#* *\]")

    def test_json_and_quiet_draw_none(self):
        peer, source = self.slowly(), self.file("big.bin", 3_000_000)
        for option in ("--json", "--quiet"):
            status, shown = self.on_a_terminal("send", option, source, peer)
            self.assertEqual(status, 0, shown)
            self.assertNotIn("\x1b", shown)

    def test_without_a_terminal_there_is_none(self):
        process = self.run_weft("send", self.file("big.bin", 3_000_000), self.slowly())
        self.assertNotIn("\x1b", process.out + process.err)
        self.assertEqual(process.err, "")


if __name__ == "__main__":
    unittest.main()
