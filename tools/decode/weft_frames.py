# SPDX-License-Identifier: Apache-2.0
"""Parses the frames inside a packet (docs/spec/3-frames.md) into a list of dictionaries."""

from weft_wire import Malformed, NUMBER_MAX, Reader, between


def _number(reader):
    return reader.varint(1, NUMBER_MAX)


def _amount(reader):
    return reader.varint(0, NUMBER_MAX)


def _nothing(_reader):
    return {}


def _runs(reader, newest, floor):
    """The received ranges, newest first, as [first, last]."""
    ranges = []
    top = newest  # received
    position = newest - 1
    for _ in range(reader.varint(0, 256)):
        missing_last = position - reader.varint()
        missing_first = missing_last - reader.varint(1) + 1
        if missing_first <= floor:
            raise Malformed("a run that reaches the floor")
        ranges.append([missing_last + 1, top])
        top = missing_first - 1  # received, and not counted in the next skip
        position = top - 1
    ranges.append([floor, top])
    return ranges


def _ack(reader):
    newest = _amount(reader)
    out = {"newest": newest, "delay_us": _amount(reader)}
    out["floor"] = newest - reader.varint(0, newest)
    out["received"] = _runs(reader, newest, out["floor"])
    return out


def _ack_ecn(reader):
    out = _ack(reader)
    return {**out, "ect0": _amount(reader), "ect1": _amount(reader), "ce": _amount(reader)}


def _message_open(reader):
    out = {"number": _number(reader)}
    flags = between(reader.number(1), 0, 0x7F)
    out["priority"] = between(flags >> 5, 0, 2)
    out["length"] = None if flags & 0x01 else _amount(reader)
    if flags & 0x02:
        out["service"] = reader.len8(1, 64)
    else:
        out["handler"] = reader.varint()
    if flags & 0x04:
        out["in_reply_to"] = _number(reader)
    if flags & 0x08:
        out["in_regards_to"] = _number(reader)
    if flags & 0x10:
        out["lifetime_ms"] = _number(reader)
    return out


def _message_data(reader):
    out = {"number": _number(reader)}
    flags = between(reader.number(1), 0, 3)
    out["end"] = bool(flags & 0x01)
    out["offset"] = _amount(reader)
    out["data"] = reader.take(_amount(reader)) if flags & 0x02 else reader.rest()
    between(out["offset"] + len(out["data"]), 0, NUMBER_MAX)
    return out


def _credit(reader):
    scope = between(reader.number(1), 0, 2)
    out = {"scope": ("node", "message", "count")[scope]}
    if scope == 1:
        out["number"] = _number(reader)
    return {**out, "limit": _amount(reader)}


def _cancel(reader):
    return {"number": _number(reader), "code": _amount(reader), "size": _amount(reader)}


def _stop(reader):
    return {"number": _number(reader), "code": _amount(reader)}


def _datagram(reader):
    return {"data": reader.take(_amount(reader))}


def _path(reader):
    return {"token": reader.take(8)}


def _new_id(reader):
    return {"sequence": _amount(reader), "retire_below": _amount(reader), "cid": reader.take(8)}


def _retire_id(reader):
    return {"sequence": _amount(reader)}


def _rekey(reader):
    return {"generation": _amount(reader), "key": reader.take(32)}


def _ticket(reader):
    return {"ticket": reader.take(reader.varint(1, 1024))}


def _time(reader):
    return {"wall_ms": reader.number(8)}


def _error(reader):
    return {"regards": _amount(reader), **_close(reader)}


def _close(reader):
    return {"code": _amount(reader), "text": reader.len8(0, 255)}


def _circuit_open(reader):
    out = {"circuit": _number(reader), "flags": between(reader.number(1), 0, 0)}
    return {**out, "credit": _amount(reader), "target": reader.len8(1, 255)}


def _circuit_accept(reader):
    return {"circuit": _number(reader), "credit": _amount(reader)}


def _circuit_data(reader):
    return {"circuit": _number(reader), "data": reader.take(_amount(reader))}


def _circuit_credit(reader):
    return {"circuit": _number(reader), "limit": _amount(reader)}


def _circuit_reset(reader):
    return {"circuit": _number(reader), "code": _amount(reader)}


TYPES = {
    0x00: ("PAD", _nothing),
    0x01: ("PING", _nothing),
    0x02: ("ACK", _ack),
    0x03: ("ACK_ECN", _ack_ecn),
    0x04: ("MESSAGE_OPEN", _message_open),
    0x05: ("MESSAGE_DATA", _message_data),
    0x06: ("CREDIT", _credit),
    0x07: ("CANCEL", _cancel),
    0x08: ("STOP", _stop),
    0x09: ("DATAGRAM", _datagram),
    0x0A: ("PATH_CHALLENGE", _path),
    0x0B: ("PATH_RESPONSE", _path),
    0x0C: ("NEW_ID", _new_id),
    0x0D: ("RETIRE_ID", _retire_id),
    0x0E: ("REKEY", _rekey),
    0x0F: ("TICKET", _ticket),
    0x10: ("TIME", _time),
    0x11: ("ERROR", _error),
    0x12: ("CLOSE", _close),
    0x20: ("CIRCUIT_OPEN", _circuit_open),
    0x21: ("CIRCUIT_ACCEPT", _circuit_accept),
    0x22: ("CIRCUIT_DATA", _circuit_data),
    0x23: ("CIRCUIT_CREDIT", _circuit_credit),
    0x24: ("CIRCUIT_RESET", _circuit_reset),
}


def frames(data):
    """All frames; PADs in a row are one entry with their count."""
    reader = Reader(data)
    out = []
    while reader.left():
        code = reader.number(1)
        if code not in TYPES:
            raise Malformed(f"frame type 0x{code:02x} is unknown")
        name, parse = TYPES[code]
        if name == "PAD" and out and out[-1]["type"] == "PAD":
            out[-1]["count"] += 1
            continue
        out.append({"type": name, **parse(reader)})
        if name == "PAD":
            out[-1]["count"] = 1
    return out
