# SPDX-License-Identifier: Apache-2.0
"""Opens a vector with the independent decoder and says where it and the vector differ."""

import weft_decode
import weft_work


def _expected(vector, out):
    """(what, as the vector has it, as the decoder found it)"""
    yield "mode", vector["mode"], out["mode"]
    yield "frames of box2", vector["solve_frames"], out["solve_body"]["frames"].hex()
    yield "frames of box3", vector["confirm_frames"], out["confirm_body"]["frames"].hex()
    for way in ("c2s", "s2c"):
        yield f"root {way}", vector[f"root_{way}"], out["roots"][way].hex()
        for change in vector.get("rekeys", []):
            g = change["generation"]
            yield f"root {way} of generation {g}", change[f"root_{way}"], out["generations"][way][g].hex()
    yield "number of packets", len(vector["packets"]), len(out["packets"])
    for index, (want, got) in enumerate(zip(vector["packets"], out["packets"])):
        yield f"number of packet {index}", want["number"], got["number"]
        yield f"phase of packet {index}", want["phase"], got["phase"]
        yield f"frames of packet {index}", want["frames"], got["plain"].hex()


def differences(vector):
    if "tries" in vector:
        return list(weft_work.differences(vector))
    out = weft_decode.decode_vector(vector)
    return [f"{what}: {want} in the vector, {got} decoded" for what, want, got in _expected(vector, out) if want != got]
