# SPDX-License-Identifier: Apache-2.0
"""Files over bad links and over paths that change."""

import unittest

from interop import MEGABYTE, Scenario


class Transfers(Scenario):
    def test_a_file_arrives_through_2_percent_loss(self):
        relay = self.between("--loss", "2%", "--delay", "5ms")
        self.sends(relay, 3 * MEGABYTE)
        self.assertGreater(relay.report()["up"]["fates"]["lost"], 10)

    def test_a_file_arrives_through_bursts_of_loss(self):
        relay = self.between("--burst", "1%,20%,80%", "--delay", "5ms")
        self.sends(relay, MEGABYTE)
        self.assertGreater(relay.report()["up"]["fates"]["lost"], 10)

    def test_a_file_arrives_whole_with_a_bit_flipped_in_30_percent(self):
        relay = self.between("--corrupt", "30%", "--delay", "2ms")
        self.sends(relay, MEGABYTE // 3)
        self.assertGreater(relay.report()["up"]["corrupted"], 50)

    def test_a_file_arrives_where_packets_overtake_and_double(self):
        relay = self.between("--reorder", "10%", "--reorder-by", "8ms", "--duplicate", "5%", "--jitter", "3ms", "--delay", "5ms",
                             "--keep-order", "no")
        self.sends(relay, 2 * MEGABYTE)
        self.assertGreater(relay.report()["up"]["duplicated"], 20)

    def test_a_file_arrives_with_a_round_trip_of_750_ms(self):
        relay = self.between("--delay", "375ms", "--rate", "50mbit")
        self.sends(relay, MEGABYTE // 2)

    def test_a_file_goes_on_after_two_seconds_of_nothing(self):
        # Dark for 2 s of every 4.5 s: 6 MB at 16 Mb/s take longer than any light stretch.
        relay = self.between("--rate", "16mbit", "--delay", "10ms", "--blackout", "2s+2s/4500ms")
        self.sends(relay, 6 * MEGABYTE)
        self.assertGreater(relay.report()["up"]["fates"]["cut"], 0)

    def test_a_file_arrives_while_the_port_changes_every_second(self):
        relay = self.between("--rate", "16mbit", "--delay", "10ms", "--rebind", "1s")
        self.sends(relay, 6 * MEGABYTE)
        told = relay.report()
        self.assertEqual(told["clients"], 1)
        self.assertGreaterEqual(told["rebinds"], 2)

    def test_a_file_arrives_while_the_address_changes_every_second(self):
        addresses = [word for n in (2, 3, 4) for word in ("--rebind-address", f"127.0.0.{n}")]
        # 127.0.0.1 would answer from itself; any address of the machine is the client's now.
        relay = self.between("--rate", "16mbit", "--delay", "10ms", "--rebind", "1s", *addresses)
        self.sends(relay, 6 * MEGABYTE)
        told = relay.report()
        self.assertEqual(told["clients"], 1)
        self.assertGreaterEqual(told["rebinds"], 2)

    def test_a_file_arrives_through_a_black_hole_for_large_packets(self):
        relay = self.between("--mtu", "1300", "--delay", "5ms")
        self.sends(relay, MEGABYTE)

    def test_a_file_goes_on_when_the_path_becomes_narrower(self):
        relay = self.between("--rate", "16mbit", "--delay", "5ms", "--at", "1500ms", "--mtu", "1300")
        self.sends(relay, 6 * MEGABYTE)
        self.assertGreater(relay.report()["up"]["fates"]["too_big"], 0)

    def test_most_of_what_is_carried_is_the_file(self):
        relay = self.between("--rate", "20mbit", "--delay", "10ms", "--queue", "50ms")
        self.sends(relay, 4 * MEGABYTE)
        self.assertLess(relay.report()["up"]["bytes_in"], 1.25 * 4 * MEGABYTE)


if __name__ == "__main__":
    unittest.main()
