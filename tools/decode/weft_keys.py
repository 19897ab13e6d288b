# SPDX-License-Identifier: Apache-2.0
"""Keys, boxes and masks of the weft protocol (docs/spec, 1.5 and page 2), written from that text alone.

BLAKE2b is Python's, X25519 and XChaCha20-Poly1305 are libsodium's through PyNaCl, Ed25519 is that of the
cryptography package; SipHash and the map from Ed25519 to X25519 are written out here.
"""

import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from nacl import bindings
from nacl.exceptions import CryptoError

import weft_wire

ZERO32 = bytes(32)
FIELD = 2**255 - 19


class DoesNotOpen(Exception):
    """A tag, a signature or a key is not what it must be."""


def H(*parts):
    return hashlib.blake2b(b"".join(parts), digest_size=32).digest()


def D(size, secret, label, *parts):
    label = label.encode()
    text = bytes([len(label)]) + label + b"".join(parts)
    return hashlib.blake2b(text, digest_size=size, key=secret).digest()


def kdf(ck, label, x):
    """(the next ck, a key)"""
    out = D(64, ck, label, x)
    return out[:32], out[32:]


def _nonce(number):
    return bytes(16) + number.to_bytes(8, "big")


def seal(key, number, ad, plain):
    return bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(plain, ad, _nonce(number), key)


def open_box(key, number, ad, box, what):
    try:
        return bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(box, ad, _nonce(number), key)
    except (CryptoError, ValueError) as error:
        raise DoesNotOpen(f"{what} does not open") from error


def x25519(secret, public):
    try:
        shared = bindings.crypto_scalarmult(secret, public)
    except (CryptoError, RuntimeError) as error:
        raise DoesNotOpen("X25519 gives zero") from error
    if shared == ZERO32:
        raise DoesNotOpen("X25519 gives zero")
    return shared


def x25519_public(secret):
    return bindings.crypto_scalarmult_base(secret)


def ed25519_public(seed):
    key = Ed25519PrivateKey.from_private_bytes(seed).public_key()
    return key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def ed25519_verify(public, signature, text):
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, text)
    except InvalidSignature as error:
        raise DoesNotOpen("the signature does not verify") from error


def client_dh_public(ed_public):
    """C: the Ed25519 key mapped to X25519, u = (1 + y) / (1 - y)."""
    y = int.from_bytes(ed_public, "little") & (1 << 255) - 1
    u = (1 + y) * pow(1 - y, FIELD - 2, FIELD) % FIELD
    return u.to_bytes(32, "little")


def client_dh_secret(seed):
    return hashlib.sha512(seed).digest()[:32]  # X25519 clamps it


def server_dh_secret(seed):
    return D(32, seed, "weft server role S")


def _sip_rounds(v, count):
    a, b, c, d = v
    mask = (1 << 64) - 1

    def left(x, n):
        return (x << n | x >> (64 - n)) & mask

    for _ in range(count):
        a = a + b & mask
        b = left(b, 13) ^ a
        a = left(a, 32)
        c = c + d & mask
        d = left(d, 16) ^ c
        a = a + d & mask
        d = left(d, 21) ^ a
        c = c + b & mask
        b = left(b, 17) ^ c
        c = left(c, 32)
    return a, b, c, d


def _sip_absorb(key, data, tweak):
    k0, k1 = (int.from_bytes(key[i : i + 8], "little") for i in (0, 8))
    a, b = k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D ^ tweak
    c, d = k0 ^ 0x6C7967656E657261, k1 ^ 0x7465646279746573
    whole = len(data) // 8 * 8
    last = data[whole:] + bytes(7 - len(data) % 8) + bytes([len(data) & 0xFF])
    for word in [data[i : i + 8] for i in range(0, whole, 8)] + [last]:
        m = int.from_bytes(word, "little")
        a, b, c, d = _sip_rounds((a, b, c, d ^ m), 2)
        a ^= m
    return a, b, c, d


def siphash64(key, data):
    """SipHash-2-4 with 64 bits of output, a number."""
    a, b, c, d = _sip_absorb(key, data, 0)
    a, b, c, d = _sip_rounds((a, b, c ^ 0xFF, d), 4)
    return a ^ b ^ c ^ d


def siphash128(key, data):
    """SipHash-2-4 with 128 bits of output."""
    a, b, c, d = _sip_absorb(key, data, 0xEE)
    a, b, c, d = _sip_rounds((a, b, c ^ 0xEE, d), 4)
    first = a ^ b ^ c ^ d
    a, b, c, d = _sip_rounds((a, b ^ 0xDD, c, d), 4)
    return first.to_bytes(8, "little") + (a ^ b ^ c ^ d).to_bytes(8, "little")


def header_key(root_of_phase_0):
    return D(16, root_of_phase_0, "weft header key")


def packet_key(root):
    return D(32, root, "weft packet key")


def unmask(packet, key):
    """(first byte, window number as sent before masking, its value)"""
    if len(packet) < 26 or packet[0] < 0x80:
        raise weft_wire.Malformed("no packet of a session")
    mask = siphash128(key, packet[-16:])
    first = packet[0] ^ mask[0] & 0x7F
    window = bytes(a ^ b for a, b in zip(packet[9:-16], mask[1:10]))
    value, width = weft_wire.window_number(window)
    return first, window[:width], value


def open_packet(packet, key, roots, highest):
    """Opens a session packet. key is its header key; roots holds the root of each generation that may be tried, newest
    last. The phase bit chooses among them. Returns a dictionary with number, phase (the generation) and plain."""
    first, window, value = unmask(packet, key)
    if first & 0xEF != 0x80:
        raise DoesNotOpen("another mode, or reserved bits")
    number = weft_wire.full_number(value, len(window), highest)
    ad = bytes([first]) + packet[1:9] + window
    for generation in sorted(roots, reverse=True):
        if generation % 2 != first >> 4 & 1:
            continue
        try:
            plain = open_box(packet_key(roots[generation]), number, ad, packet[9 + len(window) :], "the packet")
        except DoesNotOpen:
            continue
        return {"cid": packet[1:9], "number": number, "phase": generation, "plain": plain}
    raise DoesNotOpen("the packet does not open")


def rekey(transcript, generation, roots, client_secret, server_secret):
    """Page 2.5: (transcript', roots' of both directions) of this generation."""
    e_c, e_s = x25519_public(client_secret), x25519_public(server_secret)
    shared = x25519(client_secret, e_s)
    transcript = H(transcript, generation.to_bytes(8, "big"), e_c, e_s)
    return transcript, {way: D(32, root, "weft rekey", shared, transcript) for way, root in roots.items()}
