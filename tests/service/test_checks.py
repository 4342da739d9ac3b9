"""What is let in: each check at its bounds, with the reason and the field that a refusal names."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration
from heartline.timing import Timing
from heartline.v1.events_pb2 import (
    START_ACKED,
    START_EARLIEST,
    START_LATEST,
    START_UNSPECIFIED,
    Message,
    Position,
    Subscription,
)
from heartline.v1.session_service_pb2 import Hello
from heartline_service import checks
from heartline_service.faults import REASONS, Fault
from heartline_service.stores.base import NewMessage

LONG = "x" * 256
LONG_IN_BYTES = "\u00e9" * 128
DEFAULT = Timing(15.0, 10.0)


def refused(check: Callable[[], Any]) -> tuple[str, str]:
    """The reason and the field of the refusal."""
    with pytest.raises(Fault) as told:
        check()
    assert told.value.reason in REASONS
    assert told.value.message
    return told.value.reason, told.value.field


class TestNames:
    @pytest.mark.parametrize("name", ["a", "x" * 255, "\u00e9" * 127, "phone 7", "a$b", "\u4e2d\u6587", "\U0001f600"])
    def test_a_name_of_up_to_255_bytes_is_taken_as_it_is(self, name: str) -> None:
        assert checks.client_id(name) == name
        assert checks.channel(name, "channel") == name
        assert checks.session_id(name, "session_id") == name
        assert checks.status(name) == name
        assert checks.frame_id(name) == name

    @pytest.mark.parametrize("name", [LONG, LONG_IN_BYTES, "a\nb", "\0", "\x1f", "\x7f", "\x80", "\x9f"])
    def test_an_overlong_name_and_one_with_control_characters_are_refused(self, name: str) -> None:
        assert refused(lambda: checks.client_id(name)) == ("INVALID_CLIENT_ID", "client_id")
        assert refused(lambda: checks.channel(name, "channel")) == ("INVALID_CHANNEL", "channel")
        assert refused(lambda: checks.session_id(name, "replaces")) == ("INVALID_SESSION_ID", "replaces")
        assert refused(lambda: checks.status(name)) == ("INVALID_STATUS", "status")
        assert refused(lambda: checks.frame_id(name)) == ("INVALID_FRAME_ID", "id")

    def test_an_empty_name_is_refused_where_one_is_needed(self) -> None:
        assert refused(lambda: checks.client_id("")) == ("INVALID_CLIENT_ID", "client_id")
        assert refused(lambda: checks.channel("", "channel")) == ("INVALID_CHANNEL", "channel")
        assert refused(lambda: checks.session_id("", "session_id")) == ("INVALID_SESSION_ID", "session_id")

    def test_an_empty_name_is_taken_where_none_is_needed(self) -> None:
        assert checks.client_id("", may_be_empty=True) == ""
        assert checks.session_id("", "replaces", may_be_empty=True) == ""
        assert checks.status("") == checks.frame_id("") == ""

    @pytest.mark.parametrize("name", ["$", "$presence", "$other"])
    def test_nobody_writes_to_a_reserved_channel(self, name: str) -> None:
        assert refused(lambda: checks.channel(name, "channel")) == ("RESERVED_CHANNEL", "channel")

    def test_of_the_reserved_channels_presence_alone_can_be_read(self) -> None:
        assert checks.channel("$presence", "channel", reading=True) == "$presence"
        assert refused(lambda: checks.channel("$other", "channel", reading=True)) == ("RESERVED_CHANNEL", "channel")


class TestMessages:
    MOST = 100

    def check(self, *given: Message) -> list[NewMessage]:
        return checks.messages(given, self.MOST)

    def test_a_message_is_kept_as_its_canonical_bytes(self) -> None:
        one = Message(id="m1", text="hello", attributes={"b": "2", "a": "1"})
        other = Message(id="m1", text="hello", attributes={"a": "1", "b": "2"})
        (kept,), (again,) = self.check(one), self.check(other)
        assert kept == again
        assert kept.id == "m1"
        assert Message.FromString(kept.body) == one

    def test_a_message_without_data_is_a_message(self) -> None:
        assert len(self.check(Message(attributes={"a": "1"}), Message())) == 2

    @pytest.mark.parametrize("size", [0, MOST])
    def test_data_up_to_the_limit_is_taken(self, size: int) -> None:
        assert self.check(Message(id="x" * 255, binary=bytes(size)), Message(text="x" * size))

    def test_data_over_the_limit_is_refused_in_bytes_and_names_its_place(self) -> None:
        reason = "PAYLOAD_TOO_LARGE"
        assert refused(lambda: self.check(Message(binary=bytes(101)))) == (reason, "messages[0].binary")
        assert refused(lambda: self.check(Message(), Message(text="\u00e9" * 51))) == (reason, "messages[1].text")

    def test_what_a_message_has_beyond_the_contract_is_not_kept(self) -> None:
        unknown = Message.FromString(Message(text="hello").SerializeToString() + b"\xfa\x01\x03abc")
        assert self.check(unknown) == self.check(Message(text="hello"))

    def test_from_1_to_1000_messages_are_taken(self) -> None:
        assert len(self.check(*[Message()] * 1000)) == 1000
        assert refused(lambda: self.check()) == ("NO_MESSAGES", "messages")
        assert refused(lambda: self.check(*[Message()] * 1001)) == ("TOO_MANY_MESSAGES", "messages")

    @pytest.mark.parametrize("name", [LONG, LONG_IN_BYTES, "a\nb"])
    def test_a_bad_message_id_names_its_place(self, name: str) -> None:
        told = refused(lambda: self.check(Message(id="good"), Message(id=name)))
        assert told == ("INVALID_MESSAGE_ID", "messages[1].id")

    @pytest.mark.parametrize(
        "attributes", [{"": "1"}, {LONG: "1"}, {"a\nb": "1"}, {"a": "x" * (16 * 1024)}, {"a": "\u00e9" * 8192}]
    )
    def test_attributes_out_of_bounds_are_refused(self, attributes: dict[str, str]) -> None:
        told = refused(lambda: self.check(Message(attributes=attributes)))
        assert told == ("INVALID_ATTRIBUTES", "messages[0].attributes")

    def test_attributes_may_hold_16_kib_of_any_text(self) -> None:
        assert self.check(Message(attributes={"a": "\n" * (16 * 1024 - 1)}))


class TestSubscriptions:
    def wish(self, given: Subscription, client: str = "phone-7") -> checks.Wish:
        return checks.wish(given, client)

    def test_without_a_place_a_named_client_goes_on_from_its_acks(self) -> None:
        assert self.wish(Subscription(channel="orders")).start == START_ACKED

    def test_without_a_place_an_anonymous_reader_starts_at_the_latest(self) -> None:
        assert self.wish(Subscription(channel="orders"), client="").start == START_LATEST
        assert self.wish(Subscription(channel="orders", start=START_UNSPECIFIED), client="").start == START_LATEST

    def test_a_named_start_is_taken(self) -> None:
        assert self.wish(Subscription(channel="orders", start=START_EARLIEST)).start == START_EARLIEST

    def test_a_position_is_taken_with_and_without_its_channel(self) -> None:
        for named in ("", "orders"):
            given = Subscription(channel="orders", after=Position(channel=named, epoch="e1", offset=7))
            assert self.wish(given).after == ("e1", 7)

    def test_an_empty_position_is_the_place_before_the_first_event(self) -> None:
        assert self.wish(Subscription(channel="orders", after=Position())).after == ("", 0)

    def test_a_position_of_another_channel_is_refused(self) -> None:
        given = Subscription(channel="orders", after=Position(channel="news"))
        assert refused(lambda: self.wish(given)) == ("INVALID_POSITION", "after.channel")

    @pytest.mark.parametrize("epoch", [LONG, LONG_IN_BYTES, "a\nb"])
    def test_an_epoch_that_no_log_can_have_is_refused(self, epoch: str) -> None:
        given = Subscription(channel="orders", after=Position(epoch=epoch))
        assert refused(lambda: self.wish(given)) == ("INVALID_POSITION", "after.epoch")

    def test_a_start_that_nobody_knows_is_refused(self) -> None:
        given = Subscription.FromString(Subscription(channel="orders").SerializeToString() + b"\x18\x63")
        assert refused(lambda: self.wish(given)) == ("INVALID_START", "start")

    def test_the_acked_start_needs_a_client(self) -> None:
        given = Subscription(channel="orders", start=START_ACKED)
        assert refused(lambda: self.wish(given, client="")) == ("INVALID_START", "start")

    @pytest.mark.parametrize(("count", "at_least"), [(0, 1), (101, 0), (101, 1)])
    def test_too_few_and_too_many_are_refused(self, count: int, at_least: int) -> None:
        given = [Subscription(channel=f"c{number}") for number in range(count)]
        told = refused(lambda: checks.wishes(given, "", at_least=at_least))
        assert told == ("INVALID_SUBSCRIPTIONS", "subscriptions")

    def test_a_hundred_are_taken_in_their_order(self) -> None:
        given = [Subscription(channel=f"c{number}") for number in range(100)]
        assert [one.channel for one in checks.wishes(given, "", at_least=1)] == [one.channel for one in given]

    def test_a_channel_is_read_once(self) -> None:
        given = [Subscription(channel="orders"), Subscription(channel="orders")]
        assert refused(lambda: checks.wishes(given, "", at_least=1)) == ("INVALID_SUBSCRIPTIONS", "subscriptions")

    def test_a_bad_one_names_its_place(self) -> None:
        given = [Subscription(channel="orders"), Subscription(channel="")]
        told = refused(lambda: checks.wishes(given, "", at_least=1))
        assert told == ("INVALID_CHANNEL", "subscriptions[1].channel")


class TestPositions:
    def test_up_to_100_of_different_channels_are_taken(self) -> None:
        given = [Position(channel=f"c{number}") for number in range(100)]
        assert checks.positions(given) == given

    @pytest.mark.parametrize("names", [[], ["orders", "orders"], [f"c{number}" for number in range(101)]])
    def test_none_too_many_and_one_channel_twice_are_refused(self, names: list[str]) -> None:
        given = [Position(channel=name) for name in names]
        assert refused(lambda: checks.positions(given)) == ("INVALID_POSITIONS", "positions")

    def test_a_bad_channel_names_its_place(self) -> None:
        given = [Position(channel="orders"), Position(channel="$other")]
        assert refused(lambda: checks.positions(given)) == ("RESERVED_CHANNEL", "positions[1].channel")


class TestTimes:
    @pytest.mark.parametrize("given", [Duration(), Duration(seconds=300), Duration(nanos=1)])
    def test_a_duration_within_its_bounds_is_taken(self, given: Duration) -> None:
        assert checks.seconds(given, "INVALID_WAIT", "wait", 0.0, 300.0) == given.seconds + given.nanos / 1e9

    @pytest.mark.parametrize("given", [Duration(seconds=-1), Duration(nanos=-1), Duration(seconds=300, nanos=1)])
    def test_a_duration_out_of_its_bounds_is_refused(self, given: Duration) -> None:
        told = refused(lambda: checks.seconds(given, "INVALID_WAIT", "wait", 0.0, 300.0))
        assert told == ("INVALID_WAIT", "wait")

    @pytest.mark.parametrize(
        "given",
        [
            Duration(nanos=10**9),
            Duration(seconds=1, nanos=-1),
            Duration(seconds=-1, nanos=1),
            Duration(seconds=2**63 - 1),
        ],
    )
    def test_a_duration_that_breaks_the_rules_of_durations_is_refused(self, given: Duration) -> None:
        assert refused(lambda: checks.seconds(given, "INVALID_WAIT", "wait", 0.0, 300.0)) == ("INVALID_WAIT", "wait")
        hello = Hello(heartbeat_timeout=given)
        assert refused(lambda: checks.timing(hello, DEFAULT)) == ("INVALID_HEARTBEAT", "heartbeat_timeout")

    def test_a_hello_that_asks_for_no_times_gets_the_servers(self) -> None:
        assert checks.timing(Hello(), DEFAULT) == DEFAULT

    def test_a_hello_may_ask_for_either_time(self) -> None:
        assert checks.timing(Hello(heartbeat_interval=Duration(seconds=1)), DEFAULT) == Timing(1.0, 10.0)
        assert checks.timing(Hello(heartbeat_timeout=Duration(seconds=600)), DEFAULT) == Timing(15.0, 600.0)

    @pytest.mark.parametrize("given", [Duration(), Duration(seconds=601), Duration(nanos=99_000_000)])
    def test_a_time_out_of_bounds_is_refused_by_name(self, given: Duration) -> None:
        for name in ("heartbeat_interval", "heartbeat_timeout"):
            hello = Hello(**{name: given})  # type: ignore[arg-type]
            assert refused(partial(checks.timing, hello, DEFAULT)) == ("INVALID_HEARTBEAT", name)

    def test_times_that_cannot_work_together_are_refused(self) -> None:
        tenth = Duration(nanos=100_000_000)
        hello = Hello(heartbeat_interval=tenth, heartbeat_timeout=tenth)
        assert refused(lambda: checks.timing(hello, DEFAULT))[0] == "INVALID_HEARTBEAT"


def test_a_count_left_at_0_is_the_default_and_one_over_the_most_is_refused() -> None:
    def check(value: int) -> int:
        return checks.limit(value, "INVALID_PAGE_SIZE", "page_size", 100, 1000)

    assert [check(0), check(1), check(1000)] == [100, 1, 1000]
    assert refused(lambda: check(1001)) == ("INVALID_PAGE_SIZE", "page_size")
