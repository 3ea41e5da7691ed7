"""What was measured, pass by pass, and the statistics over it.

A ratio is taken inside one pass, where both sides ran within seconds of each other, and only then the median
over the passes: on a shared machine single times mean little, and ratios of them hold.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field


def percentile(values: Sequence[float], share: float) -> float:
    """Tell the smallest value that at least ``share`` (0 to 1) of the values do not exceed: the nearest rank.

    Raises ``ValueError`` where nothing was measured.
    """
    if not values:
        raise ValueError("no values, no percentile")
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value: of which metric, whose, and in which pass."""

    metric: str
    contestant: str
    round: int
    value: float


@dataclass(frozen=True, slots=True)
class Spread:
    """The median over the passes, with the extremes it lies between."""

    median: float
    low: float
    high: float


@dataclass(slots=True)
class Figures:
    """Everything a run has measured."""

    all: list[Figure] = field(default_factory=list)

    def add(self, figures: Iterable[Figure]) -> None:
        """Take in what one scenario measured."""
        self.all.extend(figures)

    def of(self, metric: str, contestant: str) -> dict[int, float]:
        """Tell the values of one contestant, by pass."""
        return {
            figure.round: figure.value
            for figure in self.all
            if figure.metric == metric and figure.contestant == contestant
        }

    def spread(self, metric: str, contestant: str) -> Spread | None:
        """Tell the median of one contestant's values; ``None`` if it was not measured."""
        return _spread(self.of(metric, contestant).values())

    def ratio(self, metric: str, contestant: str, other: str) -> Spread | None:
        """Tell how many times the other's value a contestant reaches; ``None`` if one of them is missing.

        Where the other's value is nothing at all, the ratio is infinite.
        """
        others = self.of(metric, other)
        return _spread(
            value / others[number] if others[number] else math.inf
            for number, value in self.of(metric, contestant).items()
            if number in others
        )


def _spread(values: Iterable[float]) -> Spread | None:
    measured = list(values)
    if not measured:
        return None
    return Spread(statistics.median(measured), min(measured), max(measured))
