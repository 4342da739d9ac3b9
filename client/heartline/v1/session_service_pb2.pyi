from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.rpc import status_pb2 as _status_pb2
from heartline.v1 import events_pb2 as _events_pb2
from heartline.v1 import request_service_pb2 as _request_service_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GoodbyeReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    GOODBYE_REASON_UNSPECIFIED: _ClassVar[GoodbyeReason]
    GOODBYE_REASON_CLIENT_GOODBYE: _ClassVar[GoodbyeReason]
    GOODBYE_REASON_HEARTBEAT_TIMEOUT: _ClassVar[GoodbyeReason]
    GOODBYE_REASON_REPLACED: _ClassVar[GoodbyeReason]
    GOODBYE_REASON_SHUTDOWN: _ClassVar[GoodbyeReason]
    GOODBYE_REASON_ENDED_BY_OPERATOR: _ClassVar[GoodbyeReason]
    GOODBYE_REASON_EVENTS_LOST: _ClassVar[GoodbyeReason]
GOODBYE_REASON_UNSPECIFIED: GoodbyeReason
GOODBYE_REASON_CLIENT_GOODBYE: GoodbyeReason
GOODBYE_REASON_HEARTBEAT_TIMEOUT: GoodbyeReason
GOODBYE_REASON_REPLACED: GoodbyeReason
GOODBYE_REASON_SHUTDOWN: GoodbyeReason
GOODBYE_REASON_ENDED_BY_OPERATOR: GoodbyeReason
GOODBYE_REASON_EVENTS_LOST: GoodbyeReason

class ConnectRequest(_message.Message):
    __slots__ = ("id", "hello", "subscribe", "unsubscribe", "publish", "ack", "heartbeat", "heartbeat_ack", "goodbye")
    ID_FIELD_NUMBER: _ClassVar[int]
    HELLO_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIBE_FIELD_NUMBER: _ClassVar[int]
    UNSUBSCRIBE_FIELD_NUMBER: _ClassVar[int]
    PUBLISH_FIELD_NUMBER: _ClassVar[int]
    ACK_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_ACK_FIELD_NUMBER: _ClassVar[int]
    GOODBYE_FIELD_NUMBER: _ClassVar[int]
    id: str
    hello: Hello
    subscribe: Subscribe
    unsubscribe: Unsubscribe
    publish: _request_service_pb2.PublishRequest
    ack: Ack
    heartbeat: Heartbeat
    heartbeat_ack: HeartbeatAck
    goodbye: ClientGoodbye
    def __init__(self, id: _Optional[str] = ..., hello: _Optional[_Union[Hello, _Mapping]] = ..., subscribe: _Optional[_Union[Subscribe, _Mapping]] = ..., unsubscribe: _Optional[_Union[Unsubscribe, _Mapping]] = ..., publish: _Optional[_Union[_request_service_pb2.PublishRequest, _Mapping]] = ..., ack: _Optional[_Union[Ack, _Mapping]] = ..., heartbeat: _Optional[_Union[Heartbeat, _Mapping]] = ..., heartbeat_ack: _Optional[_Union[HeartbeatAck, _Mapping]] = ..., goodbye: _Optional[_Union[ClientGoodbye, _Mapping]] = ...) -> None: ...

class ConnectResponse(_message.Message):
    __slots__ = ("reply_to", "welcome", "subscribed", "unsubscribed", "published", "events", "heartbeat", "heartbeat_ack", "rejected", "drain", "goodbye")
    REPLY_TO_FIELD_NUMBER: _ClassVar[int]
    WELCOME_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIBED_FIELD_NUMBER: _ClassVar[int]
    UNSUBSCRIBED_FIELD_NUMBER: _ClassVar[int]
    PUBLISHED_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_ACK_FIELD_NUMBER: _ClassVar[int]
    REJECTED_FIELD_NUMBER: _ClassVar[int]
    DRAIN_FIELD_NUMBER: _ClassVar[int]
    GOODBYE_FIELD_NUMBER: _ClassVar[int]
    reply_to: str
    welcome: Welcome
    subscribed: Subscribed
    unsubscribed: Unsubscribed
    published: _request_service_pb2.PublishResponse
    events: _events_pb2.Batch
    heartbeat: Heartbeat
    heartbeat_ack: HeartbeatAck
    rejected: _status_pb2.Status
    drain: Drain
    goodbye: ServerGoodbye
    def __init__(self, reply_to: _Optional[str] = ..., welcome: _Optional[_Union[Welcome, _Mapping]] = ..., subscribed: _Optional[_Union[Subscribed, _Mapping]] = ..., unsubscribed: _Optional[_Union[Unsubscribed, _Mapping]] = ..., published: _Optional[_Union[_request_service_pb2.PublishResponse, _Mapping]] = ..., events: _Optional[_Union[_events_pb2.Batch, _Mapping]] = ..., heartbeat: _Optional[_Union[Heartbeat, _Mapping]] = ..., heartbeat_ack: _Optional[_Union[HeartbeatAck, _Mapping]] = ..., rejected: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., drain: _Optional[_Union[Drain, _Mapping]] = ..., goodbye: _Optional[_Union[ServerGoodbye, _Mapping]] = ...) -> None: ...

class Hello(_message.Message):
    __slots__ = ("client_id", "heartbeat_interval", "heartbeat_timeout", "subscriptions", "status", "passive", "replaces")
    CLIENT_ID_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIPTIONS_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    PASSIVE_FIELD_NUMBER: _ClassVar[int]
    REPLACES_FIELD_NUMBER: _ClassVar[int]
    client_id: str
    heartbeat_interval: _duration_pb2.Duration
    heartbeat_timeout: _duration_pb2.Duration
    subscriptions: _containers.RepeatedCompositeFieldContainer[_events_pb2.Subscription]
    status: str
    passive: bool
    replaces: str
    def __init__(self, client_id: _Optional[str] = ..., heartbeat_interval: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., heartbeat_timeout: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., subscriptions: _Optional[_Iterable[_Union[_events_pb2.Subscription, _Mapping]]] = ..., status: _Optional[str] = ..., passive: bool = ..., replaces: _Optional[str] = ...) -> None: ...

class Welcome(_message.Message):
    __slots__ = ("session_id", "heartbeat_interval", "heartbeat_timeout", "server_name")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    SERVER_NAME_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    heartbeat_interval: _duration_pb2.Duration
    heartbeat_timeout: _duration_pb2.Duration
    server_name: str
    def __init__(self, session_id: _Optional[str] = ..., heartbeat_interval: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., heartbeat_timeout: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., server_name: _Optional[str] = ...) -> None: ...

class Subscribe(_message.Message):
    __slots__ = ("subscription",)
    SUBSCRIPTION_FIELD_NUMBER: _ClassVar[int]
    subscription: _events_pb2.Subscription
    def __init__(self, subscription: _Optional[_Union[_events_pb2.Subscription, _Mapping]] = ...) -> None: ...

class Subscribed(_message.Message):
    __slots__ = ("channel", "position")
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    channel: str
    position: _events_pb2.Position
    def __init__(self, channel: _Optional[str] = ..., position: _Optional[_Union[_events_pb2.Position, _Mapping]] = ...) -> None: ...

class Unsubscribe(_message.Message):
    __slots__ = ("channel",)
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    channel: str
    def __init__(self, channel: _Optional[str] = ...) -> None: ...

class Unsubscribed(_message.Message):
    __slots__ = ("channel", "position")
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    channel: str
    position: _events_pb2.Position
    def __init__(self, channel: _Optional[str] = ..., position: _Optional[_Union[_events_pb2.Position, _Mapping]] = ...) -> None: ...

class Ack(_message.Message):
    __slots__ = ("positions",)
    POSITIONS_FIELD_NUMBER: _ClassVar[int]
    positions: _containers.RepeatedCompositeFieldContainer[_events_pb2.Position]
    def __init__(self, positions: _Optional[_Iterable[_Union[_events_pb2.Position, _Mapping]]] = ...) -> None: ...

class Heartbeat(_message.Message):
    __slots__ = ("sequence", "send_time", "status", "events_sent")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    SEND_TIME_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    EVENTS_SENT_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    send_time: _timestamp_pb2.Timestamp
    status: str
    events_sent: int
    def __init__(self, sequence: _Optional[int] = ..., send_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., status: _Optional[str] = ..., events_sent: _Optional[int] = ...) -> None: ...

class HeartbeatAck(_message.Message):
    __slots__ = ("sequence", "send_time", "status", "events_sent")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    SEND_TIME_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    EVENTS_SENT_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    send_time: _timestamp_pb2.Timestamp
    status: str
    events_sent: int
    def __init__(self, sequence: _Optional[int] = ..., send_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., status: _Optional[str] = ..., events_sent: _Optional[int] = ...) -> None: ...

class ClientGoodbye(_message.Message):
    __slots__ = ("returning", "check_out")
    RETURNING_FIELD_NUMBER: _ClassVar[int]
    CHECK_OUT_FIELD_NUMBER: _ClassVar[int]
    returning: bool
    check_out: bool
    def __init__(self, returning: bool = ..., check_out: bool = ...) -> None: ...

class Drain(_message.Message):
    __slots__ = ("reconnect_after",)
    RECONNECT_AFTER_FIELD_NUMBER: _ClassVar[int]
    reconnect_after: _duration_pb2.Duration
    def __init__(self, reconnect_after: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class ServerGoodbye(_message.Message):
    __slots__ = ("reason", "retry", "after")
    REASON_FIELD_NUMBER: _ClassVar[int]
    RETRY_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    reason: GoodbyeReason
    retry: bool
    after: _duration_pb2.Duration
    def __init__(self, reason: _Optional[_Union[GoodbyeReason, str]] = ..., retry: bool = ..., after: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ...) -> None: ...
