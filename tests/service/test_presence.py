"""One client's presence, rule by rule: what holds it online, when it is let go, and what reason is told."""

import pytest
from heartline_service.presence.presence import Cause, Presence
from service.one_client import FOREVER, GRACE, NOW, TTL, offline, online, with_lease, with_sessions

LOSSES = [Cause.CONNECTION_LOST, Cause.HEARTBEAT_TIMEOUT]


class TestFirstInAndLastOut:
    def test_nobody_is_online_before_it_came(self) -> None:
        client = Presence()
        assert not client.online
        assert client.deadline() is None

    def test_the_first_session_brings_a_client_online(self) -> None:
        client = Presence()
        assert client.session_opened() == online(Cause.CONNECTED)
        assert client.online

    def test_a_check_in_brings_a_client_online(self) -> None:
        assert Presence().check_in(NOW, TTL) == online(Cause.CHECKED_IN)

    def test_a_poll_brings_a_client_online(self) -> None:
        assert Presence().poll_began()[1] == online(Cause.POLLED)

    def test_who_is_online_does_not_come_again_by_any_way(self) -> None:
        client = with_sessions(1)
        assert client.session_opened() is None
        assert client.check_in(NOW, TTL) is None
        assert client.poll_began()[1] is None

    @pytest.mark.parametrize("grace", [0.0, GRACE])
    @pytest.mark.parametrize("cause", [Cause.GOODBYE, Cause.ENDED_BY_OPERATOR, *LOSSES])
    def test_the_end_of_one_session_of_two_changes_nothing(self, cause: Cause, grace: float) -> None:
        client = with_sessions(2)
        assert client.session_closed(NOW, cause, grace) is None
        assert client.deadline() is None
        assert client.tick(FOREVER) is None

    @pytest.mark.parametrize("cause", [Cause.GOODBYE, Cause.ENDED_BY_OPERATOR])
    def test_a_last_session_that_ends_without_a_grace_takes_the_client_offline_at_once(self, cause: Cause) -> None:
        client = with_sessions(1)
        assert client.session_closed(NOW, cause, 0.0) == offline(cause)
        assert not client.online

    def test_a_lease_holds_a_client_whose_last_session_said_goodbye(self) -> None:
        client = with_sessions(1)
        client.check_in(NOW, TTL)
        assert client.session_closed(NOW, Cause.GOODBYE, 0.0) is None
        assert client.tick(NOW + TTL) == offline(Cause.LEASE_EXPIRED)

    def test_a_pending_poll_holds_a_client_whose_last_session_said_goodbye(self) -> None:
        client = with_sessions(1)
        client.poll_began()
        assert client.session_closed(NOW, Cause.GOODBYE, 0.0) is None
        assert client.deadline() is None
        assert client.tick(FOREVER) is None

    def test_who_left_may_come_back(self) -> None:
        client = with_sessions(1)
        client.session_closed(NOW, Cause.GOODBYE, 0.0)
        assert client.check_in(NOW, TTL) == online(Cause.CHECKED_IN)


class TestGrace:
    @pytest.mark.parametrize("cause", LOSSES)
    def test_a_lost_client_is_told_offline_when_the_grace_is_over_and_not_before(self, cause: Cause) -> None:
        client = with_sessions(1)
        assert client.session_closed(NOW, cause, GRACE) is None
        assert client.deadline() == NOW + GRACE
        assert client.tick(NOW + GRACE - 0.001) is None
        assert client.tick(NOW + GRACE) == offline(cause)
        assert client.deadline() is None

    def test_who_returns_within_the_grace_does_not_flicker(self) -> None:
        client = with_sessions(1)
        client.session_closed(NOW, Cause.CONNECTION_LOST, GRACE)
        assert client.session_opened() is None
        assert client.deadline() is None
        assert client.tick(FOREVER) is None

    def test_each_loss_has_a_grace_of_its_own(self) -> None:
        client = with_sessions(1)
        client.session_closed(NOW, Cause.CONNECTION_LOST, GRACE)
        client.session_opened()
        client.session_closed(NOW + 3.0, Cause.HEARTBEAT_TIMEOUT, GRACE)
        assert client.tick(NOW + GRACE) is None
        assert client.tick(NOW + 3.0 + GRACE) == offline(Cause.HEARTBEAT_TIMEOUT)

    def test_a_goodbye_after_a_return_needs_not_wait_for_the_grace_before_it(self) -> None:
        client = with_sessions(1)
        client.session_closed(NOW, Cause.CONNECTION_LOST, GRACE)
        client.session_opened()
        assert client.session_closed(NOW + 1.0, Cause.GOODBYE, 0.0) == offline(Cause.GOODBYE)

    def test_a_loss_beside_a_live_session_starts_no_grace(self) -> None:
        client = with_sessions(2)
        client.session_closed(NOW, Cause.CONNECTION_LOST, GRACE)
        assert client.session_closed(NOW + 1.0, Cause.GOODBYE, 0.0) == offline(Cause.GOODBYE)

    def test_a_lease_that_outlasts_the_grace_decides(self) -> None:
        client = with_lease(NOW + TTL)
        client.session_opened()
        client.session_closed(NOW, Cause.CONNECTION_LOST, GRACE)
        assert client.deadline() == NOW + TTL
        assert client.tick(NOW + GRACE) is None
        assert client.tick(NOW + TTL) == offline(Cause.LEASE_EXPIRED)

    def test_a_grace_that_outlasts_the_lease_decides(self) -> None:
        client = with_lease(NOW + 1.0)
        client.session_opened()
        client.session_closed(NOW, Cause.HEARTBEAT_TIMEOUT, GRACE)
        assert client.deadline() == NOW + GRACE
        assert client.tick(NOW + 1.0) is None
        assert client.tick(NOW + GRACE) == offline(Cause.HEARTBEAT_TIMEOUT)

    def test_a_tick_that_comes_long_after_both_tells_the_one_that_held_longest(self) -> None:
        client = with_lease(NOW + 1.0)
        client.session_opened()
        client.session_closed(NOW, Cause.HEARTBEAT_TIMEOUT, GRACE)
        assert client.tick(FOREVER) == offline(Cause.HEARTBEAT_TIMEOUT)


class TestLease:
    def test_a_lease_ends_when_its_time_is_over_and_not_before(self) -> None:
        client = with_lease(NOW + TTL)
        assert client.deadline() == NOW + TTL
        assert client.tick(NOW + TTL - 0.001) is None
        assert client.tick(NOW + TTL) == offline(Cause.LEASE_EXPIRED)
        assert client.lease_until is None

    def test_a_check_in_extends_a_lease(self) -> None:
        client = with_lease(NOW + TTL)
        client.check_in(NOW + 10.0, TTL)
        assert client.lease_until == NOW + 10.0 + TTL

    def test_a_shorter_check_in_does_not_shorten_a_lease(self) -> None:
        client = with_lease(NOW + TTL)
        client.check_in(NOW + 1.0, 0.1)
        assert client.lease_until == NOW + TTL

    def test_the_end_of_a_poll_extends_the_lease(self) -> None:
        client = Presence()
        begun, _ = client.poll_began()
        assert client.poll_ended(begun, NOW, TTL) is None
        assert client.deadline() == NOW + TTL

    def test_the_end_of_a_poll_does_not_shorten_a_longer_lease(self) -> None:
        client = with_lease(NOW + 10 * TTL)
        begun, _ = client.poll_began()
        client.poll_ended(begun, NOW, TTL)
        assert client.lease_until == NOW + 10 * TTL

    def test_a_lease_that_runs_out_under_a_session_changes_nothing(self) -> None:
        client = with_lease(NOW + TTL)
        client.session_opened()
        assert client.deadline() is None
        assert client.tick(NOW + TTL) is None
        assert client.session_closed(NOW + TTL + 1.0, Cause.GOODBYE, 0.0) == offline(Cause.GOODBYE)

    def test_a_lease_that_runs_out_under_a_poll_changes_nothing(self) -> None:
        client = with_lease(NOW + TTL)
        client.poll_began()
        assert client.deadline() is None
        assert client.tick(NOW + TTL) is None

    def test_of_two_pending_polls_the_last_one_counts(self) -> None:
        client = Presence()
        first, _ = client.poll_began()
        client.poll_began()
        client.poll_ended(first, NOW, TTL)
        assert client.deadline() is None
        assert client.tick(NOW + TTL) is None
