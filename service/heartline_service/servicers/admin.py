"""AdminService: for whoever runs the server."""

from heartline.v1 import admin_service_pb2 as pb

from heartline_service import checks, pages, wire
from heartline_service.edge import Caller
from heartline_service.hub import Hub
from heartline_service.sessions.live import LiveSession

PAGE_BYTES = 3 * 1024 * 1024
"""A page of sessions ends here, whatever its size in sessions: each may read many channels, and an answer must stay
under 4 MiB."""


class AdminServicer:
    """Tells what the server holds."""

    def __init__(self, hub: Hub, version: str) -> None:
        self._hub = hub
        self._version = version
        self._started_at = hub.clock.wall()

    async def GetServer(self, request: pb.GetServerRequest, caller: Caller) -> pb.GetServerResponse:
        """Tells what this server is."""
        return pb.GetServerResponse(
            server_name=self._hub.settings.name,
            version=self._version,
            store=self._hub.store.kind,
            epoch=self._hub.store.epoch,
            start_time=wire.timestamp(self._started_at),
            sessions=len(self._hub.sessions),
            pending_polls=self._hub.pending_polls,
            draining=self._hub.draining,
        )

    async def ListSessions(self, request: pb.ListSessionsRequest, caller: Caller) -> pb.ListSessionsResponse:
        """Lists live sessions."""
        size = checks.page_size(request.page_size)
        client_id = checks.client_id(request.client_id, may_be_empty=True)
        listing = f"sessions {client_id}"
        start = pages.after(listing, request.page_token)
        sessions = self._hub.sessions
        ids = sorted(
            one.id for one in sessions.values() if one.id > start and (not client_id or one.client_id == client_id)
        )
        now, page, room = self._hub.clock.now(), pb.ListSessionsResponse(), PAGE_BYTES
        for one in ids[:size]:
            info = _info(sessions[one], now)
            room -= info.ByteSize()
            if room < 0:
                break
            page.sessions.append(info)
        if len(page.sessions) < len(ids):
            page.next_page_token = pages.token(listing, page.sessions[-1].session_id)
        return page

    async def EndSession(self, request: pb.EndSessionRequest, caller: Caller) -> pb.EndSessionResponse:
        """Ends one session."""
        self._hub.end_session(checks.session_id(request.session_id, "session_id"))
        return pb.EndSessionResponse()

    async def ListChannels(self, request: pb.ListChannelsRequest, caller: Caller) -> pb.ListChannelsResponse:
        """Lists channels."""
        size = checks.page_size(request.page_size)
        found = await self._hub.store.channels(pages.after("channels", request.page_token), size + 1)
        more = pages.token("channels", found[size - 1][0]) if len(found) > size else ""
        channels = [
            pb.ChannelInfo(channel=name, oldest_offset=head.oldest, latest_offset=head.latest)
            for name, head in found[:size]
        ]
        return pb.ListChannelsResponse(channels=channels, next_page_token=more)


def _info(session: LiveSession, now: float) -> pb.SessionInfo:
    rules = session.rules
    return pb.SessionInfo(
        session_id=session.id,
        client_id=session.client_id,
        peer=session.link.peer,
        open_time=wire.timestamp(session.opened_at or 0.0),
        mode=session.mode,
        heartbeat_interval=wire.duration(rules.timing.interval),
        heartbeat_timeout=wire.duration(rules.timing.timeout),
        silence=wire.duration(now - rules.heard_at),
        round_trip=None if rules.round_trip is None else wire.duration(rules.round_trip),
        events_sent=rules.events_sent,
        subscriptions=[
            pb.SessionSubscription(
                position=wire.position(name, feed.cursor.epoch, feed.cursor.offset),
                unacked=feed.unacked(),
                max_unacked=feed.max_unacked,
            )
            for name, feed in session.outbox.feeds.items()
        ],
    )
