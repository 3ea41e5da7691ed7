"""A recorded evening, lived again by whoever connects: what has been said by now, and what comes next.

No I/O and no clock: who plays it tells the time. Every id is a new one, every time is moved to now, the same
for everybody and everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any
from uuid import UUID, uuid4

from tribe_ws.capture.record import Record
from tribe_ws.capture.replay.remap import Reissue, TimeShift, map_times
from tribe_ws.capture.replay.timeline import AT_ONCE, Timeline
from tribe_ws.capture.replay.world import Person, Said, Talk, World
from tribe_ws.client.events import read_time
from tribe_ws.clock import format_timestamp

Raw = dict[str, Any]

ANSWERS = frozenset(
    {"connected", "subscribed", "unsubscribed", "pong", "error", "authenticated", "token.expiring"}
)
"""What a server only says to the one who asked, or of that one connection: given anew, never played."""

_V2_KEYS = frozenset({"seq", "client_message_id"})
_SAME_MOMENT = timedelta(seconds=1)
_SAME_CLOCK = 2.0
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Push:
    """A frame to deliver: to whom (usernames), and in which conversation (its new id; ``None`` for none)."""

    to: frozenset[str]
    conversation_id: str | None
    frame: Any


class Evening:
    """The world of a capture and the place in it; ids in and out are the new ones.

    ``keeps_times`` leaves every time as it was recorded.
    """

    def __init__(
        self,
        records: Iterable[Record],
        *,
        now: datetime,
        speed: float = 1.0,
        max_pause: float | None = None,
        keeps_times: bool = False,
        salt: UUID | None = None,
    ) -> None:
        everything = tuple(sorted(records, key=lambda record: record.at))
        self.world = World(everything)
        self.timeline = Timeline(everything, speed=speed, max_pause=max_pause)
        self.ids = Reissue(salt)
        self._keeps_times = keeps_times
        self._skew = _skew(everything)
        first = everything[0].at if everything else now
        self._shift = TimeShift(first - self._skew, now, speed=speed)
        self._audiences = _audiences(everything, self.world)
        self._said: dict[str, list[Said]] = {}
        self._newest: dict[str, datetime] = {}
        self._seen: set[str] = set()
        self._stamps: dict[str, datetime] = {}
        self._began = now
        past = [message for message in self.world.messages.values() if message.at is None]
        for message in sorted(past, key=lambda one: _created(one.raw) or first):
            self._remember(message)

    # ── playing ───────────────────────────────────────────────────────────────────────────────────────────

    def begin(self, now: datetime) -> tuple[Push, ...]:
        """Begin where somebody subscribed first, and give what is due then: what lay before is the past."""
        starts = (index for index, one in enumerate(self.timeline.records) if one.event == "subscribed")
        start = next(starts, 0)
        position = self.timeline.offset(start) if self.timeline.records else 0.0
        if self.timeline.speed != AT_ONCE:
            self._began = now - timedelta(seconds=self._played_seconds(position))
        else:
            self._began = now
        past, present = self.timeline.seek(position)[:start], self.timeline.shown[start:]
        self._play(past)
        return self._play(present, start)

    def due(self, elapsed: float, now: datetime) -> tuple[Push, ...]:
        """Let time go by, and give what came due; ``now`` is what the last of it is placed at."""
        before = self.timeline.index
        records = self.timeline.due(elapsed)
        if records:
            offset = self.timeline.offset(self.timeline.index - 1)
            late = now - (self._began + timedelta(seconds=self._played_seconds(offset)))
            # Who sleeps wakes up late; who stood still longer has moved the evening.
            self._began += max(late, timedelta(0))
        return self._play(records, before)

    def post(self, sender: Person, talk: Talk, content: str, message_type: str, now: datetime) -> Said:
        """Take in what somebody says now, and give the message, in recorded ids as all the others."""
        created = self._next(talk.id, now)
        message_id = str(uuid4())
        self._stamps[message_id] = created
        raw = {
            "id": message_id,
            "conversation_id": talk.id,
            "sender": _sender(sender),
            "content": content,
            "message_type": message_type,
            "created_at": format_timestamp(created),
        }
        message = Said(message_id, talk.id, raw, None)
        self._seen.add(message_id)
        self._said.setdefault(talk.id, []).append(message)
        return message

    # ── asking ────────────────────────────────────────────────────────────────────────────────────────────

    def said(self, talk: Talk) -> list[Said]:
        """Give what has been said in a conversation by now, oldest first."""
        return self._said.get(talk.id, [])

    def moved(self, value: Any) -> Any:
        """Give a recorded value as it is told now: new ids, and times moved."""
        renamed = self.ids.apply(value)
        return renamed if self._keeps_times else self._shift.apply(renamed)

    def told(self, message: Raw) -> Raw:
        """Give the object of a message as it is told now: no two of a conversation have the same time."""
        told: Raw = self.moved(message)
        stamp = self._stamps.get(str(message.get("id")))
        if stamp is not None:
            moment = stamp
            told["created_at"] = map_times(message["created_at"], lambda _recorded: moment)
        return told

    def person(self, user_id: str) -> Person | None:
        """Find a user by the new id."""
        return self.world.people.get(self.ids.old(user_id) or "")

    def talk(self, conversation_id: str) -> Talk | None:
        """Find a conversation by its new id."""
        return self.world.talks.get(self.ids.old(conversation_id) or "")

    def _play(self, records: Iterable[Record], first: int = 0) -> tuple[Push, ...]:
        pushes = []
        for index, record in enumerate(records, first):
            self._anchor(record, index)
            self._hear(record)
            audience = self._audiences[index]
            if audience:
                pushes.append(Push(audience, self._new_id(record.conversation_id), self._frame(record)))
        return tuple(pushes)

    def _anchor(self, record: Record, index: int) -> None:
        played = self._began + timedelta(seconds=self._played_seconds(self.timeline.offset(index)))
        self._shift.anchor(record.at - self._skew, played)

    def _played_seconds(self, position: float) -> float:
        """Tell how long after the beginning a position is played; all at once, it ends at the beginning."""
        speed = self.timeline.speed
        return position - self.timeline.duration if speed == AT_ONCE else position / speed

    def _hear(self, record: Record) -> None:
        """Remember the message that a record tells of first."""
        frame = record.frame if isinstance(record.frame, dict) else {}
        for value in (frame.get("data"), frame):
            message_id = value.get("id") if isinstance(value, dict) else None
            message = self.world.messages.get(message_id) if isinstance(message_id, str) else None
            if message is not None:
                self._remember(message)

    def _remember(self, message: Said) -> None:
        if message.id in self._seen:
            return
        self._seen.add(message.id)
        created = _created(message.raw)
        if created is not None and not self._keeps_times:
            self._stamps[message.id] = self._next(message.conversation_id, self._shift.move(created))
        self._said.setdefault(message.conversation_id, []).append(message)

    def _next(self, conversation_id: str, moment: datetime) -> datetime:
        """Give a moment after all others in a conversation, which clients sort by it."""
        newest = self._newest.get(conversation_id)
        moment = moment if newest is None else max(moment, newest + _MILLISECOND)
        moment = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
        if newest is not None and moment <= newest:
            moment = newest + _MILLISECOND
        self._newest[conversation_id] = moment
        return moment

    def _frame(self, record: Record) -> Any:
        """Give a frame as a client is sent it that has not asked for ``tribe.v2``."""
        if not isinstance(record.frame, dict):
            return record.text
        frame = dict(record.frame)
        if record.event == "message.new" and isinstance(frame.get("data"), dict):
            data = {key: item for key, item in frame["data"].items() if key not in _V2_KEYS}
            return {**self.moved(frame), "data": self.told(data)}
        return self.moved(frame)

    def _new_id(self, conversation_id: str | None) -> str | None:
        return None if conversation_id is None else self.ids.id(conversation_id)


def _audiences(records: tuple[Record, ...], world: World) -> list[frozenset[str]]:
    """Tell for every record who is to get its frame: everybody once, and nobody what is said to one alone.

    Whose own session was recorded gets what came over it; anybody else who takes part, what the others got.
    """
    recorded = {record.as_user for record in records if record.direction == "in"}
    latest: dict[tuple[str, str], tuple[datetime, str]] = {}
    audiences = []
    for record in records:
        if record.direction != "in" or record.event in ANSWERS or "gap" in record.tags:
            audiences.append(frozenset[str]())
            continue
        audience = {record.as_user} if _is_new(record, record.as_user, latest) else set()
        others = _others(record, world) - recorded
        audience |= {user for user in others if _is_new(record, f"to {user}", latest)}
        audiences.append(frozenset(audience))
    return audiences


def _is_new(record: Record, viewer: str, latest: dict[tuple[str, str], tuple[datetime, str]]) -> bool:
    """Tell whether a frame is no second view of one that another connection got at the same moment."""
    place = f"{record.as_user}/{record.connection}"
    data = record.frame.get("data") if isinstance(record.frame, dict) else None
    is_message = record.event == "message.new" and isinstance(data, dict) and isinstance(data.get("id"), str)
    key = (
        viewer,
        str(data["id"]) if is_message and isinstance(data, dict) else record.text or str(record.frame),
    )
    before = latest.get(key)
    if before is None or before[1] == place:
        latest[key] = (record.at, place)
        return True
    if is_message or record.at - before[0] < _SAME_MOMENT:
        return False
    latest[key] = (record.at, place)
    return True


def _others(record: Record, world: World) -> set[str]:
    """Tell who else takes part where something happened, but for the one who did it."""
    talk = world.talks.get(record.conversation_id or "")
    if talk is None:
        return set()
    names = {world.people[member].username for member in talk.members if member in world.people}
    return names - {record.sender, record.as_user}


def _skew(records: tuple[Record, ...]) -> timedelta:
    """Tell how far the clock that wrote the capture was ahead of the server's."""
    ages = []
    for record in records:
        data = record.frame.get("data") if isinstance(record.frame, dict) else None
        if record.event == "message.new" and record.direction == "in" and isinstance(data, dict):
            created = read_time(data.get("created_at"))
            if created is not None and "gap" not in record.tags:
                ages.append((record.at - created).total_seconds())
    usual = median(ages) if ages else 0.0
    return timedelta(seconds=usual if abs(usual) > _SAME_CLOCK else 0.0)


def _created(raw: Raw) -> datetime | None:
    created = read_time(raw.get("created_at"))
    return created.astimezone(UTC) if created else None


def _sender(person: Person) -> Raw:
    return {
        "id": person.id,
        "username": person.username,
        "full_name": person.full_name,
        "profile_image_url": person.raw.get("profile_image_url"),
    }
