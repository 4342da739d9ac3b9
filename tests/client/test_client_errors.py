"""Errors are told by their code and ErrorInfo, never by their text."""

import grpc
import pytest
from client.statuses import rpc_error, status
from google.protobuf.any_pb2 import Any
from google.rpc import error_details_pb2
from heartline import errors

HEARTLINES_OWN = {
    grpc.StatusCode.INVALID_ARGUMENT: errors.InvalidRequest,
    grpc.StatusCode.FAILED_PRECONDITION: errors.InvalidRequest,
    grpc.StatusCode.OUT_OF_RANGE: errors.InvalidRequest,
    grpc.StatusCode.NOT_FOUND: errors.NotFound,
    grpc.StatusCode.ALREADY_EXISTS: errors.Conflict,
    grpc.StatusCode.PERMISSION_DENIED: errors.Refused,
    grpc.StatusCode.RESOURCE_EXHAUSTED: errors.Unavailable,
    grpc.StatusCode.DEADLINE_EXCEEDED: errors.Unavailable,
    grpc.StatusCode.UNAVAILABLE: errors.Unavailable,
    grpc.StatusCode.INTERNAL: errors.ServerError,
    grpc.StatusCode.DATA_LOSS: errors.ServerError,
}
FROM_ELSEWHERE = {
    grpc.StatusCode.UNIMPLEMENTED: errors.Refused,
    grpc.StatusCode.RESOURCE_EXHAUSTED: errors.InvalidRequest,
    grpc.StatusCode.INTERNAL: errors.Unavailable,
    grpc.StatusCode.UNKNOWN: errors.Unavailable,
    grpc.StatusCode.UNAVAILABLE: errors.Unavailable,
}


@pytest.mark.parametrize("code", HEARTLINES_OWN)
def test_what_heartline_says_is_told_by_code_and_keeps_its_reason(code: grpc.StatusCode) -> None:
    error = errors.from_status(status(code, "SOME_REASON", "what to do"))
    assert type(error) is HEARTLINES_OWN[code]
    assert (str(error), error.reason) == ("what to do", "SOME_REASON")
    assert error.retry == (HEARTLINES_OWN[code] is errors.Unavailable)


@pytest.mark.parametrize("code", FROM_ELSEWHERE)
def test_what_something_on_the_way_says_has_no_reason_and_keeps_its_words(code: grpc.StatusCode) -> None:
    error = errors.from_status(status(code))
    assert type(error) is FROM_ELSEWHERE[code]
    what = {"UNAVAILABLE": "the connection failed", "DEADLINE_EXCEEDED": "no answer came in time"}
    assert (str(error), error.reason) == (f"{what.get(code.name, code.name)}: as the test wants it", "")


def test_grpcs_long_way_to_begin_is_left_out() -> None:
    words = "failed to connect to all addresses; last error: UNKNOWN: ipv4:127.0.0.1:1: Failed to connect: refused"
    error = errors.from_status(status(grpc.StatusCode.UNAVAILABLE, text=words))
    assert str(error) == "the connection failed: refused"


def test_a_failed_call_gives_the_same_error_as_its_status() -> None:
    made = status(grpc.StatusCode.NOT_FOUND, "CLIENT_NOT_FOUND", "no such client")
    error = errors.from_rpc_error(rpc_error(made))
    assert (type(error), str(error), error.reason) == (errors.NotFound, "no such client", "CLIENT_NOT_FOUND")


def test_a_failed_call_without_details_is_told_by_its_code() -> None:
    bare = grpc.aio.AioRpcError(grpc.StatusCode.UNAVAILABLE, grpc.aio.Metadata(), grpc.aio.Metadata(), "refused")
    error = errors.from_rpc_error(bare)
    assert (type(error), str(error)) == (errors.Unavailable, "the connection failed: refused")


def test_details_that_contradict_the_call_are_not_believed() -> None:
    made = status(grpc.StatusCode.NOT_FOUND, "CLIENT_NOT_FOUND")
    trailers = grpc.aio.Metadata(("grpc-status-details-bin", made.SerializeToString()))
    mixed = grpc.aio.AioRpcError(grpc.StatusCode.UNAVAILABLE, grpc.aio.Metadata(), trailers, "bad gateway")
    assert type(errors.from_rpc_error(mixed)) is errors.Unavailable


def test_an_error_of_another_domain_is_not_heartlines_word() -> None:
    made = status(grpc.StatusCode.PERMISSION_DENIED)
    detail = Any()
    detail.Pack(error_details_pb2.ErrorInfo(domain="proxy.example", reason="FORBIDDEN"))
    made.details.append(detail)
    assert errors.from_status(made).reason == ""


def test_the_server_can_say_how_long_to_wait() -> None:
    made = status(grpc.StatusCode.UNAVAILABLE, "STORE_UNAVAILABLE")
    retry = error_details_pb2.RetryInfo()
    retry.retry_delay.FromMilliseconds(1500)
    detail = Any()
    detail.Pack(retry)
    made.details.append(detail)
    assert errors.from_status(made).retry_after == 1.5


def test_a_code_that_nobody_knows_is_the_servers_fault() -> None:
    made = status(grpc.StatusCode.UNKNOWN)
    made.code = 99
    error = errors.from_status(made)
    assert (type(error), str(error)) == (errors.ServerError, "status 99: as the test wants it")
