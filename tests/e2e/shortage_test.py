# SPDX-License-Identifier: Apache-2.0
"""What a machine may lack, and what may happen to files and programs while they are in use."""

import os
import resource
import signal
import unittest

from harness import BUILD, Case, WEFT, WEFTD, only, random_bytes, wait_until
from proxy import Proxy

NOBODY = 65534
SLOW = 6_000_000  # bytes a second
CARRIED = 2_000_000
MIDDLE = 1_000_000


def limited(which, value, uid=None):
    def limit():
        if uid is not None:
            os.setgroups([])
            os.setgid(uid)
            os.setuid(uid)
        resource.setrlimit(which, (value, value))

    return limit


class Limits(Case):
    def test_without_locked_memory_everything_works(self):
        limit = limited(resource.RLIMIT_MEMLOCK, 0, NOBODY if os.geteuid() == 0 else None)
        for who in ("server", "client"):
            self.key(who)
            if os.geteuid() == 0:
                for path in (self.dir / who, self.dir / who / "key"):
                    os.chown(path, NOBODY, NOBODY)
        here = self.dir / "mine"
        here.mkdir()
        if os.geteuid() == 0:
            os.chown(here, NOBODY, NOBODY)
        daemon = self.daemon(preexec=limit, receive=here / "in", allow="any *")
        self.run_weft("send", self.file("a", 100_000), daemon.peer, preexec=limit)
        self.run_weft("echo", daemon.peer, "x", preexec=limit)

    @unittest.skipIf("asan" in str(BUILD), "AddressSanitizer itself needs more")
    def test_too_little_memory_is_told_and_is_no_crash(self):
        self.key()
        daemon = self.daemon()
        for mebibytes in (8, 16, 24, 32, 48, 64):
            limit = limited(resource.RLIMIT_AS, mebibytes << 20)
            process = self.run_weft("echo", daemon.peer, "x", preexec=limit, status=None)
            self.assertIn(process.wait(), (0, 1, 127), process.told())  # 127: not even its libraries fit
        self.assert_alive(daemon)

    def test_with_few_descriptors_a_daemon_refuses_some_files_and_goes_on(self):
        daemon = self.daemon(preexec=limited(resource.RLIMIT_NOFILE, 14))
        proxies = [Proxy(daemon.port, rate=3_000_000, record=False) for _ in range(8)]
        for proxy in proxies:
            self.addCleanup(proxy.close)
        sources = [self.file(f"file-{i}", 1_500_000, seed=i) for i in range(8)]
        senders = [self.weft("send", "--json", source, self.peer_at(daemon, proxy.port))
                   for source, proxy in zip(sources, proxies)]
        for source, sender in zip(sources, senders):
            if sender.wait() == 0:
                self.assert_same_file(self.inbox / source.name, source)
            else:
                self.assertFalse(only(sender.objects())["ok"])
                self.assertFalse((self.inbox / source.name).exists())
        late = self.file("late", 1000)
        self.run_weft("send", late, daemon.peer)
        self.assert_same_file(self.inbox / "late", late)

    def test_without_any_home_the_way_out_is_told(self):
        env = {k: v for k, v in self.env().items() if k not in ("HOME", "WEFT_HOME")}
        self.env = lambda who="client": env
        self.assert_sentence(self.start([WEFT, "key", "show"]), says="give --key")
        self.assert_sentence(self.start([WEFT, "allow", "any", "echo"]), says="give --rules")

    def test_more_rules_than_a_node_takes_stop_its_start(self):
        rules = self.dir / "rules"
        rules.write_text("any echo\n" * 4096)
        daemon = self.daemon("--rules", rules, allow=None)
        self.run_weft("echo", daemon.peer, "x")
        rules.write_text("any echo\n" * 4097)
        late = self.start([WEFTD, "--quiet", "--rules", rules, "--config", self.config(listen="127.0.0.1:0")], "server")
        self.assert_sentence(late, says=["cannot use the rule", "limit"])


class WhileInUse(Case):
    """Files and folders that change under a transfer."""

    def in_the_middle(self, daemon, source):
        """A send that goes on when self.proxy does."""
        self.proxy = Proxy(daemon.port, carries=CARRIED, record=False)
        self.addCleanup(self.proxy.close)
        process = self.weft("send", "--json", source, self.peer_at(daemon, self.proxy.port))
        wait_until(lambda: self.part_size() > MIDDLE, saying="no part grew")
        return process

    def test_a_source_that_becomes_shorter_is_told_and_never_passed_off(self):
        daemon = self.daemon()
        source = self.file("a", 20_000_000)
        process = self.in_the_middle(daemon, source)
        os.truncate(source, 15_000_000)
        self.proxy.go_on()
        self.assertEqual(process.wait(), 1, process.told())
        self.assertIn("error", only(process.objects()))
        self.assertFalse((self.inbox / "a").exists())
        self.assert_alive(daemon)

    def changes(self, change):
        """What is written to a file while it goes is told, and neither content is passed off as the other."""
        daemon = self.daemon()
        source = self.file("a", 10_000_000)
        process = self.in_the_middle(daemon, source)
        with open(source, "r+b") as f:
            change(f)
        self.proxy.go_on()
        self.assertEqual(process.wait(), 1, process.told())
        self.assertIn("error", only(process.objects()))
        self.assertFalse((self.inbox / "a").exists())
        self.run_weft("send", source, daemon.peer)
        self.assert_same_file(self.inbox / "a", source)

    def test_a_source_that_grows_is_told_and_goes_the_next_time(self):
        self.changes(lambda f: (f.seek(0, os.SEEK_END), f.write(b"more")))

    def test_a_source_that_is_written_to_is_told_and_goes_the_next_time(self):
        self.changes(lambda f: (f.seek(9_000_000), f.write(b"another content")))

    def test_a_source_that_is_removed_is_still_sent(self):
        daemon = self.daemon()
        content = random_bytes(10_000_000)
        source = self.file("a", content=content)
        process = self.in_the_middle(daemon, source)
        source.unlink()
        self.proxy.go_on()
        self.assertEqual(process.wait(), 0, process.told())
        self.assertEqual((self.inbox / "a").read_bytes(), content)

    def test_a_part_that_is_removed_is_told_and_the_next_time_begins_again(self):
        daemon = self.daemon()
        source = self.file("a", 10_000_000)
        process = self.in_the_middle(daemon, source)
        only(self.parts()).unlink()
        self.proxy.go_on()
        self.assertEqual(process.wait(), 1, process.told())
        self.assertFalse((self.inbox / "a").exists())
        self.run_weft("send", source, daemon.peer)
        self.assert_same_file(self.inbox / "a", source)

    def test_a_name_that_is_taken_while_the_file_comes_is_kept(self):
        daemon = self.daemon()
        source = self.file("a", 10_000_000)
        process = self.in_the_middle(daemon, source)
        (self.inbox / "a").write_text("quicker")
        self.proxy.go_on()
        self.assertEqual(process.wait(), 0, process.told())
        self.assertEqual(only(process.objects())["name"], "a.1")
        self.assertEqual((self.inbox / "a").read_text(), "quicker")
        self.assert_same_file(self.inbox / "a.1", source)

    def test_a_folder_that_is_moved_goes_on_receiving_where_it_is(self):
        daemon = self.daemon()
        self.inbox.rename(self.dir / "moved")
        source = self.file("a", 1000)
        self.run_weft("send", source, daemon.peer)
        self.assert_same_file(self.dir / "moved" / "a", source)

    def test_a_folder_that_is_removed_is_told_and_the_daemon_goes_on(self):
        daemon = self.daemon()
        self.inbox.rmdir()
        self.fails("send", self.file("a", 1000), daemon.peer, says="a: not sent")
        self.assert_alive(daemon)

    def test_a_name_of_255_bytes_that_is_taken_is_told_and_what_came_waits_for_room(self):
        daemon = self.daemon()
        source = self.file("n" * 255, 10)
        self.run_weft("send", source, daemon.peer)
        self.fails("send", source, daemon.peer, says=["not sent", "already is"])
        (self.inbox / source.name).unlink()
        told = only(self.run_weft("send", "--json", source, daemon.peer).objects())
        self.assertEqual((told["moved"], told["resumed_at"]), (0, 10))
        self.assert_same_file(self.inbox / source.name, source)
        self.assertEqual(self.parts(), [])

    def test_a_folder_in_place_of_the_file_is_kept(self):
        daemon = self.daemon()
        (self.inbox / "a").mkdir(parents=True)
        source = self.file("a", 10)
        self.run_weft("send", source, daemon.peer)
        self.assert_same_file(self.inbox / "a.1", source)


class Pauses(Case):
    """Programs that are stopped for a while, as a laptop that sleeps."""

    def transfer(self, stop_sender):
        daemon = self.daemon()
        proxy = Proxy(daemon.port, rate=SLOW, record=False)
        self.addCleanup(proxy.close)
        source = self.file("a", 10_000_000)
        sender = self.weft("send", "--json", source, self.peer_at(daemon, proxy.port))
        wait_until(lambda: self.part_size() > MIDDLE, saying="no part grew")
        stopped = sender if stop_sender else daemon
        for _ in range(2):
            stopped.signal(signal.SIGSTOP)
            before = proxy.bytes["c2s"]
            try:
                wait_until(lambda: proxy.bytes["c2s"] > before + 50_000_000, 1.0)
            except AssertionError:
                pass  # a second has passed
            stopped.signal(signal.SIGCONT)
        self.assertEqual(sender.wait(), 0, sender.told())
        self.assertEqual(only(sender.objects())["resumed_at"], 0)
        self.assert_same_file(self.inbox / "a", source)

    def test_a_sender_that_sleeps_goes_on(self):
        self.transfer(stop_sender=True)

    def test_a_receiver_that_sleeps_goes_on(self):
        self.transfer(stop_sender=False)


class ManyAtOnce(Case):
    def test_twenty_senders_at_once_all_arrive(self):
        daemon = self.daemon(allow="any *")
        sources = [self.file(f"file-{i}", 500_000, seed=i) for i in range(20)]
        for i in range(5):
            self.key(f"sender{i}")
        senders = [self.weft("send", source, daemon.peer, who=f"sender{i % 5}") for i, source in enumerate(sources)]
        for source, sender in zip(sources, senders):
            self.assertEqual(sender.wait(), 0, sender.told())
            self.assert_same_file(self.inbox / source.name, source)

    def test_sending_fetching_and_talking_at_once(self):
        offered = self.file("offered", 5_000_000, seed=9)
        daemon = self.daemon(offer=offered)
        source = self.file("sent", 5_000_000)
        (self.dir / "here").mkdir()
        processes = [self.weft("send", source, daemon.peer),
                     self.weft("get", daemon.peer, "offered", "--dir", self.dir / "here"),
                     self.weft("echo", "-n", "50", "-i", "1", daemon.peer, "x"),
                     self.weft("ping", "-n", "50", "-i", "1", daemon.peer)]
        for process in processes:
            self.assertEqual(process.wait(), 0, process.told())
        self.assert_same_file(self.inbox / "sent", source)
        self.assert_same_file(self.dir / "here" / "offered", offered)


if __name__ == "__main__":
    unittest.main()
