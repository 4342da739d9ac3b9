"""gRPC's health service, whose watches end when the server does.

gRPC cancels a call that is left when the server stops, and logs a traceback for it.
"""

import asyncio

import grpc.aio
from grpc_health.v1 import health, health_pb2

Context = grpc.aio.ServicerContext[health_pb2.HealthCheckRequest, health_pb2.HealthCheckResponse]


class Health(health.aio.HealthServicer):
    """As gRPC's, with an end."""

    def __init__(self) -> None:
        super().__init__()
        self._watches: set[asyncio.Task[None]] = set()

    async def Watch(self, request: health_pb2.HealthCheckRequest, context: Context) -> None:
        """Tells the status whenever it changes."""
        watch = asyncio.get_running_loop().create_task(super().Watch(request, context))
        self._watches.add(watch)
        try:
            await asyncio.wait([watch])
        finally:
            watch.cancel()
            self._watches.discard(watch)

    def end_watches(self) -> None:
        """Ends all calls that still watch."""
        for watch in self._watches:
            watch.cancel()
