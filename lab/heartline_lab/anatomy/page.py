"""The explanation of one connection, and of all of them side by side, as lines for people. Pure.

Rules:
- Every figure comes from the packets.
- Lines fit a terminal of WIDTH columns.
"""

import textwrap
from collections.abc import Iterator, Mapping, Sequence

from heartline.cli.output import bold, columns, dim

from heartline_lab.anatomy.account import CALLS, Account, account
from heartline_lab.anatomy.dissect import Connection, Segment
from heartline_lab.anatomy.findings import closing, five_tuple, flags
from heartline_lab.anatomy.frame_words import frame_words
from heartline_lab.anatomy.http2 import Part
from heartline_lab.anatomy.picture import flag_names, ladder
from heartline_lab.anatomy.segment_words import count, segment_words, side
from heartline_lab.drawing.ladder import as_text

WIDTH = 100
_HEAD = (
    f"{'#':>3} {'ms':>9}  {'from':6}  {'flags':7} {'seq':>6} {'ack':>6} {'bytes':>6}  {'raw seq':>10} {'raw ack':>10}"
)
_WORDS = " " * 15
_MESSAGES = "{:>6}  {:6}  {:30} {:>6}  {:>14}"
_CALLS = "{:>6}  {:>7}  {:>6}  {:>16}"


def page(title: str, connection: Connection, parts: Sequence[Part]) -> Iterator[str]:
    """One connection: packet by packet, as a ladder, and added up."""
    yield bold(title)
    yield f"five-tuple: {five_tuple(connection)}"
    yield ""
    yield dim(_HEAD)
    words = zip(segment_words(connection), frame_words(connection, parts), strict=True)
    for segment, (tcp, http2) in zip(connection.segments, words, strict=True):
        yield _row(segment)
        for said in (*tcp, *http2):
            yield from textwrap.wrap(said, WIDTH, initial_indent=_WORDS, subsequent_indent=f"{_WORDS}  ")
    yield ""
    yield from columns([(bold(flag), packets, did) for flag, packets, did in flags(connection)])
    yield from _wrapped(f"Closing: {closing(connection, parts)}.")
    yield ""
    yield as_text(ladder(title, connection, parts), WIDTH)
    yield ""
    yield from _account(account(connection, parts))


def _row(segment: Segment) -> str:
    ack, raw_ack = (segment.ack, segment.raw_ack) if segment.has("ACK") else ("-", "-")
    return (
        f"{segment.number:>3} {segment.at * 1000:>9.3f}  {side(segment.from_client):6}  {flag_names(segment):7} "
        f"{segment.seq:>6} {ack:>6} {len(segment.payload):>6}  {dim(f'{segment.raw_seq:>10} {raw_ack:>10}')}"
    )


def _account(total: Account) -> Iterator[str]:
    yield dim(_MESSAGES.format("packet", "from", "message", "bytes", "packet's bytes"))
    for one in total.sent:
        message, segment = one.message, one.segment
        yield _MESSAGES.format(
            segment.number, side(segment.from_client), message.name, message.size, f"{segment.size:,}"
        ).rstrip()
    yield ""
    if len(total.calls) > 1:
        yield dim(_CALLS.format("stream", "packets", "bytes", "of these HEADERS"))
        yield from (_CALLS.format(one.stream, one.packets, one.bytes, one.headers) for one in total.calls)
        yield ""
    asked, answered = (
        sum(one.message.size for one in total.sent if one.segment.from_client is it) for it in (True, False)
    )
    yield from _wrapped(
        f"{total.packets} packets and {total.bytes:,} bytes, for messages of {asked:,} bytes from the client and "
        f"{answered:,} from the server."
    )
    others = total.packets - total.purposes[CALLS]
    purposes = [f"{many} {purpose}" for purpose, many in total.purposes.items() if many and purpose != CALLS]
    yield from _wrapped(
        f"{total.purposes[CALLS]} of the packets {CALLS}. "
        f"The other {others} belong to the connection: {', '.join(purposes)}."
    )
    layers = (
        f"{total.payload - total.messages:,} are HTTP/2's and gRPC's, {total.bytes - total.payload:,} TCP's and IP's"
    )
    yield from _wrapped(f"Of the bytes {layers}; the messages are {total.messages / total.bytes:.0%}.")


def comparison(accounts: Mapping[str, Account]) -> Iterator[str]:
    """What one piece of news costs each way, for those that were captured."""
    if "short" in accounts:
        one = accounts["short"]
        yield from _wrapped(
            f"On a connection of its own an answer takes {one.packets} packets and {one.bytes:,} bytes."
        )
    if "kept" in accounts:
        again = accounts["kept"].calls[-1]
        packets = count(again.packets, "packet")
        yield from _wrapped(
            f"On a kept connection the last question and its answer took {packets} of {again.bytes:,} bytes."
        )
    if "session" in accounts:
        for sent in accounts["session"].sent:
            if sent.message.name.endswith(" events"):
                yield from _wrapped(
                    f"In a session the event came in one packet of {sent.segment.size:,} bytes, unasked."
                )


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH)
