"""A hub without sockets: transports that write down what they get, and a clock that is moved by hand."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from tribe_ws.clock import ManualClock
from tribe_ws.hub.connection import Connection, OutboxLimits
from tribe_ws.hub.hub import Hub, HubLimits
from tribe_ws.hub.packet import Batch
from tribe_ws.protocol.close_codes import CloseCode
from tribe_ws.protocol.profiles import Profile


class RecordingTransport:
    """A client that writes down every write; ``backlog`` is what it claims not to have taken."""

    def __init__(self) -> None:
        self.writes: list[Batch] = []
        self.backlog = (0, 0)
        self.closed_with: CloseCode | None = None
        self.is_reset = False

    def send(self, batch: Batch) -> bool:
        assert self.closed_with is None, "a frame after the close"
        self.writes.append(batch)
        return any(self.backlog)

    def waiting(self) -> tuple[int, int]:
        return self.backlog

    def close(self, close_code: CloseCode) -> None:
        self.closed_with = close_code

    def reset(self) -> None:
        self.is_reset = True

    @property
    def frames(self) -> list[dict[str, Any]]:
        return [json.loads(packet.payload) for batch in self.writes for packet in batch.packets]


class Counting:
    """An observer that adds up."""

    def __init__(self) -> None:
        self.frames_out: dict[str, int] = {}
        self.reasons: list[str] = []
        self.fan_outs: list[float] = []

    def frame_in(self, event: str) -> None:
        raise AssertionError(f"the hub reads no client frames: {event}")

    def frame_out(self, event: str, n: int) -> None:
        self.frames_out[event] = self.frames_out.get(event, 0) + n

    def dropped(self, reason: str) -> None:
        self.reasons.append(reason)

    def fan_out(self, seconds: float) -> None:
        self.fan_outs.append(seconds)


class World:
    """A hub with its clock and observer, and people who connect to it."""

    def __init__(self, limits: HubLimits) -> None:
        self.clock = ManualClock()
        self.observer = Counting()
        self.hub = Hub(clock=self.clock, limits=limits, observer=self.observer)
        self.presence: list[tuple[str, bool]] = []
        self.hub.on_presence = lambda user_id, is_online: self.presence.append((user_id, is_online))

    def connection(
        self,
        user: str,
        *,
        profile: Profile = Profile.DOCUMENTED,
        limits: OutboxLimits | None = None,
    ) -> Connection:
        return Connection(
            user_id=user,
            user_name=user.title(),
            profile=profile,
            transport=RecordingTransport(),
            limits=limits or self.hub.limits.outbox,
        )

    def connect(self, user: str, *rooms: str, **options: Any) -> Connection:
        connection = self.connection(user, **options)
        assert self.hub.attach(connection)
        for room in rooms:
            assert self.hub.subscribe(connection, room)
        return connection

    async def settle(self) -> None:
        """Let the loop turn, so that what is corked goes out."""
        await asyncio.sleep(0)
        await asyncio.sleep(0)


def sent(connection: Connection) -> list[dict[str, Any]]:
    assert isinstance(connection.transport, RecordingTransport)
    return connection.transport.frames


def writes(connection: Connection) -> list[Batch]:
    assert isinstance(connection.transport, RecordingTransport)
    return connection.transport.writes


def typing_of(connection: Connection) -> list[tuple[str, bool]]:
    return [
        (frame["data"]["user_id"], frame["data"]["is_typing"])
        for frame in sent(connection)
        if frame["event"] == "typing"
    ]


@pytest.fixture
def world() -> World:
    return World(HubLimits())


@pytest.fixture
def make_world() -> Callable[..., World]:
    return lambda **limits: World(HubLimits(**limits))


@pytest.fixture
def seen() -> Callable[[Connection], list[dict[str, Any]]]:
    return sent


@pytest.fixture
def written() -> Callable[[Connection], list[Batch]]:
    return writes


@pytest.fixture
def typing_seen() -> Callable[[Connection], list[tuple[str, bool]]]:
    return typing_of


@pytest.fixture
def transport() -> RecordingTransport:
    return RecordingTransport()
