from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from heartline.v1 import events_pb2 as _events_pb2
from heartline.v1 import presence_pb2 as _presence_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PublishRequest(_message.Message):
    __slots__ = ("channel", "messages")
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    channel: str
    messages: _containers.RepeatedCompositeFieldContainer[_events_pb2.Message]
    def __init__(self, channel: _Optional[str] = ..., messages: _Optional[_Iterable[_Union[_events_pb2.Message, _Mapping]]] = ...) -> None: ...

class PublishResponse(_message.Message):
    __slots__ = ("receipts",)
    RECEIPTS_FIELD_NUMBER: _ClassVar[int]
    receipts: _containers.RepeatedCompositeFieldContainer[_events_pb2.Receipt]
    def __init__(self, receipts: _Optional[_Iterable[_Union[_events_pb2.Receipt, _Mapping]]] = ...) -> None: ...

class PollRequest(_message.Message):
    __slots__ = ("client_id", "subscriptions", "max_events", "wait")
    CLIENT_ID_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIPTIONS_FIELD_NUMBER: _ClassVar[int]
    MAX_EVENTS_FIELD_NUMBER: _ClassVar[int]
    WAIT_FIELD_NUMBER: _ClassVar[int]
    client_id: str
    subscriptions: _containers.RepeatedCompositeFieldContainer[_events_pb2.Subscription]
    max_events: int
    wait: _duration_pb2.Duration
    def __init__(self, client_id: _Optional[str] = ..., subscriptions: _Optional[_Iterable[_Union[_events_pb2.Subscription, _Mapping]]] = ..., max_events: _Optional[int] = ..., wait: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class PollResponse(_message.Message):
    __slots__ = ("batches", "poll_after")
    BATCHES_FIELD_NUMBER: _ClassVar[int]
    POLL_AFTER_FIELD_NUMBER: _ClassVar[int]
    batches: _containers.RepeatedCompositeFieldContainer[_events_pb2.Batch]
    poll_after: _duration_pb2.Duration
    def __init__(self, batches: _Optional[_Iterable[_Union[_events_pb2.Batch, _Mapping]]] = ..., poll_after: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class AckRequest(_message.Message):
    __slots__ = ("client_id", "positions")
    CLIENT_ID_FIELD_NUMBER: _ClassVar[int]
    POSITIONS_FIELD_NUMBER: _ClassVar[int]
    client_id: str
    positions: _containers.RepeatedCompositeFieldContainer[_events_pb2.Position]
    def __init__(self, client_id: _Optional[str] = ..., positions: _Optional[_Iterable[_Union[_events_pb2.Position, _Mapping]]] = ...) -> None: ...

class AckResponse(_message.Message):
    __slots__ = ("positions",)
    POSITIONS_FIELD_NUMBER: _ClassVar[int]
    positions: _containers.RepeatedCompositeFieldContainer[_events_pb2.Position]
    def __init__(self, positions: _Optional[_Iterable[_Union[_events_pb2.Position, _Mapping]]] = ...) -> None: ...

class CheckInRequest(_message.Message):
    __slots__ = ("client_id", "ttl", "status")
    CLIENT_ID_FIELD_NUMBER: _ClassVar[int]
    TTL_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    client_id: str
    ttl: _duration_pb2.Duration
    status: str
    def __init__(self, client_id: _Optional[str] = ..., ttl: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., status: _Optional[str] = ...) -> None: ...

class CheckInResponse(_message.Message):
    __slots__ = ("lease_expire_time", "events_waiting")
    LEASE_EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    EVENTS_WAITING_FIELD_NUMBER: _ClassVar[int]
    lease_expire_time: _timestamp_pb2.Timestamp
    events_waiting: bool
    def __init__(self, lease_expire_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., events_waiting: bool = ...) -> None: ...

class CheckOutRequest(_message.Message):
    __slots__ = ("client_id",)
    CLIENT_ID_FIELD_NUMBER: _ClassVar[int]
    client_id: str
    def __init__(self, client_id: _Optional[str] = ...) -> None: ...

class CheckOutResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetPresenceRequest(_message.Message):
    __slots__ = ("client_id",)
    CLIENT_ID_FIELD_NUMBER: _ClassVar[int]
    client_id: str
    def __init__(self, client_id: _Optional[str] = ...) -> None: ...

class GetPresenceResponse(_message.Message):
    __slots__ = ("presence",)
    PRESENCE_FIELD_NUMBER: _ClassVar[int]
    presence: _presence_pb2.Presence
    def __init__(self, presence: _Optional[_Union[_presence_pb2.Presence, _Mapping]] = ...) -> None: ...

class ListPresenceRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "online")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    ONLINE_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    online: bool
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., online: bool = ...) -> None: ...

class ListPresenceResponse(_message.Message):
    __slots__ = ("presences", "next_page_token")
    PRESENCES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    presences: _containers.RepeatedCompositeFieldContainer[_presence_pb2.Presence]
    next_page_token: str
    def __init__(self, presences: _Optional[_Iterable[_Union[_presence_pb2.Presence, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...
