"""Worlds: users, conversations and some history, written in YAML and checked before anything is stored.

A fault is told with file, line and what is wrong, because people write these files.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from tribe_ws.demo_accounts import DEMO_PASSWORD, demo_email, fixture_id
from tribe_ws.durations import parse_duration
from tribe_ws.errors import ConfigurationError
from tribe_ws.storage.records import ConversationType, WorldConversation

BUILTIN = Path(__file__).with_name("worlds")

_USER_TEXTS = ("email", "password", "bio", "profile_image_url", "cover_image_url")
_USER_NUMBERS = ("goals_achieved", "photos_shared")
_USER_KEYS = frozenset({"username", "full_name", "is_verified", *_USER_TEXTS, *_USER_NUMBERS})
_CONVERSATION_KEYS = frozenset({"alias", "name", "participants", "messages"})
_MESSAGE_KEYS = frozenset({"from", "text", "ago", "reply_to"})


@dataclass(frozen=True, slots=True)
class WorldUser:
    """A user to be; ``details`` are further columns of the account."""

    username: str
    full_name: str
    email: str
    password: str
    details: dict[str, Any]

    @property
    def id(self) -> str:
        """The id this user has on every machine."""
        return fixture_id(f"user:{self.username}")


@dataclass(frozen=True, slots=True)
class WorldMessage:
    """A message that was sent ``age`` before the world is filled in; ``reply_to`` counts from 1."""

    sender: str
    text: str
    age: timedelta
    reply_to: int | None


@dataclass(frozen=True, slots=True)
class WorldHistory:
    """A conversation to be. Without a name it is the direct conversation of its two participants."""

    alias: str
    name: str | None
    participants: tuple[str, ...]
    messages: tuple[WorldMessage, ...]

    @property
    def conversation_type(self) -> ConversationType:
        """Whether it is a group or a direct conversation."""
        return "direct" if self.name is None else "group"

    @property
    def id(self) -> str:
        """The id this conversation has on every machine."""
        return fixture_id(f"conversation:{self.alias}")

    def message_id(self, number: int) -> str:
        """Tell the id of one of its messages, counted from 1."""
        return fixture_id(f"message:{self.alias}:{number}")

    def summary(self) -> WorldConversation:
        """Name it as transcripts do."""
        label = f"#{self.name}" if self.name is not None else "+".join(self.participants)
        return WorldConversation(self.id, self.alias, label, self.participants)


@dataclass(frozen=True, slots=True)
class World:
    """A whole world, checked: every name in it is the name of somebody in it."""

    name: str
    users: tuple[WorldUser, ...] = ()
    conversations: tuple[WorldHistory, ...] = ()


def load_world(name_or_path: str) -> World:
    """Read a world by its name (``demo``, ``none``) or from a YAML file.

    Raises ``ConfigurationError`` that names file, line and fault.
    """
    if name_or_path == "none":
        return World("none")
    builtin = BUILTIN / f"{name_or_path}.yaml"
    path = builtin if name_or_path.isidentifier() and builtin.is_file() else Path(name_or_path)
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        known = ", ".join(sorted(file.stem for file in BUILTIN.glob("*.yaml")))
        why = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise ConfigurationError(
            f"there is no world {name_or_path!r}: {why}",
            hint=f"give a YAML file, or one of: {known}, none",
        ) from None
    return parse_world(text, path.stem, str(path))


def parse_world(text: str, name: str, source: str) -> World:
    """Check the text of a world; ``source`` is what its faults are reported under."""
    reader = _Reader(source)
    root = reader.parse(text)
    reader.know(root, frozenset({"users", "conversations"}), "a world")
    users = tuple(_read_user(reader, item) for item in reader.maps(root, "users"))
    reader.each_once(root, "users", [user.username.casefold() for user in users], "username")
    reader.each_once(root, "users", [user.email.casefold() for user in users], "email")
    names = frozenset(user.username for user in users)
    conversations = tuple(
        _read_conversation(reader, item, names) for item in reader.maps(root, "conversations")
    )
    reader.each_once(root, "conversations", [history.alias for history in conversations], "alias")
    reader.each_once(root, "conversations", [_pair(history) for history in conversations], "direct pair")
    return World(name, users, conversations)


def _pair(history: WorldHistory) -> str:
    """Name what must be unique: the two of a direct conversation, and a group by its alias."""
    return f"#{history.alias}" if history.name else "+".join(sorted(history.participants))


def _read_user(reader: _Reader, item: CommentedMap) -> WorldUser:
    reader.know(item, _USER_KEYS, "a user")
    username = reader.text(item, "username")
    details: dict[str, Any] = {key: reader.text(item, key) for key in _USER_TEXTS[2:] if key in item} | {
        key: reader.number(item, key) for key in _USER_NUMBERS if key in item
    }
    if "is_verified" in item:
        details["is_verified"] = reader.value(item, "is_verified", bool, "true or false")
    return WorldUser(
        username,
        reader.text(item, "full_name"),
        reader.text(item, "email", demo_email(username)),
        reader.text(item, "password", DEMO_PASSWORD),
        details,
    )


def _read_conversation(reader: _Reader, item: CommentedMap, names: frozenset[str]) -> WorldHistory:
    reader.know(item, _CONVERSATION_KEYS, "a conversation")
    alias = reader.text(item, "alias")
    participants = tuple(reader.names(item, "participants", names))
    name = reader.text(item, "name") if "name" in item else None
    if name is None and len(participants) != 2:
        raise reader.fault(item, "participants", "a conversation without a name has two participants")
    histories: list[WorldMessage] = []
    for message in reader.maps(item, "messages"):
        histories.append(_read_message(reader, message, frozenset(participants), histories))
    return WorldHistory(alias, name, participants, tuple(histories))


def _read_message(
    reader: _Reader, item: CommentedMap, participants: frozenset[str], earlier: Sequence[WorldMessage]
) -> WorldMessage:
    reader.know(item, _MESSAGE_KEYS, "a message")
    sender = reader.text(item, "from")
    if sender not in participants:
        raise reader.fault(item, "from", f"{sender!r} is no participant of this conversation")
    try:
        age = timedelta(seconds=parse_duration(reader.text(item, "ago", "0s")))
    except ValueError as error:
        raise reader.fault(item, "ago", str(error)) from None
    if earlier and age > earlier[-1].age:
        raise reader.fault(item, "ago", "messages are listed oldest first")
    reply_to = reader.number(item, "reply_to") if "reply_to" in item else None
    if reply_to is not None and not 1 <= reply_to <= len(earlier):
        raise reader.fault(item, "reply_to", f"there is no earlier message number {reply_to}")
    return WorldMessage(sender, reader.text(item, "text"), age, reply_to)


class _Reader:
    """Takes YAML apart, and knows the line of everything that is wrong with it."""

    def __init__(self, source: str) -> None:
        self._source = source

    def parse(self, text: str) -> CommentedMap:
        yaml = YAML(typ="rt", pure=True)
        try:
            root = yaml.load(text)
        except MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            raise self._error(line, str(error.problem)) from None
        except YAMLError as error:
            raise self._error(1, " ".join(str(error).split())) from None
        if not isinstance(root, CommentedMap):
            raise self._error(1, "a world is a mapping with users and conversations")
        return root

    def fault(self, item: CommentedMap | CommentedSeq, key: Any, what: str) -> ConfigurationError:
        """Say what is wrong with an entry, or, where the entry is missing, with what should hold it."""
        if isinstance(item, CommentedSeq):
            line = item.lc.item(key)[0]
        else:
            line = item.lc.value(key)[0] if key in item else item.lc.line
        return self._error(line + 1, what)

    def know(self, item: CommentedMap, keys: frozenset[str], what: str) -> None:
        for key in item:
            if key not in keys:
                raise self.fault(item, key, f"{what} has no {key!r}; it may have {', '.join(sorted(keys))}")

    def value(self, item: CommentedMap, key: str, kind: type, name: str) -> Any:
        if key not in item:
            raise self.fault(item, None, f"{key!r} is missing")
        found = item[key]
        if not isinstance(found, kind) or (kind is int and isinstance(found, bool)):
            raise self.fault(item, key, f"{key!r} must be {name}, not {found!r}")
        return found

    def text(self, item: CommentedMap, key: str, default: str | None = None) -> str:
        if default is not None and key not in item:
            return default
        found = str(self.value(item, key, str, "text (put it in quotes)"))
        if not found.strip() or "\0" in found:
            raise self.fault(item, key, f"{key!r} must not be empty")
        return found

    def number(self, item: CommentedMap, key: str) -> int:
        found = int(self.value(item, key, int, "a whole number"))
        if found < 0:
            raise self.fault(item, key, f"{key!r} must not be negative")
        return found

    def maps(self, item: CommentedMap, key: str) -> list[CommentedMap]:
        if key not in item:
            return []
        listed = self.value(item, key, CommentedSeq, "a list")
        for position, entry in enumerate(listed):
            if not isinstance(entry, CommentedMap):
                raise self.fault(listed, position, f"each of {key!r} must be a mapping")
        return list(listed)

    def names(self, item: CommentedMap, key: str, known: frozenset[str]) -> list[str]:
        listed = self.value(item, key, CommentedSeq, "a list of usernames")
        for position, name in enumerate(listed):
            if name not in known:
                raise self.fault(listed, position, f"there is no user {name!r} in this world")
            if name in listed[:position]:
                raise self.fault(listed, position, f"{name!r} is listed twice")
        return [str(name) for name in listed]

    def each_once(self, root: CommentedMap, key: str, values: Sequence[str], what: str) -> None:
        for position, value in enumerate(values):
            if value in values[:position]:
                raise self.fault(root[key], position, f"the {what} {value!r} is there twice")

    def _error(self, line: int, what: str) -> ConfigurationError:
        return ConfigurationError(f"{self._source}:{line}: {what}")
