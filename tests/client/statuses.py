"""Statuses and failed calls, as a server or something on the way gives them."""

import grpc
import grpc.aio
from google.protobuf.any_pb2 import Any as AnyMessage
from google.rpc import error_details_pb2, status_pb2


def status(code: grpc.StatusCode, reason: str = "", text: str = "as the test wants it") -> status_pb2.Status:
    """A google.rpc.Status, from Heartline when it has a reason."""
    made = status_pb2.Status(code=code.value[0], message=text)
    if reason:
        detail = AnyMessage()
        detail.Pack(error_details_pb2.ErrorInfo(domain="heartline", reason=reason))
        made.details.append(detail)
    return made


def rpc_error(made: status_pb2.Status) -> grpc.aio.AioRpcError:
    """The same as a failed call."""
    code = next(code for code in grpc.StatusCode if code.value[0] == made.code)
    trailers = grpc.aio.Metadata(("grpc-status-details-bin", made.SerializeToString()))
    return grpc.aio.AioRpcError(code, grpc.aio.Metadata(), trailers, made.message)
