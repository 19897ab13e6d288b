# SPDX-License-Identifier: Apache-2.0
"""`weft cat`: both directions at once, each with an end of its own."""

import hashlib
import os
import signal
import subprocess
import threading
import unittest

from harness import Case, PATIENCE, WEFT, random_bytes, wait_until
from proxy import Faults, Proxy

BIG = 30_000_000


class Pumped:
    """A cat whose input is fed and whose output is digested by threads, as fast as they can."""

    def __init__(self, process, data, close=True):
        self.process = process
        self.digest = hashlib.sha256()
        self.size = 0
        self.ended = threading.Event()
        self.threads = [threading.Thread(target=self._feed, args=(data, close)), threading.Thread(target=self._drain)]
        for thread in self.threads:
            thread.start()

    def _feed(self, data, close):
        try:
            self.process.child.stdin.write(data)
            self.process.child.stdin.flush()
            if close:
                self.process.child.stdin.close()
        except BrokenPipeError:
            pass

    def _drain(self):
        while block := os.read(self.process.child.stdout.fileno(), 1 << 16):
            self.digest.update(block)
            self.size += len(block)
        self.ended.set()

    def wait(self, seconds=PATIENCE):
        status = self.process.wait(seconds)
        for thread in self.threads:
            thread.join(seconds)
        return status


class Cat(Case):
    def listening(self, *args, stdin=subprocess.PIPE):
        process = self.weft("cat", "--listen", "127.0.0.1:0", "--allow", self.shown(), *args, who="server", stdin=stdin,
                            binary=True)
        process.peer = process.line(lambda line: line.startswith("listening as "), "err").split()[-1]
        process.port = int(process.peer.rsplit(":", 1)[1])
        return process

    def calling(self, peer, stdin=subprocess.PIPE):
        return self.weft("cat", peer, stdin=stdin, binary=True)

    def assert_got(self, pumped, data):
        self.assertEqual(pumped.size, len(data))
        self.assertEqual(pumped.digest.digest(), hashlib.sha256(data).digest())

    def both(self, there, back, through=None):
        listener = self.listening()
        peer = listener.peer
        if through is not None:
            proxy = Proxy(listener.port, through, record=False)
            self.addCleanup(proxy.close)
            peer = self.peer_at(listener, proxy.port)
        server, client = Pumped(listener, back), Pumped(self.calling(peer), there)
        self.assertEqual(client.wait(), 0, client.process.told())
        self.assertEqual(server.wait(), 0, server.process.told())
        self.assert_got(server, there)
        self.assert_got(client, back)

    def test_30_megabytes_each_way_at_once_arrive_whole(self):
        self.both(random_bytes(BIG, 1), random_bytes(BIG, 2))

    def test_much_one_way_and_nothing_the_other(self):
        self.both(random_bytes(BIG, 1), b"")
        self.both(b"", random_bytes(BIG, 1))

    def test_nothing_either_way_ends_at_once(self):
        self.both(b"", b"")

    def test_both_ways_over_a_bad_network(self):
        self.both(random_bytes(2_000_000, 1), random_bytes(2_000_000, 2), Faults(drop=0.03, flip=0.03, duplicate=0.03, hold=0.03))

    def ends_first(self, first, second):
        """first's input ends; second goes on for a while, and all of it arrives."""
        pumped_first, pumped_second = Pumped(first, b"the first word"), Pumped(second, b"", close=False)
        wait_until(lambda: pumped_second.size == 14, saying="the word does not arrive")
        self.assertTrue(pumped_second.ended.wait(PATIENCE), "the end does not arrive while the other way is open")
        for n in range(5):
            second.child.stdin.write(b"line %d\n" % n)
            second.child.stdin.flush()
            wait_until(lambda: pumped_first.size == 7 * (n + 1), saying="the line does not arrive")
            self.assertTrue(first.is_alive(), first.told())
        second.child.stdin.close()
        self.assertEqual(pumped_first.wait(), 0, first.told())
        self.assertEqual(pumped_second.wait(), 0, second.told())

    def test_the_caller_s_input_may_end_first(self):
        listener = self.listening()
        self.ends_first(self.calling(listener.peer), listener)

    def test_the_listener_s_input_may_end_first(self):
        listener = self.listening()
        self.ends_first(listener, self.calling(listener.peer))

    def test_a_line_typed_is_there_before_the_next(self):
        listener = self.listening()
        caller = self.calling(listener.peer)
        for n in range(20):
            a, b = (caller, listener) if n % 2 == 0 else (listener, caller)
            a.child.stdin.write(b"line %d\n" % n)
            a.child.stdin.flush()
            self.assertEqual(b.child.stdout.readline(), b"line %d\n" % n)
        for process in (caller, listener):
            process.child.stdin.close()
        for process in (caller, listener):
            self.assertEqual(process.wait(), 0, process.told())

    def test_a_reader_that_rests_holds_the_writer_back_and_loses_nothing(self):
        """What is not read is not piled up: the far end stops reading its input."""
        listener = self.listening()
        data = random_bytes(BIG, 4)
        caller = self.calling(listener.peer)
        listener.child.stdin.close()
        written = [0]

        def feed():
            view = memoryview(data)
            for at in range(0, len(data), 65536):
                caller.child.stdin.write(view[at:at + 65536])
                caller.child.stdin.flush()
                written[0] = at + 65536
            caller.child.stdin.close()

        thread = threading.Thread(target=feed)
        thread.start()
        last = [-1]

        def is_held_back():
            before, last[0] = last[0], written[0]
            threading.Event().wait(0.2)
            return before == written[0] > 0

        wait_until(is_held_back, saying="the writer is never held back")
        self.assertLess(written[0], 20_000_000)
        got = listener.child.stdout.read()
        thread.join()
        self.assertEqual(hashlib.sha256(got).digest(), hashlib.sha256(data).digest())
        self.assertEqual(caller.wait(), 0, caller.told())
        self.assertEqual(listener.wait(), 0, listener.told())

    def test_a_rest_longer_than_a_session_lives_idle_is_survived(self):
        """Somebody pages through the output: the program answers for its session all the while. Only in the long check."""
        if not os.environ.get("WEFT_LONG"):
            self.skipTest("takes 40 seconds: set WEFT_LONG")
        listener = self.listening()
        data = random_bytes(BIG, 4)
        caller = self.calling(listener.peer)
        listener.child.stdin.close()
        thread = threading.Thread(target=lambda: (caller.child.stdin.write(data), caller.child.stdin.close()))
        thread.start()
        threading.Event().wait(40)
        got = listener.child.stdout.read()
        thread.join()
        self.assertEqual(len(got), len(data))
        self.assertEqual(caller.wait(), 0, caller.told())

    def test_10_gigabytes_piped_have_one_digest(self):
        if not os.environ.get("WEFT_LONG"):
            self.skipTest("takes minutes: set WEFT_LONG")
        total, block = 10_000_000_000, random_bytes(1_000_000)
        listener = self.listening(stdin=subprocess.DEVNULL)
        caller = self.calling(listener.peer)
        sent = hashlib.sha256()

        def feed():
            for n in range(total // len(block)):
                numbered = n.to_bytes(8, "big") + block[8:]  # no two are equal, so that their order counts
                sent.update(numbered)
                caller.child.stdin.write(numbered)
            caller.child.stdin.close()

        feeder = threading.Thread(target=feed)
        feeder.start()
        got, size = hashlib.sha256(), 0
        while data := os.read(listener.child.stdout.fileno(), 1 << 20):
            got.update(data)
            size += len(data)
        feeder.join()
        self.assertEqual(size, total)
        self.assertEqual(got.digest(), sent.digest())
        self.assertEqual(caller.wait(), 0, caller.told())
        self.assertEqual(listener.wait(), 0, listener.told())

    def test_files_may_be_input_and_output(self):
        data = random_bytes(1_000_000)
        source, target = self.file("in", content=data), self.dir / "out"
        listener = self.listening(stdin=subprocess.DEVNULL)
        with open(source, "rb") as f, open(target, "wb") as out:
            child = subprocess.Popen([WEFT, "cat", listener.peer], stdin=f, stdout=out, env=self.env())
        server = listener.child.stdout.read()
        self.assertEqual(child.wait(PATIENCE), 0)
        self.assertEqual(server, data)
        self.assertEqual(target.read_bytes(), b"")
        self.assertEqual(listener.wait(), 0)

    def test_a_second_caller_is_refused_and_the_first_goes_on(self):
        listener = self.listening()
        first = self.calling(listener.peer)
        first.child.stdin.write(b"I am in\n")
        first.child.stdin.flush()
        self.assertEqual(listener.child.stdout.readline(), b"I am in\n")
        second = self.run_weft("cat", listener.peer, status=None)
        self.assert_sentence(second, says="it broke off")
        first.child.stdin.write(b"still\n")
        first.child.stdin.close()
        listener.child.stdin.close()
        self.assertEqual(listener.child.stdout.read(), b"still\n")
        self.assertEqual(first.wait(), 0, first.told())
        self.assertEqual(listener.wait(), 0, listener.told())

    def test_a_stranger_is_refused_and_the_listener_goes_on_waiting(self):
        listener = self.listening()
        self.fails("cat", listener.peer, who="stranger", says="not permitted")
        caller = self.calling(listener.peer)
        for process in (caller, listener):
            process.child.stdin.close()
        self.assertEqual(caller.wait(), 0, caller.told())
        self.assertEqual(listener.wait(), 0, listener.told())

    def test_when_one_side_is_ended_the_other_says_so(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            listener = self.listening()
            caller = self.calling(listener.peer)
            for a, b in ((caller, listener), (listener, caller)):
                a.child.stdin.write(b"hello\n")
                a.child.stdin.flush()
                self.assertEqual(b.child.stdout.readline(), b"hello\n")
            caller.signal(number)
            self.assertEqual(caller.wait(5), 130)
            self.assertEqual(listener.wait(5), 1, listener.told())
            self.assertIn("it broke off", listener.err)

    def test_an_output_that_was_closed_is_told(self):
        listener = self.listening()
        caller = self.calling(listener.peer)
        caller.child.stdout.close()
        listener.child.stdin.write(random_bytes(200_000))
        listener.child.stdin.close()
        caller.child.stdin.close()
        self.assert_sentence(caller, says="standard output was closed")

    def test_cat_needs_a_peer_or_an_address_and_not_both(self):
        self.fails("cat", says="give either")
        self.fails("cat", "--listen", "127.0.0.1:0", "x", says="give either")


if __name__ == "__main__":
    unittest.main()
