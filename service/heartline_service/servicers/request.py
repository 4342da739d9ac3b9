"""RequestService: every call stands alone."""

from heartline.v1 import request_service_pb2 as pb

from heartline_service import checks, pages, wire
from heartline_service.edge import Caller
from heartline_service.hub import Hub

POLL_AFTER = wire.duration(1.0)
"""How long the client is asked to wait after a short poll that left nothing behind."""
AT_ONCE = wire.duration(0.0)


class RequestServicer:
    """Translates the unary calls."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def Publish(self, request: pb.PublishRequest, caller: Caller) -> pb.PublishResponse:
        """Appends messages."""
        channel = checks.channel(request.channel, "channel")
        messages = checks.messages(request.messages, self._hub.settings.max_message_bytes)
        return wire.published(await self._hub.publish(channel, messages))

    async def Poll(self, request: pb.PollRequest, caller: Caller) -> pb.PollResponse:
        """Reads, now or as soon as there is something."""
        client_id = checks.client_id(request.client_id, may_be_empty=True)
        wishes = checks.wishes(request.subscriptions, client_id, at_least=1)
        most = checks.limit(
            request.max_events, "INVALID_MAX_EVENTS", "max_events", checks.MAX_POLL_EVENTS, checks.MAX_POLL_EVENTS
        )
        wait = None
        if request.HasField("wait"):
            wait = checks.seconds(request.wait, "INVALID_WAIT", "wait", 0.0, checks.MAX_WAIT)
        pieces, more = await self._hub.poll(client_id, wishes, most, wait)
        pause = AT_ONCE if more or wait else POLL_AFTER
        return pb.PollResponse(batches=[piece.batch for piece in pieces], poll_after=pause)

    async def Ack(self, request: pb.AckRequest, caller: Caller) -> pb.AckResponse:
        """Moves stored cursors."""
        client_id = checks.client_id(request.client_id)
        acked = await self._hub.ack(client_id, checks.positions(request.positions))
        return pb.AckResponse(positions=[wire.position(one.channel, one.epoch, one.offset) for one in acked])

    async def CheckIn(self, request: pb.CheckInRequest, caller: Caller) -> pb.CheckInResponse:
        """Sets a lease."""
        client_id, status = checks.client_id(request.client_id), checks.status(request.status)
        ttl = checks.DEFAULT_TTL
        if request.HasField("ttl"):
            ttl = checks.seconds(request.ttl, "INVALID_TTL", "ttl", checks.MIN_TTL, checks.MAX_TTL)
        until, waiting = await self._hub.check_in(client_id, ttl, status)
        return pb.CheckInResponse(lease_expire_time=wire.timestamp(until), events_waiting=waiting)

    async def CheckOut(self, request: pb.CheckOutRequest, caller: Caller) -> pb.CheckOutResponse:
        """Ends a lease."""
        self._hub.roster.check_out(checks.client_id(request.client_id))
        return pb.CheckOutResponse()

    async def GetPresence(self, request: pb.GetPresenceRequest, caller: Caller) -> pb.GetPresenceResponse:
        """Tells one client's presence."""
        found = await self._hub.presence(checks.client_id(request.client_id))
        return pb.GetPresenceResponse(presence=wire.presence(*found))

    async def ListPresence(self, request: pb.ListPresenceRequest, caller: Caller) -> pb.ListPresenceResponse:
        """Lists presence."""
        size = checks.page_size(request.page_size)
        online = request.online if request.HasField("online") else None
        listing = f"presence {online}"
        found = await self._hub.roster.page(pages.after(listing, request.page_token), size + 1, online)
        more = pages.token(listing, found[size - 1][0].client_id) if len(found) > size else ""
        return pb.ListPresenceResponse(presences=[wire.presence(*one) for one in found[:size]], next_page_token=more)
