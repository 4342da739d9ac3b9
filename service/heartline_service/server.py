"""Wires the parts together, and starts and stops them in the right order. The one place that picks concrete parts."""

import asyncio
import errno
import random
import socket

import grpc.aio
from google.protobuf.descriptor import ServiceDescriptor
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from heartline.v1 import admin_service_pb2, request_service_pb2, session_service_pb2
from heartline.version import VERSION

from heartline_service.checks import MAX_REQUEST_BYTES
from heartline_service.clock import Clock
from heartline_service.edge import Guard, always_open, handlers
from heartline_service.health import Health
from heartline_service.hub import Hub
from heartline_service.servicers.admin import AdminServicer
from heartline_service.servicers.request import RequestServicer
from heartline_service.servicers.session import SessionServicer
from heartline_service.settings import Settings
from heartline_service.stores import open_store
from heartline_service.stores.shared import SharedStore

STOP_GRACE = 1.0
"""Seconds that calls under way have when everything else is done."""

MAX_PENDING_CALLS = 20_000
"""How many calls may have come and not begun; one more is refused."""

OPTIONS = [
    # Twice our own limit, so that a request that is over it gets our answer and not gRPC's.
    ("grpc.max_receive_message_length", 2 * MAX_REQUEST_BYTES),
    # Judges passive sessions. grpcio's own keepalive_timeout_ms alone does not act; both are needed.
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.ping_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    # Sessions that are cut at once come back at once. Of calls that wait to be taken in, gRPC refuses some beyond 1,000
    # by itself, as CANCELLED. As many as this are taken in while a client waits for its welcome.
    ("grpc.server.max_pending_requests", MAX_PENDING_CALLS),
    ("grpc.server.max_pending_requests_hard_limit", MAX_PENDING_CALLS),
    # Clients may ping as often as this without being sent away.
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
]


class PortInUse(Exception):
    """The address cannot be listened on."""


class Server:
    """One server. `address` is where it listens, with the real port when 0 was asked for."""

    def __init__(self, settings: Settings, *, share_port: bool = False) -> None:
        """Binds the address, with `share_port` beside other processes that do so too. Needs a running loop.

        Raises PortInUse, and ValueError for a store URL that means nothing.
        """
        store = open_store(settings.store, settings.retain)
        if isinstance(store, SharedStore):
            store.watch(self._store_is_there)
        self._hub = Hub(store, Clock(), settings, random.random)
        self._server = grpc.aio.server(options=[*OPTIONS, ("grpc.so_reuseport", int(share_port))])
        self._telling: asyncio.Task[None] | None = None
        self._health = Health()
        away = self._hub.refuse_when_away
        services: dict[ServiceDescriptor, tuple[object, Guard]] = {
            request_service_pb2.DESCRIPTOR.services_by_name["RequestService"]: (RequestServicer(self._hub), away),
            session_service_pb2.DESCRIPTOR.services_by_name["SessionService"]: (SessionServicer(self._hub), away),
            # Open during a drain, too: that is when an operator wants to look.
            admin_service_pb2.DESCRIPTOR.services_by_name["AdminService"]: (
                AdminServicer(self._hub, VERSION),
                always_open,
            ),
        }
        self._server.add_generic_rpc_handlers(
            [handlers(service, servicer, guard) for service, (servicer, guard) in services.items()]
        )
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        self._names = [service.full_name for service in services]
        reflection.enable_server_reflection([*self._names, health.SERVICE_NAME, reflection.SERVICE_NAME], self._server)
        if not share_port:
            # gRPC lets two servers share a port unnoticed otherwise.
            try_address(settings.listen)
        try:
            port = self._server.add_insecure_port(settings.listen)
        except RuntimeError:
            raise PortInUse(f"cannot listen on {settings.listen}") from None
        self.address = f"{settings.listen.rpartition(':')[0]}:{port}"

    async def start(self) -> None:
        """Answers health checks at once, and everything else when the store is ready. Raises StoreError."""
        await self._tell_health(health_pb2.HealthCheckResponse.NOT_SERVING)
        await self._server.start()
        try:
            await self._hub.start()
        except BaseException:
            await self._server.stop(None)
            raise
        await self._tell_health(health_pb2.HealthCheckResponse.SERVING)

    async def stop(self) -> None:
        """Drains: no new calls, sessions are asked to go elsewhere and ended in the end; then lets go of the store."""
        await self._health.enter_graceful_shutdown()
        await self._hub.drain()
        self._health.end_watches()
        await self._server.stop(STOP_GRACE)
        await self._hub.stop()

    def _store_is_there(self, there: bool) -> None:
        serving = health_pb2.HealthCheckResponse.SERVING if there else health_pb2.HealthCheckResponse.NOT_SERVING
        self._telling = asyncio.get_running_loop().create_task(self._tell_health(serving))

    async def _tell_health(self, status: int) -> None:
        for name in ("", *self._names):
            await self._health.set(name, status)


def try_address(listen: str) -> None:
    """Raises PortInUse when nothing can listen there. gRPC would find out too, in words of its own on stderr."""
    host, _, port = listen.rpartition(":")
    host = host.strip("[]")
    try:
        places = socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        raise PortInUse(f"cannot listen on {listen}: {error.strerror}") from None
    refusals = []
    for family, kind, protocol, _, address in places:
        try:
            with socket.socket(family, kind, protocol) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(address)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise PortInUse(f"cannot listen on {listen}: another program does") from None
            refusals.append(error)
    # One of several may be refused (no IPv6 here, say), and gRPC takes :: for IPv4 too.
    if len(refusals) == len(places) and host != "::":
        raise PortInUse(f"cannot listen on {listen}: {refusals[0].strerror}")
