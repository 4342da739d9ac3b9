from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Start(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    START_UNSPECIFIED: _ClassVar[Start]
    START_EARLIEST: _ClassVar[Start]
    START_LATEST: _ClassVar[Start]
    START_ACKED: _ClassVar[Start]

class GapReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    GAP_REASON_UNSPECIFIED: _ClassVar[GapReason]
    GAP_REASON_TRIMMED: _ClassVar[GapReason]
    GAP_REASON_EPOCH_CHANGED: _ClassVar[GapReason]
    GAP_REASON_AHEAD: _ClassVar[GapReason]
START_UNSPECIFIED: Start
START_EARLIEST: Start
START_LATEST: Start
START_ACKED: Start
GAP_REASON_UNSPECIFIED: GapReason
GAP_REASON_TRIMMED: GapReason
GAP_REASON_EPOCH_CHANGED: GapReason
GAP_REASON_AHEAD: GapReason

class Message(_message.Message):
    __slots__ = ("id", "binary", "text", "attributes")
    class AttributesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ID_FIELD_NUMBER: _ClassVar[int]
    BINARY_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    id: str
    binary: bytes
    text: str
    attributes: _containers.ScalarMap[str, str]
    def __init__(self, id: _Optional[str] = ..., binary: _Optional[bytes] = ..., text: _Optional[str] = ..., attributes: _Optional[_Mapping[str, str]] = ...) -> None: ...

class Event(_message.Message):
    __slots__ = ("id", "binary", "text", "attributes", "offset", "publish_time")
    class AttributesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ID_FIELD_NUMBER: _ClassVar[int]
    BINARY_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    PUBLISH_TIME_FIELD_NUMBER: _ClassVar[int]
    id: str
    binary: bytes
    text: str
    attributes: _containers.ScalarMap[str, str]
    offset: int
    publish_time: _timestamp_pb2.Timestamp
    def __init__(self, id: _Optional[str] = ..., binary: _Optional[bytes] = ..., text: _Optional[str] = ..., attributes: _Optional[_Mapping[str, str]] = ..., offset: _Optional[int] = ..., publish_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Position(_message.Message):
    __slots__ = ("channel", "epoch", "offset")
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    channel: str
    epoch: str
    offset: int
    def __init__(self, channel: _Optional[str] = ..., epoch: _Optional[str] = ..., offset: _Optional[int] = ...) -> None: ...

class Subscription(_message.Message):
    __slots__ = ("channel", "after", "start", "max_unacked")
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    MAX_UNACKED_FIELD_NUMBER: _ClassVar[int]
    channel: str
    after: Position
    start: Start
    max_unacked: int
    def __init__(self, channel: _Optional[str] = ..., after: _Optional[_Union[Position, _Mapping]] = ..., start: _Optional[_Union[Start, str]] = ..., max_unacked: _Optional[int] = ...) -> None: ...

class Gap(_message.Message):
    __slots__ = ("reason", "oldest_offset", "latest_offset")
    REASON_FIELD_NUMBER: _ClassVar[int]
    OLDEST_OFFSET_FIELD_NUMBER: _ClassVar[int]
    LATEST_OFFSET_FIELD_NUMBER: _ClassVar[int]
    reason: GapReason
    oldest_offset: int
    latest_offset: int
    def __init__(self, reason: _Optional[_Union[GapReason, str]] = ..., oldest_offset: _Optional[int] = ..., latest_offset: _Optional[int] = ...) -> None: ...

class Batch(_message.Message):
    __slots__ = ("channel", "epoch", "events", "position", "gap")
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    GAP_FIELD_NUMBER: _ClassVar[int]
    channel: str
    epoch: str
    events: _containers.RepeatedCompositeFieldContainer[Event]
    position: Position
    gap: Gap
    def __init__(self, channel: _Optional[str] = ..., epoch: _Optional[str] = ..., events: _Optional[_Iterable[_Union[Event, _Mapping]]] = ..., position: _Optional[_Union[Position, _Mapping]] = ..., gap: _Optional[_Union[Gap, _Mapping]] = ...) -> None: ...

class Receipt(_message.Message):
    __slots__ = ("epoch", "offset", "duplicate")
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    DUPLICATE_FIELD_NUMBER: _ClassVar[int]
    epoch: str
    offset: int
    duplicate: bool
    def __init__(self, epoch: _Optional[str] = ..., offset: _Optional[int] = ..., duplicate: bool = ...) -> None: ...
