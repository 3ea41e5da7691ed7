"""What one session knows, as frozen values: conversations, people, the link to the server, figures.

``store.apply`` makes a new state of an old one; nothing here draws, waits or asks. Times called ``…_at`` or
``since`` are seconds of the session's monotonic clock.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Literal

from tribe_ws.client.results import Participant

Presence = Literal["online", "away", "offline", ""]
"""What was seen of somebody; empty means not known, which is the default."""

TYPING_LASTS = 6.0
"""Seconds without renewal after which somebody counts as having stopped."""
TYPING_FADES = 3.0
"""Seconds for which "was typing" stays after that."""
BUCKETS = 60
"""Seconds over which the rate is shown."""
SAMPLES = 128
"""Latencies that the percentiles are taken of."""


class LinkKind(Enum):
    """Where a session stands with its server; ``OPEN`` means that ``connected`` was seen."""

    NEW = "new"
    DIALLING = "dialling"
    HANDSHAKEN = "handshaken"
    OPEN = "open"
    RECONNECTING = "reconnecting"
    RESTARTING = "restarting"
    RENEWING = "renewing"
    LOGIN_NEEDED = "login needed"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    CUT_OFF = "cut off"
    DISCONNECTED = "disconnected"
    REPLAY = "replay"


@dataclass(frozen=True, slots=True)
class Link:
    """The link to the server: what it is, since when, and what is to be told of it.

    ``code`` and ``reason`` are those of the close or of the refusal, the reason in the server's own words;
    ``until`` is when the next try comes, ``attempt`` its number; ``words`` is a sentence where one is needed.
    """

    kind: LinkKind = LinkKind.NEW
    since: float = 0.0
    code: int | None = None
    reason: str = ""
    words: str = ""
    until: float = 0.0
    attempt: int = 0

    @property
    def is_open(self) -> bool:
        """Whether ``connected`` was seen on a connection that still stands."""
        return self.kind is LinkKind.OPEN


@dataclass(frozen=True, slots=True)
class LastMessage:
    """The newest message of a conversation, as far as it is known."""

    id: str
    sender_id: str
    sender: str
    content: str
    created_at: datetime | None


@dataclass(frozen=True, slots=True)
class ConversationState:
    """A conversation as its viewer sees it now; ``label`` is what one types for it (``#general``)."""

    id: str
    label: str
    is_group: bool
    name: str | None
    participants: tuple[Participant, ...]
    last_message: LastMessage | None
    unread: int
    active_at: datetime | None
    is_subscribed: bool = False


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in a conversation, with what was seen of them there."""

    user_id: str
    username: str
    full_name: str
    is_me: bool
    presence: Presence
    typing_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Typing:
    """Somebody types: since when, when that was last said, and when it ended without being said."""

    user_id: str
    name: str
    since: float
    renewed_at: float

    def is_current(self, now: float) -> bool:
        """Tell whether they count as typing."""
        return now - self.renewed_at < TYPING_LASTS

    def is_fading(self, now: float) -> bool:
        """Tell whether they have fallen silent without saying that they stopped, a moment ago."""
        return TYPING_LASTS <= now - self.renewed_at < TYPING_LASTS + TYPING_FADES

    def seconds(self, now: float) -> int:
        """Tell for how many whole seconds they have been typing."""
        return max(0, int(now - self.since))


@dataclass(frozen=True, slots=True)
class Rate:
    """Events per second: the newest bucket is the last, and belongs to the second ``second``."""

    second: int = 0
    buckets: tuple[int, ...] = (0,) * BUCKETS

    def at(self, now: float) -> tuple[int, ...]:
        """Give the buckets as they are ``now``: seconds without an event count as well."""
        passed = max(0, min(BUCKETS, int(now) - self.second))
        return self.buckets[passed:] + (0,) * passed if passed else self.buckets

    def per_second(self, now: float) -> float:
        """Tell the rate over the last five whole seconds."""
        return sum(self.at(now)[-6:-1]) / 5


@dataclass(frozen=True, slots=True)
class SessionState:
    """Everything one session knows; ``watched`` is the conversation that somebody reads as it comes in."""

    me: str
    my_id: str = ""
    link: Link = field(default_factory=Link)
    conversations: Mapping[str, ConversationState] = field(default_factory=dict)
    presence: Mapping[str, Presence] = field(default_factory=dict)
    typing: Mapping[tuple[str, str], Typing] = field(default_factory=dict)
    latencies: tuple[float, ...] = ()
    rtt: float | None = None
    rate: Rate = field(default_factory=Rate)
    events: int = 0
    violations: int = 0
    waiting: int = 0
    opened: int = 0
    heard_at: float | None = None
    watched: str = ""

    @property
    def in_order(self) -> tuple[ConversationState, ...]:
        """All conversations, newest activity first."""
        return tuple(sorted(self.conversations.values(), key=_activity, reverse=True))

    @property
    def subscribed(self) -> tuple[str, ...]:
        """The ids of the conversations that the server has confirmed."""
        return tuple(one.id for one in self.conversations.values() if one.is_subscribed)

    def people(self, conversation_id: str, now: float) -> tuple[Person, ...]:
        """Tell who is in a conversation: oneself first, then by name."""
        conversation = self.conversations.get(conversation_id)
        if conversation is None:
            return ()
        found = [self._person(one, conversation_id, now) for one in conversation.participants]
        return tuple(sorted(found, key=lambda person: (not person.is_me, person.username)))

    def typists(self, conversation_id: str) -> tuple[Typing, ...]:
        """Tell who types, or has just fallen silent, in a conversation; whoever began first comes first."""
        found = (one for (where, _), one in self.typing.items() if where == conversation_id)
        return tuple(sorted(found, key=lambda one: one.since))

    def percentile(self, share: float) -> float | None:
        """Tell the latency that ``share`` of the newest measured ones do not exceed; ``None`` without any."""
        if not self.latencies:
            return None
        ordered = sorted(self.latencies)
        return ordered[max(0, math.ceil(share * len(ordered)) - 1)]

    def _person(self, one: Participant, conversation_id: str, now: float) -> Person:
        typing = self.typing.get((conversation_id, one.user_id))
        is_typing = typing is not None and typing.is_current(now)
        is_me = one.username == self.me
        return Person(
            one.user_id,
            one.username,
            one.full_name,
            is_me,
            "online" if is_me and self.link.is_open else self.presence.get(one.user_id, ""),
            typing.seconds(now) if is_typing and typing is not None else None,
        )


def _activity(conversation: ConversationState) -> tuple[float, str]:
    moment = conversation.active_at
    return (moment.timestamp() if moment else 0.0, conversation.id)
