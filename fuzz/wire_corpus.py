#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the first inputs of the fuzz targets of wire from the golden bytes in tests/wire.

Usage: fuzz/wire_corpus.py [FOLDER]   (default: fuzz/corpus beside this file)

The files it writes are named after what they hold; inputs that fuzzing has found are left alone.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
OUT = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "fuzz" / "corpus"


def samples(text):
    """The hex of each SAMPLE_ macro, by name; one may stand in another."""
    found = {}
    for name, body in re.findall(r"#define SAMPLE_(\w+) ((?:.*\\\n)*.*\n)", text):
        parts = re.findall(r'"([0-9a-f]*)"|SAMPLE_(\w+)', body)
        found[name.lower()] = b"".join(found[n.lower()] if n else bytes.fromhex(h) for h, n in parts)
    return found


def frames(text):
    """The golden frames in their order, and the golden ACKs."""
    table = re.findall(r'^\s+\{?"([0-9a-f ]+)",', text, re.M)
    acks = re.findall(r'#define GOLDEN_ACK\w* "([0-9a-f ]+)"', text)
    return [bytes.fromhex(h) for h in table], [bytes.fromhex(h) for h in acks]


def write(folder, name, data):
    path = OUT / folder
    path.mkdir(parents=True, exist_ok=True)
    (path / name).write_bytes(data)


def handshake():
    found = samples((ROOT / "tests/wire/samples.h").read_text())
    del found["head"]  # no packet
    for name, data in found.items():
        write("wire_handshake", name, data)
    params = bytes.fromhex("06 0101 0202 0303 0404 0505 068936")
    body = bytes.fromhex("c1c2c3c4c5c6c7c8 0000018bcfe56800 02 01 8148")
    write("wire_handshake", "solve_body", body + params + b"\x01")
    write("wire_handshake", "solve_body_defaults", body + b"\x00")
    write("wire_handshake", "confirm_body", body[:8] + params + b"\x01\x00")
    write("wire_handshake", "confirm_body_unknown", body[:8] + bytes.fromhex("02 0264 8764"))
    write("wire_handshake", "statement_alone", found["statement"][9:])
    lists = bytes.fromhex("0201020107")
    write("wire_handshake", "lists", lists + lists)
    most = bytes([32, *range(1, 33)]) + bytes([25, *range(1, 26)])
    write("wire_handshake", "challenge_most", found["challenge"][:196] + bytes([59]) + most)
    write("wire_handshake", "solve_least", found["solve"][:108] + bytes(132))


def sequences(table, acks):
    # A frame that runs to the end comes last in the table.
    whole = b"".join(table[:-1]) + b"".join(acks) + table[-1]
    write("wire_frames", "all", whole)
    for i in range(0, len(table), 4):
        write("wire_frames", f"some_{i:02}", b"".join(table[i:i + 4]))
    write("wire_frames", "acks", b"".join(acks))
    write("wire_frames", "padding", b"\x01" + bytes(30))


def ack(acks):
    for i, one in enumerate(acks):
        for room in (3, 255):
            write("wire_ack", f"golden_{i}_{room}", bytes([room]) + one[1:])
    for count in (1, 255, 256, 257):
        head = bytes([255, 0x86, 0x8d, 0x20, 0, 0x83, 0x86, 0x50])
        number = bytes([count]) if count < 128 else bytes([0x80 | count >> 7, count & 0x7f])
        write("wire_ack", f"runs_{count}", head + number + b"\x00\x01" * count)
    write("wire_ack", "gaps", bytes([40]) + bytes(range(120)))
    write("wire_ack", "one", bytes.fromhex("ff 05 00 05 00"))


def main():
    table, acks = frames((ROOT / "tests/wire/frames.h").read_text())
    if len(table) < 20 or len(acks) != 2:
        sys.exit("wire_corpus: the golden frames were not found")
    handshake()
    sequences(table, acks)
    ack(acks)


if __name__ == "__main__":
    main()
