# SPDX-License-Identifier: Apache-2.0
"""Which key servers see: one for each of them, and the user's own only on request."""

import re
import signal
import unittest

from harness import Case, only


class ShownKeys(Case):
    def test_each_server_sees_a_key_of_its_own_and_key_show_tells_which(self):
        """SPEC 1.11-1, 1.11-2"""
        seen = []
        for who in ("server", "other"):
            daemon = self.daemon(who=who, allow="any *")
            for name in (f"{who}-1", f"{who}-2"):
                self.run_weft("send", self.file(name, 5), daemon.peer)
            daemon.signal(signal.SIGTERM)
            daemon.wait()
            seen += [o["peer"] for o in daemon.objects() if o["event"] == "received"]
        self.assertEqual(seen, [self.shown()] * 2 + [self.shown(to="other")] * 2)
        self.assertEqual(len({self.key(), *seen}), 3)

    def test_the_own_key_is_shown_on_request(self):
        daemon = self.daemon(allow=f"{self.key()} *")
        self.fails("echo", daemon.peer, "x", says="not permitted")
        self.assertEqual(self.run_weft("echo", daemon.peer, "x", "--as-self").out, "x")

    def test_a_refused_client_is_told_which_key_to_hand_over(self):
        daemon = self.daemon(allow=None)
        process = self.fails("echo", daemon.peer, "x", says=["no echo", f"weft allow {self.shown()} "])
        key = re.search(r"weft allow (weft1\w+) ", process.err)[1]
        self.fails("echo", daemon.peer, "x", "--as-self", says=f"weft allow {self.key()} ")
        daemon.signal(signal.SIGTERM)
        daemon.wait()
        daemon = self.daemon(allow=f"{key} echo")
        self.assertEqual(self.run_weft("echo", daemon.peer, "x").out, "x")

    def test_key_show_for_takes_a_key_or_a_peer_and_nothing_else(self):
        self.key()
        server = self.key("server")
        told = only(self.run_weft("key", "show", "--for", f"{server}@127.0.0.1:1", "--json").objects())
        self.assertEqual(told["key"], self.shown())
        self.assertNotEqual(told["key"], self.key())
        self.fails("key", "show", "--for", "weft1nonsense", says="cannot use")


if __name__ == "__main__":
    unittest.main()
