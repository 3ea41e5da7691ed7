"""Faults on the wire of live connections, so that a client can be seen to survive them; nothing otherwise.

The plan holds the rules. While it has any, it stands between the hub and each connection's transport, also
for connections that were open before; without rules it is not in the way at all. Chance is drawn for each
rule, user and direction from a stream of its own that follows from the seed: the same traffic meets the same
faults again, however the connections' frames interleave.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from random import Random

from tribe_ws.clock import Clock
from tribe_ws.hub.connection import Connection, Transport
from tribe_ws.hub.fault_line import FaultLine, FrameT
from tribe_ws.hub.fault_rules import FaultAction, FaultRefused, FaultRule
from tribe_ws.hub.journal import Verdict
from tribe_ws.hub.packet import Batch, Packet, make_packet
from tribe_ws.protocol.close_codes import Advice, CloseCode
from tribe_ws.protocol.codec import object_in

MOST_FAULTS = 100
CUT = CloseCode(1006, "fault_reset", "a fault cut the connection", Advice.RECONNECT)
"""What ``Connection.ended`` says of a connection that a fault has reset; no client gets to see it."""
Overrule = Callable[[str, Packet, Verdict], None]
_Lines = dict[Connection, list[FaultLine[Packet] | FaultLine[str]]]


@dataclass(slots=True)
class Fault:
    """A rule in force: ``user_id`` and ``conversation_id`` are whom its names mean, ``None`` for all.

    ``hits`` counts the frames, or connections, that it has met.
    """

    id: int
    rule: FaultRule
    user_id: str | None = None
    conversation_id: str | None = None
    hits: int = 0
    _streams: dict[tuple[str, str], Random] = field(default_factory=dict, repr=False)

    def meets(self, direction: str, user_id: str, event: str, conversation_id: str | None, seed: int) -> bool:
        """Tell whether the rule is for that frame, and chance wants it."""
        rule = self.rule
        if rule.action is FaultAction.REFUSE:
            return False
        if rule.direction not in ("", direction) or rule.event not in ("", event):
            return False
        if self.user_id not in (None, user_id) or self.conversation_id not in (None, conversation_id):
            return False
        if rule.probability < 1 and self.stream(user_id, direction, seed).random() >= rule.probability:
            return False
        self.hits += 1
        return True

    def stream(self, user_id: str, direction: str, seed: int) -> Random:
        """Give the chance of that user's frames in that direction."""
        key = (user_id, direction)
        if key not in self._streams:
            # Not for secrets: it must come out the same each time.
            self._streams[key] = Random(f"{seed}/{self.id}/{user_id}/{direction}")  # noqa: S311
        return self._streams[key]


@dataclass(slots=True)
class Fate:
    """What the rules have in store for one frame; an ``ending`` without a close code is a reset."""

    delay: float = 0.0
    copies: int = 1
    is_corrupt: bool = False
    is_aside: bool = False
    ending: tuple[CloseCode | None] | None = None

    @property
    def is_held(self) -> bool:
        """Whether the frame goes on later."""
        return self.is_aside or self.delay > 0

    def suffer(self, rule: FaultRule, chance: Random | None) -> None:
        """Add what a rule does to a frame that goes on in the end; ``chance`` is for its jitter."""
        match rule.action:
            case FaultAction.DELAY:
                spread = chance.uniform(-rule.jitter, rule.jitter) if chance is not None else 0.0
                self.delay += max(0.0, rule.delay + spread)
            case FaultAction.STALL:
                self.delay = math.inf
            case FaultAction.DUPLICATE:
                self.copies += 1
            case FaultAction.REORDER:
                self.is_aside = True
            case FaultAction.CORRUPT:
                self.is_corrupt = True
            case _:
                raise AssertionError(f"{rule.action} decides over the frame")


class FaultPlan:
    """The faults of one hub.

    A frame meets the rules in the order of their adding. Delays add up; a ``drop``, ``close`` or ``reset``
    decides. Taking a fault away lets go of everything that is held up, and the rules that are left apply to
    what comes after.
    """

    def __init__(self, clock: Clock, *, seed: int = 0) -> None:
        self.clock = clock
        self.seed = seed
        self.is_active = False
        self._numbers = 0
        self._faults: list[Fault] = []
        self._lines: _Lines = {}
        self._connections: Callable[[], Iterable[Connection]] = tuple
        self.overrule: Overrule | None = None

    def bind(self, connections: Callable[[], Iterable[Connection]], overrule: Overrule | None) -> None:
        """Learn which connections are open, and whom to tell what became of a frame; called by the hub."""
        self._connections = connections
        self.overrule = overrule

    def __len__(self) -> int:
        """Tell how many connections something is kept for."""
        return len(self._lines)

    # ── Rules ───────────────────────────────────────────────────────────────────────────────────────────────

    def add(
        self, rule: FaultRule, *, user_id: str | None = None, conversation_id: str | None = None
    ) -> Fault:
        """Put a rule in force, for whom its names mean; raises ``FaultRefused`` when there are too many."""
        self.expect_room(1)
        self._numbers += 1
        fault = Fault(self._numbers, rule, user_id, conversation_id)
        self._faults.append(fault)
        self._changed()
        return fault

    def expect_room(self, count: int) -> None:
        """Make sure that so many more can be added; raises ``FaultRefused``."""
        if len(self._faults) + count > MOST_FAULTS:
            raise FaultRefused(f"expected at most {MOST_FAULTS} faults at a time", hint="clear some first")

    def list(self) -> tuple[Fault, ...]:
        """List the faults in force, in the order of their adding."""
        return tuple(self._faults)

    def remove(self, fault_id: int) -> bool:
        """Take one fault away; ``False`` if there is none with that id."""
        left = [fault for fault in self._faults if fault.id != fault_id]
        found = len(left) < len(self._faults)
        self._faults = left
        if found:
            self._release()
            self._changed()
        return found

    def clear(self) -> int:
        """Take all faults away; tells how many there were."""
        count = len(self._faults)
        self._faults = []
        self._release()
        self._changed()
        return count

    def refuses(self, user_id: str) -> bool:
        """Tell whether a new connection of that user is to be refused, which uses up one refusal."""
        for fault in self._faults:
            if fault.rule.action is FaultAction.REFUSE and fault.user_id in (None, user_id):
                fault.hits += 1
                if fault.hits >= fault.rule.count:
                    self._faults.remove(fault)
                return True
        return False

    # ── Connections ─────────────────────────────────────────────────────────────────────────────────────────

    def wrap(self, connection: Connection) -> None:
        """Stand between the hub and a connection."""
        if not isinstance(connection.transport, FaultyTransport):
            connection.transport = FaultyTransport(connection, self)

    def forget(self, connection: Connection) -> None:
        """Drop what is held for a connection that has ended."""
        for line in self._lines.pop(connection, ()):
            line.drop()

    def line(self, connection: Connection, give: Callable[[FrameT], None]) -> FaultLine[FrameT]:
        """Make a line for one direction of a connection; it ends with the connection."""
        line = FaultLine(self.clock, give)
        self._lines.setdefault(connection, []).append(line)  # type: ignore[arg-type]
        return line

    def judge(
        self, connection: Connection, direction: str, event: str, conversation_id: str | None
    ) -> Fate | None:
        """Tell what is to become of a frame; ``None`` for one that is lost."""
        fate = Fate()
        for fault in self._faults:
            rule = fault.rule
            if not fault.meets(direction, connection.user_id, event, conversation_id, self.seed):
                continue
            if rule.action is FaultAction.DROP:
                return None
            if rule.action in (FaultAction.CLOSE, FaultAction.RESET):
                fate.ending = (rule.close_code,)
                return fate
            chance = fault.stream(connection.user_id, direction, self.seed) if rule.jitter else None
            fate.suffer(rule, chance)
        return fate

    def _changed(self) -> None:
        self.is_active = any(fault.rule.action is not FaultAction.REFUSE for fault in self._faults)
        for connection in tuple(self._connections()):
            if self.is_active:
                self.wrap(connection)
            elif isinstance(connection.transport, FaultyTransport):
                connection.transport = connection.transport.inner

    def _release(self) -> None:
        for lines in tuple(self._lines.values()):
            for line in lines:
                line.release()


class FaultyTransport:
    """A transport with faults: what is held up counts as waiting, so that a stalled client ends with 4413."""

    __slots__ = ("_connection", "_line", "_plan", "_ready", "inner")

    def __init__(self, connection: Connection, plan: FaultPlan) -> None:
        self.inner: Transport = connection.transport
        self._connection = connection
        self._plan = plan
        self._ready: list[Packet] | None = None
        self._line = plan.line(connection, self._give)

    def send(self, batch: Batch) -> bool:
        """Send what is not lost or held up; tells whether anything waits now."""
        self._ready = []
        for packet in batch.packets:
            if self._connection.ended is not None:
                break
            self._meet(packet)
        return self._write_ready(batch) or len(self._line) > 0

    def waiting(self) -> tuple[int, int]:
        """Tell how many bytes and frames wait, those that are held up among them."""
        size, frames = self.inner.waiting()
        held = self._line.frames()
        return size + sum(len(packet.wire) for packet in held), frames + len(held)

    def close(self, close_code: CloseCode) -> None:
        """Close the connection; what is held up is lost."""
        self._line.drop()
        self.inner.close(close_code)

    def reset(self) -> None:
        """Cut the connection off; what is held up is lost."""
        self._line.drop()
        self.inner.reset()

    def _meet(self, packet: Packet) -> None:
        fate = self._plan.judge(self._connection, "out", packet.event, conversation_of(packet.payload))
        if fate is None:
            self._overrule(packet, Verdict.FAULT_DROPPED)
            return
        if fate.ending is not None:
            self._overrule(packet, Verdict.FAULT_DROPPED)
            self._end(fate.ending[0])
            return
        if fate.is_held or len(self._line):
            self._overrule(packet, Verdict.FAULT_DELAYED)
        sent = make_packet(corrupted(packet.payload), packet.event) if fate.is_corrupt else packet
        for _ in range(fate.copies):
            if fate.is_aside and not self._line.has_aside:
                self._line.set_aside(sent)
            else:
                self._line.push(sent, fate.delay)

    def _end(self, close_code: CloseCode | None) -> None:
        self._write_ready(None)
        self._ready = []
        if close_code is None:
            self._connection.ended = CUT
            self.reset()
        else:
            self._connection.close(close_code)

    def _give(self, packet: Packet) -> None:
        if self._ready is None:
            self.inner.send(Batch((packet,)))
        else:
            self._ready.append(packet)

    def _write_ready(self, whole: Batch | None) -> bool:
        ready, self._ready = self._ready, None
        if not ready:
            return any(self.inner.waiting())
        if whole is not None and tuple(ready) == whole.packets:
            return self.inner.send(whole)
        return self.inner.send(Batch(ready))

    def _overrule(self, packet: Packet, verdict: Verdict) -> None:
        if self._plan.overrule is not None:
            self._plan.overrule(self._connection.id, packet, verdict)


def corrupted(payload: bytes) -> bytes:
    """Break JSON so that it is text still and JSON no more: what comes after the middle is missing."""
    return payload[: max(1, len(payload) // 2)].decode("utf-8", "ignore").encode()


def conversation_of(payload: bytes | str) -> str | None:
    """Read which conversation a frame is about, if it can be read and is about one."""
    frame = object_in(payload)
    about = frame.get("conversation_id")
    return about.lower() if isinstance(about, str) else None


def event_of(payload: bytes | str) -> str:
    """Read which event a frame is; empty for what is no frame."""
    event = object_in(payload).get("event")
    return event if isinstance(event, str) else ""
