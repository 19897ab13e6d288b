# SPDX-License-Identifier: Apache-2.0
"""What goes wrong in reach of a person: one clear sentence, not 0, soon, and nothing lost."""

import os
import resource
import signal
import socket
import time
import unittest

from harness import Case, WEFT, WEFTD, only

NOBODY = 65534


def as_nobody():
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)


def mistyped(key):
    """One character of it changed to another of the same alphabet."""
    return key[:20] + ("q" if key[20] != "q" else "p") + key[21:]


class Peers(Case):
    def test_another_key_at_the_address_is_told_as_such_in_time(self):  # SPEC 1.2-3
        daemon = self.daemon()
        wrong = f"{self.key('somebody')}@127.0.0.1:{daemon.port}"
        began = time.monotonic()
        process = self.fails("ping", "-n", "1", "-w", "1500", wrong, says=["with another key", "by a way you trust"])
        self.assertLess(time.monotonic() - began, 5)
        self.assertEqual(process.out, "0 of 1 answered")
        self.assert_alive(daemon)

    def test_an_address_where_nobody_answers_is_told_in_time(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
            silent.bind(("127.0.0.1", 0))
            peer = f"{self.key('server')}@127.0.0.1:{silent.getsockname()[1]}"
            began = time.monotonic()
            self.fails("ping", "-n", "1", "-w", "1000", peer, says=["nothing answered at that address", "Check the address"])
            self.assertLess(time.monotonic() - began, 4)

    def test_a_closed_port_is_told_in_time(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        peer = f"{self.key('server')}@127.0.0.1:{port}"
        self.fails("ping", "-n", "1", "-w", "1000", peer, says="nothing answered at that address")

    def test_each_command_gives_up_on_an_unreachable_peer_in_the_end(self):
        self.key()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
            silent.bind(("127.0.0.1", 0))
            peer = f"{self.key('server')}@127.0.0.1:{silent.getsockname()[1]}"
            commands = [("send", self.file("a", 5), peer), ("get", peer, "a"), ("get", peer), ("echo", peer, "x"),
                        ("cat", peer), ("ping", "-n", "1", peer)]
            began = time.monotonic()
            processes = [self.weft(*c) for c in commands]
            mistaken = self.weft("send", self.file("b", 5), f"{self.key('somebody')}@127.0.0.1:{self.daemon().port}")
            self.assert_sentence(mistaken, says="with another key")
            for process in processes:
                self.assert_sentence(process, says="nothing answered at that address")
            self.assertLess(time.monotonic() - began, 14, "ten seconds are the time for reaching a peer")

    def test_a_mistyped_key_is_noticed_by_every_command(self):  # SPEC 5.1-1
        daemon = self.daemon()
        bad = mistyped(daemon.peer)
        source = self.file("a", 5)
        for command in (["ping", bad], ["echo", bad, "x"], ["send", source, bad], ["get", bad, "a"], ["get", bad], ["cat", bad]):
            self.fails(*command, says="mistyped")
        self.fails("allow", mistyped(self.key()), "echo", says="mistyped")

    def test_addresses_that_are_none_are_noticed_by_every_command(self):
        key = self.key("server")
        for address in ("", "@", "@:4870", "@127.0.0.1:0", "@127.0.0.1:65536", "@[::1", "@127.0.0.1:x"):
            self.fails("ping", "-n", "1", key + address, says="address")

    def test_a_name_that_does_not_resolve_is_told_in_a_sentence(self):
        self.fails("ping", "-n", "1", "-w", "8000", f"{self.key('server')}@no.such.host.invalid:1",
                   says=["ping 1", "Check the host's name"])

    def test_calling_oneself_is_refused_in_a_sentence(self):  # SPEC 1.3-6
        own = f"{self.key()}@127.0.0.1:1"
        for command in (["ping", own], ["echo", own, "x"], ["send", self.file("a", 5), own], ["get", own], ["cat", own]):
            self.fails(*command, says="your own key")

    def test_names_and_addresses_of_both_families_are_called(self):
        daemon = self.daemon(listen="[::]:0")
        key, port = daemon.peer.split("@")[0], daemon.port
        for host in ("127.0.0.1", "[::1]", "localhost"):
            told = only(self.run_weft("ping", "-n", "1", "--json", f"{key}@{host}:{port}").objects())
            self.assertTrue(told["ok"], host)


class Permission(Case):
    def test_nobody_is_let_in_without_a_rule_and_the_daemon_says_so(self):
        daemon = self.daemon(allow=None)
        daemon.line(lambda line: "nobody is allowed anything yet" in line, "err")
        source = self.file("a", 5)
        told = only(self.run_weft("send", "--json", source, daemon.peer, status=1).objects())
        self.assertEqual(told["error"], "this is not permitted")
        self.fails("send", source, daemon.peer, says=["not sent", "not permitted", "weft allow"])
        self.fails("echo", daemon.peer, "x", says=["no echo", "not permitted"])
        self.assertEqual(list(self.inbox.iterdir()), [])
        self.assertTrue(daemon.is_alive())

    def test_after_allow_and_a_restart_the_same_client_gets_in(self):
        daemon = self.daemon(allow=None)
        source = self.file("a", 5)
        self.run_weft("send", source, daemon.peer, status=1)
        daemon.signal(signal.SIGTERM)
        daemon.wait()
        self.run_weft("allow", self.shown(), "file", who="server")
        daemon = self.daemon(allow=None)
        self.run_weft("send", source, daemon.peer)
        self.assert_same_file(self.inbox / "a", source)
        self.fails("echo", daemon.peer, "x", says="not permitted")
        self.fails("send", source, daemon.peer, who="stranger", says="not permitted")

    def test_allow_adds_its_line_whatever_the_file_looks_like(self):
        self.key("server")
        rules = self.dir / "server" / "allow"
        rules.write_text("# mine\n\nany echo")  # no newline at its end
        self.run_weft("allow", self.key(), "cat", who="server")
        self.assertEqual(rules.read_text().splitlines(), ["# mine", "", "any echo", f"{self.key()} cat"])

    def test_allow_works_before_there_is_a_key_or_a_folder(self):
        home = self.dir / "server" / "deep" / "weft"
        process = self.start([WEFT, "allow", "any", "echo", "--rules", home / "allow"], "server")
        self.assertEqual(process.wait(), 0, process.told())
        self.assertEqual((home / "allow").read_text(), "any echo\n")

    def test_a_rule_may_be_given_at_once_for_one_service(self):
        daemon = self.daemon(allow=f"{self.shown()} echo")
        self.assertEqual(self.run_weft("echo", daemon.peer, "x").out, "x")
        self.fails("send", self.file("a", 5), daemon.peer, says="not permitted")
        self.fails("echo", daemon.peer, "x", who="stranger", says="not permitted")

    def test_bad_rules_stop_the_daemon_with_file_and_line(self):
        rules = self.dir / "rules"
        for text, says in (("any echo\nweft1nonsense echo\n", "mistyped"), ("any\n", "line 1"), ("any a b\n", "line 1"),
                           ("\n# x\nany\n", "line 3"), (f"any {'s' * 65}\n", "at most 64 characters"),
                           (f"any {'s' * 600}\n", "line 1")):
            rules.write_text(text)
            daemon = self.start([WEFTD, "--quiet", "--rules", rules, "--config", self.config(listen="127.0.0.1:0")], "server")
            self.assertEqual(daemon.wait(), 1, text)
            self.assertIn(says, daemon.err.splitlines()[-1])

    def test_a_service_that_is_not_offered_is_told_as_such(self):
        daemon = self.daemon(echo="no", receive=None)
        self.fails("echo", daemon.peer, "x", says=["no such service"])
        self.fails("send", self.file("a", 5), daemon.peer, says=["not sent", "no such service"])
        self.fails("cat", daemon.peer, says="no such service")
        self.run_weft("ping", "-n", "1", daemon.peer)


class Ports(Case):
    def test_a_port_in_use_is_told_with_a_way_out(self):
        daemon = self.daemon()
        config = self.config(listen=f"127.0.0.1:{daemon.port}")
        other = self.start([WEFTD, "--quiet", "--config", config], "other")
        self.assert_sentence(other, says=[f"127.0.0.1:{daemon.port}", "in use", "port 0"])
        self.fails("listen", "--quiet", "--dir", self.dir / "in", "--listen", f"127.0.0.1:{daemon.port}", who="third",
                   says="in use")
        self.assert_alive(daemon)

    def test_listen_addresses_that_are_none_are_told(self):
        for address in ("nonsense", "127.0.0.1", "127.0.0.1:99999", "[::1:5", ""):
            self.fails("listen", "--quiet", "--dir", self.dir / "in", "--listen", address, says="cannot open a node")

    def test_an_address_of_another_machine_is_told(self):
        self.fails("listen", "--quiet", "--dir", self.dir / "in", "--listen", "192.0.2.1:0", says="cannot open a node")

    @unittest.skipIf(os.geteuid() != 0, "needs root, to become somebody else")
    def test_a_low_port_is_refused_to_an_unprivileged_user(self):
        low = open("/proc/sys/net/ipv4/ip_unprivileged_port_start").read().strip()
        if int(low) <= 1:
            self.skipTest("this machine lets everybody use low ports")
        self.env("nobody")
        os.chown(self.dir / "nobody", NOBODY, NOBODY)
        self.fails("listen", "--quiet", "--dir", self.dir / "nobody" / "in", "--listen", "127.0.0.1:1", who="nobody",
                   preexec=as_nobody, says="not permitted")

    def test_many_nodes_on_port_0_get_different_ports(self):
        ports = {self.daemon(who=f"server{i}").port for i in range(4)}
        self.assertEqual(len(ports), 4)


@unittest.skipIf(os.geteuid() != 0, "needs root, to become somebody else")
class AsNobody(Case):
    """Root may do everything, so these run as nobody."""

    def setUp(self):
        super().setUp()
        self.key("nobody")
        for path in (self.dir / "nobody", self.dir / "nobody" / "key"):
            os.chown(path, NOBODY, NOBODY)

    def test_a_file_that_may_not_be_read_is_told(self):
        daemon = self.daemon(allow="any *")
        source = self.file("a", 5)
        source.chmod(0o600)
        self.fails("send", source, daemon.peer, who="nobody", preexec=as_nobody, says=["cannot send", "not permitted"])

    def test_a_key_file_that_may_not_be_read_is_told(self):
        self.key("other")
        (self.dir / "other").chmod(0o755)
        self.fails("key", "show", "--key", self.dir / "other" / "key", who="nobody", preexec=as_nobody, says="cannot use the key file")

    def test_a_folder_that_may_not_be_written_stops_listen_at_its_start_or_refuses_the_file(self):
        folder = self.dir / "closed"
        folder.mkdir(mode=0o755)
        daemon = self.daemon(who="nobody", preexec=as_nobody, receive=folder, allow="any *")
        source = self.file("a", 5)
        self.fails("send", source, daemon.peer, says=["not sent", "not permitted"])
        self.assert_alive(daemon)

    def test_a_folder_that_cannot_be_made_is_told_at_the_start(self):
        closed = self.dir / "closed"
        closed.mkdir(mode=0o755)
        self.fails("listen", "--quiet", "--listen", "127.0.0.1:0", "--dir", closed / "in", who="nobody", preexec=as_nobody,
                   says=["cannot receive files into"])

    def test_a_folder_for_fetched_files_that_may_not_be_written_is_told(self):
        daemon = self.daemon(offer=self.file("a", 5), allow="any *")
        closed = self.dir / "closed"
        closed.mkdir(mode=0o755)
        self.fails("get", daemon.peer, "a", "--dir", closed, who="nobody", preexec=as_nobody, says="not permitted")

    def test_a_home_that_cannot_be_written_is_told(self):
        (self.dir / "closed").mkdir(mode=0o755)
        self.fails("key", "new", "--key", self.dir / "closed" / "key", who="nobody", preexec=as_nobody,
                   says="cannot make the key file")


class DiskFull(Case):
    """RLIMIT_FSIZE stands for a full disk: writes end with EFBIG. tests/net-ns has a real full disk."""

    LIMIT = 1 << 20

    def small_disk(self):
        resource.setrlimit(resource.RLIMIT_FSIZE, (self.LIMIT, self.LIMIT))

    def test_the_sender_learns_that_the_disk_there_is_full_and_the_daemon_goes_on(self):
        daemon = self.daemon(preexec=self.small_disk)
        big, small = self.file("big", 3 * self.LIMIT), self.file("small", 1000)
        self.fails("send", big, daemon.peer, says=["big: not sent", "the disk is full", "Make room"])
        told = daemon.event("received")
        self.assertEqual((told["ok"], told["error"]), (False, "the disk is full"))
        self.assertFalse((self.inbox / "big").exists())
        self.run_weft("send", small, daemon.peer)
        self.assert_same_file(self.inbox / "small", small)

    def test_when_there_is_room_again_the_file_goes_on(self):
        daemon = self.daemon(preexec=self.small_disk)
        big = self.file("big", 3 * self.LIMIT)
        self.run_weft("send", big, daemon.peer, status=1)
        daemon.signal(signal.SIGTERM)
        daemon.wait()
        daemon = self.daemon()
        told = only(self.run_weft("send", "--json", big, daemon.peer).objects())
        self.assertEqual(told["resumed_at"], self.LIMIT)
        self.assert_same_file(self.inbox / "big", big)

    def test_a_full_disk_of_the_fetching_side_is_told(self):
        big = self.file("big", 3 * self.LIMIT)
        daemon = self.daemon(offer=big)
        here = self.dir / "here"
        here.mkdir()
        self.fails("get", daemon.peer, "big", "--dir", here, preexec=self.small_disk, says=["not fetched", "the disk is full"])
        self.assertFalse((here / "big").exists())
        told = only(self.run_weft("get", "--json", daemon.peer, "big", "--dir", here).objects())
        self.assertEqual(told["resumed_at"], self.LIMIT)
        self.assert_same_file(here / "big", big)

    def test_a_key_that_does_not_fit_is_not_written_by_half(self):
        def none():
            resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))

        self.env("tiny")
        self.fails("key", "new", who="tiny", preexec=none, says=["cannot make the key file", "the disk is full"])
        self.assertEqual(list((self.dir / "tiny").iterdir()), [])


if __name__ == "__main__":
    unittest.main()
