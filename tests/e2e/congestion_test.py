# SPDX-License-Identifier: Apache-2.0
"""The choice of who says how fast to send: as an option, and in a configuration."""

from harness import WEFTD, Case


class Congestion(Case):
    def test_a_file_arrives_under_either(self):
        daemon = self.daemon(congestion="bbr")
        self.key()
        for name in ("bbr", "cubic"):
            source = self.file(f"by-{name}", 3000000)
            self.run_weft("send", "--congestion", name, source, daemon.peer)
            self.assert_same_file(self.inbox / source.name, source)

    def test_another_name_is_refused_in_one_sentence(self):
        self.fails("ping", "--congestion", "reno", "weft1x@127.0.0.1:1", says="cubic or bbr")
        for value in ("", "reno", "BBR"):
            config = self.config(congestion=value)
            process = self.start([WEFTD, "--check-config", "--config", config])
            self.assert_sentence(process, "line 1")
        process = self.start([WEFTD, "--check-config", "--config", self.config(congestion="bbr")])
        self.assertEqual(process.wait(), 0, process.told())

