"""Which answer belongs to which question: pongs to pings in order, ``subscribed`` by id. No I/O.

The document gives a pong no name, so pings and pongs are matched first in, first out. A book belongs to one
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
    """Something sent that will be answered; ``on_answer`` hears the latency in seconds."""

    asked_at: float
    is_heartbeat: bool = False
    on_answer: Callable[[float], None] | None = None


class AnswerBook:
    """The open questions of one connection, at most 1,024 of each kind."""

    def __init__(self) -> None:
        self._pings: deque[Question] = deque(maxlen=_MOST)
        self._subscribes: dict[str, deque[Question]] = {}

    def __len__(self) -> int:
        return len(self._pings) + sum(map(len, self._subscribes.values()))

    def pinged(self, question: Question) -> None:
        """Note a ping that goes out now."""
        self._pings.append(question)

    def subscribing(self, conversation_id: str, question: Question) -> None:
        """Note a ``subscribe`` that goes out now."""
        if len(self) < 2 * _MOST:
            self._subscribes.setdefault(conversation_id.lower(), deque()).append(question)

    def withdraw(self, question: Question) -> None:
        """Forget a question nobody waits for any more, so that a later answer is not taken for its own."""
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
        if question.on_answer is not None:
            question.on_answer(latency)
        return replace(event, latency=latency, is_heartbeat=question.is_heartbeat)

    def _question_of(self, event: Event) -> Question | None:
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
