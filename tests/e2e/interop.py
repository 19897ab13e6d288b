# SPDX-License-Identifier: Apache-2.0
"""The scenarios in which QUIC implementations are tried against each other, with weft and weftd as processes and
weft-netem between them. What tests assert are outcomes and counts; figures with times belong to `make bench-net`.
"""

from harness import Case, only

MEGABYTE = 1_000_000


class Scenario(Case):
    def between(self, *options, seed=1, **daemon):
        """A weftd behind a bad link of 1500 bytes; .peer is its text in front of it."""
        self.server = self.daemon(**daemon)
        relay = self.relay(self.server.port, "--seed", seed, "--mtu", "1500", *options)
        relay.peer = self.peer_at(self.server, relay.port)
        return relay

    def sends(self, relay, size, seconds=120):
        """A file arrives whole, in one go; what the command told."""
        source = self.file("film", size)
        sent = only(self.run_weft("send", "--json", source, relay.peer, seconds=seconds).objects())
        self.assertEqual((sent["ok"], sent["resumed_at"], sent["moved"]), (True, 0, size))
        self.assert_same_file(self.inbox / "film", source)
        return sent

    def pings(self, relay, count=1, within=30000):
        for _ in range(count):
            self.run_weft("ping", "-n", "1", "-w", within, relay.peer)
