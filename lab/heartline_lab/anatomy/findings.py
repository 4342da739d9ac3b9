"""What a whole connection shows: who spoke to whom, what each flag did, and how it was closed. Pure."""

from collections.abc import Sequence

from hyperframe.frame import GoAwayFrame

from heartline_lab.anatomy.dissect import FLAGS, Connection, Segment
from heartline_lab.anatomy.http2 import Part
from heartline_lab.anatomy.segment_words import side

_DID = {
    "SYN": "opened a direction, and counted as one in it",
    "ACK": "said how far the other side's bytes have arrived",
    "PSH": "brought data, to be handed on at once",
    "FIN": "closed a direction, and counted as one in it",
    "RST": "dropped the connection",
    "URG": "marked urgent data",
}
_FEW = 2
"""How many packet numbers are worth naming one by one."""


def five_tuple(connection: Connection) -> str:
    """The five things that tell this connection from every other."""
    (client, client_port), (server, server_port) = connection.client, connection.server
    return f"TCP, client {client} port {client_port}, server {server} port {server_port}"


def flags(connection: Connection) -> list[tuple[str, str, str]]:
    """For each of the six flags: its name, the packets that had it, and what it did in them."""
    rows = []
    for flag in FLAGS:
        seen = [segment for segment in connection.segments if segment.has(flag)]
        did = _DID[flag] if seen else ""
        if flag == "PSH" and seen:
            silent = sum(bool(one.payload) and not one.has(flag) for one in connection.segments)
            did += f"; {silent} with data lacked it" if silent else "; none with data lacked it"
        rows.append((flag, _packets(seen, len(connection.segments)), did))
    return rows


def _packets(seen: Sequence[Segment], total: int) -> str:
    if not seen:
        return "none seen"
    if len(seen) > _FEW:
        return f"{len(seen)} of {total} packets"
    return ", ".join(f"{one.number} ({side(one.from_client)})" for one in seen)


def closing(connection: Connection, parts: Sequence[Part]) -> str:
    """Who closed first, and in how many packets."""
    end = next((one for one in connection.segments if one.flags & {"FIN", "RST"}), None)
    if end is None:
        return "nobody closed it while it was captured"
    told = any(isinstance(part.frame, GoAwayFrame) for part in parts)
    first = (
        f"the {side(end.from_client)} closed first, in packet {end.number}, with{'' if told else 'out'} a GOAWAY before"
    )
    reset = next((one for one in connection.segments if one.has("RST")), None)
    if reset is not None:
        return f"{first}; an RST from the {side(reset.from_client)}, packet {reset.number}, ended it at once"
    return f"{first}; {_both_sides(connection, end)}"


def _both_sides(connection: Connection, first: Segment) -> str:
    steps = []
    for fin in (first, connection.fin(not first.from_client)):
        answer = fin and _answer(connection, fin)
        if fin is None or answer is None:
            return "the rest was not captured"
        steps += [(f"{side(fin.from_client)}'s FIN", fin.number), ("its ACK", answer.number)]
    named = ", ".join(f"{step} in {number}" for step, number in steps)
    numbers = [number for _, number in steps]
    merged = [str(number) for number in sorted(set(numbers)) if numbers.count(number) > 1]
    less = f", not {len(steps)}, as {' and '.join(merged)} did two of these at once" if merged else ""
    return f"{named}: {len(set(numbers))} packets{less}"


def _answer(connection: Connection, fin: Segment) -> Segment | None:
    others = (one for one in connection.segments if one.from_client is not fin.from_client)
    return next((one for one in others if one.ack >= fin.next_seq), None)
