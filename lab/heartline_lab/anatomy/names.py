"""What the messages of Heartline's calls are called: the part of the anatomy that knows the contract."""

from google.protobuf import descriptor_pool, message_factory
from heartline.v1 import admin_service_pb2, request_service_pb2, session_service_pb2

_CONTRACT = (admin_service_pb2, request_service_pb2, session_service_pb2)
"""Importing them is what tells the pool of their services."""


def message_name(path: str, from_client: bool, body: bytes) -> str:
    """The message's type, and for a session's frames also which one: "ConnectResponse welcome"."""
    try:
        method = descriptor_pool.Default().FindMethodByName(path.strip("/").replace("/", "."))
    except KeyError:
        return "a message"
    kind = method.input_type if from_client else method.output_type
    if "frame" not in kind.oneofs_by_name:
        return str(kind.name)
    message = message_factory.GetMessageClass(kind).FromString(body)
    return f"{kind.name} {message.WhichOneof('frame') or 'empty'}"
