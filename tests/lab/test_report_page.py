"""The page of a contrast: whole, self-contained, safe, and right in a real browser, on a phone and in the dark too."""

import re
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from heartline.cli.exits import CommandError
from heartline_lab.contrast.page import html, write_html, write_png
from heartline_lab.contrast.results import MODES
from lab.browser import Browser, browsing
from lab.contrast_example import contrast, mode, swept


def pixels(file: Path) -> Any:
    """A picture: rows of pixels of colours from 0 to 1."""
    # It takes half a second to import, which every process that only collects tests would pay.
    from matplotlib.image import imread

    return imread(file)


class Outline(HTMLParser):
    """What a page is made of: its headings, its ids, and how many of each element."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.headings: list[str] = []
        self.ids: Counter[str] = Counter()
        self.elements: Counter[str] = Counter()
        self.addresses: list[str] = []
        self._in_heading = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Counts it."""
        self.elements[tag] += 1
        self.ids.update(value for name, value in attrs if name == "id" and value)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "xlink:href", "srcset")]
        if tag in ("h1", "h2"):
            self._in_heading = True
            self.headings.append("")

    def handle_endtag(self, tag: str) -> None:
        """Ends a heading."""
        self._in_heading = self._in_heading and tag not in ("h1", "h2")

    def handle_data(self, data: str) -> None:
        """Adds to a heading."""
        if self._in_heading:
            self.headings[-1] += data


@pytest.fixture(scope="module")
def page() -> str:
    """The page of a result with sweeps."""
    return html(swept())


@pytest.fixture(scope="module")
def plain() -> str:
    """The page of a result without sweeps."""
    return html(contrast())


@pytest.fixture(scope="module")
def outline(page: str) -> Outline:
    """What that page is made of."""
    return Outline(page)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser for all tests of this file."""
    with browsing() as browser:
        yield browser


@pytest.fixture(scope="module")
def file(page: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page as a file."""
    file = tmp_path_factory.mktemp("page") / "contrast.html"
    file.write_text(page, "utf-8")
    return file


def test_it_begins_with_the_contrast_and_goes_through_figures_plots_and_ways(outline: Outline) -> None:
    assert outline.headings[0].startswith("With 10 clients and 5 events a second, a stream brings an event in")
    assert outline.headings[1:] == [
        "The figures",
        "Side by side",
        "The poll interval",
        "The event rate",
        "One event's way",
        "How it was measured",
    ]


def test_it_has_six_plots_and_a_ladder_for_each_mode(outline: Outline) -> None:
    assert outline.elements["svg"] == 6 + len(MODES)


def test_without_sweeps_their_plots_are_left_out(plain: str) -> None:
    outline = Outline(plain)
    assert not {"The poll interval", "The event rate"} & set(outline.headings)
    assert outline.elements["svg"] == 2 + len(MODES)


@pytest.mark.parametrize(
    "words", ["Take a stream.", "Up to 20 events", "A stream is always cheaper", "One clock for all.", ">20/s<"]
)
def test_it_says_what_is_advised_where_it_breaks_even_and_what_to_keep_in_mind(page: str, words: str) -> None:
    assert words in page


def test_a_mode_that_delivered_nothing_breaks_no_plot() -> None:
    nothing = mode("stream", delivered=0, lost=150, latency_samples_ms=(), traffic=(), way=())
    page = html(contrast(modes=(mode("kept"), nothing)))
    assert "nothing was delivered" in page
    assert Outline(page).elements["svg"] == 3


def test_one_mode_alone_makes_a_page() -> None:
    assert Outline(html(contrast(modes=(mode("stream"),)))).elements["svg"] == 3


def test_what_a_result_says_stays_text() -> None:
    evil = "</p><script>alert('&')</script>"
    way = (*mode("kept").way, *mode("stream", way=mode("kept").way).way)
    page = html(contrast(notes=(evil,), machine={evil: evil}, modes=(mode("kept", way=way),)))
    assert Outline(page).elements["script"] == 0
    assert page.count("&lt;script&gt;") == 3


def test_it_fetches_nothing_and_runs_nothing(page: str, outline: Outline) -> None:
    assert outline.elements["script"] == 0
    assert [each for each in outline.addresses if not each.startswith(("#", "data:,"))] == []
    assert not re.search(r"@import|url\((?!#)", page)


def test_no_two_elements_share_an_id(outline: Outline) -> None:
    assert [name for name, count in outline.ids.items() if count > 1] == []


def test_the_same_result_makes_the_same_page(plain: str) -> None:
    assert html(contrast()) == plain


@pytest.mark.needs("chromium")
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("dark", [False, True])
def test_a_browser_shows_it_without_a_complaint(
    browser: Browser, file: Path, width: int, dark: bool, tmp_path: Path
) -> None:
    browser.open(file, width, dark=dark)
    browser.screenshot(tmp_path / "page.png")
    picture = pixels(tmp_path / "page.png")
    assert browser.complaints == []
    assert browser.fetched == [file.as_uri()]
    assert browser.ask("document.documentElement.scrollWidth") == width
    assert (picture.shape[1], picture.shape[0] > 2000) == (width, True)
    assert bool(picture[5, 5, :3].mean() < 0.5) is dark
    assert picture.std() > 0.05


@pytest.mark.needs("chromium")
def test_no_word_of_a_picture_is_cut_off(browser: Browser, file: Path) -> None:
    browser.open(file, 1280)
    outside = """[...document.querySelectorAll("svg text")].filter(text => {
        const word = text.getBoundingClientRect(), picture = text.closest("svg").getBoundingClientRect();
        return word.left < picture.left - 1 || word.right > picture.right + 1 || word.bottom > picture.bottom + 1;
    }).map(text => text.textContent)"""
    assert browser.ask(outside) == []


@pytest.mark.needs("chromium")
def test_on_a_phone_no_word_of_a_picture_is_smaller_than_11_px(browser: Browser, file: Path) -> None:
    browser.open(file, 390)
    sizes = """[...document.querySelectorAll("svg text")].map(
        text => parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a)"""
    assert min(browser.ask(sizes)) >= 11


@pytest.mark.needs("chromium")
def test_the_browser_would_complain(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "bad.html").write_text("<img src=none.png><script>console.error('no'); throw 1</script>")
    browser.open(tmp_path / "bad.html")
    assert len(browser.complaints) == 3
    assert len(browser.fetched) == 2


def test_its_plots_are_png_files_of_stable_names(tmp_path: Path) -> None:
    written = write_png(swept(), tmp_path / "new" / "plots")
    assert [file.name for file in written] == [
        "latency.png",
        "bytes.png",
        "interval-staleness.png",
        "interval-cpu.png",
        "rate-cpu.png",
        "rate-bytes.png",
    ]
    assert [file.name for file in written if pixels(file).std() < 0.05] == []


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CommandError, match=r"cannot write .*page.html: No such file or directory"):
        write_html(contrast(), tmp_path / "missing" / "page.html")
    with pytest.raises(CommandError, match=r"cannot write .*file/plots: Not a directory"):
        write_png(contrast(), tmp_path / "file" / "plots")
