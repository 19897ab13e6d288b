# SPDX-License-Identifier: Apache-2.0
"""A UDP proxy between a client and a server that records what passes and does to it what bad networks do."""

import random
import socket
import threading
import time
from dataclasses import dataclass
from selectors import EVENT_READ, DefaultSelector

DATAGRAM_MAX = 65535
BUFFER_BYTES = 8 << 20
HELD_SECONDS = 0.02
LARGE = 700  # it carries some of a body


@dataclass
class Faults:
    """Shares of datagrams, 0..1. Decided by the seed alone, in order of arrival."""

    flip: float = 0.0
    drop: float = 0.0
    duplicate: float = 0.0
    hold: float = 0.0  # let pass by those behind it
    junk: float = 0.0  # followed by random bytes of anybody
    seed: int = 1


@dataclass
class Seen:
    at: float
    way: str  # "c2s" or "s2c"
    data: bytes


def _socket():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
        s.setsockopt(socket.SOL_SOCKET, option, BUFFER_BYTES)
    s.bind(("127.0.0.1", 0))
    s.setblocking(False)
    return s


class Proxy:
    """Stands in front of a port of this machine, as a NAT does. One client at a time."""

    def __init__(self, port, faults=None, rate=None, record=True, carries=None):
        self.server = ("127.0.0.1", port)
        self.faults = faults or Faults()
        self.random = random.Random(self.faults.seed)
        self.rate = rate  # bytes a second to the server; None: as they come
        self.left = carries  # bytes of large datagrams that pass before they are all lost
        self.stalls = carries is not None  # until go_on()
        self.record = record
        self.passes = lambda way, data: True  # what does not pass is lost
        self.seen = []
        self.bytes = {"c2s": 0, "s2c": 0}
        self.done_to = {name: 0 for name in ("flip", "drop", "duplicate", "hold", "junk")}
        self.rebinds = 0
        self.front = _socket()
        self.back = _socket()
        self.client = None
        self.held = []  # (when, socket, data, address)
        self.free_at = 0.0
        self.selector = DefaultSelector()
        self.selector.register(self.front, EVENT_READ)
        self.selector.register(self.back, EVENT_READ)
        self.port = self.front.getsockname()[1]
        self.lock = threading.Lock()
        self.closed = False
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def close(self):
        self.closed = True
        self.thread.join()
        self.selector.close()
        self.front.close()
        self.back.close()

    def go_on(self):
        """Large datagrams pass again."""
        self.stalls = False

    def rebind(self):
        """The server sees another source port from now on, as after a NAT forgot its mapping."""
        with self.lock:
            self.selector.unregister(self.back)
            self.back.close()
            self.back = _socket()
            self.selector.register(self.back, EVENT_READ)
            self.rebinds += 1

    def kinds(self):
        """(way, first byte, length) of each datagram."""
        return [(s.way, s.data[0], len(s.data)) for s in list(self.seen)]

    # --- the thread ---

    def _run(self):
        while not self.closed:
            for key, _ in self.selector.select(0.01):
                with self.lock:
                    if key.fileobj is self.front:
                        self._from_client()
                    elif key.fileobj is self.back:
                        self._from_server()
            self._release()

    def _from_client(self):
        for _ in range(64):
            try:
                data, self.client = self.front.recvfrom(DATAGRAM_MAX)
            except OSError:
                return
            self._pace(len(data))
            self._pass("c2s", data, self.back, self.server)

    def _from_server(self):
        for _ in range(64):
            try:
                data, _ = self.back.recvfrom(DATAGRAM_MAX)
            except OSError:
                return
            if self.client is not None:
                self._pass("s2c", data, self.front, self.client)

    def _pace(self, size):
        if self.rate is None:
            return
        now = time.monotonic()
        self.free_at = max(self.free_at, now) + size / self.rate
        if self.free_at - now > 0.002:
            time.sleep(self.free_at - now)

    def _send(self, out, data, to):
        try:
            out.sendto(data, to)
        except OSError:
            pass  # full or refused: lost, as on any network

    def _happens(self, what):
        share = getattr(self.faults, what)
        if share == 0 or self.random.random() >= share:
            return False
        self.done_to[what] += 1
        return True

    def _carry(self, size):
        if not self.stalls or size < LARGE:
            return True
        self.left -= size
        return self.left >= 0

    def _pass(self, way, data, out, to):
        self.bytes[way] += len(data)
        if self.record:
            self.seen.append(Seen(time.monotonic(), way, data))
        if not self.passes(way, data) or not self._carry(len(data)) or self._happens("drop"):
            return
        if self._happens("flip"):
            bit = self.random.randrange(len(data) * 8)
            changed = bytearray(data)
            changed[bit // 8] ^= 1 << bit % 8
            data = bytes(changed)
        if self._happens("hold"):
            self.held.append((time.monotonic() + HELD_SECONDS * self.random.random(), out, data, to))
            return
        self._send(out, data, to)
        if self._happens("duplicate"):
            self._send(out, data, to)
        if self._happens("junk"):
            self._send(out, self.random.randbytes(self.random.randrange(1, 1500)), to)

    def _release(self):
        now = time.monotonic()
        due = [h for h in self.held if h[0] <= now]
        self.held = [h for h in self.held if h[0] > now]
        for _, out, data, to in due:
            self._send(out, data, to)
