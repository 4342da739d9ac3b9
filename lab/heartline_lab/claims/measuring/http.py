"""What HTTP does with connections, and gRPC, which is HTTP/2: statements 1, 6, 10 and 14."""

import asyncio
import http.client
import socket
import time
from collections.abc import Callable, Sequence

from heartline.v1.session_service_pb2 import ConnectRequest, Hello
from hyperframe.frame import DataFrame, PingFrame, SettingsFrame

from heartline_lab.anatomy.capture import Capture
from heartline_lab.anatomy.dissect import Connection, Segment, connections
from heartline_lab.anatomy.http2 import parts
from heartline_lab.anatomy.names import message_name
from heartline_lab.claims.judging.http import Overlap, Page, ShortCalls, Unasked, usual
from heartline_lab.claims.measuring import pages as site
from heartline_lab.claims.measuring.pages import Apart, Closing, Keeping, Pages, pages, read_answer
from heartline_lab.claims.measuring.stubs import calling, latest, until
from heartline_lab.claims.measuring.wire import GUARD
from heartline_lab.middlebox import Middlebox
from heartline_lab.processes import serving

_CALLS = 5
_REQUESTS = 3
_FETCHES = 20
_QUIET = 1.0
"""Seconds in which a client says nothing before an event is published for it."""
_GET = b"GET %s HTTP/1.1\r\nHost: lab\r\n\r\n"


async def short_calls() -> ShortCalls:
    """Counts connections under the same number of calls, by HTTP/1.0 and by gRPC."""
    http10, ended_after = await asyncio.to_thread(_short_http)
    async with serving() as server, Middlebox(server.address, listen="127.0.0.1:0") as box:
        async with calling(box.address) as stubs:
            for _ in range(_CALLS):
                await stubs.poll()
        one_channel = box.totals().connections
        for _ in range(_CALLS):
            async with calling(box.address) as stubs:
                await stubs.poll()
        channels = box.totals().connections - one_channel
    return ShortCalls(_CALLS, http10, ended_after, grpc_connections=one_channel, channels_connections=channels)


def _short_http() -> tuple[int, float | None]:
    with pages(Closing) as server:
        client = http.client.HTTPConnection(*_address(server), timeout=5)
        for _ in range(_CALLS):
            _get(client, "/small")
        client.close()
        connections = server.connections
        with socket.create_connection(_address(server), timeout=1) as raw:
            raw.sendall(_GET % b"/small")
            read_answer(raw)
            began = time.perf_counter()
            try:
                ended = raw.recv(1) == b""
            except TimeoutError:
                ended = False
            return connections, time.perf_counter() - began if ended else None


async def overlap() -> Overlap:
    """Several requests on one HTTP/1.1 connection: in a row, at once, behind a slow one; and the last by HTTP/2."""
    connections, pipelined, refusal = await asyncio.to_thread(_kept_http)
    async with serving() as server, calling(server.address) as stubs:
        await stubs.poll()
        slow = asyncio.create_task(stubs.poll(wait=site.SLOW))
        await asyncio.sleep(0)
        began = time.perf_counter()
        await stubs.poll()
        http2_after = time.perf_counter() - began
        await slow
    answers, fast_after = pipelined
    return Overlap(
        requests=_REQUESTS,
        connections=connections,
        pipelined=answers,
        slow=site.SLOW,
        fast_after=fast_after,
        refusal=refusal,
        http2_after=http2_after,
    )


def _kept_http() -> tuple[int, tuple[int, float], str]:
    with pages(Keeping) as server:
        client = http.client.HTTPConnection(*_address(server), timeout=5)
        for _ in range(_REQUESTS):
            _get(client, "/small")
        connections = server.connections
        refusal = ""
        client.request("GET", "/small")
        try:
            client.request("GET", "/small")
        except http.client.HTTPException as error:
            refusal = type(error).__name__
        client.getresponse().read()
        client.close()
        return connections, _pipelined(server), refusal


def _pipelined(server: Pages) -> tuple[int, float]:
    """How many answers came to requests in one write, a slow one and fast ones; when the first fast one came."""
    with socket.create_connection(_address(server), timeout=5) as raw:
        began = time.perf_counter()
        raw.sendall(_GET % b"/slow" + _GET % b"/small" * (_REQUESTS - 1))
        came = []
        for _ in range(_REQUESTS):
            read_answer(raw)
            came.append(time.perf_counter() - began)
        return len(came), came[1]


async def unasked() -> Unasked:
    """Captures a session into which an event is pushed; and reads a stream of events by HTTP/1.1."""
    http1_events, spread = await asyncio.to_thread(_streamed)
    async with serving() as server, calling(server.address) as others:
        await others.publish()
        async with Capture(int(server.address.rsplit(":", 1)[1])) as capture, calling(server.address) as stubs:
            call = stubs.sessions.Connect()
            await call.write(ConnectRequest(hello=Hello(subscriptions=[latest()], passive=True)))
            await until(call, "subscribed")
            await asyncio.sleep(_QUIET)
            await others.publish()
            await until(call, "events")
            call.cancel()
    session = connections(capture.packets)[0]
    return Unasked(*_unasked(session), http1_requests=1, http1_events=http1_events, http1_spread=spread)


def _unasked(session: Connection) -> tuple[float, int, int, int | None]:
    """For how long the client had said nothing when the event came; the server's PINGs and SETTINGS; ENABLE_PUSH."""
    pings = settings = 0
    push: int | None = None
    quiet = 0.0
    for part in parts(session, message_name):
        frame = part.frame
        own = frame is not None and "ACK" not in frame.flags
        if isinstance(frame, SettingsFrame) and own:
            if part.from_client:
                push = frame.settings.get(SettingsFrame.ENABLE_PUSH, push)
            else:
                settings += 1
        pings += isinstance(frame, PingFrame) and own and not part.from_client
        if isinstance(frame, DataFrame) and any(one.name.endswith("events") for one in part.messages):
            before = session.segments[: part.number - 1]
            said = max(one.at for one in before if one.from_client and one.payload)
            quiet = session.segments[part.number - 1].at - said
    return quiet, pings, settings, push


def _streamed() -> tuple[int, float]:
    """How many events one request brought by HTTP/1.1, and the time between the first and the last."""
    with pages(Keeping) as server:
        client = http.client.HTTPConnection(*_address(server), timeout=5)
        client.request("GET", "/events")
        answer = client.getresponse()
        came = []
        while answer.readline().startswith(b"data:"):
            came.append(time.perf_counter())
            answer.readline()
        client.close()
        return len(came), came[-1] - came[0]


async def page() -> Page:
    """Captures fetches of a page: small, on connections of their own; large; and again on a kept one."""
    small = await _fetched(_fetch_often, Closing)
    apart = await _fetched(_fetch_often, Apart)
    large = await _fetched(_fetch_large, Closing)
    kept = (await _fetched(_fetch_twice, Keeping))[0].segments
    counts = [len(connection.segments) for connection in small]
    second = [at for at, one in enumerate(kept) if one.from_client and one.payload][1]
    return Page(
        small=counts,
        sections=_sections(small[counts.index(usual(counts))]),
        apart=[len(connection.segments) for connection in apart],
        large=len(large[0].segments),
        large_bytes=site.LARGE,
        kept=_end(kept) - second,
    )


async def _fetched(fetch: Callable[[tuple[str, int]], None], handler: type[Closing]) -> list[Connection]:
    with pages(handler) as server:
        async with Capture(server.server_address[1]) as capture:
            await asyncio.to_thread(fetch, _address(server))
            await capture.until(lambda packets: all(one.ended for one in connections(packets)), GUARD)
    return connections(capture.packets)


def _fetch_often(address: tuple[str, int]) -> None:
    for _ in range(_FETCHES):
        client = http.client.HTTPConnection(*address, timeout=5)
        _get(client, "/small")
        client.close()


def _fetch_large(address: tuple[str, int]) -> None:
    client = http.client.HTTPConnection(*address, timeout=5)
    _get(client, "/large")
    client.close()


def _fetch_twice(address: tuple[str, int]) -> None:
    client = http.client.HTTPConnection(*address, timeout=5)
    _get(client, "/small")
    _get(client, "/small")
    time.sleep(0.3)  # an ACK that is put off for a while belongs to the second page as well
    client.close()


def _sections(connection: Connection) -> tuple[int, int, int]:
    """Packets before the request, up to the first FIN, and from there."""
    segments = connection.segments
    request = next(at for at, one in enumerate(segments) if one.payload)
    return request, _end(segments) - request, len(segments) - _end(segments)


def _end(segments: Sequence[Segment]) -> int:
    return next(at for at, one in enumerate(segments) if one.has("FIN"))


def _get(client: http.client.HTTPConnection, path: str) -> None:
    client.request("GET", path)
    client.getresponse().read()


def _address(server: Pages) -> tuple[str, int]:
    host, port = server.server_address[:2]
    return str(host), int(port)
