"""Page tokens: where a list goes on, opaque to callers, and good for one list with one filter only."""

import base64
import binascii

from heartline_service.faults import Fault


def token(listing: str, last: str) -> str:
    """The token of the page after the one that ended with `last`; `listing` names the list and its filter."""
    return base64.urlsafe_b64encode(f"{listing}\0{last}".encode()).decode()


def after(listing: str, given: str) -> str:
    """Where the page starts: after this name. Raises Fault for a token that this list did not give."""
    if not given:
        return ""
    try:
        named, separator, last = base64.b64decode(given, altchars=b"-_", validate=True).decode().partition("\0")
    except (binascii.Error, UnicodeError, ValueError):
        named = separator = last = ""
    if named != listing or not separator:
        raise Fault(
            "INVALID_PAGE_TOKEN", "take next_page_token from the page before, with the same filter", "page_token"
        )
    return last
