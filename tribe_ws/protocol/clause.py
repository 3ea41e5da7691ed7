"""What a clause of the contract is: one promise that a program can check, with a name to cite it by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["documented", "app", "v2"]
"""Whose clause it is: ``documented`` holds for everybody, ``app`` and ``v2`` for that profile only."""


@dataclass(frozen=True, slots=True)
class Clause:
    """One promise; ``id`` is stable, ``section`` says where it is written down."""

    id: str
    sentence: str
    section: str
    level: Level


def clauses(section: str, sentences: dict[str, str], *, level: Level = "documented") -> tuple[Clause, ...]:
    """Make the clauses of one section out of their ids and sentences."""
    return tuple(Clause(id_, sentence, section, level) for id_, sentence in sentences.items())
