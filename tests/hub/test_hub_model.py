"""The hub against a model simple enough to be right: order, once only, exclusion, typing and clean-up.

The model keeps, for every connection, the list of frames it must have got by now; the hub corks, joins,
shares bytes and arms timers, and must come to the same.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tribe_ws.clock import ManualClock
from tribe_ws.hub.connection import Connection
from tribe_ws.hub.hub import Hub, HubLimits
from tribe_ws.hub.packet import Batch
from tribe_ws.protocol.close_codes import CloseCode
from tribe_ws.protocol.frames import MessageNew, NewMessage, Sender
from tribe_ws.protocol.profiles import Profile

USERS = st.sampled_from(["ana", "ben", "cara"])
ROOMS = st.sampled_from(["room", "hall"])
ANY = st.integers(0, 7)
TTL, REPEAT, DELAY, MOST = 6.0, 1.0, 3.0, 3

Expected = tuple[str, str, str]  # a message: room, id, ""; typing: room, user, "true" or "false"


class Sink:
    """A client that takes everything at once."""

    def __init__(self) -> None:
        self.got: list[Expected] = []
        self.closed_with: CloseCode | None = None

    def send(self, batch: Batch) -> bool:
        assert self.closed_with is None
        self.got.extend(_expected(json.loads(packet.payload)) for packet in batch.packets)
        return False

    def waiting(self) -> tuple[int, int]:
        return 0, 0

    def close(self, close_code: CloseCode) -> None:
        self.closed_with = close_code

    def reset(self) -> None:
        raise AssertionError("nobody asked for a reset")


def _expected(frame: dict[str, Any]) -> Expected:
    data = frame["data"]
    if frame["event"] == "typing":
        return frame["conversation_id"], data["user_id"], str(data["is_typing"])
    return frame["conversation_id"], data["id"], ""


class Typing:
    """What the model knows of one typist in one conversation."""

    def __init__(self) -> None:
        self.is_typing = False
        self.told_at = float("-inf")
        self.heard_at = float("-inf")
        self.speakers: set[Connection] = set()


class HubMachine(RuleBasedStateMachine):
    """Begins with two sockets of one user and one each of two others, in both conversations."""

    @initialize()
    def begin(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.clock = ManualClock()
        limits = HubLimits(connections_per_user=MOST, typing_ttl=TTL, presence_delay=DELAY)
        self.hub = Hub(clock=self.clock, limits=limits)
        self.said: list[tuple[str, bool]] = []
        self.hub.on_presence = lambda *news: self.said.append(news)
        self.live: dict[Connection, list[Expected]] = {}
        self.rooms: dict[str, list[Connection]] = {"room": [], "hall": []}
        self.typing: dict[tuple[str, str], Typing] = {}
        self.expected_presence: list[tuple[str, bool]] = []
        self.left_at: dict[str, float] = {}
        self.online: set[str] = set()
        self.numbers = itertools.count()
        self.known: list[Connection] = []
        for number, user in enumerate(["ana", "ana", "ben", "cara"]):
            self.attach(user)
            self.subscribe(number, "room")
            self.subscribe(number, "hall")

    def teardown(self) -> None:
        if not hasattr(self, "hub"):
            return
        self.turn()
        for number in range(len(self.known)):
            self.detach(number)
        self.advance(20)
        self.turn()
        assert self.hub.is_empty, self.hub.footprint()
        self.loop.close()

    # ── What happens to the hub, and what the model makes of it ──

    def within_loop(self, call, *arguments):
        async def run():
            return call(*arguments)

        return self.loop.run_until_complete(run())

    def pick(self, number: int) -> Connection:
        """Choose one of the last connections, of which some may be gone."""
        return self.known[-1 - number % len(self.known)]

    @rule(user=USERS)
    def attach(self, user: str) -> None:
        connection = Connection(
            user_id=user, user_name=user.title(), profile=Profile.DOCUMENTED, transport=Sink()
        )
        mine = [other for other in self.live if other.user_id == user]
        assert self.hub.attach(connection) == (len(mine) < MOST)
        if len(mine) < MOST:
            self.live[connection] = []
            self.left_at.pop(user, None)
            if user not in self.online:
                self.online.add(user)
                self.expected_presence.append((user, True))
        self.known.append(connection)

    @rule(number=ANY)
    def detach(self, number: int) -> None:
        connection = self.pick(number)
        self.within_loop(self.hub.detach, connection)
        self.within_loop(self.hub.detach, connection)
        if connection not in self.live:
            return
        for members in self.rooms.values():
            if connection in members:
                members.remove(connection)
        for (user, room), typing in tuple(self.typing.items()):
            if connection in typing.speakers:
                typing.speakers.discard(connection)
                if not typing.speakers:
                    self.stop(user, room)
                    del self.typing[user, room]
        del self.live[connection]
        if all(other.user_id != connection.user_id for other in self.live):
            self.left_at[connection.user_id] = self.clock.monotonic()

    @rule(number=ANY, room=ROOMS)
    def subscribe(self, number: int, room: str) -> None:
        connection = self.pick(number)
        assert self.within_loop(self.hub.subscribe, connection, room) == (connection in self.live)
        if connection in self.live and connection not in self.rooms[room]:
            self.rooms[room].append(connection)

    @rule(number=ANY, room=ROOMS)
    def unsubscribe(self, number: int, room: str) -> None:
        connection = self.pick(number)
        self.within_loop(self.hub.unsubscribe, connection, room)
        if connection in self.rooms[room]:
            self.rooms[room].remove(connection)
        typing = self.typing.get((connection.user_id, room))
        if typing is not None and typing.is_typing and connection in typing.speakers:
            if len(typing.speakers) > 1:
                typing.speakers.discard(connection)
            else:
                self.stop(connection.user_id, room)

    @rule(user=USERS, room=ROOMS)
    def evict(self, user: str, room: str) -> None:
        self.within_loop(self.hub.evict, user, room)
        self.rooms[room] = [member for member in self.rooms[room] if member.user_id != user]
        self.stop(user, room)
        self.typing.pop((user, room), None)

    @rule(user=USERS, room=ROOMS, count=st.integers(1, 3))
    def publish(self, user: str, room: str, count: int) -> None:
        for _ in range(count):
            name = f"m{next(self.numbers)}"
            sender = Sender(id=user, username=user, full_name=user, profile_image_url=None)
            data = NewMessage(
                id=name,
                conversation_id=room,
                sender=sender,
                content="",
                message_type="text",
                created_at="t",
            )
            frame = MessageNew(conversation_id=room, data=data)
            self.within_loop(lambda frame=frame: self.hub.publish(room, frame, exclude_user=user))
            self.expect(user, (room, name, ""))

    @rule(number=ANY, room=ROOMS, is_typing=st.booleans())
    def type(self, number: int, room: str, is_typing: bool) -> None:
        connection = self.pick(number)
        self.within_loop(self.hub.typing, connection, room, is_typing)
        if connection not in self.live:
            return
        typing = self.typing.setdefault((connection.user_id, room), Typing())
        now = self.clock.monotonic()
        if is_typing != typing.is_typing or now - typing.told_at >= REPEAT:
            typing.told_at = now
            self.expect(connection.user_id, (room, connection.user_id, str(is_typing)))
        typing.is_typing = is_typing
        typing.heard_at = now
        if not is_typing:
            typing.speakers.clear()
        typing.speakers.add(connection)

    @rule(user=USERS, room=ROOMS)
    def send_message(self, user: str, room: str) -> None:
        self.within_loop(self.hub.stop_typing, user, room)
        self.stop(user, room)

    @rule(tenths=st.integers(1, 70))
    def let_time_pass(self, tenths: int) -> None:
        for _ in range(tenths):
            self.advance(0.125)

    @rule()
    def turn(self) -> None:
        """Let the loop turn, after which everybody has everything."""
        self.loop.run_until_complete(asyncio.sleep(0))
        for connection in self.live:
            for room in self.rooms:
                assert self.got(connection, room) == self.expected(connection, room)

    @rule()
    def flush(self) -> None:
        self.hub.flush()

    # ── The model ──

    def advance(self, seconds: float) -> None:
        self.within_loop(self.clock.advance, seconds)
        now = self.clock.monotonic()
        for (user, room), typing in tuple(self.typing.items()):
            if typing.is_typing and now - typing.heard_at >= TTL:
                self.stop(user, room)
            elif not typing.is_typing and now - typing.told_at >= REPEAT:
                del self.typing[user, room]
        for user, left_at in tuple(self.left_at.items()):
            if now - left_at >= DELAY:
                del self.left_at[user]
                self.online.discard(user)
                self.expected_presence.append((user, False))

    def stop(self, user: str, room: str) -> None:
        typing = self.typing.get((user, room))
        if typing is not None and typing.is_typing:
            typing.is_typing = False
            typing.told_at = self.clock.monotonic()
            self.expect(user, (room, user, "False"))

    def expect(self, author: str, frame: Expected) -> None:
        for member in self.rooms[frame[0]]:
            if member.user_id != author:
                self.live[member].append(frame)

    @invariant()
    def presence_is_told_once(self) -> None:
        if hasattr(self, "hub"):
            assert sorted(self.said) == sorted(self.expected_presence)
            assert all(self.hub.is_online(user) == (user in self.online) for user in ("ana", "ben", "cara"))

    def got(self, connection: Connection, room: str) -> list[Expected]:
        """What came, room by room: they are independent of each other, within one order counts."""
        assert isinstance(connection.transport, Sink)
        return [frame for frame in connection.transport.got if frame[0] == room]

    def expected(self, connection: Connection, room: str) -> list[Expected]:
        return [frame for frame in self.live[connection] if frame[0] == room]

    @invariant()
    def nobody_got_anything_that_was_not_theirs(self) -> None:
        if not hasattr(self, "hub"):
            return
        for connection in self.live:
            for room in self.rooms:
                got = self.got(connection, room)
                assert got == self.expected(connection, room)[: len(got)]

    @invariant()
    def the_figures_are_right(self) -> None:
        if not hasattr(self, "hub"):
            return
        assert set(self.hub.connections) == set(self.live)
        assert self.hub.connection_count == len(self.live)
        assert self.hub.subscription_count == sum(map(len, self.rooms.values()))
        for room, members in self.rooms.items():
            assert self.hub.recipients(room) == len(members)
            for user in ("ana", "ben", "cara"):
                others = [member for member in members if member.user_id != user]
                assert self.hub.recipients(room, user) == len(others)


class CorkedHubMachine(HubMachine):
    """The same, but what is published stays corked from step to step until something flushes it."""

    def within_loop(self, call, *arguments):
        """Call without letting the loop turn afterwards."""
        asyncio._set_running_loop(self.loop)
        try:
            return call(*arguments)
        finally:
            asyncio._set_running_loop(None)


TestHub = HubMachine.TestCase
TestHub.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)
TestCorkedHub = CorkedHubMachine.TestCase
TestCorkedHub.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)
