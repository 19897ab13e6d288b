# SPDX-License-Identifier: Apache-2.0
"""A server that asks for work: done beside everything, shown on a terminal alone, refused when it takes too long, and
given up at once."""

import json
import os
import select
import signal
import time

from harness import PATIENCE, WEFT, WEFTD, Case, wait_until

ENDLESS = 1 << 30


class Work(Case):
    def listener(self, effort, algorithm=1):
        self.inbox = self.dir / "inbox"
        process = self.weft("listen", "--dir", self.inbox, "--listen", "127.0.0.1:0", "--json", "--allow", "any",
                            "--work-effort", effort, "--work-algorithm", algorithm, who="server")
        process.peer = process.event("listening")["peer"]
        return process

    def test_a_file_arrives_with_either_algorithm(self):  # SPEC 1.8-2, 1.9-2
        for algorithm, effort in ((1, 20000), (2, 300)):
            there = self.listener(effort, algorithm)
            self.key()
            source = self.file(f"file{algorithm}", 300000)
            sent = self.run_weft("send", "--json", "--work-time", 600, source, there.peer)
            self.assertEqual([o["ok"] for o in sent.objects()], [True])
            self.assertEqual(sent.err, "")
            self.assert_same_file(self.inbox / source.name, source)
            there.signal(signal.SIGTERM)
            self.assertEqual(there.wait(), 0)

    def test_what_takes_too_long_is_refused_in_one_sentence(self):  # SPEC 1.9-1
        there = self.listener(ENDLESS, 2)
        source = self.file("file", 10)
        self.fails("send", "--work-time", 1, source, there.peer,
                   says=["asks for about", "of work", "1.0 s are set aside", "--work-time"])
        self.fails("ping", "-n", 1, "--quiet", "--work-time", 1, there.peer, says=["--work-time"])
        told = self.run_weft("send", "--json", "--work-time", 1, source, there.peer, status=1).objects()
        self.assertEqual([o["ok"] for o in told], [False])

    def test_a_time_that_is_none_is_refused(self):
        there = self.listener(1)
        for text in ("0", "-1", "1.5", "86401", "x", "99999999999999999999"):
            self.fails("ping", f"--work-time={text}", there.peer, says="no time for work")
        for option in ("--work-effort=x", "--work-algorithm=3"):
            self.fails("listen", "--dir", self.dir / "in", option, says="is no number")

    def test_an_interrupt_in_the_midst_ends_it_at_once_and_leaves_nothing(self):
        there = self.listener(ENDLESS)
        self.key()
        client = self.weft("send", "--work-time", 86400, self.file("file", 10), there.peer)
        tasks = f"/proc/{client.pid}/task"
        wait_until(lambda: len(os.listdir(tasks)) > 1, saying="no thread works")
        began = time.monotonic()
        client.signal(signal.SIGINT)
        self.assertEqual(client.wait(), 130, client.told())
        self.assertLess(time.monotonic() - began, PATIENCE / 4)
        self.assertFalse(os.path.exists(tasks))
        self.assertIn("interrupted", client.err)
        self.assertEqual(self.parts(), [])

    def on_a_terminal_until(self, args, words):
        """Runs weft on a terminal until it has shown the words, then interrupts it. (status, what was shown)."""
        env = self.env()
        pid, fd = os.forkpty()
        if pid == 0:
            os.execve(WEFT, [WEFT, *map(str, args)], env)
        shown = b""
        try:
            while select.select([fd], [], [], PATIENCE)[0]:
                shown += os.read(fd, 65536)
                if words is not None and words.encode() in shown:
                    words = None
                    os.write(fd, b"\x03")
        except OSError:
            pass  # the other end closed
        else:
            os.kill(pid, signal.SIGKILL)
        os.close(fd)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown.decode()

    def test_progress_is_shown_on_a_terminal_and_nowhere_else(self):
        there = self.listener(ENDLESS)
        self.key()
        source = self.file("file", 10)
        command = ["send", "--work-time", 86400, source, there.peer]
        status, shown = self.on_a_terminal_until(command, "% of about")
        self.assertEqual(status, 130, shown)
        self.assertRegex(shown, r"the server asks for work: \d+ % of about [\d.]+ (s|min)")
        client = self.weft("send", "--work-time", 86400, "--json", source, there.peer)
        wait_until(lambda: len(os.listdir(f"/proc/{client.pid}/task")) > 1, saying="no thread works")
        time.sleep(0.5)  # some times as long as a line of progress would need
        client.signal(signal.SIGINT)
        client.wait()
        self.assertNotIn("asks for work", client.err)
        for line in client.lines["out"]:
            json.loads(line)

    def test_a_daemon_knows_both_algorithms_and_no_third(self):
        daemon = self.daemon(work_effort=200, work_algorithm=2)
        self.assertEqual(self.run_weft("echo", "--work-time", 600, daemon.peer, "x").out, "x")
        for value in ("0", "3", "x"):
            config = self.config(work_algorithm=value)
            process = self.start([WEFTD, "--check-config", "--config", config])
            self.assert_sentence(process, "line 1")
