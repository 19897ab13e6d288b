# SPDX-License-Identifier: Apache-2.0
"""Sessions at rest, between real processes."""

import json
import unittest

from harness import Case, wait_until


class Rest(Case):
    def test_a_session_folds_after_ten_seconds_and_the_next_ping_needs_no_handshake(self):  # SPEC 4.6-1
        stats = self.dir / "stats.json"
        daemon = self.daemon("--stats-json", stats)

        def counter(name):
            return json.loads(stats.read_text())[name] if stats.exists() else 0

        process = self.weft("ping", "-n", "2", "-i", "14000", "--json", daemon.peer)
        process.line(lambda line: '"seq":1' in line)
        wait_until(lambda: counter("presences") == 1, saying="the session did not fold")
        self.assertEqual((counter("sessions"), counter("folds"), counter("wakes")), (0, 1, 0))
        self.assertGreater(counter("presence_bytes"), 0)
        self.assertLess(counter("presence_bytes"), 600)
        self.assertEqual(process.wait(), 0)
        first, second = process.objects()
        self.assertTrue(first["ok"] and second["ok"])
        self.assertEqual(second["handshake_us"], 0)
        wait_until(lambda: counter("wakes") == 1, saying="nobody woke")
        self.assertEqual(counter("sessions_total"), 1)


if __name__ == "__main__":
    unittest.main()
