"""Gives the users, connections and conversations of a capture the names that they have in a scenario."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from tribe_ws.capture.record import Record
from tribe_ws.scenario.language.people import BUILT_IN_VARIABLES
from tribe_ws.scenario.language.steps import RESERVED
from tribe_ws.scenario.language.writing import literal

_SESSION = frozenset({"in", "out"})
_ConnectionKey = tuple[str, str]


@dataclass
class _Room:
    """A conversation: its name in the capture, whether it is one of two, and who was seen to take part."""

    name: str
    is_direct: bool
    members: dict[str, None] = field(default_factory=dict)


@dataclass
class Cast:
    """The names given so far; ``learn`` must have seen every record before any name is asked for."""

    _usernames: dict[str, str] = field(default_factory=dict)
    _by_id: dict[str, str] = field(default_factory=dict)
    _people: set[str] = field(default_factory=set)
    _spans: dict[_ConnectionKey, tuple[int, int]] = field(default_factory=dict)
    _labels: dict[_ConnectionKey, str] = field(default_factory=dict)
    _rooms: dict[str, str] = field(default_factory=dict)
    _plans: dict[str, _Room] = field(default_factory=dict)
    _confirmed: set[tuple[_ConnectionKey, str | None]] = field(default_factory=set)
    _echoing: set[tuple[_ConnectionKey, str | None]] = field(default_factory=set)
    _acting: dict[str, None] = field(default_factory=dict)
    _open: set[str] = field(default_factory=set)
    _count: int = 0

    def learn(self, record: Record) -> None:
        """Look at a record: whose connection it is, and which users it names."""
        self._count += 1
        if record.direction in _SESSION and record.as_user:
            key = _key(record)
            first, _last = self._spans.get(key, (self._count, 0))
            self._spans[key] = (first, self._count)
            place = (key, record.conversation_id)
            if record.event == "subscribed":
                self._confirmed.add(place)
            if (
                record.event == "subscribe"
                and isinstance(record.frame, dict)
                and record.frame.get("echo") is True
            ):
                self._echoing.add(place)
        self._people |= {record.as_user, record.sender} - {""}
        for user_id, username in _users_in(record.frame):
            self._by_id[user_id] = username
            self._people.add(username)

    def actor(self, username: str) -> str:
        """Give the name of a user in the scenario; empty for nobody."""
        if not username:
            return ""
        if username not in self._usernames:
            self._usernames[username] = _unique(_word(username), set(self._usernames.values()))
        return self._usernames[username]

    def username_in(self, data: dict[str, Any]) -> str:
        """Tell whom a frame's data speaks of; empty where that was never said."""
        for user_id, username in _users_in({"data": data}):
            self._by_id[user_id] = username
            return username
        return self._by_id.get(str(data.get("user_id")), "")

    def connection(self, record: Record) -> str:
        """Give the name of the connection that a record belongs to: ``alice``, ``alice.c2``."""
        if not self._labels:
            self._give_labels()
        actor = self.actor(record.as_user)
        label = self._labels.get(_key(record), "")
        return f"{actor}.{label}" if label else actor

    def is_recorded(self, actor: str) -> bool:
        """Tell whether the capture holds a session of that actor, so that it tells what they did."""
        return any(self._usernames.get(username) == actor for username, _connection in self._spans)

    def is_confirmed(self, record: Record) -> bool:
        """Tell whether a ``subscribe`` was ever answered."""
        return (_key(record), record.conversation_id) in self._confirmed

    def echoes(self, record: Record) -> bool:
        """Tell whether a connection had asked for its own messages."""
        return (_key(record), record.conversation_id) in self._echoing

    def room(self, conversation_id: str | None, name: str, *members: str) -> str:
        """Give the name of a conversation, and let these actors be in it; empty for none."""
        if not conversation_id:
            return ""
        if conversation_id not in self._rooms:
            word = _word(name) if name else f"room_{len(self._rooms) + 1}"
            self._rooms[conversation_id] = _unique(word, set(self._rooms.values()))
            self._plans[self._rooms[conversation_id]] = _Room(name, name in self._people)
        plan = self._plans[self._rooms[conversation_id]]
        plan.members |= dict.fromkeys(filter(None, members))
        return self._rooms[conversation_id]

    def opens(self, connection: str) -> bool:
        """Note that a connection opens; tells whether it has been used before."""
        was_used = connection in self._open or connection in self._acting
        self._open.add(connection)
        return was_used

    def changes(self, actor: str, is_online: bool) -> bool:
        """Note that somebody who was only heard came or went; tells whether that is news."""
        if (actor in self._open) is is_online:
            return False
        (self._open.add if is_online else self._open.discard)(actor)
        return True

    def leave(self, actor: str) -> list[str]:
        """Note that somebody went; gives the connections which they had open."""
        gone = sorted(name for name in self._open if name.partition(".")[0] == actor)
        self._open -= set(gone)
        return gone

    def acts(self, who: str) -> None:
        """Note that an actor, or one of their connections, does something."""
        self._acting[who] = None

    def actors(self) -> list[str] | dict[str, Any]:
        """Give ``actors:``: a list where everybody is called as they are, otherwise a mapping."""
        members = [name for plan in self._plans.values() for name in plan.members]
        people = dict.fromkeys(name.partition(".")[0] for name in (*self._acting, *members))
        labelled = [name for name in self._acting if "." in name]
        users = {name: username for username, name in self._usernames.items()}
        if all(users.get(name, name) == name for name in people):
            return [*people, *labelled]
        return {name: users.get(name, name) for name in people} | dict.fromkeys(labelled)

    def conversations(self) -> dict[str, Any]:
        """Give ``conversations:``; one in which a single person was seen is one that is there already."""
        return {name: _plan(plan) for name, plan in self._plans.items() if plan.members}

    def _give_labels(self) -> None:
        """Label the connections of each user; one that begins when another has ended takes its place."""
        ends: dict[tuple[str, str], int] = {}
        for key, (first, last) in self._spans.items():
            user = key[0]
            free = [label for (name, label), end in ends.items() if name == user and end < first]
            taken = sum(name == user for name, _label in ends)
            label = free[0] if free else ("" if not taken else f"c{taken + 1}")
            self._labels[key] = label
            ends[user, label] = last


def _plan(room: _Room) -> Any:
    members = list(room.members)
    if len(members) == 1:
        return literal(room.name.strip()) or members
    return {"direct": members} if room.is_direct and len(members) == 2 else members


def _key(record: Record) -> _ConnectionKey:
    return record.as_user, record.connection


def _word(name: str) -> str:
    """Make a name of a text: letters, digits and underscores."""
    word = re.sub(r"[^A-Za-z0-9_]+", "_", name).strip("_") or "somebody"
    return word if word[0].isalpha() or word[0] == "_" else f"_{word}"


def _unique(word: str, taken: set[str]) -> str:
    forbidden = taken | RESERVED | set(BUILT_IN_VARIABLES)
    number, candidate = 1, word
    while candidate in forbidden or candidate.startswith("message_"):
        number += 1
        candidate = f"{word.removeprefix('message_') or 'room'}_{number}"
    return candidate


def _users_in(frame: Any) -> Iterable[tuple[str, str]]:
    """Yield the ids and usernames that a frame tells together."""
    data = frame.get("data") if isinstance(frame, dict) else None
    for holder in (data, frame):
        for key in ("sender", "user"):
            user = holder.get(key) if isinstance(holder, dict) else None
            if (
                isinstance(user, dict)
                and isinstance(user.get("id"), str)
                and isinstance(user.get("username"), str)
            ):
                yield user["id"], user["username"]
