# SPDX-License-Identifier: Apache-2.0
"""Bad networks between two processes: what passes through a proxy is damaged, and the file is right all the same."""

import random
import socket
import threading
import unittest

from harness import Case, only, wait_until
from proxy import Faults, Proxy

HELLO, CHALLENGE, SOLVE, CONFIRM = 1, 2, 3, 4


class Through(Case):
    def through(self, daemon, faults=None, **more):
        proxy = Proxy(daemon.port, faults, **more)
        self.addCleanup(proxy.close)
        return proxy

    def damaged(self, size=3_000_000, **faults):
        """Sends a file through the faults, and fetches one; both must be right."""
        offered = self.file("fetched.bin", size, seed=2)
        daemon = self.daemon(offer=offered)
        proxy = self.through(daemon, Faults(**faults), record=False)
        peer = self.peer_at(daemon, proxy.port)
        source = self.file("sent.bin", size)
        self.run_weft("send", source, peer)
        self.assert_same_file(self.inbox / "sent.bin", source)
        self.run_weft("get", peer, "fetched.bin", "--dir", self.dir)
        self.assert_same_file(self.dir / "fetched.bin", offered)
        for name in faults:
            self.assertGreater(proxy.done_to[name], 0, f"the proxy never did it: {name}")
        self.assert_alive(daemon)
        return daemon


class Damage(Through):
    def test_with_5_percent_of_the_datagrams_lost_both_ways_the_file_is_right(self):
        self.damaged(drop=0.05)

    def test_with_5_percent_of_the_datagrams_flipped_in_a_bit_the_file_is_right(self):
        self.damaged(flip=0.05)

    def test_with_5_percent_of_the_datagrams_doubled_the_file_is_right(self):
        self.damaged(duplicate=0.05)

    def test_with_every_tenth_datagram_late_the_file_is_right(self):
        self.damaged(hold=0.1)

    def test_with_junk_between_the_datagrams_the_file_is_right(self):
        self.damaged(junk=0.1)

    def test_with_all_of_it_at_once_the_file_is_right(self):
        self.damaged(2_000_000, drop=0.05, flip=0.05, duplicate=0.05, hold=0.05, junk=0.05)


class Rebinding(Through):
    """The client's port changes in the middle, as behind a NAT that forgot."""

    def change_ports_during(self, process, proxy, way, times=3, every=2_000_000):
        for n in range(1, times + 1):
            wait_until(lambda: proxy.bytes[way] > n * every or not process.is_alive(), saying="nothing passes")
            self.assertTrue(process.is_alive(), process.told())
            proxy.rebind()
        self.assertEqual(process.wait(), 0, process.told())
        self.assertEqual(proxy.rebinds, times)

    def test_a_file_that_is_sent_goes_on_over_a_changed_port(self):
        daemon = self.daemon()
        source = self.file("big.bin", 12_000_000)
        proxy = self.through(daemon, rate=12_000_000, record=False)
        process = self.weft("send", "--json", source, self.peer_at(daemon, proxy.port))
        self.change_ports_during(process, proxy, "c2s")
        told = only(process.objects())
        self.assertEqual((told["resumed_at"], told["moved"]), (0, 12_000_000), "one session carried all of it")
        self.assert_same_file(self.inbox / "big.bin", source)
        self.assert_alive(daemon)

    def test_a_file_that_is_fetched_goes_on_over_a_changed_port(self):
        source = self.file("big.bin", 12_000_000)
        daemon = self.daemon(offer=source)
        proxy = self.through(daemon, rate=12_000_000, record=False)
        process = self.weft("get", self.peer_at(daemon, proxy.port), "big.bin", "--dir", self.dir)
        self.change_ports_during(process, proxy, "s2c")
        self.assert_same_file(self.dir / "big.bin", source)
        self.assert_alive(daemon)


class Rubbish(Through):
    """Datagrams that no client sends, straight to the daemon's port."""

    def datagrams(self):
        rng = random.Random(7)
        yield b""
        for kind in range(256):
            yield bytes([kind])
            yield bytes([kind]) + rng.randbytes(255)
            yield bytes([kind]) + rng.randbytes(rng.randrange(1, 1400))
            yield bytes([kind]) + bytes(1199)
        for size in (1, 17, 25, 26, 239, 240, 256, 1200, 1201, 9000, 65507):
            yield rng.randbytes(size)

    def answers(self, s):
        s.setblocking(False)
        try:
            while True:
                yield s.recv(65536)
        except BlockingIOError:
            return

    # What looks like a packet of a lost session gets a hint, what looks like a SOLVE for another instance a challenge.
    def test_rubbish_of_every_kind_and_length_gets_nothing_but_hints_and_challenges_and_does_no_harm(self):
        daemon = self.daemon()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.connect(("127.0.0.1", daemon.port))
            sent = list(self.datagrams())
            for data in sent:
                s.send(data)
            self.assert_alive(daemon)
            got = list(self.answers(s))
        tags = [data[-16:] for data in sent if len(data) >= 26 and data[0] >= 0x80]
        echoes = [data[32:40] for data in sent if data[:1] == b"\x03"]
        for answer in got:
            if len(answer) == 17:
                self.assertEqual(answer[0], 5)
                self.assertIn(answer[1:], tags, "SPEC 1.6-1: it echoes a tag of ours")
            else:
                self.assertEqual(answer[0], 2)
                self.assertIn(answer[180:188], echoes, "SPEC 1.13-2: it answers a SOLVE of ours")
        self.assertLessEqual(len(got), 100 + len(echoes), "SPEC 1.6-1")
        self.assertLess(sum(map(len, got)), sum(map(len, sent)) // 10)

    def test_datagrams_of_a_real_session_from_somebody_else_again_and_changed_do_no_harm(self):
        daemon = self.daemon()
        proxy = self.through(daemon)
        source = self.file("a", 300_000)
        self.run_weft("send", source, self.peer_at(daemon, proxy.port))
        rng = random.Random(3)
        captured = [s.data for s in proxy.seen]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.connect(("127.0.0.1", daemon.port))
            for data in captured * 3:
                s.send(data)
                changed = bytearray(data)
                changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
                s.send(changed)
                s.send(data[: rng.randrange(len(data) + 1)])
        self.assert_alive(daemon)
        self.assertEqual([p.name for p in self.inbox.iterdir()], ["a"], "nothing was received twice")

    def test_while_rubbish_pours_in_a_file_goes_through(self):
        daemon = self.daemon()
        stop = threading.Event()

        def pour():
            rng = random.Random(5)
            pool = [bytes([rng.randrange(256)]) + rng.randbytes(rng.choice((25, 255, 1199))) for _ in range(500)]
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
                s.connect(("127.0.0.1", daemon.port))
                while not stop.is_set():
                    for data in rng.sample(pool, 20):
                        try:
                            s.send(data)
                        except OSError:
                            pass
                    stop.wait(0.001)

        thread = threading.Thread(target=pour)
        thread.start()
        try:
            source = self.file("a", 10_000_000)
            self.run_weft("send", source, daemon.peer)
        finally:
            stop.set()
            thread.join()
        self.assert_same_file(self.inbox / "a", source)
        self.assert_alive(daemon)

    def test_answers_of_a_stranger_to_the_client_do_no_harm(self):
        """Somebody floods the client's port with packets of the types it waits for."""
        daemon = self.daemon()
        proxy = self.through(daemon, Faults(junk=0.5, seed=11), record=False)
        source = self.file("a", 1_000_000)
        self.run_weft("send", source, self.peer_at(daemon, proxy.port))
        self.assert_same_file(self.inbox / "a", source)


class OnTheWire(Through):
    """Packets counted by the proxy: what the specification promises, seen from outside."""

    def first_reply(self, *command):
        """(way, kind, length) of the datagrams up to the first that carries a reply."""
        daemon = self.daemon()
        proxy = self.through(daemon)
        self.run_weft(*command, self.peer_at(daemon, proxy.port), *(["hello"] if command[0] == "echo" else []))
        kinds = proxy.kinds()
        confirm = [k[1] for k in kinds].index(CONFIRM)
        return kinds[: confirm + 1], kinds, daemon

    def assert_four_packets(self, head):
        self.assertEqual([k[:2] for k in head], [("c2s", HELLO), ("s2c", CHALLENGE), ("c2s", SOLVE), ("s2c", CONFIRM)])
        hello, challenge, solve, confirm = (k[2] for k in head)
        self.assertEqual(hello, 256)
        self.assertLessEqual(challenge, hello)  # SPEC 1.2-1
        self.assertLessEqual(solve, 1200)
        self.assertLessEqual(confirm, solve)

    def test_the_first_reply_comes_with_the_fourth_packet_after_two_round_trips(self):
        head, kinds, _ = self.first_reply("echo", "--json")
        self.assert_four_packets(head)
        self.assertEqual(kinds[4][0], "c2s", "SPEC 1.4-4: the client speaks at once")

    def test_the_client_says_itself_that_it_took_four_packets(self):
        daemon = self.daemon()
        proxy = self.through(daemon)
        told = only(self.run_weft("echo", "--json", self.peer_at(daemon, proxy.port), "hello").objects())
        self.assertEqual(told["packets"], 4)
        told = only(self.run_weft("send", "--json", self.file("a", 5), self.peer_at(daemon, proxy.port)).objects())
        self.assertEqual(told["first_packets"], 4)

    def test_the_reply_itself_is_in_the_fourth_packet(self):  # SPEC 1.4-2
        """Nothing comes from the server after CONFIRM, and the client has its answer all the same."""
        daemon = self.daemon()
        proxy = self.through(daemon)
        answers = []

        def until_confirm(way, data):
            if way == "s2c":
                answers.append(data[0])
            return way == "c2s" or CONFIRM not in answers[:-1]

        proxy.passes = until_confirm
        process = self.run_weft("echo", self.peer_at(daemon, proxy.port), "hello")
        self.assertEqual(process.out, "hello")
        self.assertEqual(answers[:2], [CHALLENGE, CONFIRM])

    def test_before_an_address_is_proved_no_more_bytes_go_to_it_than_came_from_it(self):
        _, kinds, _ = self.first_reply("echo", "--json")
        balance = 0
        for way, kind, size in kinds:
            if kind == CONFIRM:
                break
            balance += size if way == "c2s" else -size
            self.assertGreaterEqual(balance, 0)

    def test_no_name_text_or_content_is_seen_on_the_wire(self):
        daemon = self.daemon()
        proxy = self.through(daemon)
        peer = self.peer_at(daemon, proxy.port)
        secret = b"a canary that must not be seen. " * 20
        self.run_weft("send", self.file("telltale-name.txt", content=secret), peer)
        self.run_weft("echo", peer, "another canary in a text")
        wire = b"\n".join(s.data for s in proxy.seen)
        for words in (secret[:16], b"telltale", b"another canary", b"file.put", b"file.offer", b"echo"):
            self.assertNotIn(words, wire)

    def test_a_second_message_of_the_session_costs_one_round_trip(self):
        daemon = self.daemon()
        proxy = self.through(daemon)
        process = self.run_weft("echo", "--json", "-n", "3", "-i", "150", self.peer_at(daemon, proxy.port), "x")
        told = process.objects()
        self.assertEqual([o["handshake_us"] > 0 for o in told], [True, False, False])
        self.assertEqual([k[1] for k in proxy.kinds()].count(HELLO), 1)

    def test_an_idle_session_is_silent(self):
        daemon = self.daemon()
        proxy = self.through(daemon)
        process = self.weft("echo", "--json", "-n", "2", "-i", "1500", self.peer_at(daemon, proxy.port), "x")
        self.assertEqual(process.wait(), 0)
        times = [s.at for s in proxy.seen]
        longest = max(b - a for a, b in zip(times, times[1:]))
        self.assertGreater(longest, 1.0, "something was sent while nobody had anything to say")


if __name__ == "__main__":
    unittest.main()
