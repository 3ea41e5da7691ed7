"""The slow-consumer policy of contract 3.6, on one connection alone."""

from __future__ import annotations

import pytest

from tribe_ws.hub.connection import Connection, OutboxLimits
from tribe_ws.hub.packet import Batch, make_packet
from tribe_ws.protocol.close_codes import RESTART, SLOW_CONSUMER, TOKEN_EXPIRED
from tribe_ws.protocol.profiles import Profile

BATCH = Batch([make_packet(b"{}")])


def connect(transport, **limits) -> Connection:
    return Connection(
        user_id="u",
        user_name="U",
        profile=Profile.DOCUMENTED,
        transport=transport,
        limits=OutboxLimits(**limits),
    )


def test_a_connection_that_takes_everything_gets_everything(transport) -> None:
    connection = connect(transport)
    assert connection.offer(BATCH)
    assert connection.offer(BATCH)
    assert transport.writes == [BATCH, BATCH]
    assert connection.ended is None


@pytest.mark.parametrize("backlog", [(1024 * 1024, 1), (1, 1024), (1024 * 1024, 1024)])
def test_at_the_limits_a_connection_is_not_slow_yet(transport, backlog) -> None:
    connection = connect(transport)
    transport.backlog = backlog
    assert connection.offer(BATCH)
    assert connection.ended is None


@pytest.mark.parametrize("backlog", [(1024 * 1024 + 1, 1), (1, 1025)])
def test_beyond_a_limit_it_is_closed_as_a_slow_consumer(transport, backlog) -> None:
    connection = connect(transport)
    transport.backlog = backlog
    assert not connection.offer(BATCH)
    assert connection.ended is SLOW_CONSUMER
    assert transport.closed_with is SLOW_CONSUMER


def test_a_limit_of_zero_is_no_limit(transport) -> None:
    connection = connect(transport, bytes=0, frames=0)
    transport.backlog = (10**9, 10**6)
    assert connection.offer(BATCH)


def test_an_ended_connection_takes_nothing(transport) -> None:
    connection = connect(transport)
    connection.close(RESTART)
    assert not connection.offer(BATCH)
    assert transport.writes == []


def test_the_first_reason_for_a_close_is_the_one_that_counts(transport) -> None:
    connection = connect(transport)
    connection.close(TOKEN_EXPIRED)
    connection.close(RESTART)
    assert connection.ended is TOKEN_EXPIRED
    assert transport.closed_with is TOKEN_EXPIRED


def test_connections_have_ids_of_their_own(transport) -> None:
    assert connect(transport).id != connect(transport).id
