"""How times, events and gaps look."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from heartline.cli.forms import event_fields, event_line, gap_fields, gap_line, instant, moment
from heartline.cli.output import uncoloured
from heartline.errors import GapError
from heartline.events import Event, Gap, GapReason, Position

NOW = datetime(2026, 3, 1, 15, 0, 0, tzinfo=timezone(timedelta(hours=1)))
AT = datetime(2026, 3, 1, 13, 59, 58, 500, tzinfo=UTC)


def event(data: str | bytes | None = "two coffees", id: str = "", attributes: dict[str, str] | None = None) -> Event:
    return Event("orders", 12, "e1", id, data, attributes or {}, AT)


def line(of: Event) -> str:
    return uncoloured(event_line(of, NOW))


def test_an_instant_in_json_is_rfc_3339_in_utc() -> None:
    assert instant(AT.astimezone(NOW.tzinfo)) == "2026-03-01T13:59:58.000500Z"


def test_people_see_local_time() -> None:
    assert moment(AT, NOW) == "14:59:58"


def test_people_see_the_date_of_another_day() -> None:
    assert moment(AT - timedelta(days=1), NOW) == "2026-02-28 14:59:58"


def test_an_event_is_one_line() -> None:
    assert line(event()) == "14:59:58  orders #12  two coffees"


def test_labels_and_id_follow_the_text() -> None:
    of = event(id="m-1", attributes={"size": "large", "by": "ann"})
    assert line(of) == "14:59:58  orders #12  two coffees  by=ann size=large id=m-1"


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (None, "(no data)"),
        ("", "(empty)"),
        ("a\nb", "a\\nb"),
        (b"", "(0 bytes)"),
        (b"\x00\xff", "(2 bytes) 00 ff"),
        (b"\x07" * 25, "(25 bytes) " + " ".join(["07"] * 24) + " ..."),
    ],
)
def test_any_data_can_be_shown_in_one_line(data: str | bytes | None, text: str) -> None:
    assert line(event(data)) == f"14:59:58  orders #12  {text}"


def test_an_event_in_json_has_all_its_fields() -> None:
    assert event_fields(event(id="m-1", attributes={"k": "v"})) == {
        "type": "event",
        "channel": "orders",
        "offset": 12,
        "epoch": "e1",
        "id": "m-1",
        "publish_time": "2026-03-01T13:59:58.000500Z",
        "text": "two coffees",
        "attributes": {"k": "v"},
    }


def test_bytes_in_json_are_base64() -> None:
    fields = event_fields(event(b"\x00\xff"))
    assert (fields["binary"], "text" in fields) == ("AP8=", False)


def test_a_gap_tells_what_is_gone_and_where_reading_goes_on() -> None:
    error = GapError(Gap(GapReason.TRIMMED, 8, 20), Position("orders", "e1", 7))
    assert gap_fields(error) == {
        "type": "gap",
        "channel": "orders",
        "offset": 7,
        "epoch": "e1",
        "reason": "TRIMMED",
        "oldest_offset": 8,
        "latest_offset": 20,
    }
    assert uncoloured(gap_line(error, NOW)).startswith("15:00:00  gap: channel 'orders': ")
