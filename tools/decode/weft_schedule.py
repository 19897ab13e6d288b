# SPDX-License-Identifier: Apache-2.0
"""Runs the handshake's key schedule (docs/spec/1-handshake.md, 1.5) with all secrets of both ends at hand, opens its
four boxes and checks what the two ends have to check."""

import weft_wire
import weft_work
from weft_keys import (
    H,
    D,
    DoesNotOpen,
    ZERO32,
    client_dh_public,
    client_dh_secret,
    ed25519_public,
    ed25519_verify,
    kdf,
    open_box,
    server_dh_secret,
    siphash64,
    x25519,
    x25519_public,
)

TWO_WAY, ONE_WAY = 1, 2
WORK_NONCE = slice(100, 108)


def need(holds, what):
    if not holds:
        raise DoesNotOpen(what)


def both(secret_a, public_a, secret_b, public_b):
    """X25519 as either end computes it."""
    shared = x25519(secret_a, public_b)
    need(shared == x25519(secret_b, public_a), "the two ends do not agree")
    return shared


class Handshake:
    """One handshake with its secrets. run() fills in the results."""

    def __init__(self, secrets, hello, challenge, solve, confirm):
        self.s = secrets  # seed_server, seed_client (None: one-way), ts, ec, e2
        self.raw = {"hello": hello, "challenge": challenge, "solve": solve, "confirm": confirm}
        self.hello = weft_wire.hello(hello)
        self.challenge = weft_wire.challenge(challenge)
        self.solve = weft_wire.solve(solve)
        self.confirm = weft_wire.confirm(confirm)
        self.server_key = ed25519_public(secrets["seed_server"])
        self.server_secret = server_dh_secret(secrets["seed_server"])
        self.h = self.ck = None

    # What either end checks before it computes.

    def check_challenge(self):
        c = self.challenge
        need(len(self.raw["challenge"]) <= len(self.raw["hello"]), "CHALLENGE is longer than HELLO")
        need(c["ts"] == x25519_public(self.s["ts"]), "t_s is another key")
        need(c["server_dh"] == x25519_public(self.server_secret), "S is another key")
        need(c["echo"] == self.hello["n_c"][:8], "CHALLENGE answers another HELLO")
        need(c["check"] == self.check(), "the check of CHALLENGE is wrong")
        need(c["effort"] <= 1 << c["ceiling_log2"], "the effort asked is above its ceiling")
        need(self.hello["prefix"] in (bytes(4), H(self.server_key)[:4]), "the prefix is that of no key")
        signed = b"".join(
            (
                b"weft challenge 1",
                self.server_key,
                bytes([c["suite"]]),
                c["instance"].to_bytes(8, "big"),
                c["server_dh"],
                c["ts_id"].to_bytes(4, "big"),
                c["ts"],
                c["not_after_s"].to_bytes(8, "big"),
                bytes([c["ceiling_log2"], len(c["lists_raw"])]),
                c["lists_raw"],
            )
        )
        ed25519_verify(self.server_key, c["signature"], signed)

    def check(self):
        raw, hello = self.raw["challenge"], self.hello
        digest = H(raw[28:164], raw[196:])[:8]
        lists = bytes([len(hello["lists_raw"])]) + hello["lists_raw"]
        checked = raw[1:28] + raw[164:180] + digest + hello["prefix"] + lists
        return siphash64(hello["n_c"], checked).to_bytes(8, "big")

    def check_solve(self):
        s = self.solve
        need(self.raw["solve"][1:28] == self.raw["challenge"][1:28], "SOLVE does not repeat CHALLENGE")
        need(s["cookie"] == self.challenge["cookie"], "SOLVE has another cookie")
        rebuilt = weft_wire.build_hello(s["prefix"], s["n_c"], s["lists_raw"])
        need(rebuilt == self.raw["hello"], "SOLVE does not repeat HELLO")
        need(s["e_c"] == x25519_public(self.s["ec"]), "e_c is another key")
        if s["effort"] > 0:
            need(s["bid"] >= s["effort"], "the bid is below the effort asked")
            need(self.work() <= (2**64 - 1) // s["bid"], "the work is not done")
        else:
            need(s["work_nonce"] == weft_work.unpaid(self.work_input()), "SOLVE is damaged")

    def work_input(self):
        s = self.solve
        boxes = H(s["box0"], s["box1"], s["box2"])
        return s["cookie"] + s["n_c"] + s["e_c"] + s["bid"].to_bytes(4, "big") + boxes

    def work(self):
        s = self.solve
        need(s["algorithm"] in weft_work.LABELS, "work by an algorithm that is none")
        return weft_work.value(s["algorithm"], self.work_input(), s["work_nonce"])

    # The schedule, step by step.

    def mix(self, *parts):
        self.h = H(self.h, *parts)

    def key(self, label, x):
        self.ck, key = kdf(self.ck, label, x)
        return key

    def open(self, name, key, box):
        plain = open_box(key, 0, self.h, box, name)
        self.mix(box)
        return plain

    def start(self):
        clear = bytearray(self.solve["clear"])
        clear[WORK_NONCE] = bytes(8)  # it is found only when the boxes are there
        self.h = H(b"weft handshake 1", bytes([weft_wire.SUITE, 0]), self.server_key)
        self.ck = self.h
        self.mix(self.raw["hello"])
        self.mix(self.raw["challenge"])
        self.mix(bytes(clear))

    def open_box0(self):
        ee = both(self.s["ec"], self.solve["e_c"], self.s["ts"], self.challenge["ts"])
        plain = self.open("box0", self.key("ee", ee), self.solve["box0"])
        need(plain[0] in (TWO_WAY, ONE_WAY), "the mode is unknown")
        need(plain[1:] == self.server_key, "box0 names another server")
        self.mix(plain[:1])
        return plain[0]

    def open_box1(self, mode):
        es = both(self.s["ec"], self.solve["e_c"], self.server_secret, self.challenge["server_dh"])
        plain = self.open("box1", self.key("es", es), self.solve["box1"])
        if mode == ONE_WAY:
            self.mix(ZERO32)
            return None
        need(plain == ed25519_public(self.s["seed_client"]), "box1 names another client")
        need(plain != self.server_key, "both ends are one key")
        self.mix(plain)
        return plain

    def identify(self, client_key):
        """Steps 8 and 9: k2, and the client's key pair."""
        if client_key is None:
            return self.key("one-way", b""), None
        pair = client_dh_secret(self.s["seed_client"]), client_dh_public(client_key)
        need(x25519_public(pair[0]) == pair[1], "the map of the client's key is wrong")
        need(pair[1] != client_dh_public(self.server_key), "both ends map to one key")
        ts, server_dh = self.challenge["ts"], self.challenge["server_dh"]
        self.key("se", both(*pair, self.s["ts"], ts))
        return self.key("ss", H(both(*pair, self.server_secret, server_dh), ts)), pair

    def open_box3(self, pair):
        e2 = self.confirm["e2"]
        need(e2 == x25519_public(self.s["e2"]), "e2 is another key")
        self.mix(self.confirm["clear"])
        self.key("e2", both(self.s["ec"], self.solve["e_c"], self.s["e2"], e2))
        if pair is None:
            key = self.key("one-way reply", b"")
        else:
            key = self.key("ce", both(*pair, self.s["e2"], e2))
        return self.open("box3", key, self.confirm["box3"])

    def run(self):
        self.check_challenge()
        self.check_solve()
        self.start()
        mode = self.open_box0()
        client_key = self.open_box1(mode)
        k2, pair = self.identify(client_key)
        body2 = weft_wire.solve_body(self.open("box2", k2, self.solve["box2"]))
        choices = weft_wire.choose(self.hello["lists"], self.challenge["lists"])
        need(body2["choices"] == choices, "the choices are not what the lists give")
        need(choices and choices[0] != 0, "no common version of the session protocol")
        body3 = weft_wire.confirm_body(self.open_box3(pair))
        need(self.confirm["cid"] == body2["cid"], "CONFIRM goes to another connection id")
        need(len(self.raw["confirm"]) <= len(self.raw["solve"]), "CONFIRM is longer than SOLVE")
        return {
            "mode": "two-way" if mode == TWO_WAY else "one-way",
            "server_key": self.server_key,
            "client_key": client_key,
            "solve_body": body2,
            "confirm_body": body3,
            "transcript": self.h,
            "roots": {way: D(32, self.ck, f"weft root {way}", self.h) for way in ("c2s", "s2c")},
        }
