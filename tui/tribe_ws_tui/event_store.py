"""``CaptureStore``: the newest events of all sessions, held small and read on demand.

An event is kept as the bytes of its frame, packed with its neighbours', a few numbers, and one number for
everything that repeats (name, direction, conversation, sender, …). Parsing waits until somebody looks: a
hundred thousand frames take a twentieth of the memory that parsed ones would. The store never refuses, waits
or draws; when it is full the oldest event goes. Events are numbered from 1 and keep their number for ever.
"""

from __future__ import annotations

import json
import math
from array import array
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from tribe_ws.capture.record import Direction, Record, Timing
from tribe_ws.capture.violation import Violation
from tribe_ws_tui.packed_texts import PackedTexts

KEEP = 100_000
"""How many events are held by default."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_HIDDEN = "***"
_MOST_KINDS = 20_000
"""Different kinds that are shared; a hostile server that invents ever more gets them stored one by one."""
_STALE = 1024
_NEAR = 20_000
"""Events before and after a message among which its deliveries are looked for."""
MOST_BYTES = 256 * 1024 * 1024
"""Bytes that packed frames may take: where a server sends huge ones, fewer events are held."""
_ENCODING = ("utf-8", "surrogatepass")


class Kind(NamedTuple):
    """What many events have in common."""

    direction: Direction
    event: str
    as_user: str
    connection: str
    conversation_id: str | None
    conversation: str
    sender: str
    timing: Timing
    status: int | None
    method: str
    path: str
    tags: frozenset[str]


class CaptureStore:
    """A ring of events; see the module for what it promises."""

    def __init__(self, keep: int = KEEP) -> None:
        self.keep = max(1, keep)
        self.total = 0
        self.revision = 0
        self.began: datetime | None = None
        self._kinds: list[Kind] = []
        self._kind_numbers: dict[Kind, int] = {}
        self._odd_kinds: dict[int, Kind] = {}
        self._at = array("q")
        self._latency = array("d")
        self._kind = array("i")
        self._texts = PackedTexts()
        self._count = 0
        self._bodies: dict[int, bytes] = {}
        self._violations: dict[int, tuple[Violation, ...]] = {}
        self._violating: list[int] = []
        self._marked: list[int] = []

    def __len__(self) -> int:
        return self._count

    @property
    def first(self) -> int:
        """The number of the oldest event held; one more than ``total`` where there is none."""
        return self.total - self._count + 1

    @property
    def numbers(self) -> range:
        """The numbers of all events held, oldest first."""
        return range(self.first, self.total + 1)

    @property
    def marked(self) -> tuple[int, ...]:
        """The numbers of the marked events, oldest first."""
        return tuple(self._marked[bisect_left(self._marked, self.first) :])

    @property
    def violating(self) -> tuple[int, ...]:
        """The numbers of the events that break the contract, oldest first."""
        return tuple(self._violating[bisect_left(self._violating, self.first) :])

    # ── writing ───────────────────────────────────────────────────────────────────────────────────────────

    def append(self, record: Record) -> int:
        """Hold one more event; tells the number it has from now on."""
        self.revision += 1
        self.began = self.began or record.at
        if self._count == self.keep:
            self._forget_oldest()
        self.total = number = self.total + 1
        self._count += 1
        self._texts.append(number, record.text.encode(*_ENCODING))
        self._set(
            (number - 1) % self.keep,
            (record.at - _EPOCH) // _MICROSECOND,
            math.nan if record.latency is None else record.latency,
            self._kind_number(number, record),
        )
        if not _is_read_off_text(record):
            bodies = json.dumps([record.frame, record.request], ensure_ascii=False)
            self._bodies[number] = bodies.encode(*_ENCODING)
        if record.violations:
            self._violations[number] = record.violations
            self._violating.append(number)
        if "marked" in record.tags:
            insort(self._marked, number)
        while self._texts.bytes > MOST_BYTES and self._count > 1:
            self._forget_oldest()
        return number

    def mark(self, number: int) -> bool:
        """Mark an event, or take its mark away; tells whether it is marked now."""
        self.revision += 1
        if self.is_marked(number):
            self._marked.remove(number)
            return False
        if number in self.numbers:
            insort(self._marked, number)
        return number in self.numbers

    def measure(self, number: int, latency: float) -> None:
        """Note a latency that became known only after the event was held."""
        if number in self.numbers:
            self.revision += 1
            self._latency[self._slot(number)] = latency
            kind = self.kind(number)
            if kind.timing != "measured":
                self._kind[self._slot(number)] = self._number_of(number, kind._replace(timing="measured"))

    def clear(self) -> None:
        """Hold nothing any more; numbers go on where they were, so that no number ever means two events."""
        self.revision += 1
        del self._at[:], self._latency[:], self._kind[:]
        self._texts.clear()
        self._count = 0
        for kept in (self._odd_kinds, self._bodies, self._violations, self._violating, self._marked):
            kept.clear()
        # The ring begins at a multiple of its length.
        self.total += -self.total % self.keep

    # ── reading ───────────────────────────────────────────────────────────────────────────────────────────

    def record(self, number: int) -> Record | None:
        """Give an event as a record, parsed; ``None`` where it is not held (any more)."""
        if number not in self.numbers:
            return None
        kind = self.kind(number)
        return Record(
            seq=number,
            at=self.at(number),
            direction=kind.direction,
            event=kind.event,
            text=self.text(number),
            frame=self.frame(number),
            as_user=kind.as_user,
            connection=kind.connection,
            conversation_id=kind.conversation_id,
            conversation=kind.conversation,
            sender=kind.sender,
            latency=self.latency(number),
            timing=kind.timing,
            status=kind.status,
            method=kind.method,
            path=kind.path,
            request=self.request(number),
            violations=self.violations(number),
            tags=self.tags(number),
        )

    def records(self, numbers: Iterator[int] | range | None = None) -> Iterator[Record]:
        """Give events as records, one after the other; by default all that are held."""
        for number in self.numbers if numbers is None else numbers:
            record = self.record(number)
            if record is not None:
                yield record

    def kind(self, number: int) -> Kind:
        """Give what an event has in common with others."""
        index = self._kind[(number - 1) % self.keep]
        return self._kinds[index] if index >= 0 else self._odd_kinds[number]

    def at(self, number: int) -> datetime:
        """Tell when an event happened."""
        return _EPOCH + timedelta(microseconds=self._at[(number - 1) % self.keep])

    def microseconds(self, number: int) -> int:
        """Tell when an event happened, in microseconds since 1970."""
        return self._at[(number - 1) % self.keep]

    def latency(self, number: int) -> float | None:
        """Tell how long an event took, in seconds."""
        latency = self._latency[(number - 1) % self.keep]
        return None if math.isnan(latency) else latency

    def raw(self, number: int) -> bytes:
        """Give the frame of an event as bytes."""
        return self._texts.get(number)

    def text(self, number: int) -> str:
        """Give the frame of an event, or the words of a note."""
        return self._texts.get(number).decode(*_ENCODING)

    def frame(self, number: int) -> Any:
        """Parse the frame of an event; ``None`` where it is no JSON object or there is none."""
        kept = self._bodies.get(number)
        if kept is not None:
            return json.loads(kept.decode(*_ENCODING))[0]
        if self.kind(number).direction not in ("in", "out"):
            return None
        return _object(self.raw(number))

    def request(self, number: int) -> Any:
        """Give the body that a REST call sent."""
        kept = self._bodies.get(number)
        return None if kept is None else json.loads(kept.decode(*_ENCODING))[1]

    def violations(self, number: int) -> tuple[Violation, ...]:
        """Give what is wrong with an event."""
        return self._violations.get(number, ())

    def tags(self, number: int) -> frozenset[str]:
        """Give the tags of an event, its mark among them."""
        tags = self.kind(number).tags
        if self.is_marked(number):
            return tags | {"marked"}
        return tags - {"marked"} if "marked" in tags else tags

    def is_marked(self, number: int) -> bool:
        """Tell whether an event is marked."""
        place = bisect_left(self._marked, number)
        return place < len(self._marked) and self._marked[place] == number

    def next_violation(self, number: int, *, backwards: bool = False) -> int | None:
        """Tell the nearest event that breaks the contract after (or before) a number."""
        return _nearest(self._violating, number, self.first, backwards=backwards)

    def next_mark(self, number: int, *, backwards: bool = False) -> int | None:
        """Tell the nearest marked event after (or before) a number."""
        return _nearest(self._marked, number, self.first, backwards=backwards)

    def about_message(self, message_id: str, near: int) -> tuple[int, ...]:
        """Tell the events around a number whose frame names a message: its sending and its deliveries."""
        wanted = json.dumps(message_id)[1:-1].encode(*_ENCODING)
        if not wanted:
            return ()
        around = range(max(self.first, near - _NEAR), min(self.total, near + _NEAR) + 1)
        text_of = self._texts.get
        return tuple(
            number
            for number in around
            if wanted in text_of(number) or wanted in self._bodies.get(number, b"")
        )

    # ── inside ────────────────────────────────────────────────────────────────────────────────────────────

    def _slot(self, number: int) -> int:
        return (number - 1) % self.keep

    def _kind_number(self, number: int, record: Record) -> int:
        return self._number_of(
            number,
            Kind(
                record.direction,
                record.event,
                record.as_user,
                record.connection,
                record.conversation_id,
                record.conversation,
                record.sender,
                record.timing,
                record.status,
                record.method,
                record.path,
                record.tags,
            ),
        )

    def _number_of(self, number: int, kind: Kind) -> int:
        found = self._kind_numbers.get(kind)
        if found is None:
            if len(self._kinds) >= _MOST_KINDS:
                self._odd_kinds[number] = kind
                return -1
            found = self._kind_numbers[kind] = len(self._kinds)
            self._kinds.append(kind)
        return found

    def _set(self, slot: int, at: int, latency: float, kind: int) -> None:
        if slot == len(self._at):
            self._at.append(at)
            self._latency.append(latency)
            self._kind.append(kind)
        else:
            self._at[slot], self._latency[slot], self._kind[slot] = at, latency, kind

    def _forget_oldest(self) -> None:
        number = self.first
        self._count -= 1
        self._texts.forget_before(number + 1)
        self._odd_kinds.pop(number, None)
        self._bodies.pop(number, None)
        if self._violations.pop(number, None) is not None:
            _trim(self._violating, number + 1)
        if self._marked and self._marked[0] <= number:
            _trim(self._marked, number + 1, at_once=True)


def _is_read_off_text(record: Record) -> bool:
    """Tell whether a record's frame is what its text says, and need not be held a second time."""
    if record.request is not None:
        return False
    if record.direction in ("in", "out"):
        return (record.frame is None) == (not record.text.lstrip().startswith("{")) and (
            _HIDDEN not in record.text
        )
    return record.frame is None


def _object(raw: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(raw.decode(*_ENCODING))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) and value else None


def _trim(numbers: list[int], first: int, *, at_once: bool = False) -> None:
    stale = bisect_left(numbers, first)
    if stale and (at_once or stale >= _STALE):
        del numbers[:stale]


def _nearest(numbers: list[int], number: int, first: int, *, backwards: bool) -> int | None:
    if backwards:
        place = bisect_left(numbers, number) - 1
        return numbers[place] if place >= 0 and numbers[place] >= first else None
    place = bisect_right(numbers, max(number, first - 1))
    return numbers[place] if place < len(numbers) else None
