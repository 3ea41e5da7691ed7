"""Gives the ids and the times of a capture new values, the same new value for the same old one, everywhere.

Two ways of it: ``Renaming`` learns what a foreign server calls the things of a capture, ``Reissue`` makes up
new ids. Both only ever replace whole ids, so that text which merely looks like one stays as it was said.
"""

from __future__ import annotations

import re
from collections import ChainMap
from collections.abc import Callable, Mapping, MutableMapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4, uuid5

from tribe_ws.clock import format_timestamp

ID = re.compile(
    r"(?<![0-9a-zA-Z-])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![0-9a-zA-Z-])", re.IGNORECASE | re.ASCII
)
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:?\d\d)?", re.ASCII)
_PROSE = frozenset({"content", "message", "full_name", "user_name", "username", "name", "bio", "detail"})
"""What people wrote: an id or a time in there is a quotation."""


def is_id(value: object) -> bool:
    """Tell whether a value is a hyphenated UUID, in either case."""
    return isinstance(value, str) and ID.fullmatch(value) is not None


def is_time(value: object) -> bool:
    """Tell whether a value is a point in time as servers write it, with or without a zone."""
    return isinstance(value, str) and _TIME.fullmatch(value) is not None


def map_ids(value: Any, rename: Callable[[str], str]) -> Any:
    """Give a copy of a JSON value in which every id, also inside a path or an address, has its new name."""
    return _walk(value, lambda text: ID.sub(lambda match: rename(match[0].lower()), text))


def map_times(value: Any, move: Callable[[datetime], datetime]) -> Any:
    """Give a copy of a JSON value in which every time is moved, in the form which it had."""
    return _walk(value, lambda text: _moved(text, move) if is_time(text) else text)


class Renaming:
    """What one server calls the things of a capture: one to one, learned from what it answers.

    ``users`` renames people: ``{"alice": "ana"}``; who is not in it keeps the name.
    """

    def __init__(self, users: Mapping[str, str] | None = None) -> None:
        self.users = dict(users or {})
        self._new: MutableMapping[str, str] = {}
        self._old: MutableMapping[str, str] = {}
        self._offsets: MutableMapping[str, int] = {}

    def trial(self) -> Renaming:
        """Give one that knows all that this one knows, and learns by itself until ``keep``."""
        other = Renaming(self.users)
        other._new, other._old = ChainMap({}, self._new), ChainMap({}, self._old)
        other._offsets = ChainMap({}, self._offsets)
        return other

    def keep(self, trial: Renaming) -> None:
        """Take over what a trial of this one has learned."""
        for own, learned in (
            (self._new, trial._new), (self._old, trial._old), (self._offsets, trial._offsets)
        ):  # fmt: skip
            assert isinstance(learned, ChainMap)
            own.update(learned.maps[0])

    def bind(self, old: str, new: str) -> bool:
        """Say that ``old`` is called ``new`` here; false, and nothing learned, where either is taken."""
        old, new = _same_case(old), _same_case(new)
        if self._new.get(old, new) != new or self._old.get(new, old) != old:
            return False
        self._new[old], self._old[new] = new, old
        return True

    def bind_number(self, counter: str, old: int, new: int) -> bool:
        """Say that a counter stands at ``new`` where it stood at ``old``; false where it had another lead."""
        return self._offsets.setdefault(counter, new - old) == new - old

    def number(self, counter: str, old: int) -> int:
        """Tell where a counter stands here; a counter that nothing is known of stands where it stood."""
        return old + self._offsets.get(counter, 0)

    def knows(self, old: str) -> bool:
        """Tell whether it is known what something is called here."""
        return _same_case(old) in self._new

    def name(self, old: str) -> str:
        """Tell what an id, or any other word that is bound, is called here; an unknown one stays."""
        return self._new.get(_same_case(old), old)

    def old_name(self, new: str) -> str:
        """Tell what the capture calls an id of this server; an unknown one stays."""
        return self._old.get(_same_case(new), new)

    def user(self, username: str) -> str:
        """Tell under which name somebody acts here."""
        return self.users.get(username, username)

    def apply(self, value: Any) -> Any:
        """Give a copy of a JSON value as it is said here: ids, and usernames where a key says so."""
        return self._rename_users(map_ids(value, self.name))

    def text(self, text: str) -> str:
        """Give a text with the ids in it as they are here."""
        return ID.sub(lambda match: self.name(match[0]), text)

    def _rename_users(self, value: Any) -> Any:
        if not self.users:
            return value
        if isinstance(value, dict):
            return {
                key: self.user(item)
                if key == "username" and isinstance(item, str)
                else self._rename_users(item)
                for key, item in value.items()
            }
        return [self._rename_users(item) for item in value] if isinstance(value, list) else value


class Reissue:
    """New ids for old ones: hyphenated UUIDs, others with each ``salt``, the same for the same old id.

    What is no UUID becomes one where its key says that it is an id.
    """

    def __init__(self, salt: UUID | None = None) -> None:
        self._salt = salt or uuid4()
        self._old: dict[str, str] = {}

    def id(self, old: str) -> str:
        """Give the new id of an old one."""
        new = str(uuid5(self._salt, old.lower()))
        self._old[new] = old
        return new

    def old(self, new: str) -> str | None:
        """Tell what an id that was given out stands for; ``None`` for one that was not."""
        return self._old.get(new.lower())

    def apply(self, value: Any) -> Any:
        """Give a copy of a JSON value with new ids throughout."""
        return self._odd_ids(map_ids(value, self.id))

    def _odd_ids(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._odd_id(key, item) for key, item in value.items()}
        return [self._odd_ids(item) for item in value] if isinstance(value, list) else value

    def _odd_id(self, key: str, value: Any) -> Any:
        is_meant = key == "id" or key.endswith("_id")
        if is_meant and not is_id(value) and isinstance(value, str | int) and value not in ("", True, False):
            return self.id(str(value))
        return self._odd_ids(value)


class TimeShift:
    """Moves times from when something was recorded to when it is played; equal times stay equal.

    Whatever is moved once stays where it was moved to, also when the play goes on after a pause.
    """

    def __init__(self, recorded: datetime, played: datetime, *, speed: float = 1.0) -> None:
        self._speed = speed or 1.0
        self._known: dict[datetime, datetime] = {}
        self._recorded, self._played = recorded, played

    def anchor(self, recorded: datetime, played: datetime) -> None:
        """Say that what was recorded at one moment is played at another; it holds for what is moved next."""
        self._recorded, self._played = recorded, played

    def move(self, moment: datetime) -> datetime:
        """Give the moment at which that one is played; what lies before the anchor keeps its distance."""
        if moment not in self._known:
            distance = moment - self._recorded
            self._known[moment] = self._played + (
                distance / self._speed if distance.total_seconds() > 0 else distance
            )
        return self._known[moment]

    def apply(self, value: Any) -> Any:
        """Give a copy of a JSON value in which every time is moved."""
        return map_times(value, self.move)


def _walk(value: Any, change: Callable[[str], str], key: str = "") -> Any:
    if isinstance(value, str):
        return value if key in _PROSE else change(value)
    if isinstance(value, dict):
        return {name: _walk(item, change, name) for name, item in value.items()}
    return [_walk(item, change, key) for item in value] if isinstance(value, list) else value


def _moved(text: str, move: Callable[[datetime], datetime]) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    moved = move(moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC))
    if text[-1] in "Zz":
        return format_timestamp(moved)
    local = moved.astimezone(moment.tzinfo) if moment.tzinfo else moved.replace(tzinfo=None)
    return local.isoformat(timespec="milliseconds")


def _same_case(text: str) -> str:
    return text.lower() if ID.fullmatch(text) else text
