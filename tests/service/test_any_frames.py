"""Whatever frames come in whatever order, with whatever in them: a session answers or ends, and never breaks."""

from typing import Any

from google.protobuf.message import DecodeError
from heartline.v1.session_service_pb2 import ConnectRequest
from hypothesis import given
from hypothesis import strategies as st
from service.draws import BOUNDED
from service.peer import Peer, house
from virtual_time import settle, virtual

NAMES = st.sampled_from(["", "news", "orders", "$presence", "$mine", "phone-7", "x" * 256, "a\nb"])
NUMBERS = st.sampled_from([0, 1, 2, 7, 2**31, 2**63, 2**64 - 1])
DURATIONS = st.fixed_dictionaries(
    {
        "seconds": st.sampled_from([-(2**63), -1, 0, 1, 15, 600, 2**63 - 1]),
        "nanos": st.sampled_from([-(2**31), -1, 0, 1, 10**8, 2**31 - 1]),
    }
)
POSITIONS = st.fixed_dictionaries({}, optional={"channel": NAMES, "epoch": NAMES, "offset": NUMBERS})
SUBSCRIPTIONS = st.fixed_dictionaries(
    {"channel": NAMES}, optional={"after": POSITIONS, "max_unacked": st.integers(0, 2**32 - 1)}
) | st.fixed_dictionaries({"channel": NAMES, "start": st.integers(-(2**31), 2**31 - 1) | st.integers(0, 3)})
MESSAGES = st.fixed_dictionaries({}, optional={"id": NAMES, "text": NAMES, "attributes": st.dictionaries(NAMES, NAMES)})
BEATS = st.fixed_dictionaries({}, optional={"sequence": NUMBERS, "send_time": DURATIONS, "status": NAMES})
FRAMES: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries({}, optional={"id": NAMES}).flatmap(
    lambda named: st.one_of(
        st.fixed_dictionaries({"subscribe": st.fixed_dictionaries({"subscription": SUBSCRIPTIONS})}),
        st.fixed_dictionaries({"unsubscribe": st.fixed_dictionaries({"channel": NAMES})}),
        st.fixed_dictionaries(
            {"publish": st.fixed_dictionaries({"channel": NAMES, "messages": st.lists(MESSAGES, max_size=3)})}
        ),
        st.fixed_dictionaries(
            {"ack": st.fixed_dictionaries({"positions": st.lists(POSITIONS, min_size=1, max_size=3)})}
        ),
        st.fixed_dictionaries({"heartbeat": BEATS}),
        st.fixed_dictionaries({"heartbeat_ack": BEATS}),
        st.just({}),
    ).map(lambda frame: named | frame)
)
HELLOS = st.fixed_dictionaries(
    {},
    optional={
        "client_id": NAMES,
        "heartbeat_interval": DURATIONS,
        "heartbeat_timeout": DURATIONS,
        "subscriptions": st.lists(SUBSCRIPTIONS, max_size=3),
        "status": NAMES,
        "passive": st.booleans(),
        "replaces": NAMES,
    },
)


async def still_answers(peer: Peer) -> None:
    """Fails unless a heartbeat is answered now."""
    peer.say("still there?", heartbeat={"sequence": 1})
    await settle()
    assert peer.answer("still there?").HasField("heartbeat_ack")


@BOUNDED
@given(st.lists(FRAMES, max_size=20))
@virtual
async def test_a_session_that_is_open_answers_after_any_frames(frames: list[dict[str, Any]]) -> None:
    async with house() as server:
        peer = await server.client("phone-7", "news")
        for frame in frames:
            peer.say(**frame)
        await still_answers(peer)


@BOUNDED
@given(HELLOS)
@virtual
async def test_any_hello_opens_a_session_or_is_refused(hello: dict[str, Any]) -> None:
    async with house() as server:
        peer = server.peer()
        peer.say(hello=hello)
        await settle()
        if peer.over:
            assert peer.fault is not None
            assert peer.fault.field.startswith("hello.")
            assert not server.hub.sessions
        else:
            await still_answers(peer)


@BOUNDED
@given(st.lists(st.binary(max_size=60), max_size=20))
@virtual
async def test_a_session_that_is_open_answers_after_any_bytes(frames: list[bytes]) -> None:
    async with house() as server:
        peer = await server.client("phone-7", "news")
        for data in frames:
            if not _ends(data):
                peer.session.receive(data)
        await still_answers(peer)


def _ends(data: bytes) -> bool:
    """Whether the bytes happen to be a goodbye, or a beat that tells of events which never came."""
    try:
        frame = ConnectRequest.FromString(data)
    except DecodeError:
        return False
    return frame.HasField("goodbye") or bool(frame.heartbeat.events_sent or frame.heartbeat_ack.events_sent)
