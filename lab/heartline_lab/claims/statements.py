"""The twenty statements: what each says, the experiment that tests it, and what judges the facts.

Rules:
- The words are those of the statement, right or wrong; what follows for a reader must stay true whatever the verdict.
- Experiments whose figures others would spoil run alone.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from heartline_lab.claims.judging import faults as judge_faults
from heartline_lab.claims.judging import http as judge_http
from heartline_lab.claims.judging import presence as judge_presence
from heartline_lab.claims.judging import process as judge_process
from heartline_lab.claims.judging import tcp as judge_tcp
from heartline_lab.claims.measuring import faults, flow, heartbeats, http, presence, process, silence, tcp
from heartline_lab.claims.parts import Part
from heartline_lab.claims.rights import Need

Facts = TypeVar("Facts")


@dataclass(frozen=True, slots=True)
class Statement(Generic[Facts]):
    """One of the twenty."""

    number: int
    says: str
    follows: str
    """For whoever builds on it."""
    measure: Callable[[], Awaitable[Facts]]
    judge: Callable[[Facts], Sequence[Part]]
    needs: tuple[Need, ...] = ()
    alone: bool = False


STATEMENTS: tuple[Statement[Any], ...] = (
    Statement(
        1,
        says="A short connection ends with its answer; a call a connection.",
        follows="Count connections apart from calls: a new one for each call costs a handshake and a close "
        "each time. Keep one HTTP client, or one gRPC channel, and make all calls over it.",
        measure=http.short_calls,
        judge=judge_http.short_calls,
    ),
    Statement(
        2,
        says="A long connection lasts until a side closes, a fault, or a middlebox that dislikes silence.",
        follows="The kernel does not end an idle connection, and does not watch it either: whoever needs to "
        "know whether it still works has to say something on it. Do not take every outage for the "
        "end.",
        measure=faults.long_connection,
        judge=judge_faults.long_connection,
    ),
    Statement(
        3,
        says="A firewall drops idle connections in silence; heartbeats keep them.",
        follows="Send heartbeats more often than the least patient middlebox on the way forgets. Heartline's "
        "15 s stay under the 60 s of common load balancers.",
        measure=faults.firewall,
        judge=judge_faults.firewall,
        needs=(Need.ROOT, Need.NFT),
    ),
    Statement(
        4,
        says="A connection begins with a three-way handshake that carries no data, ack = seq + 1.",
        follows="Each new connection costs a round-trip before its first byte, unless both sides use Fast "
        "Open: one more reason to keep connections.",
        measure=tcp.handshake,
        judge=judge_tcp.handshake,
        needs=(Need.ROOT,),
    ),
    Statement(
        5,
        says="Closing takes four packets and either side may begin.",
        follows="Do not count on four packets, nor on a FIN: a reset ends a connection as well, and throws "
        "away what was not read yet.",
        measure=tcp.closing,
        judge=judge_tcp.closing,
        needs=(Need.ROOT,),
    ),
    Statement(
        6,
        says="HTTP/1.1 sends several requests over one connection and may overlap them.",
        follows="Keep HTTP/1.1 connections, but do not count on overlapping: a slow answer holds up all "
        "behind it. Calls that must not wait for each other want HTTP/2.",
        measure=http.overlap,
        judge=judge_http.overlap,
    ),
    Statement(
        7,
        says="To look online over short connections a client must keep asking; the server calls it offline"
        " after silence, the client calls the network broken after no answer.",
        follows='The lease is a trade: a short one costs calls, a long one shows the dead as living. And "no '
        'answer" says that no answer came, not why: tell users so, and try again.',
        measure=presence.looks,
        judge=judge_presence.looks,
    ),
    Statement(
        8,
        says="A connection is told apart by its five-tuple; the server goes on listening while it serves "
        "others, many clients on one port.",
        follows="A server needs one port, however many clients it has. What runs out is a client's own ports "
        "towards one server, and file descriptors.",
        measure=tcp.five_tuples,
        judge=judge_tcp.five_tuples,
    ),
    Statement(
        9,
        says="Over short connections news waits for the next request; over a long one it is pushed.",
        follows="With short polls, staleness is half the interval on average, and you pay for every empty "
        "answer. A long poll or a stream brings news at once; `heartline contrast` measures the price"
        " of each.",
        measure=presence.news,
        judge=judge_presence.news,
        alone=True,
    ),
    Statement(
        10,
        says="From HTTP/2 on a server can send without being asked.",
        follows="A server pushes inside an exchange that the client began: a gRPC stream, or a streamed "
        "HTTP/1.1 answer as Server-Sent Events do. Open one and keep it open.",
        measure=http.unasked,
        judge=judge_http.unasked,
        needs=(Need.ROOT,),
    ),
    Statement(
        11,
        says="A clean close sends FIN; power or network loss sends nothing, and without a heartbeat the "
        "server cannot know.",
        follows="A server that only reads learns of a FIN and of a reset, and of nothing else. Give it "
        "something that has a deadline: heartbeats, which also tell a client that hangs, or at least "
        "TCP_USER_TIMEOUT on what it writes.",
        measure=silence.silence,
        judge=judge_faults.silence,
        needs=(Need.ROOT, Need.IP),
    ),
    Statement(
        12,
        says="SO_KEEPALIVE waits two hours by default and misses power-off, a pulled cable and firewalls; "
        "tuned shorter it costs traffic and CPU.",
        follows="Set the three options on each socket, not only SO_KEEPALIVE. Even then it proves a kernel, "
        "not a program: one that hangs is kept alive.",
        measure=silence.keepalive,
        judge=judge_faults.keepalive,
        needs=(Need.ROOT, Need.IP),
    ),
    Statement(
        13,
        says="A receiver answers a heartbeat at once; no answer in time means broken: reconnect, log, tell the user.",
        follows="Answer heartbeats before any other work, and let handlers run beside the reader. Heartline's"
        " library does all of this; `on_state` is where your program hears of it.",
        measure=heartbeats.heartbeats,
        judge=judge_presence.heartbeats,
        alone=True,
    ),
    Statement(
        14,
        says="Fetching one page over TCP takes the ten packets of the textbook.",
        follows="Do not plan with a count of packets; it hangs on writes, sizes and delayed ACKs. On a real "
        "network a packet carries 1,460 bytes at most, so a large page takes many more than on "
        "loopback.",
        measure=http.page,
        judge=judge_http.page,
        needs=(Need.ROOT,),
        alone=True,
    ),
    Statement(
        15,
        says="A heartbeat can carry useful data.",
        follows="Put what changes slowly and matters to others (battery, load) into the heartbeat's status: "
        "it needs no message of its own. It is at most 255 bytes here.",
        measure=heartbeats.status,
        judge=judge_presence.status,
    ),
    Statement(
        16,
        says="A socket may use TCP or UDP.",
        follows="Choose by what you need: TCP's stream has no borders, so frame your messages (gRPC does); "
        "UDP keeps borders, and loses and repeats what it likes. Others exist, such as Unix sockets.",
        measure=tcp.sockets,
        judge=judge_tcp.sockets,
    ),
    Statement(
        17,
        says="Accepting a connection makes a new thread for it.",
        follows="Threads are your server's choice, not TCP's. One loop over many sockets (asyncio, gRPC) "
        "holds thousands of idle connections without a thread for each.",
        measure=process.threads,
        judge=judge_process.threads,
    ),
    Statement(
        18,
        says="Address, protocol and port together name exactly one process.",
        follows="They name a set of sockets; which process answers is the kernel's choice. Turn SO_REUSEPORT "
        "off (gRPC turns it on) unless several workers share the port on purpose: two servers could "
        "bind it unnoticed.",
        measure=process.listeners,
        judge=judge_process.listeners,
    ),
    Statement(
        19,
        says="TCP's job is flow control.",
        follows="Count on TCP for bytes that come once, whole and in order, at a pace that the receiver and "
        "the network bear. Do not count on it to tell that the other side is gone, or has handled "
        "anything.",
        measure=flow.flow,
        judge=judge_tcp.flow,
    ),
    Statement(
        20,
        says="Six flags (SYN, ACK, PSH, FIN, RST, URG) steer a connection.",
        follows="Filters and tools that know six flags misread today's packets: ECE and CWR carry congestion "
        "signals since 2001, and a ninth bit (NS, now AE) is in use again.",
        measure=tcp.flags,
        judge=judge_tcp.flags,
        needs=(Need.ROOT,),
    ),
)
