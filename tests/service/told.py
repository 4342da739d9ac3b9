"""What a refusal tells: the parts of a google.rpc.Status that the contract promises, and no parser of texts."""

from dataclasses import dataclass

import grpc.aio
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status


@dataclass(frozen=True, slots=True)
class Detail:
    """A refusal. `retry` tells whether it carries RetryInfo; `field` is empty without a violation."""

    code: str
    reason: str
    field: str
    retry: bool
    message: str


def detail(status: status_pb2.Status) -> Detail:
    """The parts of a status. Fails unless it has exactly one ErrorInfo of this domain and nothing that is unknown."""
    info, field, retry = error_details_pb2.ErrorInfo(), "", False
    violations, delay = error_details_pb2.BadRequest(), error_details_pb2.RetryInfo()
    assert sum(one.Is(error_details_pb2.ErrorInfo.DESCRIPTOR) for one in status.details) == 1
    for one in status.details:
        if one.Unpack(info):
            assert info.domain == "heartline"
        elif one.Unpack(violations):
            (violation,) = violations.field_violations
            assert violation.description
            field = violation.field
        else:
            assert one.Unpack(delay)
            assert delay.retry_delay.ToNanoseconds() > 0
            retry = True
    return Detail(code_pb2.Code.Name(status.code), info.reason, field, retry, status.message)


def failure(error: grpc.aio.AioRpcError) -> Detail:
    """The parts of a failed call's status."""
    status = rpc_status.from_call(error)  # type: ignore[arg-type]
    assert status is not None, error
    assert code_pb2.Code.Name(status.code) == error.code().name
    assert status.message == error.details()
    return detail(status)
