"""Draws the figures of a run as Markdown: the targets first, then every metric beside its rivals."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import UTC, datetime

from benchmarks.figures import Figures, Spread
from benchmarks.machine import describe_machine, describe_packages
from benchmarks.metrics import CHAPTERS, OURS, TARGETS, Chapter, Metric, Target


def draw_report(figures: Figures, *, passes: int, load: str, minutes: float) -> str:
    """Write the whole report."""
    conditions = (
        f"Measured on {datetime.now(UTC).date()} by `python -m benchmarks` in {minutes:.0f} minutes: "
        f"{passes} interleaved passes, medians (in brackets the extremes). "
        f"Load of the machine when the run began: {load}.\n\n"
        f"* Machine: {describe_machine()}\n* Packages: {describe_packages()}\n"
        "* The server runs on core 0, the load driver on core 1, everything on 127.0.0.1. Compare the "
        "ratios: taken inside one pass, they hold where single figures do not."
    )
    parts = [
        "# Figures",
        conditions,
        "## What is demanded",
        draw_targets(figures),
        *(_draw_chapter(chapter, figures) for chapter in CHAPTERS if _is_measured(chapter, figures)),
    ]
    return "\n\n".join(parts) + "\n"


def draw_targets(figures: Figures) -> str:
    """Write the table of the targets, with what was reached."""
    rows = [["goal", "demanded", "measured", "reached"]]
    rows.extend(_target_row(target, figures) for target in TARGETS)
    return _table(rows)


def missed(figures: Figures) -> list[Target]:
    """Tell which targets this run measured and missed."""
    return [target for target in TARGETS if target.is_reached(figures) is False]


def _target_row(target: Target, figures: Figures) -> list[str]:
    value = target.measured(figures)
    measured = "not measured" if value is None else f"{value:,.{target.digits}f}{target.suffix}"
    verdict = {True: "yes", False: "**no**", None: "–"}[target.is_reached(figures)]
    return [target.title, target.demand, measured, verdict]


def _is_measured(chapter: Chapter, figures: Figures) -> bool:
    keys = {metric.key for metric in chapter.metrics}
    return any(figure.metric in keys for figure in figures.all)


def _draw_chapter(chapter: Chapter, figures: Figures) -> str:
    rivals = [name for name in chapter.contestants if name != OURS]
    rows = [["", "unit", *chapter.contestants, *(f"× {rival}" for rival in rivals)]]
    for metric in chapter.metrics:
        values = [_value(figures.spread(metric.key, name), metric) for name in chapter.contestants]
        ratios = [_ratio(figures.ratio(metric.key, OURS, rival)) for rival in rivals]
        rows.append([metric.title, metric.unit, *values, *ratios])
    return f"## {chapter.title}\n\n{_table(rows)}\n\n{chapter.note}"


def _value(spread: Spread | None, metric: Metric) -> str:
    if spread is None:
        return "–"
    low, median, high = (f"{value:,.{metric.digits}f}" for value in (spread.low, spread.median, spread.high))
    return median if low == high else f"{median} ({low}–{high})"


def _ratio(spread: Spread | None) -> str:
    if spread is None:
        return "–"
    return (
        "∞" if math.isinf(spread.median) else f"**{spread.median:.2f}** ({spread.low:.2f}–{spread.high:.2f})"
    )


def _table(rows: Iterable[list[str]]) -> str:
    head, *body = rows
    lines = [head, ["---", *("---:" for _ in head[1:])], *body]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
