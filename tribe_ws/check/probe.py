"""The registry of probes: one function per promise, named for the clauses that it judges.

A probe is a coroutine function which gets a ``Stage``, a fresh one at each run. It returns where the clause
holds, and raises ``Failed``, ``CannotTell`` or ``Skipped`` otherwise; most of that the stage does for it. All
modules in ``tribe_ws.check.probes`` are read when the probes are asked for.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from tribe_ws.protocol.clause import Clause, Level
from tribe_ws.protocol.contract import CLAUSES, clause

if TYPE_CHECKING:
    from tribe_ws.check.stage import Stage

ProbeFunction = Callable[["Stage"], Awaitable[None]]


class Need(Enum):
    """What a probe cannot do without; its value is how that is said to people."""

    SECOND = "a second account"
    THIRD = "a third account, of somebody who is not in the conversation"
    WRITE = "to write: a conversation of its own, and messages in it"
    SEVERAL = "several connections of one user, which this server does not keep"
    CONTROL = "the control API of a local tribe-ws server"
    TIME = "a server whose clock runs as ours does"
    REGISTER = "consent to make accounts which stay on the server"
    THOROUGH = "consent to take long, or to strain the server"


@dataclass(frozen=True, slots=True)
class Probe:
    """One promise of the contract as something to try on a server.

    ``alone``: no other probe runs at that time, and nobody of the people has a connection when it begins.
    ``takes``: about how long it takes on a quick server, in seconds. ``advice`` says what mends a server that
    fails it. ``levels``: at which levels it is tried, if that is not plain from its clauses.
    """

    clauses: tuple[Clause, ...]
    function: ProbeFunction
    needs: frozenset[Need]
    advice: str
    alone: bool
    takes: float
    levels: frozenset[Level]

    @property
    def id(self) -> str:
        """The id of the first clause that it judges, which stands for the probe."""
        return self.clauses[0].id

    def is_of(self, level: Level) -> bool:
        """Tell whether a check at that level tries it."""
        return level in self.levels


_probes: dict[str, Probe] = {}
_unjudged: dict[str, str] = {}
LEVELS: dict[Level, frozenset[Level]] = {
    "documented": frozenset({"documented", "app", "v2"}),
    "app": frozenset({"app"}),
    "v2": frozenset({"v2"}),
}
"""At which levels of a check the clauses of a level are tried: what is documented holds for everybody."""


def probe(
    *clause_ids: str,
    advice: str,
    needs: Iterable[Need] = (),
    alone: bool = False,
    takes: float = 1.0,
    levels: Iterable[Level] = (),
) -> Callable[[ProbeFunction], ProbeFunction]:
    """Register a function as the probe of these clauses, which share one verdict.

    Raises ``KeyError`` for an id that is no clause, ``ValueError`` for one that has a probe already.
    """

    def register(function: ProbeFunction) -> ProbeFunction:
        clauses = tuple(map(clause, clause_ids))
        taken = {one.id for known in _probes.values() for one in known.clauses}
        if twice := taken.intersection(clause_ids):
            raise ValueError(f"probed twice: {', '.join(sorted(twice))}")
        tried_at = frozenset(levels) or LEVELS[clauses[0].level]
        _probes[clauses[0].id] = Probe(clauses, function, frozenset(needs), advice, alone, takes, tried_at)
        return function

    return register


def unjudged(reasons: Mapping[str, str]) -> None:
    """Register clauses which nobody can judge from outside, each with the reason."""
    for clause_id, reason in reasons.items():
        _unjudged[clause(clause_id).id] = reason


def reason_not_to_judge(clause_id: str) -> str:
    """Tell why a clause has no probe; empty if it has one."""
    all_probes()
    return _unjudged.get(clause_id, "")


def all_probes() -> tuple[Probe, ...]:
    """Give all probes, in the order of the contract."""
    package = importlib.import_module("tribe_ws.check.probes")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")
    order = {one.id: number for number, one in enumerate(CLAUSES)}
    return tuple(sorted(_probes.values(), key=lambda one: order[one.id]))


def choose(level: Level, only: Iterable[str] = ()) -> tuple[Probe, ...]:
    """Give the probes of a level; with ``only``, those with a clause which matches one of the patterns."""
    patterns = tuple(only)
    return tuple(
        one
        for one in all_probes()
        if one.is_of(level) and (not patterns or any(matches(part.id, patterns) for part in one.clauses))
    )


def matches(clause_id: str, patterns: Iterable[str]) -> bool:
    """Tell whether a clause's id is one of those, or fits one of the patterns (``typing.*``)."""
    return any(fnmatchcase(clause_id, pattern) for pattern in patterns)
