"""What went over which connection, and why a frame did not: the memory behind the control API's stream.

Owes the hub that it costs nothing while nobody watches: whoever might write to it asks ``is_watched`` first.
It owes its watchers that they hold nobody up: each has a bounded store of its own, drops the oldest record
when that is full, and is told how many it missed. No token is ever in a record.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from tribe_ws.clock import Clock, format_timestamp
from tribe_ws.errors import ProtocolViolation
from tribe_ws.hub.backlog import Backlog
from tribe_ws.hub.connection import Connection
from tribe_ws.hub.packet import Packet
from tribe_ws.hub.room import Outgoing, Room
from tribe_ws.protocol.close_codes import SLOW_CONSUMER
from tribe_ws.protocol.codec import encode, parse_json
from tribe_ws.protocol.frames import Frame
from tribe_ws.protocol.frames_v2 import Stamp
from tribe_ws.protocol.urls import redact, redact_value

KEPT = 1000
"""How many records are kept for a watcher that asks for those before it came."""
WATCHER_SIZE = 10_000
"""How many records may wait for one watcher."""
HEAVIEST = 32 * 1024 * 1024
"""How many bytes of REST bodies may be kept, and wait for one watcher."""
LONGEST_TEXT = 2_000
"""Characters that are shown of a frame which is no JSON."""

LeavesOut = Callable[[Connection, Outgoing], bool]
Direction = Literal["in", "out", "rest", "note"]


class Verdict(StrEnum):
    """What became of a frame for one connection."""

    DELIVERED = "delivered"
    OWN_MESSAGE = "own_message"
    NOT_SUBSCRIBED = "not_subscribed"
    NOT_PARTICIPANT = "not_participant"
    PROFILE = "profile"
    OUTBOX_FULL = "outbox_full"
    CLOSED = "closed"
    FAULT_DROPPED = "fault_dropped"
    FAULT_DELAYED = "fault_delayed"


@dataclass(frozen=True, slots=True)
class Ruling:
    """The verdict for one connection."""

    connection_id: str
    user_id: str
    verdict: Verdict
    profile: str = ""


def _ruling(connection: Connection, verdict: Verdict) -> Ruling:
    return Ruling(connection.id, connection.user_id, verdict, connection.profile.value)


@dataclass(frozen=True, slots=True)
class Record:
    """One line of the journal; ``frame`` is parsed JSON, or the text of a frame that is none.

    ``user_id`` is whoever sent it: the client of a frame that came in, the author of one that went out. The
    hub does not know participants: it calls all ``not_subscribed`` who did not listen. ``frame`` is as the
    documented profile spells it; ``stamp`` holds what a v2 connection got besides. ``profile`` is that of
    the one connection, where there is one.
    """

    n: int
    at: datetime
    direction: Direction
    event: str
    frame: Any = None
    conversation_id: str | None = None
    connection_id: str | None = None
    user_id: str | None = None
    rulings: tuple[Ruling, ...] = ()
    profile: str = ""
    stamp: Stamp | None = None

    def with_participants(self, user_ids: frozenset[str]) -> Record:
        """Tell those who may not listen apart from those who only do not."""
        rulings = tuple(
            replace(ruling, verdict=Verdict.NOT_PARTICIPANT)
            if ruling.verdict is Verdict.NOT_SUBSCRIBED and ruling.user_id not in user_ids
            else ruling
            for ruling in self.rulings
        )
        return replace(self, rulings=rulings)

    def as_json(self, name_of: Callable[[str], str]) -> dict[str, Any]:
        """Give the record as the stream shows it; ``name_of`` knows the username of a user's id."""
        shown = {
            "n": self.n,
            "t": format_timestamp(self.at),
            "dir": self.direction,
            "event": self.event,
            "conversation_id": self.conversation_id,
            "connection_id": self.connection_id,
            "user": name_of(self.user_id) if self.user_id else None,
            "user_id": self.user_id,
            "frame": self.frame,
            "verdicts": [
                {
                    "connection_id": ruling.connection_id,
                    "user": name_of(ruling.user_id),
                    "user_id": ruling.user_id,
                    "verdict": ruling.verdict.value,
                    "profile": ruling.profile,
                }
                for ruling in self.rulings
            ],
        }
        if self.profile:
            shown["profile"] = self.profile
        if self.stamp is not None:
            shown["v2"] = {"seq": self.stamp.seq, "client_message_id": self.stamp.client_message_id}
        return shown


class Watcher:
    """One reader of the journal; made by ``Journal.watch``, to be ended by ``close``."""

    def __init__(self, journal: Journal, size: int, *, outlasts: bool = False) -> None:
        self._journal = journal
        self._waiting: Backlog[Record] = Backlog(size, HEAVIEST)
        self._missed = 0
        self._news = asyncio.Event()
        self.outlasts = outlasts
        self.is_closed = False

    def put(self, record: Record, weight: int = 0) -> None:
        """Take a record; the oldest goes when there are too many, or too much of them."""
        self._missed += self._waiting.put(record, weight)
        self._news.set()

    async def take(self) -> tuple[int, list[Record]]:
        """Wait for news; tells how many records were missed before them. None at all: it is closed."""
        while not self._waiting and not self.is_closed:
            self._news.clear()
            await self._news.wait()
        missed, self._missed = self._missed, 0
        return missed, self._waiting.take_all()

    def close(self) -> None:
        """Get nothing more; idempotent."""
        self.is_closed = True
        self._news.set()
        self._journal.forget(self)


class Journal:
    """The journal of one hub; ``is_watched`` is whether anybody reads it."""

    __slots__ = ("_clock", "_count", "_kept", "_overruled", "_watchers", "is_watched")

    def __init__(self, clock: Clock, *, kept: int = KEPT) -> None:
        self.is_watched = False
        self._clock = clock
        self._count = 0
        self._kept: Backlog[Record] = Backlog(kept, HEAVIEST)
        self._watchers: dict[Watcher, None] = {}
        self._overruled: dict[tuple[str, int], Verdict] = {}

    def watch(self, *, after: int | None = None, size: int = WATCHER_SIZE, outlasts: bool = False) -> Watcher:
        """Begin to read: what comes from now on, and before that what is kept ``after`` that number.

        One that ``outlasts`` the sockets hears also how they end when the server stops.
        """
        watcher = Watcher(self, size, outlasts=outlasts)
        for record in self._kept if after is not None else ():
            if record.n > (after or 0):
                watcher.put(record)
        self._watchers[watcher] = None
        self.is_watched = True
        return watcher

    def forget(self, watcher: Watcher) -> None:
        """Let a watcher go; when it was the last, nothing is recorded any more."""
        self._watchers.pop(watcher, None)
        self.is_watched = bool(self._watchers)
        if not self.is_watched:
            self._overruled.clear()

    def close(self, *, wholly: bool = True) -> None:
        """End every watcher, as the server stops; not ``wholly``, all but those that outlast the sockets."""
        for watcher in tuple(self._watchers):
            if wholly or not watcher.outlasts:
                watcher.close()

    @property
    def watchers(self) -> int:
        """How many read it."""
        return len(self._watchers)

    def overrule(self, connection_id: str, packet: Packet, verdict: Verdict) -> None:
        """Say, while a transport takes a batch, what becomes of one of its packets instead of delivery.

        This is for a transport that drops or delays on purpose: the hub writes its record right after.
        """
        if self.is_watched:
            self._overruled[connection_id, id(packet)] = verdict

    # ── What the hub and the socket write ───────────────────────────────────────────────────────────────────

    def received(self, connection: Connection, data: str | bytes, verdict: Verdict | None = None) -> None:
        """Write down a frame of a client, as it came; ``verdict`` says why nobody read it."""
        frame, event = _read(data)
        about = frame.get("conversation_id") if isinstance(frame, dict) else None
        self._write(
            "in",
            event,
            frame,
            conversation_id=about if isinstance(about, str) else None,
            connection=connection,
            rulings=(_ruling(connection, verdict),) if verdict is not None else (),
        )

    def opened(self, connection: Connection) -> None:
        """Write down that a connection was let in, if anybody watches."""
        if self.is_watched:
            self.note("opened", connection, profile=connection.profile.value)

    def closed(self, connection: Connection) -> None:
        """Write down that a connection has ended, with our reason if it was ours, if anybody watches."""
        if self.is_watched:
            ended = connection.ended
            facts = {} if ended is None else {"code": ended.code, "reason": ended.reason}
            self.note("closed", connection, **facts)

    def note(self, event: str, connection: Connection, **facts: Any) -> None:
        """Write down what is no frame: that a connection opened or ended, that a frame was ignored."""
        self._write("note", event, facts, connection=connection)

    def called(
        self,
        facts: dict[str, Any],
        *,
        user_id: str | None = None,
        conversation_id: str | None = None,
        weight: int = 0,
    ) -> None:
        """Write down a REST call and its answer; ``weight`` is how many bytes of bodies the facts hold."""
        self._write("rest", "call", facts, conversation_id=conversation_id, user_id=user_id, weight=weight)

    def sent(self, connections: Sequence[Connection], outgoing: Outgoing) -> None:
        """Write down a frame that went to certain connections."""
        alone = connections[0] if len(connections) == 1 else None
        self._write(
            "out",
            _event(outgoing.frame),
            _json_of(outgoing.frame),
            conversation_id=getattr(outgoing.frame, "conversation_id", None),
            connection=alone,
            rulings=self._judge(outgoing, connections),
            stamp=outgoing.stamp,
        )
        self._overruled.clear()

    def pushed(self, connections: Sequence[Connection], packet: Packet) -> None:
        """Write down what somebody put on the wire of certain connections, if anybody watches."""
        if not self.is_watched:
            return
        frame, _ = _read(packet.payload)
        rulings = tuple(_ruling(one, self._fate(one, packet)) for one in connections)
        self._write("out", packet.event, frame, rulings=rulings)
        self._overruled.clear()

    def published_in(
        self,
        room: Room,
        outgoings: Iterable[Outgoing],
        listeners: Sequence[Connection],
        everybody: Iterable[Connection],
    ) -> None:
        """Write down frames that were just published in a room to those who listened then."""
        self._published(room.conversation_id, outgoings, listeners, everybody, room.leaves_out)

    def unheard(self, conversation_id: str, outgoing: Outgoing, everybody: Iterable[Connection]) -> None:
        """Write down a frame for a conversation to which nobody listens."""
        self._published(conversation_id, (outgoing,), (), everybody, None)

    def _published(
        self,
        conversation_id: str,
        outgoings: Iterable[Outgoing],
        listeners: Sequence[Connection],
        everybody: Iterable[Connection],
        leaves_out: LeavesOut | None,
    ) -> None:
        listening = frozenset(listeners)
        others = tuple(_ruling(one, Verdict.NOT_SUBSCRIBED) for one in everybody if one not in listening)
        for outgoing in outgoings:
            self._write(
                "out",
                _event(outgoing.frame),
                _json_of(outgoing.frame),
                conversation_id=conversation_id,
                user_id=outgoing.exclude_user,
                rulings=(*self._judge(outgoing, listeners, leaves_out), *others),
                stamp=outgoing.stamp,
            )
        self._overruled.clear()

    def _judge(
        self, outgoing: Outgoing, connections: Iterable[Connection], leaves_out: LeavesOut | None = None
    ) -> tuple[Ruling, ...]:
        return tuple(
            _ruling(one, Verdict.OWN_MESSAGE)
            if leaves_out is not None and leaves_out(one, outgoing)
            else _ruling(one, self._verdict(outgoing, one))
            for one in connections
        )

    def _verdict(self, outgoing: Outgoing, connection: Connection) -> Verdict:
        packet = outgoing.packet_for(connection.profile)
        return Verdict.PROFILE if packet is None else self._fate(connection, packet)

    def _fate(self, connection: Connection, packet: Packet) -> Verdict:
        if connection.ended is not None:
            return Verdict.OUTBOX_FULL if connection.ended is SLOW_CONSUMER else Verdict.CLOSED
        return self._overruled.pop((connection.id, id(packet)), Verdict.DELIVERED)

    def _write(
        self,
        direction: Direction,
        event: str,
        frame: Any,
        *,
        conversation_id: str | None = None,
        connection: Connection | None = None,
        user_id: str | None = None,
        rulings: tuple[Ruling, ...] = (),
        stamp: Stamp | None = None,
        weight: int = 0,
    ) -> None:
        self._count += 1
        record = Record(
            self._count,
            self._clock.now(),
            direction,
            event,
            redact_value(frame),
            conversation_id,
            connection.id if connection is not None else None,
            connection.user_id if connection is not None else user_id,
            rulings,
            connection.profile.value if connection is not None else "",
            stamp,
        )
        self._kept.put(record, weight)
        for watcher in self._watchers:
            watcher.put(record, weight)


def _event(frame: Frame) -> str:
    return str(getattr(frame, "event", ""))


def _json_of(frame: Frame) -> Any:
    return json.loads(encode(frame))


def _read(data: str | bytes) -> tuple[Any, str]:
    """Read what was sent: its JSON and its event, or its text where it is no JSON."""
    text = data if isinstance(data, str) else data.decode("utf-8", "replace")
    try:
        value = parse_json(text)
    except ProtocolViolation:
        return redact(text[:LONGEST_TEXT]).encode("utf-8", "replace").decode(), ""
    event = value.get("event") if isinstance(value, dict) else ""
    return value, event if isinstance(event, str) else ""
