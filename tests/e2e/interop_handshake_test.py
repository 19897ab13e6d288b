# SPDX-License-Identifier: Apache-2.0
"""Handshakes over bad links."""

import json
import unittest

from harness import only
from interop import Scenario


class Handshakes(Scenario):
    def test_handshakes_succeed_with_30_percent_loss(self):
        relay = self.between("--loss", "30%")
        self.pings(relay, 5)
        told = relay.report()
        self.assertGreater(told["up"]["fates"]["lost"] + told["down"]["fates"]["lost"], 3)

    def test_handshakes_succeed_with_30_percent_of_the_clients_packets_damaged(self):
        relay = self.between("--up-corrupt", "30%")
        self.pings(relay, 8)
        self.assertGreater(relay.report()["up"]["corrupted"], 3)

    def test_handshakes_succeed_with_30_percent_damaged_both_ways(self):  # SPEC 1.2-9
        relay = self.between("--corrupt", "30%")
        self.pings(relay, 5)
        told = relay.report()
        self.assertGreater(told["up"]["corrupted"] + told["down"]["corrupted"], 3)

    def test_a_handshake_succeeds_with_a_round_trip_of_750_ms(self):
        relay = self.between("--delay", "375ms")
        ping = only(self.run_weft("ping", "--json", "-n", "1", "-w", "30000", relay.peer).objects())
        self.assertGreaterEqual(ping["rtt_us"], 750000)
        # Two round trips until the first reply, and nothing that was sent in vain on the way.
        told = relay.report()
        self.assertLess(told["up"]["packets_in"], 10)

    def test_an_unproved_address_gets_no_more_than_came_from_it(self):
        """Everything of the client behind its first packet is lost: it never proves where it is."""
        relay = self.between("--up-drop", "2-1000000", "--delay", "5ms")
        self.fails("ping", "-n", "1", "-w", "3000", relay.peer, says="ping")
        told = relay.report()
        self.assertEqual(told["up"]["packets_out"], 1)
        self.assertGreater(told["up"]["fates"]["lost"], 0)
        self.assertGreater(told["down"]["bytes_in"], 0)
        self.assertLessEqual(told["down"]["bytes_in"], told["up"]["bytes_out"])

    def test_the_handshake_survives_the_loss_of_packets_2_to_7(self):
        relay = self.between("--up-drop", "2-7", "--delay", "5ms", "--every", "10ms")
        self.pings(relay)
        told = relay.report()
        self.assertEqual(told["up"]["fates"]["lost"], 6)
        for line in relay.lines["out"]:
            seen = json.loads(line)
            if seen["event"] == "report" and seen["up"]["packets_out"] <= 1:
                self.assertLessEqual(seen["down"]["bytes_in"], seen["up"]["bytes_out"])


if __name__ == "__main__":
    unittest.main()
