# SPDX-License-Identifier: Apache-2.0
"""Writes a whole handshake and packets as a vector (vectors/README.md), straight down the table of docs/spec 1.5, so
that the decoder can be tested on what no C code has written. Secrets follow from a number: nothing here is secret."""

import hashlib
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tools" / "decode"))

import weft_keys as k
import weft_work
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

LISTS = bytes([2, 1, 9, 1, 7])
CHOICES = [1, 7]
INSTANCE = bytes(range(8))
CID_CLIENT, CID_SERVER = b"\xc1" * 8, b"\xd1" * 8


def varint(value):
    out = [value & 0x7F]
    while value := value >> 7:
        out.append(0x80 | value & 0x7F)
    return bytes(reversed(out))


class Encoder:
    """Each attribute that starts with a name of the spec is what the spec calls so."""

    def __init__(self, number, two_way=True, effort=0, choices=CHOICES, algorithm=1):
        self.number, self.two_way, self.effort = number, two_way, effort
        self.choices, self.algorithm = choices, algorithm if effort else 0
        self.seed_s, self.seed_c = self.secret("server"), self.secret("client")
        self.ts, self.ec, self.e2 = self.secret("ts"), self.secret("ec"), self.secret("e2")
        self.server_key, self.client_key = k.ed25519_public(self.seed_s), k.ed25519_public(self.seed_c)
        self.server_dh = k.server_dh_secret(self.seed_s)
        self.n_c = self.secret("n_c")[:16]
        self.solve_frames, self.confirm_frames = b"\x01" + bytes(20), b"\x01"

    def secret(self, name):
        return hashlib.sha256(f"{self.number} {name}".encode()).digest()

    def hello_challenge(self):
        prefix = k.H(self.server_key)[:4]
        lists = bytes([len(LISTS)]) + LISTS
        self.hello = (b"\x01\x01\x01\x00" + prefix + self.n_c + lists).ljust(256, b"\x00")
        ts, dh = k.x25519_public(self.ts), k.x25519_public(self.server_dh)
        late = (1700000000).to_bytes(8, "big")
        ceiling, ts_id = b"\x14", b"\x00\x00\x00\x2a"
        signed = b"weft challenge 1" + self.server_key + b"\x01" + INSTANCE + dh + ts_id + ts + late + ceiling + lists
        signature = Ed25519PrivateKey.from_private_bytes(self.seed_s).sign(signed)
        head = b"\x01\x01\x05" + INSTANCE + b"\x00\x00\x01\x02" + b"\x75\x2f" + bytes([self.algorithm]) + ceiling
        self.head = head + self.effort.to_bytes(4, "big") + ts_id
        self.cookie = self.secret("cookie")[:16]
        digest = k.H(ts + late + dh + signature + lists)[:8]
        check = k.siphash64(self.n_c, self.head + self.cookie + digest + prefix + lists).to_bytes(8, "big")
        self.challenge = b"\x02" + self.head + ts + late + dh + signature + self.cookie + self.n_c[:8] + check + lists
        self.clear = b"\x03" + self.head + prefix + self.n_c + self.cookie + k.x25519_public(self.ec)
        self.clear += self.effort.to_bytes(4, "big") + bytes(8) + lists

    def box(self, key, plain):
        sealed = k.seal(key, 0, self.h, plain)
        self.h = k.H(self.h, sealed)
        return sealed

    def step(self, label, x):
        self.ck, key = k.kdf(self.ck, label, x)
        return key

    def seal_solve(self):
        ts, dh = k.x25519_public(self.ts), k.x25519_public(self.server_dh)
        c = k.client_dh_secret(self.seed_c)
        self.h = self.ck = k.H(b"weft handshake 1\x01\x00", self.server_key)
        for part in (self.hello, self.challenge, self.clear):
            self.h = k.H(self.h, part)
        mode = b"\x01" if self.two_way else b"\x02"
        box0 = self.box(self.step("ee", k.x25519(self.ec, ts)), mode + self.server_key)
        self.h = k.H(self.h, mode)
        shown = self.client_key if self.two_way else self.secret("noise")
        box1 = self.box(self.step("es", k.x25519(self.ec, dh)), shown)
        self.h = k.H(self.h, self.client_key if self.two_way else bytes(32))
        if self.two_way:
            self.step("se", k.x25519(c, ts))
            k2 = self.step("ss", k.H(k.x25519(c, dh), ts))
        else:
            k2 = self.step("one-way", b"")
        body = CID_CLIENT + (1700000000000).to_bytes(8, "big") + bytes([len(self.choices)])
        body += b"".join(varint(n) for n in self.choices) + b"\x01\x02\x64" + self.solve_frames
        self.boxes = box0 + box1 + self.box(k2, body)

    def finish_work(self):
        nonce, best = 0, (2**64 - 1) // max(self.effort, 1)
        work = self.cookie + self.n_c + self.clear[64:96] + self.clear[96:100] + k.H(self.boxes)
        if not self.effort:
            nonce = int.from_bytes(k.H(b"weft work 0", work)[:8], "big")
        while self.effort and weft_work.value(self.algorithm, work, nonce) > best:
            nonce += 1
        self.solve = self.clear[:100] + nonce.to_bytes(8, "big") + self.clear[108:] + self.boxes

    def seal_confirm(self):
        e2 = k.x25519_public(self.e2)
        clear = b"\x04" + CID_CLIENT + e2 + self.secret("random")[:16]
        self.h = k.H(self.h, clear)
        self.step("e2", k.x25519(self.ec, e2))
        if self.two_way:
            key = self.step("ce", k.x25519(k.client_dh_secret(self.seed_c), e2))
        else:
            key = self.step("one-way reply", b"")
        self.confirm = clear + self.box(key, CID_SERVER + b"\x00" + self.confirm_frames)
        self.roots = {way: k.D(32, self.ck, f"weft root {way}", self.h) for way in ("c2s", "s2c")}

    def packet(self, direction, number, acked, highest, roots, generation, plain):
        width = next(w for w in range(1, 10) if 1 << (7 * w - 1) >= 4 * (number + 1 - acked))
        low = number % (1 << (7 * width))
        window = bytes(low >> 7 * i & 0x7F | (0x80 if i else 0) for i in reversed(range(width)))
        first = 0x80 | (generation & 1) << 4
        cid = CID_SERVER if direction == "c2s" else CID_CLIENT
        sealed = k.seal(k.packet_key(roots[direction]), number, bytes([first]) + cid + window, plain)
        mask = k.siphash128(k.header_key(self.roots[direction]), sealed[-16:])
        header = bytes([first ^ mask[0] & 0x7F]) + cid + bytes(a ^ b for a, b in zip(window, mask[1:]))
        packet = header + sealed
        return {"direction": direction, "number": number, "highest_before": highest, "phase": generation,
                "packet": packet.hex(), "frames": plain.hex()}

    def change_keys(self):
        """The first key change, spec 2.5."""
        a, b = self.secret("E_c"), self.secret("E_s")
        e_c, e_s = k.x25519_public(a), k.x25519_public(b)
        transcript = k.H(self.h, (1).to_bytes(8, "big"), e_c, e_s)
        shared = k.x25519(a, e_s)
        roots = {way: k.D(32, root, "weft rekey", shared + transcript) for way, root in self.roots.items()}
        return roots, {"generation": 1, "client_secret": a.hex(), "server_secret": b.hex(),
                       "root_c2s": roots["c2s"].hex(), "root_s2c": roots["s2c"].hex()}

    def vector(self):
        self.hello_challenge()
        self.seal_solve()
        self.finish_work()
        self.seal_confirm()
        next_roots, change = self.change_keys()
        packets = [
            self.packet("c2s", 1, 0, 0, self.roots, 0, b"\x01"),
            self.packet("s2c", 1, 0, 0, self.roots, 0, b"\x02\x01\x19\x00\x00"),
            self.packet("c2s", 1000, 2, 1, self.roots, 0, b"\x12\x08\x03bye"),
            self.packet("c2s", 500, 1, 1000, self.roots, 0, b""),
            self.packet("s2c", 2, 1, 1, next_roots, 1, b"\x01\x00\x00"),
        ]
        return {
            "mode": "two-way" if self.two_way else "one-way",
            "seed_server": self.seed_s.hex(),
            "seed_client": self.seed_c.hex() if self.two_way else "",
            "ts_secret": self.ts.hex(), "ec_secret": self.ec.hex(), "e2_secret": self.e2.hex(),
            "hello": self.hello.hex(), "challenge": self.challenge.hex(),
            "solve": self.solve.hex(), "confirm": self.confirm.hex(),
            "solve_frames": self.solve_frames.hex(), "confirm_frames": self.confirm_frames.hex(),
            "root_c2s": self.roots["c2s"].hex(), "root_s2c": self.roots["s2c"].hex(),
            "rekeys": [change], "packets": packets,
        }
