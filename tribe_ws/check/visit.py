"""Everything that the probes of one check share: the server, the people, the manners, what may be done."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import uuid4

from tribe_ws.check.accounts import Person
from tribe_ws.check.habits import Habits
from tribe_ws.check.probe import Need
from tribe_ws.check.shapes import Shapes
from tribe_ws.check.wire import Rest
from tribe_ws.client.control import ControlClient
from tribe_ws.protocol.clause import Level
from tribe_ws.protocol.urls import ServerAddress


@dataclass(frozen=True, slots=True)
class Consent:
    """What the owner of the server allows the check to do there."""

    write: bool = True
    register: bool = False
    thorough: bool = False


@dataclass(slots=True)
class Visit:
    """One check of one server.

    ``rooms`` are all conversations that were made for it, with whoever made them; ``homes`` a conversation
    of each person, to ask about where nothing but an answer is wanted; ``idle_rooms`` may be used again;
    ``shapes`` tells how everything looked that the server sent.
    """

    address: ServerAddress
    level: Level
    rest: Rest
    people: tuple[Person, ...]
    consent: Consent = field(default_factory=Consent)
    control: ControlClient | None = None
    habits: Habits = field(default_factory=Habits)
    patience: float = 1.0
    name: str = field(default_factory=lambda: f"tribe-ws check {uuid4().hex[:8]}")
    homes: dict[str, str] = field(default_factory=dict)
    rooms: dict[str, tuple[Person, ...]] = field(default_factory=dict)
    idle_rooms: list[str] = field(default_factory=list)
    shapes: Shapes = field(default_factory=Shapes)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def number(self) -> int:
        """Give a number that was not given before in this check."""
        return next(self._numbers)

    def lacks(self, needs: frozenset[Need]) -> Need | None:
        """Tell the first thing that is needed and not there; ``None`` where a probe can run."""
        has: Mapping[Need, bool] = {
            Need.SECOND: len(self.people) > 1,
            Need.THIRD: len(self.people) > 2,
            Need.WRITE: self.consent.write,
            Need.SEVERAL: self.habits.keeps_several,
            Need.CONTROL: self.control is not None,
            Need.TIME: self.habits.is_on_time,
            Need.REGISTER: self.consent.register and self.consent.write,
            Need.THOROUGH: self.consent.thorough,
        }
        return next((need for need in Need if need in needs and not has[need]), None)
