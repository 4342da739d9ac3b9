from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PresenceReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PRESENCE_REASON_UNSPECIFIED: _ClassVar[PresenceReason]
    PRESENCE_REASON_CONNECTED: _ClassVar[PresenceReason]
    PRESENCE_REASON_CHECKED_IN: _ClassVar[PresenceReason]
    PRESENCE_REASON_POLLED: _ClassVar[PresenceReason]
    PRESENCE_REASON_GOODBYE: _ClassVar[PresenceReason]
    PRESENCE_REASON_CHECKED_OUT: _ClassVar[PresenceReason]
    PRESENCE_REASON_HEARTBEAT_TIMEOUT: _ClassVar[PresenceReason]
    PRESENCE_REASON_CONNECTION_LOST: _ClassVar[PresenceReason]
    PRESENCE_REASON_LEASE_EXPIRED: _ClassVar[PresenceReason]
    PRESENCE_REASON_ENDED_BY_OPERATOR: _ClassVar[PresenceReason]
    PRESENCE_REASON_SERVER_RESTARTED: _ClassVar[PresenceReason]
PRESENCE_REASON_UNSPECIFIED: PresenceReason
PRESENCE_REASON_CONNECTED: PresenceReason
PRESENCE_REASON_CHECKED_IN: PresenceReason
PRESENCE_REASON_POLLED: PresenceReason
PRESENCE_REASON_GOODBYE: PresenceReason
PRESENCE_REASON_CHECKED_OUT: PresenceReason
PRESENCE_REASON_HEARTBEAT_TIMEOUT: PresenceReason
PRESENCE_REASON_CONNECTION_LOST: PresenceReason
PRESENCE_REASON_LEASE_EXPIRED: PresenceReason
PRESENCE_REASON_ENDED_BY_OPERATOR: PresenceReason
PRESENCE_REASON_SERVER_RESTARTED: PresenceReason

class Presence(_message.Message):
    __slots__ = ("client_id", "online", "reason", "change_time", "status", "sessions", "lease_expire_time")
    CLIENT_ID_FIELD_NUMBER: _ClassVar[int]
    ONLINE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    CHANGE_TIME_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    SESSIONS_FIELD_NUMBER: _ClassVar[int]
    LEASE_EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    client_id: str
    online: bool
    reason: PresenceReason
    change_time: _timestamp_pb2.Timestamp
    status: str
    sessions: int
    lease_expire_time: _timestamp_pb2.Timestamp
    def __init__(self, client_id: _Optional[str] = ..., online: bool = ..., reason: _Optional[_Union[PresenceReason, str]] = ..., change_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., status: _Optional[str] = ..., sessions: _Optional[int] = ..., lease_expire_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
