"""Which answer belongs to which question: by ``ref``, or pongs in order and ``subscribed`` by id. No I/O.

The document gives a pong no name, so pings and pongs are matched first in, first out; ``tribe.v2`` does, and
there a question with a ``ref`` is answered by that ``ref`` alone. A book belongs to one
connection: what was asked over a connection that ended is never answered.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from tribe_ws.client.events import Event

_MOST = 1024


@dataclass(slots=True, eq=False)
class Question:
    """Something sent that will be answered; ``on_answer`` hears the latency, ``on_error`` the refusal."""

    asked_at: float
    is_heartbeat: bool = False
    on_answer: Callable[[float], None] | None = None
    on_error: Callable[[Event], None] | None = None
    ref: str = ""


class AnswerBook:
    """The open questions of one connection, at most 1,024 of each kind."""

    def __init__(self) -> None:
        self._pings: deque[Question] = deque(maxlen=_MOST)
        self._subscribes: dict[str, deque[Question]] = {}
        self._named: dict[str, Question] = {}

    def __len__(self) -> int:
        return len(self._pings) + sum(map(len, self._subscribes.values())) + len(self._named)

    def pinged(self, question: Question) -> None:
        """Note a ping that goes out now."""
        if not self.named(question):
            self._pings.append(question)

    def subscribing(self, conversation_id: str, question: Question) -> None:
        """Note a ``subscribe`` that goes out now."""
        if not self.named(question) and len(self) < 2 * _MOST:
            self._subscribes.setdefault(conversation_id.lower(), deque()).append(question)

    def named(self, question: Question) -> bool:
        """Note a question that goes out now if it has a ``ref``, and tell whether it has."""
        if question.ref and len(self) < 2 * _MOST:
            self._named[question.ref] = question
        return bool(question.ref)

    def withdraw(self, question: Question) -> None:
        """Forget a question nobody waits for any more, so that a later answer is not taken for its own."""
        if self._named.get(question.ref) is question:
            del self._named[question.ref]
        if question in self._pings:
            self._pings.remove(question)
        for conversation_id, asked in list(self._subscribes.items()):
            if question in asked:
                asked.remove(question)
            if not asked:
                del self._subscribes[conversation_id]

    def match(self, event: Event) -> Event:
        """Give the event with its latency if it answers a question, and close that question."""
        question = self._question_of(event)
        if question is None:
            return event
        latency = max(0.0, event.received_at - question.asked_at)
        event = replace(event, latency=latency, is_heartbeat=question.is_heartbeat)
        if event.name == "error":
            if question.on_error is not None:
                question.on_error(event)
        elif question.on_answer is not None:
            question.on_answer(latency)
        return event

    def _question_of(self, event: Event) -> Question | None:
        ref = event.raw.get("ref")
        if isinstance(ref, str) and ref in self._named:
            return self._named.pop(ref)
        if event.name == "pong":
            return self._pings.popleft() if self._pings else None
        if event.name != "subscribed" or event.conversation_id is None:
            return None
        key = event.conversation_id.lower()
        asked = self._subscribes.get(key)
        if asked is None:
            return None
        question = asked.popleft()
        if not asked:
            del self._subscribes[key]
        return question
