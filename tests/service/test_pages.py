"""Page tokens: good for the list and the filter that gave them, and for nothing else."""

import base64
from contextlib import suppress

import pytest
from heartline_service import pages
from heartline_service.faults import Fault
from hypothesis import given
from hypothesis import strategies as st
from service.draws import BOUNDED

NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=80)


def test_no_token_means_the_first_page() -> None:
    assert pages.after("channels", "") == ""


@BOUNDED
@given(NAMES, NAMES)
def test_a_token_brings_back_where_the_list_goes_on(listing: str, last: str) -> None:
    assert pages.after(listing, pages.token(listing, last)) == last


@BOUNDED
@given(NAMES)
def test_a_token_can_be_part_of_an_address(last: str) -> None:
    assert set(pages.token("channels", last)) <= set(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_="
    )


@pytest.mark.parametrize(
    "token",
    [
        pages.token("presence True", "phone-7"),
        pages.token("sessions phone-7", "a1"),
        "nonsense",
        "a",
        "====",
        "w\u00e4hlbar",
        "\0",
        base64.urlsafe_b64encode(b"presence None").decode(),
        base64.urlsafe_b64encode(b"presence None\0\xff\xfe").decode(),
        pages.token("presence None", "phone-7") + "!",
    ],
)
def test_a_token_that_this_list_did_not_give_is_refused(token: str) -> None:
    with pytest.raises(Fault) as refused:
        pages.after("presence None", token)
    assert (refused.value.reason, refused.value.field) == ("INVALID_PAGE_TOKEN", "page_token")


@BOUNDED
@given(st.text(max_size=60))
def test_whatever_comes_as_a_token_is_taken_or_refused_and_never_breaks(token: str) -> None:
    with suppress(Fault):
        assert isinstance(pages.after("channels", token), str)
