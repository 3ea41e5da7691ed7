"""From the names people use to the ids the wire wants, and back.

Conversations are ``#general`` (or ``general``), ``@bob`` or ``alice+bob`` for a direct one, an id, or a
unique beginning of one with at least six characters.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches

from tribe_ws.client.results import Conversation
from tribe_ws.errors import NotFound
from tribe_ws.protocol.ids import canonical_id

_SHORTEST_PREFIX = 6
_ID_PREFIX = re.compile(r"[0-9a-f-]+")


class Names:
    """The conversations of one user, by every name they answer to."""

    def __init__(self, conversations: Iterable[Conversation], me: str) -> None:
        self.me = me
        self._by_id = {conversation.id: conversation for conversation in conversations}
        self._usernames = {
            participant.user_id: participant.username
            for conversation in self._by_id.values()
            for participant in conversation.participants
        }

    @property
    def conversations(self) -> tuple[Conversation, ...]:
        """All conversations, newest activity first."""
        return tuple(self._by_id.values())

    @property
    def usernames(self) -> tuple[str, ...]:
        """Everybody in any of the conversations, in order."""
        return tuple(sorted(set(self._usernames.values())))

    def learn(self, conversation: Conversation) -> None:
        """Add a conversation that was made meanwhile."""
        self._by_id[conversation.id] = conversation
        self._usernames.update((one.user_id, one.username) for one in conversation.participants)

    def username(self, user_id: object) -> str:
        """Tell the username of an id; empty for somebody unknown."""
        return self._usernames.get(user_id, "") if isinstance(user_id, str) else ""

    def user_id(self, username: str) -> str:
        """Tell the id of a username; empty for somebody unknown."""
        return next((user_id for user_id, name in self._usernames.items() if name == username), "")

    def short(self, conversation_id: str | None) -> str:
        """Tell a conversation's readable name without its mark; empty for none and for an unknown one."""
        conversation = self._by_id.get(conversation_id or "")
        return "" if conversation is None else self.label(conversation.id)[1:]

    def label(self, conversation_id: str | None) -> str:
        """Tell a conversation's readable name: ``#general``, ``@bob``, or the beginning of an unknown id."""
        if conversation_id is None:
            return ""
        conversation = self._by_id.get(conversation_id)
        if conversation is None:
            return f"{conversation_id[:8]}…" if len(conversation_id) > 8 else conversation_id
        if not conversation.is_group:
            return f"@{self._other(conversation)}"
        return f"#{slug(conversation.name or conversation.id[:8])}"

    def find(self, text: str) -> str:
        """Tell the id of a conversation by any of its names.

        Raises ``NotFound``, which says what was probably meant.
        """
        wanted = text.strip()
        if (exact := canonical_id(wanted)) is not None:
            return exact
        found = self._called(wanted) or self._beginning_with(wanted.lower())
        if len(found) == 1:
            return found[0]
        if found:
            listed = ", ".join(found[:4])
            raise NotFound(
                f'"{text}" could be {len(found)} conversations', hint=f"say which by its id:  {listed}"
            )
        raise NotFound(f'no conversation "{text}"', hint=self._advice(wanted))

    def user_names(self, conversation_id: str) -> tuple[str, ...]:
        """Tell who takes part in a conversation; empty for an unknown one."""
        conversation = self._by_id.get(conversation_id)
        return tuple(one.username for one in conversation.participants) if conversation else ()

    def example(self) -> str:
        """Give a name that can be typed, for hints: rather a group than a person."""
        groups = sorted(label for label in self.aliases() if label.startswith("#"))
        favourite = "#general" if "#general" in groups else ""
        return favourite or next(iter([*groups, *self.aliases()]), "#general")

    def aliases(self) -> tuple[str, ...]:
        """Give the label of every conversation, for completion and suggestions."""
        return tuple(self.label(conversation_id) for conversation_id in self._by_id)

    def _other(self, conversation: Conversation) -> str:
        others = [one.username for one in conversation.participants if one.username != self.me]
        return "+".join(others) or self.me

    def _called(self, wanted: str) -> list[str]:
        folded = wanted.casefold()
        labels = {conversation_id: self.label(conversation_id).casefold() for conversation_id in self._by_id}
        if folded.startswith(("#", "@")):
            return [key for key, label in labels.items() if label == folded]
        if "+" in folded:
            pair = set(folded.split("+"))
            return [
                key
                for key, conversation in self._by_id.items()
                if not conversation.is_group
                and {one.username.casefold() for one in conversation.participants} == pair
            ]
        by_mark = {
            mark: [key for key, label in labels.items() if label == mark + slug(folded)] for mark in "#@"
        }
        return by_mark["#"] or by_mark["@"]

    def _beginning_with(self, prefix: str) -> list[str]:
        if len(prefix) < _SHORTEST_PREFIX or not _ID_PREFIX.fullmatch(prefix):
            return []
        return [key for key in self._by_id if key.startswith(prefix)]

    def _advice(self, wanted: str) -> str:
        everything = "all: tribe-ws conversations list"
        labels = {label[1:]: label for label in self.aliases()}
        close = get_close_matches(wanted.lstrip("#@").casefold(), labels, n=1, cutoff=0.5)
        return f"did you mean {labels[close[0]]}?              {everything}" if close else everything


def slug(name: str) -> str:
    """Make of a conversation's name the word one can type for it: lower case, no mark, dashes for spaces."""
    return re.sub(r"\s+", "-", name.strip().lstrip("#").casefold())


def short_id(message_id: str) -> str:
    """Tell a message's id in six characters: its end, since ids made close together begin alike."""
    return message_id[-6:]
