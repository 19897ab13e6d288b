# SPDX-License-Identifier: Apache-2.0
"""Tests of tools/decode on bytes that no C code has written: it opens what it should and nothing else."""

import contextlib
import copy
import io
import json
import tempfile
import unittest

from encoder import Encoder

import weft_decode
import weft_keys
import weft_wire
from compare import differences
from weft_frames import frames

REFUSED = (weft_wire.Malformed, weft_keys.DoesNotOpen)


def flipped(text, bit):
    data = bytearray.fromhex(text)
    data[bit // 8] ^= 1 << bit % 8
    return data.hex()


class Primitives(unittest.TestCase):
    def test_siphash_gives_the_published_output(self):
        key = bytes(range(16))
        self.assertEqual(weft_keys.siphash64(key, bytes(range(15))), 0xA129CA6149BE45E5)
        self.assertEqual(weft_keys.siphash128(key, b"").hex(), "a3817f04ba25a8e66df67214c7550293")
        self.assertEqual(weft_keys.siphash128(key, b"\x00").hex(), "da87c1d86b99af44347659119b22fc45")
        self.assertEqual(weft_keys.siphash128(key, bytes(range(8))).hex(), "3b62a9ba6258f5610f83e264f31497b4")

    def test_the_map_of_an_ed25519_key_agrees_with_that_of_its_seed(self):
        for number in range(5):
            seed = bytes([number]) * 32
            public = weft_keys.x25519_public(weft_keys.client_dh_secret(seed))
            self.assertEqual(weft_keys.client_dh_public(weft_keys.ed25519_public(seed)), public)

    def test_an_all_zero_result_is_refused(self):  # SPEC 1.3-7
        for point in (bytes(32), b"\x01" + bytes(31)):
            with self.assertRaises(weft_keys.DoesNotOpen):
                weft_keys.x25519(b"\x05" * 32, point)


class Wire(unittest.TestCase):
    def test_window_numbers_name_the_packet_next_to_the_highest(self):  # SPEC 2.2-2
        self.assertEqual(weft_wire.full_number(0x00, 1, 0), 0)
        self.assertEqual(weft_wire.full_number(0x01, 1, 127), 129)
        self.assertEqual(weft_wire.full_number(0x7F, 1, 130), 127)
        for highest in range(300):
            base = max(0, highest - 64)
            for number in range(base, base + 128):
                self.assertEqual(weft_wire.full_number(number % 128, 1, highest), number)

    def test_window_numbers_of_more_than_9_bytes_are_refused(self):  # SPEC 2.2-3
        self.assertEqual(weft_wire.window_number(b"\x80" * 8 + b"\x05" + b"\x80"), (5, 9))
        with self.assertRaises(weft_wire.Malformed):
            weft_wire.window_number(b"\x80" * 9 + b"\x05")

    def test_varints_have_one_form(self):
        for text in ("8001", "8000", "82ffffffffffffffff7f", "81ffffffffffffffffff7f", "81"):
            with self.assertRaises(weft_wire.Malformed):
                weft_wire.Reader(bytes.fromhex(text)).varint()
        self.assertEqual(weft_wire.Reader(bytes.fromhex("81ffffffffffffffff7f")).varint(), 2**64 - 1)

    def test_an_ack_becomes_ranges(self):
        (ack,) = frames(bytes.fromhex("02 8768 19 0a 02 0102 0003"))
        self.assertEqual(ack["received"], [[999, 1000], [996, 996], [990, 992]])

    def test_a_run_that_reaches_the_floor_is_refused(self):  # SPEC 3.1-1
        for text in ("02 0a 00 05 01 0005", "02 0a 00 05 01 0401", "02 0a 00 05 02 0003 0001", "02 05 00 00 01 0001"):
            with self.assertRaises(weft_wire.Malformed):
                frames(bytes.fromhex(text))

    def test_unknown_frames_and_frames_cut_short_are_refused(self):
        for text in ("13", "1f", "25", "ff", "05 01 02 00 02 2a", "0a 00", "04 00 00 00 00", "06 03 00"):
            with self.assertRaises(weft_wire.Malformed):
                frames(bytes.fromhex(text))


class Handshakes(unittest.TestCase):
    def check(self, encoder):
        vector = encoder.vector()
        self.assertEqual(differences(vector), [])
        return vector

    def test_both_modes_open(self):
        self.check(Encoder(1, two_way=True))
        self.check(Encoder(2, two_way=False))

    def test_work_is_checked(self):  # SPEC 1.3-2, 1.8-1
        for algorithm, effort in ((1, 500), (2, 20)):
            vector = self.check(Encoder(3, effort=effort, algorithm=algorithm))
            vector["solve"] = vector["solve"][:200] + "ff" * 8 + vector["solve"][216:]
            with self.assertRaises(weft_keys.DoesNotOpen):
                differences(vector)

    def test_work_by_another_algorithm_is_refused(self):  # SPEC 1.8-2
        vector = Encoder(3, effort=1).vector()
        for algorithm in (0, 3):
            changed = {**vector, "challenge": vector["challenge"][:36] + f"{algorithm:02x}" + vector["challenge"][38:],
                       "solve": vector["solve"][:36] + f"{algorithm:02x}" + vector["solve"][38:]}
            with self.assertRaises(REFUSED):
                differences(changed)

    def test_choices_that_the_lists_do_not_give_are_refused(self):  # SPEC 1.3-10
        with self.assertRaises(weft_keys.DoesNotOpen):
            differences(Encoder(4, choices=[9, 7]).vector())

    def test_any_byte_of_the_handshake_matters(self):
        vector = Encoder(5).vector()
        for name in ("hello", "challenge", "solve", "confirm"):
            for bit in range(0, 4 * len(vector[name]), 7):  # at least one bit of every byte
                if name == "solve" and 800 <= bit < 864:
                    continue  # the work nonce, where no work is asked
                changed = {**vector, name: flipped(vector[name], bit)}
                with self.subTest(name=name, bit=bit), self.assertRaises(REFUSED):
                    weft_decode.open_handshake(changed).run()

    def test_any_byte_of_a_packet_matters(self):
        vector = Encoder(6).vector()
        for index, packet in enumerate(vector["packets"]):
            for bit in range(0, 4 * len(packet["packet"]), 7):
                changed = copy.deepcopy(vector)
                changed["packets"][index]["packet"] = flipped(packet["packet"], bit)
                with self.subTest(index=index, bit=bit), self.assertRaises(REFUSED):
                    weft_decode.decode_vector(changed)

    def test_a_difference_is_told(self):
        good = Encoder(7).vector()
        for name in ("root_c2s", "root_s2c", "solve_frames", "confirm_frames"):
            self.assertEqual(len(differences({**good, name: flipped(good[name], 0)})), 1)
        self.assertEqual(len(differences({**good, "mode": "one-way"})), 1)
        bad = copy.deepcopy(good)
        bad["packets"][0]["number"] = 2
        bad["packets"][1]["frames"] = "00"
        bad["packets"][2]["phase"] = 2
        bad["rekeys"][0]["root_c2s"] = "00"
        self.assertEqual(len(differences(bad)), 4)


class CommandLine(unittest.TestCase):
    def run_main(self, *args):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            status = weft_decode.main(list(args))
        return status, [json.loads(line) for line in out.getvalue().splitlines()]

    def test_packets_open_with_a_key_log(self):
        vector = Encoder(8).vector()
        change = vector["rekeys"][0]
        log = ["# a comment"]
        for way, cid in (("c2s", "d1" * 8), ("s2c", "c1" * 8)):
            log.append(f"WEFT_SECRET {cid} 0 {way} {vector['root_' + way]}")
            log.append(f"WEFT_SECRET {cid} 1 {way} {change['root_' + way]}")
        lines = [vector["hello"], *(p["packet"] for p in vector["packets"]), "85" * 40, "77"]
        with tempfile.NamedTemporaryFile("w") as keys, tempfile.NamedTemporaryFile("w") as file:
            keys.write("\n".join(log))
            keys.flush()
            file.write("\n".join(lines))
            file.flush()
            status, out = self.run_main("datagrams", "--keylog", keys.name, file.name)
        self.assertEqual(status, 0)
        self.assertEqual(out[0]["kind"], "hello")
        for packet, got in zip(vector["packets"], out[1:6]):
            self.assertEqual(got["plain"], packet["frames"])
            self.assertEqual((got["number"], got["direction"]), (packet["number"], packet["direction"]))
        self.assertIn("error", out[6])
        self.assertIn("error", out[7])

    def test_a_vector_is_printed_as_json_and_a_bad_one_fails(self):
        vector = Encoder(9).vector()
        with tempfile.NamedTemporaryFile("w") as good, tempfile.NamedTemporaryFile("w") as bad:
            json.dump(vector, good)
            good.flush()
            json.dump({**vector, "confirm": flipped(vector["confirm"], 460)}, bad)
            bad.flush()
            self.assertEqual(self.run_main("vector", good.name)[0], 0)
            status, out = self.run_main("vector", good.name, bad.name)
        self.assertEqual(status, 1)
        self.assertEqual(out[0]["roots"]["c2s"], vector["root_c2s"])
        self.assertEqual(out[0]["packets"][0]["frames"], [{"type": "PING"}])
        self.assertIn("error", out[1])
