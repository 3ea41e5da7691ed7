"""The hub: who is connected, who listens to which conversation, and the fan-out between them.

It owes its callers three things. Publishing never waits for a client. Every connection that is subscribed at
the moment of publishing gets the frame once and in order, or is closed. And when a connection ends, nothing
of it is kept. It runs on one event loop and is not safe to call from another thread.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from tribe_ws.clock import Clock
from tribe_ws.hub.broker import Broker, Envelope, MemoryBroker
from tribe_ws.hub.connection import Connection, OutboxLimits
from tribe_ws.hub.faults import FaultPlan
from tribe_ws.hub.journal import Journal
from tribe_ws.hub.observer import HubObserver, NullObserver
from tribe_ws.hub.packet import Batch, Packet
from tribe_ws.hub.presence import PresenceState
from tribe_ws.hub.room import Outgoing, Room
from tribe_ws.hub.typing_state import TypingState
from tribe_ws.protocol.close_codes import TOO_MANY_CONNECTIONS, CloseCode
from tribe_ws.protocol.frames import Frame, TypingChanged, Typist
from tribe_ws.protocol.frames_v2 import Stamp
from tribe_ws.protocol.profiles import FRAMES_OF, Profile


@dataclass(frozen=True, slots=True)
class HubLimits:
    """What the hub allows (0 is no limit) and how long its two states last, in seconds."""

    connections_per_user: int = 20
    outbox: OutboxLimits = field(default_factory=OutboxLimits)
    typing_ttl: float = 6.0
    presence_delay: float = 3.0


class Hub:
    """All live connections of one server process.

    ``on_presence(user_id, is_online)`` is called when a user's first socket opens, and some seconds after the
    last one was closed.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        broker: Broker | None = None,
        limits: HubLimits = HubLimits(),
        observer: HubObserver | None = None,
        faults: FaultPlan | None = None,
    ) -> None:
        self.limits = limits
        self.broker: Broker = broker if broker is not None else MemoryBroker()
        self.on_presence: Callable[[str, bool], None] | None = None
        self.evictions = 0
        self.journal = Journal(clock)
        self._clock = clock
        self.observer: HubObserver = observer if observer is not None else NullObserver()
        self._users: dict[str, dict[Connection, None]] = {}
        self._profiles: Counter[Profile] = Counter()
        self._rooms: dict[str, Room] = {}
        self._corked: dict[Room, None] = {}
        self._flushing: asyncio.Handle | None = None
        self._typing = TypingState(clock, ttl=limits.typing_ttl, emit=self._emit_typing)
        self._presence = PresenceState(clock, delay=limits.presence_delay, announce=self._announce)
        self.faults = faults if faults is not None else FaultPlan(clock)
        self.faults.bind(lambda: self.connections, self.journal.overrule)
        self.broker.start(self._deliver)

    # ── Connections ─────────────────────────────────────────────────────────────────────────────────────────

    def attach(self, connection: Connection) -> bool:
        """Take a new connection in; ``False`` if its user has as many as are allowed (contract 3.6, 4409)."""
        mine = self._users.get(connection.user_id)
        if mine is not None and 0 < self.limits.connections_per_user <= len(mine):
            self.observer.dropped(TOO_MANY_CONNECTIONS.reason)
            return False
        self._users.setdefault(connection.user_id, {})[connection] = None
        self._profiles[connection.profile] += 1
        if mine is None:
            self._presence.arrived(connection.user_id)
        if self.faults.is_active:
            self.faults.wrap(connection)
        self.journal.opened(connection)
        return True

    def detach(self, connection: Connection) -> None:
        """Forget a connection and everything that hung on it; idempotent, and right for every kind of end."""
        if not self.has(connection):
            return
        for conversation_id in tuple(connection.subscriptions):
            self._leave(connection, conversation_id)
        self._typing.release_all(connection)
        self.faults.forget(connection)
        if connection.ended is not None:
            self.observer.dropped(connection.ended.reason)
        self.journal.closed(connection)
        mine = self._users[connection.user_id]
        del mine[connection]
        self._profiles[connection.profile] -= 1
        if not mine:
            del self._users[connection.user_id]
            self._presence.left(connection.user_id)

    def has(self, connection: Connection) -> bool:
        """Tell whether the connection is attached."""
        return connection in self._users.get(connection.user_id, ())

    def close_user(self, user_id: str, close_code: CloseCode) -> None:
        """Close every connection of a user."""
        for connection in tuple(self._users.get(user_id, ())):
            connection.close(close_code)

    def close_all(self, close_code: CloseCode) -> None:
        """Send what is pending, then close every connection."""
        self.flush()
        for connection in self.connections:
            connection.close(close_code)

    async def stop(self) -> None:
        """Let go of timers and broker; what is still connected is told nothing."""
        self.flush()
        self._typing.clear()
        self._presence.stop()
        await self.broker.stop()

    # ── Subscriptions ───────────────────────────────────────────────────────────────────────────────────────

    def subscribe(self, connection: Connection, conversation_id: str) -> bool:
        """Let a connection get what is published in a conversation from now on; ``False`` if it has ended."""
        if connection.ended is not None or not self.has(connection):
            return False
        room = self._rooms.get(conversation_id)
        if room is None:
            room = self._rooms[conversation_id] = Room(conversation_id)
        self._flush_room(room)
        room.add(connection)
        connection.subscriptions.add(conversation_id)
        return True

    def hold(self, connection: Connection, conversation_id: str) -> bool:
        """Subscribe a connection, but let what is published there wait for it, until ``release``.

        So what it missed can be read and sent first. ``False`` if it has ended.
        """
        if connection.ended is not None or not self.has(connection):
            return False
        room = self._rooms.get(conversation_id)
        if room is None:
            room = self._rooms[conversation_id] = Room(conversation_id)
        self._flush_room(room)
        room.hold(connection)
        connection.subscriptions.add(conversation_id)
        return True

    def release(
        self, connection: Connection, conversation_id: str, covered: tuple[int, int], *, echo: bool
    ) -> bool:
        """Send what waited for a connection beyond what it has got, ``covered``, and go on from there.

        ``echo`` adds its own user's messages. ``False`` if it is not subscribed any more.
        """
        room = self._rooms.get(conversation_id)
        if room is None or not self.is_held(connection, conversation_id):
            return False
        self._flush_room(room)
        batch = room.release(connection, covered, echo=echo)
        if batch is not None and connection.offer(batch):
            for packet in batch.packets:
                self.observer.frame_out(packet.event, 1)
        return True

    def is_held(self, connection: Connection, conversation_id: str) -> bool:
        """Tell whether frames of that conversation wait for a connection that still lives."""
        room = self._rooms.get(conversation_id)
        guest = room.guests.get(connection) if room is not None else None
        return connection.ended is None and guest is not None and guest.waiting is not None

    def covered(self, connection: Connection, conversation_id: str) -> tuple[int, int] | None:
        """Tell above which number, and up to which, a connection in v2 has got every message.

        ``None`` where it is not subscribed to that conversation yet.
        """
        room = self._rooms.get(conversation_id)
        if room is None:
            return None
        self._flush_room(room)
        return room.covered(connection)

    def unsubscribe(self, connection: Connection, conversation_id: str) -> None:
        """Let a connection get nothing more of a conversation; what was published before still goes to it."""
        self._leave(connection, conversation_id)
        self._typing.release(connection, conversation_id)

    def evict(self, user_id: str, conversation_id: str) -> None:
        """Take a removed participant out, at once and on every connection (contract 6.3).

        ``evictions`` counts these calls: who checked a membership and then waited compares it to know whether
        to check again.
        """
        self.evictions += 1
        for connection in tuple(self._users.get(user_id, ())):
            if conversation_id in connection.subscriptions:
                self._leave(connection, conversation_id)
                if connection.on_evicted is not None:
                    connection.on_evicted(conversation_id)
        self._typing.expel(user_id, conversation_id)

    # ── Frames ──────────────────────────────────────────────────────────────────────────────────────────────

    def send(self, connection: Connection, frame: Frame) -> None:
        """Send one frame to one connection, at once; dropped if its profile does not carry it."""
        self._offer([connection], Outgoing(frame))

    def publish(
        self,
        conversation_id: str,
        frame: Frame,
        *,
        exclude_user: str | None = None,
        stamp: Stamp | None = None,
    ) -> None:
        """Send a frame to every connection subscribed now, but not to those of ``exclude_user``.

        It leaves at the end of this turn of the event loop, together with what else is published until then.
        A message has a ``stamp``: connections in v2 get nothing without.
        """
        self.broker.publish(Envelope(frame, conversation_id, exclude_user, stamp=stamp))

    def send_to_users(self, user_ids: Iterable[str], frame: Frame) -> None:
        """Send a frame to every connection of these users whose profile carries it."""
        self.broker.publish(Envelope(frame, user_ids=frozenset(user_ids)))

    def push(self, connections: Sequence[Connection], packet: Packet) -> int:
        """Put a finished frame on the wire of connections, whatever their profile; tells how many took it."""
        taken = sum(connection.offer(Batch((packet,))) for connection in connections)
        self.journal.pushed(connections, packet)
        return taken

    def flush(self) -> None:
        """Send what is pending now rather than at the end of this turn of the loop."""
        while self._corked:
            self._flush_room(next(iter(self._corked)))

    def recipients(
        self, conversation_id: str, exclude_user: str | None = None, connection_id: str | None = None
    ) -> int:
        """Tell how many connections would get a message of that user, posted on that connection."""
        room = self._rooms.get(conversation_id)
        return room.count(exclude_user, connection_id) if room is not None else 0

    def reaches(self, frame_type: type[Frame]) -> bool:
        """Tell whether anybody is connected whose profile carries such frames."""
        return any(count and frame_type in FRAMES_OF[profile] for profile, count in self._profiles.items())

    # ── The two states that expire ──────────────────────────────────────────────────────────────────────────

    def typing(self, connection: Connection, conversation_id: str, is_typing: bool) -> None:
        """Note that a participant types or stopped, and tell the others unless they know (contract 3.2)."""
        if connection.ended is None and self.has(connection):
            self._typing.say(connection, conversation_id, is_typing)

    def stop_typing(self, user_id: str, conversation_id: str) -> None:
        """Note that the user sent a message there, which ends their typing."""
        self._typing.stop(user_id, conversation_id)

    def is_online(self, user_id: str) -> bool:
        """Tell whether the user has a connection, or had one a moment ago."""
        return self._presence.is_online(user_id)

    # ── Figures ─────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def connections(self) -> tuple[Connection, ...]:
        """All live connections, by user, in the order of their opening."""
        return tuple(connection for mine in self._users.values() for connection in mine)

    @property
    def connection_count(self) -> int:
        """How many connections are open."""
        return sum(map(len, self._users.values()))

    @property
    def subscription_count(self) -> int:
        """How many subscriptions all connections hold together."""
        return sum(len(room.listeners) for room in self._rooms.values())

    @property
    def outbox(self) -> tuple[int, int]:
        """How many bytes and frames wait for slow readers, all connections together."""
        waiting = [connection.transport.waiting() for connection in self.connections]
        return sum(size for size, _ in waiting), sum(frames for _, frames in waiting)

    def footprint(self) -> dict[str, int]:
        """Count everything the hub keeps, by kind; all zero when nobody is there and nothing is pending."""
        return {
            "users": len(self._users),
            "connections": self.connection_count,
            "rooms": len(self._rooms),
            "subscriptions": self.subscription_count,
            "corked": len(self._corked),
            "typing": len(self._typing),
            "presence": len(self._presence),
            "faults": len(self.faults),
        }

    @property
    def is_empty(self) -> bool:
        """Whether the hub keeps nothing at all."""
        return not any(self.footprint().values())

    # ── Inside ──────────────────────────────────────────────────────────────────────────────────────────────

    def _deliver(self, envelope: Envelope) -> None:
        if envelope.conversation_id is not None:
            self._cork(envelope.conversation_id, envelope)
            return
        listeners = [
            connection
            for user_id in envelope.user_ids
            if user_id != envelope.exclude_user
            for connection in self._users.get(user_id, ())
        ]
        self._offer(listeners, Outgoing(envelope.frame))

    def _cork(self, conversation_id: str, envelope: Envelope) -> None:
        room = self._rooms.get(conversation_id)
        stamp = envelope.stamp
        outgoing = Outgoing(envelope.frame, envelope.exclude_user, self._clock.monotonic(), stamp)
        if room is None:
            if self.journal.is_watched:
                self.journal.unheard(conversation_id, outgoing, self.connections)
            return
        room.pending.append(outgoing)
        if stamp is not None:
            room.note_published(stamp)
        self._corked[room] = None
        self._schedule_flush()

    def _schedule_flush(self) -> None:
        """See to it that the end of this turn flushes, also after a flush that an error cut short."""
        if self._corked and self._flushing is None:
            self._flushing = asyncio.get_running_loop().call_soon(self._flush_turn)

    def _flush_turn(self) -> None:
        self._flushing = None
        try:
            self.flush()
        finally:
            self._schedule_flush()

    def _flush_room(self, room: Room) -> None:
        if room not in self._corked:
            return
        del self._corked[room]
        published_at = room.pending[0].published_at
        watched = (room.pending, room.listeners) if self.journal.is_watched else None
        for event, count in room.fan_out().items():
            self.observer.frame_out(event, count)
        if watched is not None:
            self.journal.published_in(room, *watched, self.connections)
        self.observer.fan_out(self._clock.monotonic() - published_at)

    def _offer(self, connections: Sequence[Connection], outgoing: Outgoing) -> None:
        batches: dict[str, Batch | None] = {}
        reached = 0
        for connection in connections:
            if connection.profile not in batches:
                packet = outgoing.packet_for(connection.profile)
                batches[connection.profile] = Batch((packet,)) if packet is not None else None
            batch = batches[connection.profile]
            reached += batch is not None and connection.offer(batch)
        if reached:
            self.observer.frame_out(str(getattr(outgoing.frame, "event", "")), reached)
        if self.journal.is_watched:
            self.journal.sent(connections, outgoing)

    def _leave(self, connection: Connection, conversation_id: str) -> None:
        room = self._rooms.get(conversation_id)
        if room is None or conversation_id not in connection.subscriptions:
            return
        self._flush_room(room)
        room.remove(connection)
        connection.subscriptions.discard(conversation_id)
        if not room.listeners:
            del self._rooms[conversation_id]

    def _emit_typing(self, conversation_id: str, user_id: str, user_name: str, is_typing: bool) -> None:
        data = Typist(user_id=user_id, user_name=user_name, is_typing=is_typing)
        frame = TypingChanged(conversation_id=conversation_id, data=data)
        self.publish(conversation_id, frame, exclude_user=user_id)

    def _announce(self, user_id: str, is_online: bool) -> None:
        if self.on_presence is not None:
            self.on_presence(user_id, is_online)
