"""What a capture tells of the server it was recorded at: who is there, who talks where, what was said.

Pure. It takes what it finds anywhere in the frames and the answers, and puts together from single frames what
no answer tells whole.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tribe_ws.capture.record import Record

Raw = dict[str, Any]


@dataclass(slots=True)
class Person:
    """A user: the id, the username (empty where nobody tells it), and all else that was told."""

    id: str
    username: str = ""
    full_name: str = ""
    raw: Raw = field(default_factory=dict)


@dataclass(slots=True)
class Talk:
    """A conversation: who takes part, by user id, and under which labels its viewers know it."""

    id: str
    name: str = ""
    is_group: bool | None = None
    members: dict[str, None] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    raw: Raw = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Said:
    """A message: its object as it was told first, and when it was first seen; ``None`` for an older one."""

    id: str
    conversation_id: str
    raw: Raw
    at: datetime | None


class World:
    """Everything a capture tells, by recorded ids; ``viewers`` are the users whose sessions it holds."""

    def __init__(self, records: Iterable[Record]) -> None:
        self.people: dict[str, Person] = {}
        self.talks: dict[str, Talk] = {}
        self.messages: dict[str, Said] = {}
        self.viewers: dict[str, None] = {}
        for record in records:
            self._take(record)
        self._complete()

    def person(self, username: str) -> Person | None:
        """Find somebody by username, in any case."""
        folded = username.casefold()
        return next((one for one in self.people.values() if one.username.casefold() == folded), None)

    def talks_of(self, person: Person) -> list[Talk]:
        """Give the conversations in which somebody takes part."""
        return [talk for talk in self.talks.values() if person.id in talk.members]

    def _take(self, record: Record) -> None:
        if record.as_user:
            self.viewers.setdefault(record.as_user)
        if record.direction == "note":
            return
        self._look_into(record.frame, record, is_past=_tells_the_past(record))
        if not (conversation_id := record.conversation_id):
            return
        if record.direction == "in" or record.conversation or _is_done(record):
            talk = self._talk(conversation_id)
            if record.conversation and record.as_user:
                talk.labels.setdefault(record.as_user, record.conversation)
        self._take_sender(record, conversation_id)

    def _take_sender(self, record: Record, conversation_id: str) -> None:
        data = record.frame.get("data") if isinstance(record.frame, dict) else None
        user_id = data.get("user_id") if isinstance(data, dict) else None
        if record.direction == "in" and isinstance(user_id, str) and isinstance(data, dict):
            self._person(user_id, record.sender, _text(data, "user_name"))
            self._talk(conversation_id).members.setdefault(user_id)

    def _look_into(self, value: Any, record: Record, *, is_past: bool) -> None:
        if isinstance(value, list):
            for item in value:
                self._look_into(item, record, is_past=is_past)
        if not isinstance(value, dict):
            return
        self._take_person(value)
        if "conversation_type" in value and isinstance(value.get("participants"), list):
            self._take_talk(value)
        if isinstance(value.get("sender"), dict) and "content" in value and "conversation_id" in value:
            self._take_message(value, None if is_past else record.at)
        for key, item in value.items():
            # A conversation's last message is cut short, and no message of its own.
            if key != "last_message":
                self._look_into(item, record, is_past=is_past)

    def _take_person(self, value: Raw) -> None:
        if not _text(value, "username"):
            return
        if user_id := _text(value, "user_id") or _text(value, "id"):
            person = self._person(user_id, _text(value, "username"), _text(value, "full_name"))
            person.raw = {**value, **person.raw}

    def _take_talk(self, value: Raw) -> None:
        if not (conversation_id := _text(value, "id")):
            return
        talk = self._talk(conversation_id)
        talk.raw, talk.name = value, _text(value, "name") or talk.name
        talk.is_group = value["conversation_type"] == "group"
        members = [_text(one, "user_id") for one in value["participants"] if isinstance(one, dict)]
        talk.members.update((member, None) for member in members if member)

    def _take_message(self, value: Raw, at: datetime | None) -> None:
        message_id, conversation_id = _text(value, "id"), _text(value, "conversation_id")
        if not message_id or not conversation_id:
            return
        self.messages.setdefault(message_id, Said(message_id, conversation_id, value, at))
        if sender := _text(value["sender"], "id"):
            self._talk(conversation_id).members.setdefault(sender)

    def _person(self, user_id: str, username: str, full_name: str) -> Person:
        person = self.people.setdefault(user_id, Person(user_id))
        person.username = person.username or username
        person.full_name = person.full_name or full_name
        return person

    def _talk(self, conversation_id: str) -> Talk:
        return self.talks.setdefault(conversation_id, Talk(conversation_id))

    def _complete(self) -> None:
        """Give names to who has none, and seats to those who have looked at a conversation."""
        for person in self.people.values():
            person.username = person.username or _username_of(person)
            person.full_name = person.full_name or person.username.capitalize()
        for viewer in self.viewers:
            if self.person(viewer) is None:
                self.people[viewer] = Person(viewer, viewer, viewer.capitalize())
        for talk in self.talks.values():
            for viewer, label in talk.labels.items():
                self._seat(talk, viewer, label)
            if talk.is_group is None:
                talk.is_group = not self._is_direct(talk)
            if talk.is_group:
                talk.name = talk.name or next(iter(talk.labels.values()), "") or "recorded"

    def _seat(self, talk: Talk, viewer: str, label: str) -> None:
        """Put a viewer, and whom a direct conversation is called after, into a conversation."""
        own = self.person(viewer)
        other = self.person(label) if talk.is_group is not True else None
        for person in (own, other):
            if person is not None:
                talk.members.setdefault(person.id)

    def _is_direct(self, talk: Talk) -> bool:
        """Guess it: two people, and one of them sees it under the name of the other."""
        names = {person.username for member in talk.members if (person := self.people.get(member))}
        return len(talk.members) == 2 and any(label in names for label in talk.labels.values())


def _tells_the_past(record: Record) -> bool:
    """Tell whether what a record shows was there before: it was fetched, not sent just then."""
    return "gap" in record.tags or (record.direction == "rest" and record.method in {"GET", ""} and (
        record.event != "POST message"
    ))  # fmt: skip


def _is_done(record: Record) -> bool:
    return record.direction == "rest" and record.status is not None and record.status < 400


def _username_of(person: Person) -> str:
    words = person.full_name.casefold().split()
    return words[0] if words and words[0].isalnum() else f"user_{person.id[-6:]}"


def _text(value: Any, key: str) -> str:
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, str) else ""
