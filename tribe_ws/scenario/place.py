"""Where something stands in a scenario file, and the error that says what is wrong there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from tribe_ws.errors import ConfigurationError


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """One place in one file; line and column count from 1."""

    path: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"


class ScenarioError(ConfigurationError):
    """A scenario cannot be understood: ``place`` says where, ``problem`` what, ``hint`` what was meant."""

    code = "bad_scenario"

    def __init__(self, place: Place, problem: str, *, hint: str = "") -> None:
        super().__init__(f"{place}: {problem}", hint=hint)
        self.place = place
        self.problem = problem


def did_you_mean(word: str, known: Iterable[str], *, otherwise: str = "") -> str:
    """Suggest the known word nearest to a wrong one; ``otherwise`` where none is near."""
    names = sorted(known)
    near = get_close_matches(word.casefold(), [name.casefold() for name in names], n=1, cutoff=0.5)
    for name in names:
        if near and name.casefold() == near[0]:
            return f'did you mean "{name}"?'
    return otherwise


def listed(words: Iterable[str], *, most: int = 12) -> str:
    """List words for an error, the first dozen of them."""
    names = list(words)
    return ", ".join(names[:most]) + (", …" if len(names) > most else "")
