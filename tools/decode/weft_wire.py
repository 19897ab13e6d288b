# SPDX-License-Identifier: Apache-2.0
"""Parses the bytes of the weft protocol (docs/spec, pages 1 to 3), written from that text and from nothing else.

What breaks a rule of the text raises Malformed. Results are plain dictionaries; byte strings stay bytes.
"""

VERSION = 1
SUITE = 1
TAG = 16
NUMBER_MAX = 1 << 62

# id: (name, default, least, most), page 1.3
PARAMETERS = {
    1: ("node_credit", 0, 0, 1 << 62),
    2: ("message_credit", 0, 0, 1 << 62),
    3: ("message_count", 0, 0, 1 << 62),
    4: ("ack_delay_us", 25000, 0, 1000000),
    5: ("idle_ms", 0, 0, 1 << 32),
    6: ("datagram_max", 1200, 1200, 65527),
}


class Malformed(Exception):
    """The bytes do not follow the format."""


class Reader:
    """A cursor over bytes; reading past the end is Malformed."""

    def __init__(self, data):
        self.data = bytes(data)
        self.at = 0

    def left(self):
        return len(self.data) - self.at

    def take(self, count):
        if count > self.left():
            raise Malformed(f"{count} bytes wanted at {self.at}, {self.left()} left")
        self.at += count
        return self.data[self.at - count : self.at]

    def rest(self):
        return self.take(self.left())

    def number(self, size):
        return int.from_bytes(self.take(size), "big")

    def varint(self, least=0, most=(1 << 64) - 1):
        value = 0
        for index in range(10):
            byte = self.number(1)
            if index == 0 and byte == 0x80:
                raise Malformed("a varint that is not in its shortest form")
            value = value << 7 | byte & 0x7F
            if byte < 0x80:
                return between(value, least, most)
        raise Malformed("a varint of more than 10 bytes")

    def len8(self, least, most):
        return self.take(between(self.number(1), least, most))

    def end(self):
        if self.left():
            raise Malformed(f"{self.left()} bytes too many")


def between(value, least, most):
    if not least <= value <= most:
        raise Malformed(f"{value} is not within {least}..{most}")
    return value


def lists(data):
    """Groups of protocol numbers, page 1.1."""
    reader = Reader(data)
    groups = []
    while reader.left():
        group = [reader.varint(1) for _ in range(reader.varint(1, 32))]
        if len(set(group)) != len(group):
            raise Malformed("a protocol number twice in a group")
        groups.append(group)
    between(len(groups), 0, 8)
    return groups


def choose(client, server):
    """For each group of the client its first number that the server has too, or 0."""
    server = server + [[]] * len(client)
    return [next((n for n in ours if n in theirs), 0) for ours, theirs in zip(client, server)]


def _start(data, kind, least, most):
    between(len(data), least, most)
    reader = Reader(data)
    between(reader.number(1), kind, kind)
    return reader


def _lists_field(reader):
    raw = reader.len8(0, 59)
    return {"lists_raw": raw, "lists": lists(raw)}


def _head(reader):
    """Bytes 1 to 27 of CHALLENGE, repeated by SOLVE."""
    return {
        "version": between(reader.number(1), VERSION, VERSION),
        "suite": between(reader.number(1), SUITE, SUITE),
        "shard": reader.number(1),
        "instance": reader.number(8),
        "epoch": reader.number(4),
        "offset_ms": between(reader.number(2), 0, 29999),
        "algorithm": between(reader.number(1), 0, 2),
        "ceiling_log2": between(reader.number(1), 0, 32),
        "effort": reader.number(4),
        "ts_id": reader.number(4),
    }


def hello(data):
    reader = _start(data, 0x01, 256, 256)
    out = {
        "version": between(reader.number(1), VERSION, VERSION),
        "suite": between(reader.number(1), SUITE, SUITE),
        "reserved": between(reader.number(1), 0, 0),
        "prefix": reader.take(4),
        "n_c": reader.take(16),
        **_lists_field(reader),
    }
    if any(reader.rest()):
        raise Malformed("padding that is not zero")
    return out


def build_hello(prefix, n_c, lists_raw):
    """HELLO as SOLVE tells it."""
    out = bytes([0x01, VERSION, SUITE, 0]) + prefix + n_c + bytes([len(lists_raw)]) + lists_raw
    return out + bytes(256 - len(out))


def challenge(data):
    reader = _start(data, 0x02, 197, 256)
    out = {
        **_head(reader),
        "ts": reader.take(32),
        "not_after_s": reader.number(8),
        "server_dh": reader.take(32),
        "signature": reader.take(64),
        "cookie": reader.take(16),
        "echo": reader.take(8),
        "check": reader.take(8),
        **_lists_field(reader),
    }
    reader.end()
    return out


def solve(data):
    reader = _start(data, 0x03, 240, 1200)
    out = {
        **_head(reader),
        "prefix": reader.take(4),
        "n_c": reader.take(16),
        "cookie": reader.take(16),
        "e_c": reader.take(32),
        "bid": reader.number(4),
        "work_nonce": reader.number(8),
        **_lists_field(reader),
    }
    out["clear"] = data[: reader.at]
    out["box0"] = reader.take(49)
    out["box1"] = reader.take(48)
    out["box2"] = reader.rest()
    return out


def confirm(data):
    reader = _start(data, 0x04, 57 + 8 + 1 + TAG, 1200)
    return {
        "cid": reader.take(8),
        "e2": reader.take(32),
        "random": reader.take(16),
        "clear": data[:57],
        "box3": reader.rest(),
    }


def hint(data):
    return {"tag": _start(data, 0x05, 17, 17).rest()}


def parameters(reader):
    out = {name: default for name, default, _, _ in PARAMETERS.values()}
    last = -1
    for _ in range(reader.varint(0, 32)):
        ident = reader.varint(last + 1)
        value = reader.varint()
        last = ident
        if ident in PARAMETERS:
            name, _, least, most = PARAMETERS[ident]
            out[name] = between(value, least, most)
    return out


def solve_body(data):
    """The plaintext of box2."""
    reader = Reader(data)
    return {
        "cid": reader.take(8),
        "wall_ms": reader.number(8),
        "choices": [reader.varint() for _ in range(between(reader.number(1), 0, 8))],
        "parameters": parameters(reader),
        "frames": reader.rest(),
    }


def confirm_body(data):
    """The plaintext of box3."""
    reader = Reader(data)
    return {"cid": reader.take(8), "parameters": parameters(reader), "frames": reader.rest()}


def window_number(data):
    """The window number at the start of data, unmasked: (its bits, its width in bytes)."""
    value = 0
    for index, byte in enumerate(data[:9]):
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, index + 1
    raise Malformed("a window number of more than 9 bytes")


def full_number(window, width, highest):
    """The packet's number, from what its window says and the highest number that was authenticated."""
    k = 7 * width
    base = max(0, highest - (1 << (k - 1)))
    return (window - base) % (1 << k) + base


def kind(datagram):
    """What a datagram is, by its first byte."""
    names = {1: "hello", 2: "challenge", 3: "solve", 4: "confirm", 5: "hint"}
    if datagram and datagram[0] >= 0x80:
        return "packet"
    return names.get(datagram[0]) if datagram else None
