"""Judges what HTTP over TCP showed, and gRPC, which is HTTP/2. Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from heartline_lab.claims.parts import Part, ms, s


@dataclass(frozen=True, slots=True)
class ShortCalls:
    """Calls, and the connections that they took."""

    calls: int
    http10_connections: int
    """By HTTP/1.0."""
    ended_after: float | None
    """Seconds from the answer to the connection's end, by HTTP/1.0; None: it did not end."""
    grpc_connections: int
    """By unary gRPC calls on one channel."""
    channels_connections: int
    """By unary gRPC calls with a channel each."""


def short_calls(facts: ShortCalls) -> list[Part]:
    """Statement 1."""
    calls = facts.calls
    after = "did not end" if facts.ended_after is None else f"ended {ms(facts.ended_after)} after the answer"
    return [
        Part("a short connection ends with its answer", f"HTTP/1.0: it {after}", facts.ended_after is not None),
        Part(
            "a call a connection",
            f"HTTP/1.0: {calls} calls, {facts.http10_connections} connections; gRPC with a channel for each: "
            f"{calls} calls, {facts.channels_connections} connections",
            facts.http10_connections == facts.channels_connections == calls,
        ),
        Part(
            "whoever makes short calls makes short connections",
            f"unary gRPC calls on one channel: {calls} calls, {facts.grpc_connections} connection",
            facts.grpc_connections == calls,
            main=False,
        ),
    ]


@dataclass(frozen=True, slots=True)
class Overlap:
    """Requests that share a connection."""

    requests: int
    connections: int
    """That these took, one after the other, by HTTP/1.1."""
    pipelined: int
    """Answers to as many requests that were written before the first answer."""
    slow: float
    """Seconds that the first of them takes."""
    fast_after: float
    """Seconds until a fast one behind it was answered."""
    refusal: str
    """The error of http.client for a second request before the first answer; empty when there was none."""
    http2_after: float
    """The same as `fast_after`, by gRPC on one connection."""


def overlap(facts: Overlap) -> list[Part]:
    """Statement 6."""
    return [
        Part(
            "HTTP/1.1 sends several requests over one connection",
            f"{facts.requests} requests, {facts.connections} connection",
            facts.connections == 1 < facts.requests,
        ),
        Part(
            "it may send the next before the answer came (pipelining)",
            f"{facts.requests} requests in one write, {facts.pipelined} answers",
            facts.pipelined == facts.requests,
        ),
        Part(
            "their answers may overlap too",
            f"a fast answer came {ms(facts.fast_after)} after a slow request of {ms(facts.slow)} before it; "
            f"by HTTP/2 after {ms(facts.http2_after)}",
            facts.fast_after < facts.slow,
            main=False,
        ),
        Part(
            "clients do so",
            f"Python's http.client: {facts.refusal or 'no error'}",
            not facts.refusal,
            main=False,
        ),
    ]


@dataclass(frozen=True, slots=True)
class Unasked:
    """What servers sent that no request had just asked for."""

    quiet: float
    """Seconds from the last byte of the client's call to the event that the server pushed into it."""
    pings: int
    """PINGs that the server sent of its own accord, and its SETTINGS."""
    settings: int
    enable_push: int | None
    """What the gRPC client's SETTINGS say of server push; None: nothing, so it is allowed."""
    http1_requests: int
    """Requests by HTTP/1.1 on a connection over which events were streamed."""
    http1_events: int
    http1_spread: float
    """Seconds between the first of these events and the last."""


NO_ANSWER = 0.1
"""Seconds: what comes this long after the client's last byte does not answer it."""


def unasked(facts: Unasked) -> list[Part]:
    """Statement 10."""
    setting = "nothing" if facts.enable_push is None else facts.enable_push
    return [
        Part(
            "an HTTP/2 server can send without being asked",
            f"an event {s(facts.quiet)} after the client's last byte, over the stream that it had opened; "
            f"SETTINGS of the server's own: {facts.settings}, PINGs: {facts.pings}",
            facts.quiet > NO_ANSWER and facts.settings + facts.pings > 0,
        ),
        Part(
            "it can also begin an exchange (server push)",
            f"the client's SETTINGS_ENABLE_PUSH: {setting}",
            facts.enable_push != 0,
            main=False,
        ),
        Part(
            "before HTTP/2 it could not",
            f"HTTP/1.1: {facts.http1_requests} request, {facts.http1_events} events within {s(facts.http1_spread)}",
            not (facts.http1_events > facts.http1_requests and facts.http1_spread > 0),
            main=False,
        ),
    ]


@dataclass(frozen=True, slots=True)
class Page:
    """Packets that it took to fetch a page."""

    small: Sequence[int]
    """A small one over a connection of its own, written at once; fetched again and again."""
    sections: tuple[int, int, int]
    """Of the most usual count: before the request, up to the close, and the close."""
    apart: Sequence[int]
    """The same, when the server writes head and body one after the other."""
    large: int
    large_bytes: int
    kept: int
    """A small one over a connection that was there already."""


TEXTBOOK = 10


def page(facts: Page) -> list[Part]:
    """Statement 14."""
    begin, middle, end = facts.sections
    return [
        Part(
            "ten packets fetch a small page, when its server writes it at once",
            f"{usual(facts.small)} ({_range(facts.small)}): {begin} to begin, {middle} for request, answer and their "
            f"ACKs, {end} to close",
            usual(facts.small) == TEXTBOOK,
        ),
        Part(
            "and when the server writes its head and body one after the other",
            f"{usual(facts.apart)} ({_range(facts.apart)})",
            usual(facts.apart) == TEXTBOOK,
            main=False,
        ),
        Part(
            "and when the page is large",
            f"{facts.large_bytes:,} bytes: {facts.large}, on loopback, whose packets hold up to 64 KiB",
            facts.large == TEXTBOOK,
            main=False,
        ),
        Part("and on a kept connection", f"{facts.kept}", facts.kept == TEXTBOOK, main=False),
    ]


def usual(counts: Sequence[int]) -> int:
    """The count that came most often."""
    return Counter(counts).most_common(1)[0][0]


def _range(counts: Sequence[int]) -> str:
    return f"{min(counts)} to {max(counts)} in {len(counts)} fetches"
