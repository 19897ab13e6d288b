# SPDX-License-Identifier: Apache-2.0
"""Sessions at rest: folded after a while, then in a file, and woken by the next packet."""

import json
import os
import signal
import unittest

from harness import Case, WEFTD, wait_until


class Rest(Case):
    def counters(self):
        try:
            return json.loads((self.dir / "stats").read_text())
        except (FileNotFoundError, ValueError):
            return {}

    def wait_for(self, name, value):
        wait_until(lambda: self.counters().get(name) == value, saying=f"{name} is not {value}")

    def test_a_session_goes_to_the_file_and_comes_back_with_the_next_ping(self):
        daemon = self.daemon(fold_time=1, rest_memory_time=1, rest_file=self.dir / "rest", stats_json=self.dir / "stats")
        pinger = self.weft("ping", "-n", "2", "-i", "8000", daemon.peer)
        self.wait_for("dormant", 1)
        self.assertEqual(self.counters()["sessions"], 0)
        self.assertEqual(os.stat(self.dir / "rest").st_mode & 0o777, 0o600)
        self.assertEqual(pinger.wait(20), 0, pinger.told())
        self.wait_for("dormant_recalled", 1)
        self.assertEqual(self.counters()["sessions_total"], 1)

    def test_a_rest_file_that_cannot_be_used_stops_the_start(self):
        (self.dir / "folder").mkdir()
        self.key("server")
        config = self.config(listen="127.0.0.1:0", rest_file=self.dir / "folder")
        self.assert_sentence(self.start([WEFTD, "--config", config], "server"), says="rest file")

    def test_somebodys_file_is_left_alone(self):
        self.key("server")
        file = self.file("thesis", content=b"Chapter 1.\n" * 1000)
        file.chmod(0o644)
        config = self.config(listen="127.0.0.1:0", rest_file=file)
        self.assert_sentence(self.start([WEFTD, "--config", config], "server"), says=[str(file), "left alone", "Move it away"])
        self.assertEqual(file.read_bytes(), b"Chapter 1.\n" * 1000)
        self.assertEqual(os.stat(file).st_mode & 0o777, 0o644)
        self.assertEqual(list(file.parent.iterdir()), [file])

    def test_what_an_earlier_process_left_there_is_gone(self):
        rest = self.dir / "rest"
        first = self.daemon(rest_file=rest)
        first.signal(signal.SIGKILL)
        first.wait()
        self.assert_alive(self.daemon(rest_file=rest))


if __name__ == "__main__":
    unittest.main()
