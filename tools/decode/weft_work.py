# SPDX-License-Identifier: Apache-2.0
"""Proof of work as docs/spec/1-handshake.md has it: the value of one try, for both algorithms. Written from the page
alone; slow, and meant to be read beside it."""

import hashlib

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms

MASK = 2**64 - 1
HASH, PROGRAM = 1, 2
LABELS = {HASH: b"weft work 1", PROGRAM: b"weft work 2"}


def blake2b(size, *parts):
    return hashlib.blake2b(b"".join(parts), digest_size=size).digest()


def _ror(value, count):
    count %= 64
    return (value >> count | value << (64 - count)) & MASK


def _words(data):
    return [int.from_bytes(data[i : i + 8], "little") for i in range(0, len(data), 8)]


# Page 1.8-4: (ri, v, x, c) -> the new ri, by op.
OPERATIONS = (
    lambda r, v, x, c: r + v + x,
    lambda r, v, x, c: v - r - x,
    lambda r, v, x, c: r ^ v ^ x,
    lambda r, v, x, c: (r + v) * (x | 1),
    lambda r, v, x, c: r + (v * x >> 64),
    lambda r, v, x, c: _ror(r ^ v, x >> 58),
    lambda r, v, x, c: (r ^ v) * (c | 1) + x,
    lambda r, v, x, c: r ^ v ^ x,
)


def _carry_out(code, registers, memory):
    op = code % 8
    for i in list(range(8)) * 2:
        a = (registers[i] ^ code) >> 32 & 2047
        v, x = memory[a], registers[(i + 1 + op % 4) % 8]
        registers[i] = OPERATIONS[op](registers[i], v, x, code) & MASK
        memory[a] = v ^ _ror(registers[i], 23)


def program_result(seed):
    """Pages 1.8-3 to 1.8-6: the 32 bytes that follow from the 64 of the seed."""
    chacha = Cipher(algorithms.ChaCha20(seed[:32], bytes(16)), mode=None).encryptor()
    stream = _words(chacha.update(bytes(18496)))
    registers, code, memory = stream[:8], stream[8:264], stream[264:]
    at = 0
    for _ in range(512):
        c = code[at]
        _carry_out(c, registers, memory)
        at += 1
        if c % 8 == 7 and registers[0] < 2**62:
            at += 1 + c // 8 % 8
        at %= 256
    for k, word in enumerate(memory):
        registers[k % 8] = _ror(registers[k % 8] ^ word, 29) * 0x9E3779B97F4A7C15 & MASK
    return blake2b(32, b"weft work 2 result", seed, *(r.to_bytes(8, "little") for r in registers))


def result(algorithm, fixed, nonce):
    """The 32 bytes of one try; fixed: cookie | n_c | e_c | bid | H(boxes)."""
    data = LABELS[algorithm] + fixed + nonce.to_bytes(8, "big")
    return program_result(blake2b(64, data)) if algorithm == PROGRAM else blake2b(32, data)


def value(algorithm, fixed, nonce):
    return int.from_bytes(result(algorithm, fixed, nonce)[:8], "big")


def unpaid(fixed):
    """The nonce of a SOLVE of which no effort was asked, page 1.3-12."""
    return int.from_bytes(blake2b(32, b"weft work 0", fixed)[:8], "big")


def differences(vector):
    """What a vector of tries (vectors/README.md) has otherwise than this file computes."""
    fixed = bytes.fromhex(vector["input"])
    for one in vector["tries"]:
        got = result(vector["algorithm"], fixed, one["nonce"]).hex()
        if got != one["result"]:
            yield f"try {one['nonce']}: {one['result']} in the vector, {got} computed"
