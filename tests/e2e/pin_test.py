# SPDX-License-Identifier: Apache-2.0
"""Servers known by name: pins, statements of owners, and a server that has another key one day."""

import re
import signal
import time
import unittest

from harness import Case, only

HOUR = 3600


class Pinned(Case):
    def setUp(self):
        super().setUp()
        self.key()
        self.owner = self.key("owner")
        self.old, self.new = self.key("old"), self.key("new")

    def statement(self, version, key=None, owner="owner", name="alice", **more):
        path = self.dir / f"statement-{version}-{owner}-{name}"
        path.write_text(self.run_weft("statement", "make", "--owner", self.dir / owner / "key", "--name", name, "--version",
                                      version, "--server", key or self.new,
                                      *(x for k, v in more.items() for x in (f"--{k}", v))).out + "\n")
        return path

    def pin(self, *server, name="alice", owner=None, **more):
        return self.run_weft("pin", "add", name, "--owner", owner or self.owner, *server, **more)

    def pins(self):
        return [line.split() for line in self.run_weft("pin", "list").lines["out"]]

    def serve(self, who, statement=None):
        lines = {} if statement is None else {"statement": statement}
        daemon = self.daemon(who=who, allow="any *", **lines)
        daemon.at = f"alice@127.0.0.1:{daemon.port}"
        return daemon

    def end(self, daemon):
        daemon.signal(signal.SIGTERM)
        daemon.wait()

    def ping(self, daemon, **more):
        return self.run_weft("ping", "-n", "1", "-w", "1500", daemon.at, **more)

    def test_a_replaced_key_is_followed_and_told_once(self):
        """SPEC 1.12-12"""
        self.pin("--server", self.old)
        daemon = self.serve("old")
        self.assertEqual(self.ping(daemon).err, "")
        self.end(daemon)
        daemon = self.serve("new", self.statement(2))
        told = self.ping(daemon)
        self.assertEqual(told.lines["err"], [f"weft: there is a new key for alice, as its owner says (version 2): {self.new}"])
        self.assertIn("1 of 1 answered", told.out)
        self.assertEqual(self.pins(), [["alice", self.owner, self.new, "2"]])
        self.assertEqual(self.ping(daemon).err, "", "it is known now")

    def test_the_servers_rules_outlive_its_key(self):
        """SPEC 1.11-2"""
        self.pin("--server", self.old)
        shown = self.run_weft("key", "show", "--for", "alice").out
        self.assertNotEqual(shown, self.run_weft("key", "show", "--for", self.old).out)
        self.run_weft("allow", shown, "file", who="old")
        daemon = self.daemon(who="old", allow=None)
        self.run_weft("send", self.file("a", 5), f"alice@127.0.0.1:{daemon.port}")
        self.end(daemon)
        rules = self.dir / "old" / "allow"
        daemon = self.daemon("--rules", rules, who="new", allow=None, statement=self.statement(2))
        self.run_weft("send", self.file("b", 5), f"alice@127.0.0.1:{daemon.port}")
        self.end(daemon)
        self.assertEqual([o["peer"] for o in daemon.objects() if o["event"] == "received"], [shown])

    def test_a_name_alone_is_enough_to_find_out_the_key(self):
        self.pin()
        self.assertEqual(self.pins(), [["alice", self.owner, "-", "0"]])
        daemon = self.serve("new", self.statement(1))
        told = self.ping(daemon)
        self.assertEqual(told.lines["err"], [f"weft: this is the key of alice, as its owner says (version 1): {self.new}"])
        self.assertEqual(self.pins(), [["alice", self.owner, self.new, "1"]])
        self.assertEqual(self.run_weft("echo", daemon.at, "x").out, "x")

    def refused(self, daemon):
        before = self.pins()
        process = self.ping(daemon, status=1)
        self.assertIn("another key", process.err)
        self.assertEqual(self.pins(), before)

    def test_nobody_but_the_owner_is_followed_and_nobody_back(self):
        self.pin("--server", self.old)
        self.key("thief")
        for statement in (self.statement(9, owner="thief"), self.statement(9, name="bob")):
            daemon = self.serve("new", statement)
            self.refused(daemon)
            self.end(daemon)
        daemon = self.serve("new", self.statement(5))
        self.ping(daemon)
        self.end(daemon)
        self.assertEqual(self.pins()[0][3], "5")
        for version in (4, 5):
            daemon = self.serve("old", self.statement(version, key=self.old))
            self.refused(daemon)
            self.end(daemon)

    def test_a_server_without_a_statement_is_not_followed(self):
        self.pin("--server", self.old)
        self.refused(self.serve("new"))

    def test_an_expired_statement_is_remarked_and_not_followed(self):
        self.pin("--server", self.old)
        path = self.statement(2, days=0)
        text = path.read_text()
        self.assertEqual(len(set(re.findall(r"not-\w+ (\d+)", text))), 1)
        daemon = self.serve("new", path)
        self.ping(daemon)  # five minutes of slack
        self.end(daemon)
        self.assertEqual(self.pins()[0][3], "2")

    def test_a_damaged_or_foreign_statement_stops_a_server(self):
        path = self.statement(2)
        good = path.read_text()
        for text, says in ((good.replace("alice", "bob"), "not signed"), (good[:-3], "no statement"), ("", "no statement"),
                           ("x" * 5000, "too long")):
            path.write_text(text)
            self.fails("statement", "show", path, says=says)
            self.fails("listen", "--dir", self.dir / "in", "--listen", "127.0.0.1:0", "--statement", path, who="new", says=says)
        path.write_text(good)
        self.fails("listen", "--dir", self.dir / "in", "--listen", "127.0.0.1:0", "--statement", path, who="old",
                   says="about another key")
        self.fails("statement", "show", self.dir / "missing", says="cannot read")

    def test_a_statement_tells_what_it_says(self):
        before = int(time.time())
        path = self.statement(7, days=2)
        shown = self.run_weft("statement", "show", path).out
        for words in ("alice has the key " + self.new, self.owner, "version 7", "UTC"):
            self.assertIn(words, shown)
        told = only(self.run_weft("statement", "show", "--json", path).objects())
        self.assertEqual((told["name"], told["version"], told["owner"], told["key"]), ("alice", 7, self.owner, self.new))
        self.assertEqual(told["not_after"] - told["not_before"], 48 * HOUR)
        self.assertLess(abs(told["not_before"] - before), 60)

    def test_wrong_words_are_told(self):
        make = ["statement", "make", "--owner", self.dir / "owner" / "key"]
        self.fails(*make, "--name", "a", "--version", "1", says="needs --owner")
        self.fails(*make, "--name", "a b", "--version", "1", "--server", self.new, says="a name has 1 to 64")
        self.fails(*make, "--name", "n" * 65, "--version", "1", "--server", self.new, says="a name has 1 to 64")
        self.fails(*make, "--name", "a", "--version", "0", "--server", self.new, says="versions begin with 1")
        self.fails(*make, "--name", "a", "--version", "1", "--server", "weft1x", says="mistyped")
        self.fails(*make, "--name", "a", "--version", "1", "--server", self.new, "--days", "x", says="is no number")
        self.fails("statement", "burn", says="statement --help")
        self.fails("pin", "add", "a", says="--owner")
        self.fails("pin", "add", "weft1a", "--owner", self.owner, says="is no name")
        self.fails("pin", "add", "a@b", "--owner", self.owner, says="is no name")
        self.fails("pin", "add", "a", "--owner", "weft1x", says="mistyped")
        self.fails("pin", "remove", "a", says='no pin "a"')
        self.fails("pin", "burn", says="pin --help")
        self.fails("ping", "alice@127.0.0.1:1", says="is no peer")

    def test_pins_are_listed_replaced_and_removed_and_comments_stay(self):
        self.pin()
        file = self.dir / "client" / "pins"
        file.write_text("# mine\n\n" + file.read_text())
        self.pin(name="bob")
        self.pin("--server", self.new)
        self.assertEqual(sorted(self.pins()), [["alice", self.owner, self.new, "0"], ["bob", self.owner, "-", "0"]])
        told = {o["name"]: o for o in self.run_weft("pin", "list", "--json").objects()}
        self.assertEqual((told["bob"]["key"], told["alice"]["key"], told["alice"]["version"]), (None, self.new, 0))
        self.run_weft("pin", "remove", "bob")
        self.assertEqual(self.pins(), [["alice", self.owner, self.new, "0"]])
        self.assertEqual(file.read_text().splitlines()[:2], ["# mine", ""])
        self.assertEqual(sorted(p.name for p in file.parent.iterdir()), ["key", "pins"])
        file.write_text("nonsense\n")
        self.fails("pin", "list", says="line 1")
        self.fails("ping", "alice@127.0.0.1:1", says="line 1")

    def test_our_own_key_behind_a_name_is_noticed(self):
        self.pin("--server", self.key())
        self.fails("ping", "alice@127.0.0.1:1", says="your own key")


if __name__ == "__main__":
    unittest.main()
