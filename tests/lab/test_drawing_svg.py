"""Ladder diagrams as SVG: well-formed whatever they say, told in words too, and self-contained."""

from xml.etree import ElementTree

from heartline_lab.drawing.ladder import Ladder, Step, as_svg
from hypothesis import given
from lab.test_drawing_text import BOUNDED, EXCHANGE, ladders

SVG = "{http://www.w3.org/2000/svg}"


def texts(svg: str, kind: str) -> list[str]:
    """What the text elements of one class say, each in one line."""
    found = ElementTree.fromstring(svg).iter(f"{SVG}text")
    return [" ".join(element.itertext()) for element in found if kind in element.attrib["class"].split()]


@BOUNDED
@given(ladders())
def test_it_is_well_formed_whatever_it_says(ladder: Ladder) -> None:
    assert len(texts(as_svg(ladder), "time")) == 1 + len(ladder.steps)


def test_markup_in_names_and_labels_stays_text() -> None:
    evil = '<script>alert("&")</script>'
    svg = as_svg(Ladder(evil, (evil, "b"), (Step(0, evil, "b", evil, evil),)))
    assert "<script" not in svg
    assert texts(svg, "label") == texts(svg, "note") == texts(svg, "name")[:1] == [evil]


def test_it_shows_each_step_with_its_time_label_and_note() -> None:
    svg = as_svg(EXCHANGE)
    assert texts(svg, "name") == ["client", "server"]
    assert texts(svg, "time") == ["ms", "0.00", "0.04", "0.20", "0.30", "5000.00", "5001.00"]
    assert texts(svg, "label") == ["SYN", "SYN, ACK", "heartbeat", "FIN"]
    assert texts(svg, "event") == ["handler", "cable pulled"]
    assert texts(svg, "note") == ["opens a connection"]


def test_a_reader_who_sees_no_picture_is_told_the_same() -> None:
    root = ElementTree.fromstring(as_svg(EXCHANGE))
    told = {element.attrib["id"]: element.text or "" for element in root if "id" in element.attrib}
    title, described = (told[name] for name in root.attrib["aria-labelledby"].split())
    assert root.attrib["role"] == "img"
    assert title == "One exchange, and a cable"
    assert described.startswith("0.00 ms client to server: SYN, opens a connection; 0.04 ms server to client")
    assert described.endswith("5000.00 ms in client: cable pulled; 5001.00 ms server to client: FIN, lost")


def test_two_ladders_of_one_page_share_no_id() -> None:
    other = Ladder("Another", EXCHANGE.lanes, EXCHANGE.steps)
    ids = [{e.attrib["id"] for e in ElementTree.fromstring(as_svg(x)) if "id" in e.attrib} for x in (EXCHANGE, other)]
    assert not ids[0] & ids[1]


def test_it_fetches_and_runs_nothing_and_follows_the_readers_scheme() -> None:
    svg = as_svg(EXCHANGE).replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert not [word for word in ("http", "url(", "@import", "<script", "href") if word in svg]
    assert "prefers-color-scheme: dark" in svg


def test_nothing_is_drawn_beside_the_picture() -> None:
    root = ElementTree.fromstring(as_svg(EXCHANGE))
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    spots = [(float(e.attrib["x"]), float(e.attrib["y"])) for e in root.iter(f"{SVG}text")]
    assert [(x, y) for x, y in spots if not (0 < x < width and 0 < y < height)] == []


def test_the_same_ladder_gives_the_same_bytes() -> None:
    assert as_svg(EXCHANGE) == as_svg(EXCHANGE)
