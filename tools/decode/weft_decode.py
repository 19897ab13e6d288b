#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""An independent decoder of the weft protocol: what it knows, it knows from docs/spec, not from the C code.

Usage: weft_decode.py vector FILE...                    golden vectors (vectors/README.md), opened with their secrets
       weft_decode.py datagrams [--keylog FILE] [FILE]  datagrams, one a line in hex, from FILE or standard input

It prints one JSON object for each vector or datagram. With a key log, packets of sessions are opened; without one, and
for boxes of the handshake, only what is in the clear is shown. Exit status 1: a vector did not open.
"""

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import weft_keys
import weft_wire
from weft_frames import frames
from weft_schedule import Handshake

SECRETS = {"ts": "ts_secret", "ec": "ec_secret", "e2": "e2_secret", "seed_server": "seed_server"}
DATAGRAMS = ("hello", "challenge", "solve", "confirm")


def printable(value):
    """The same with byte strings as hex."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {str(k): printable(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [printable(v) for v in value]
    return value


def open_handshake(vector):
    secrets = {ours: bytes.fromhex(vector[theirs]) for ours, theirs in SECRETS.items()}
    secrets["seed_client"] = bytes.fromhex(vector["seed_client"]) or None
    return Handshake(secrets, *(bytes.fromhex(vector[name]) for name in DATAGRAMS))


def generations(vector, result):
    """{direction: {generation: root}}, generation 0 and every key change."""
    roots = {way: {0: root} for way, root in result["roots"].items()}
    transcript = result["transcript"]
    for change in vector.get("rekeys", []):
        g = change["generation"]
        before = {way: known[g - 1] for way, known in roots.items()}
        pair = (bytes.fromhex(change[name]) for name in ("client_secret", "server_secret"))
        transcript, after = weft_keys.rekey(transcript, g, before, *pair)
        for way, root in after.items():
            roots[way][g] = root
    return roots


def decode_vector(vector):
    """Opens everything in a vector with the secrets it gives; raises when something does not open."""
    handshake = open_handshake(vector)
    result = handshake.run()
    roots = generations(vector, result)
    packets = []
    for packet in vector["packets"]:
        known = roots[packet["direction"]]
        key = weft_keys.header_key(known[0])
        data = bytes.fromhex(packet["packet"])
        opened = weft_keys.open_packet(data, key, known, packet["highest_before"])
        packets.append({"direction": packet["direction"], **opened, "frames": frames(opened["plain"])})
    return {
        **result,
        "hello": handshake.hello,
        "challenge": handshake.challenge,
        "solve": handshake.solve,
        "confirm": handshake.confirm,
        "solve_frames": frames(result["solve_body"]["frames"]),
        "confirm_frames": frames(result["confirm_body"]["frames"]),
        "generations": roots,
        "packets": packets,
    }


class Keylog:
    """The secrets of a key log, and the highest number seen with each of them."""

    def __init__(self, text):
        self.roots = {}  # (connection id, direction): {generation: root}
        self.highest = {}
        for line in text.splitlines():
            words = line.split()
            if len(words) == 5 and words[0] == "WEFT_SECRET":
                key = bytes.fromhex(words[1]), words[3]
                self.roots.setdefault(key, {})[int(words[2])] = bytes.fromhex(words[4])

    def candidates(self, cid):
        """Those logged under this id first; then all others, since ids change with the path."""
        whole = [key for key in self.roots if 0 in self.roots[key]]
        return sorted(whole, key=lambda key: key[0] != cid)

    def open(self, packet):
        for key in self.candidates(packet[1:9]):
            roots = self.roots[key]
            highest = self.highest.get(key, 0)
            try:
                opened = weft_keys.open_packet(packet, weft_keys.header_key(roots[0]), roots, highest)
            except (weft_keys.DoesNotOpen, weft_wire.Malformed):
                continue
            self.highest[key] = max(highest, opened["number"])
            return {"direction": key[1], "logged_as": key[0], **opened}
        raise weft_keys.DoesNotOpen("no key of the key log opens it")


def decode_datagram(data, keylog):
    kind = weft_wire.kind(data)
    try:
        if kind is None:
            raise weft_wire.Malformed("no datagram of weft")
        if kind != "packet":
            return {"kind": kind, **getattr(weft_wire, kind)(data)}
        opened = keylog.open(data)
        return {"kind": kind, **opened, "frames": frames(opened["plain"])}
    except (weft_wire.Malformed, weft_keys.DoesNotOpen) as error:
        return {"kind": kind, "error": str(error), "bytes": data}


def run_vectors(args):
    status = 0
    for name in args.files:
        try:
            out = decode_vector(json.loads(Path(name).read_text(encoding="utf-8")))
        except (weft_wire.Malformed, weft_keys.DoesNotOpen) as error:
            out = {"file": name, "error": str(error)}
            status = 1
        print(json.dumps(printable(out)))
    return status


def run_datagrams(args):
    keylog = Keylog(Path(args.keylog).read_text(encoding="utf-8") if args.keylog else "")
    with open(args.file, encoding="utf-8") if args.file else sys.stdin as lines:
        for line in lines:
            if line.strip():
                print(json.dumps(printable(decode_datagram(bytes.fromhex(line), keylog))))
    return 0


def main(argv):
    parser = argparse.ArgumentParser(description="Decodes packets of the weft protocol.")
    commands = parser.add_subparsers(required=True)
    vector = commands.add_parser("vector", help="open golden vectors with their secrets")
    vector.add_argument("files", nargs="+", metavar="FILE")
    vector.set_defaults(run=run_vectors)
    datagrams = commands.add_parser("datagrams", help="decode datagrams, one a line in hex")
    lines = "lines WEFT_SECRET <connection id> <phase> <direction> <hex>"
    datagrams.add_argument("--keylog", metavar="FILE", help=lines)
    datagrams.add_argument("file", nargs="?", metavar="FILE")
    datagrams.set_defaults(run=run_datagrams)
    args = parser.parse_args(argv)
    return args.run(args)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
