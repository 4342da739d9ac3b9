"""What a refusal carries, whatever it was raised from: one reason, a field where one is at fault, a time to retry."""

import pytest
from google.rpc import code_pb2
from heartline_service.faults import REASONS, Fault, refusal
from heartline_service.stores.base import IdConflict, StoreCorrupt, StoreError, StoreUnavailable
from service.told import detail


@pytest.mark.parametrize("name", REASONS)
def test_every_reason_has_a_code_of_its_own_a_meaning_and_tells_whether_to_retry(name: str) -> None:
    reason = REASONS[name]
    told = detail(Fault(name, "a sentence").status())
    assert (told.reason, told.message, told.field) == (name, "a sentence", "")
    assert told.code == code_pb2.Code.Name(reason.code) != "OK"
    assert told.retry == reason.retry
    assert reason.meaning.endswith(".")


@pytest.mark.parametrize("name", REASONS)
def test_only_what_may_succeed_later_says_so(name: str) -> None:
    for_later = {code_pb2.UNAVAILABLE, code_pb2.RESOURCE_EXHAUSTED, code_pb2.DEADLINE_EXCEEDED}
    assert REASONS[name].retry == (REASONS[name].code in for_later)


def test_a_field_is_told_with_its_path_from_outside_the_frame() -> None:
    fault = Fault("INVALID_MESSAGE_ID", "a sentence", "messages[2].id").within("publish")
    assert detail(fault.status()).field == "publish.messages[2].id"
    assert detail(Fault("NO_MESSAGES", "a sentence").within("publish").status()).field == ""


@pytest.mark.parametrize(
    ("error", "code", "reason", "field"),
    [
        (Fault("INVALID_WAIT", "a sentence", "wait"), "INVALID_ARGUMENT", "INVALID_WAIT", "wait"),
        (IdConflict(3), "ALREADY_EXISTS", "MESSAGE_ID_REUSED", "messages[3].id"),
        (StoreUnavailable("disk full at /secret"), "UNAVAILABLE", "STORE_UNAVAILABLE", ""),
        (StoreCorrupt("page 7 at /secret"), "DATA_LOSS", "STORE_CORRUPT", ""),
        (StoreError("at /secret"), "INTERNAL", "INTERNAL", ""),
        (KeyError("/secret"), "INTERNAL", "INTERNAL", ""),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_whatever_was_raised_is_told_by_reason_and_without_what_is_inside(
    error: Exception, code: str, reason: str, field: str
) -> None:
    told = detail(refusal(error).status())
    assert (told.code, told.reason, told.field) == (code, reason, field)
    assert "secret" not in told.message
