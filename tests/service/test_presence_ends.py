"""One client's presence: what a check-out ends, and what a restart of the server leaves."""

import pytest
from heartline_service.presence.presence import Cause, Presence
from service.one_client import FOREVER, GRACE, NOW, TTL, offline, online, with_lease, with_sessions


class TestCheckOut:
    def test_a_check_out_ends_a_lease_at_once(self) -> None:
        client = with_lease(NOW + TTL)
        assert client.check_out(NOW) == offline(Cause.CHECKED_OUT)
        assert client.lease_until is None

    def test_a_check_out_ends_a_grace_at_once(self) -> None:
        client = with_sessions(1)
        client.session_closed(NOW, Cause.CONNECTION_LOST, GRACE)
        assert client.check_out(NOW + 1.0) == offline(Cause.CHECKED_OUT)

    def test_a_check_out_leaves_the_sessions_and_the_client_online(self) -> None:
        client = with_sessions(1)
        client.check_in(NOW, TTL)
        assert client.check_out(NOW) is None
        assert client.online
        assert client.session_closed(NOW, Cause.GOODBYE, 0.0) == offline(Cause.GOODBYE)

    def test_a_check_out_of_who_is_not_there_changes_nothing(self) -> None:
        assert Presence().check_out(NOW) is None

    def test_a_poll_that_was_pending_at_a_check_out_neither_holds_nor_renews(self) -> None:
        client = Presence()
        begun, _ = client.poll_began()
        assert client.check_out(NOW) == offline(Cause.CHECKED_OUT)
        assert client.poll_ended(begun, NOW, TTL) is None
        assert not client.online
        assert client.lease_until is None

    def test_a_poll_from_before_a_check_out_does_not_take_the_place_of_one_from_after(self) -> None:
        client = Presence()
        before, _ = client.poll_began()
        client.check_out(NOW)
        after, change = client.poll_began()
        assert change == online(Cause.POLLED)
        client.poll_ended(before, NOW, TTL)
        assert client.tick(FOREVER) is None
        client.poll_ended(after, NOW, TTL)
        assert client.deadline() == NOW + TTL

    def test_a_check_in_after_a_check_out_holds_again(self) -> None:
        client = with_lease(NOW + TTL)
        client.check_out(NOW)
        assert client.check_in(NOW, 1.0) == online(Cause.CHECKED_IN)
        assert client.lease_until == NOW + 1.0


class TestRestart:
    def test_who_was_online_is_online_still(self) -> None:
        client = Presence()
        client.restore(NOW, GRACE, 0.0)
        assert client.online
        assert client.session_opened() is None

    def test_who_does_not_return_within_the_grace_is_told_offline_after_it(self) -> None:
        client = Presence()
        client.restore(NOW, GRACE, 0.0)
        assert client.deadline() == NOW + GRACE
        assert client.tick(NOW + GRACE) == offline(Cause.SERVER_RESTARTED)

    @pytest.mark.parametrize("left", [-TTL, 1.0])
    def test_a_lease_that_ran_out_meanwhile_or_soon_gets_the_grace(self, left: float) -> None:
        client = Presence()
        client.restore(NOW, GRACE, left)
        assert client.tick(NOW + GRACE - 0.001) is None
        assert client.tick(NOW + GRACE) == offline(Cause.SERVER_RESTARTED)

    def test_a_lease_that_still_runs_goes_on(self) -> None:
        client = Presence()
        client.restore(NOW, GRACE, TTL)
        assert client.tick(NOW + GRACE) is None
        assert client.tick(NOW + TTL) == offline(Cause.LEASE_EXPIRED)

    def test_who_returned_by_a_poll_or_a_check_in_stays_after_the_grace(self) -> None:
        client = Presence()
        client.restore(NOW, GRACE, 0.0)
        assert client.check_in(NOW + 1.0, TTL) is None
        assert client.tick(NOW + GRACE) is None
        assert client.deadline() == NOW + 1.0 + TTL

    @pytest.mark.parametrize("lease", [1.0, TTL])
    def test_who_returns_by_a_lease_leaves_by_it_also_when_the_grace_outlasts_it(self, lease: float) -> None:
        client = Presence()
        client.restore(NOW, GRACE, 0.0)
        assert client.check_in(NOW, lease) is None
        due = client.deadline()
        assert due == NOW + max(lease, GRACE)
        assert client.tick(due) == offline(Cause.LEASE_EXPIRED)
