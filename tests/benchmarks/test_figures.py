"""The statistics: percentiles, medians over passes, ratios within a pass."""

from __future__ import annotations

import math

import pytest

from benchmarks.figures import Figure, Figures, Spread, percentile


@pytest.mark.parametrize(
    ("share", "expected"),
    [(0.0, 1.0), (0.5, 50.0), (0.99, 99.0), (1.0, 100.0)],
    ids=["min", "p50", "p99", "max"],
)
def test_percentile_is_a_value_that_was_measured(share, expected):
    assert percentile([float(value) for value in range(100, 0, -1)], share) == expected


def test_percentile_of_one_value_is_that_value():
    assert percentile([7.0], 0.99) == 7.0


def test_percentile_of_nothing_is_refused():
    with pytest.raises(ValueError, match="no percentile"):
        percentile([], 0.5)


def test_spread_holds_the_median_and_the_extremes():
    figures = _figures(ours=[3.0, 1.0, 2.0])
    assert figures.spread("speed", "ours") == Spread(2.0, 1.0, 3.0)


def test_ratio_is_taken_inside_a_pass():
    # The ratio of the medians would be 20 / 2 = 10.
    figures = _figures(ours=[10.0, 20.0, 30.0], naive=[1.0, 10.0, 2.0])
    assert figures.ratio("speed", "ours", "naive") == Spread(10.0, 2.0, 15.0)


def test_ratio_skips_passes_which_the_other_has_not_run():
    figures = _figures(ours=[10.0, 20.0], naive=[5.0])
    assert figures.ratio("speed", "ours", "naive") == Spread(2.0, 2.0, 2.0)


def test_ratio_to_nothing_is_infinite():
    ratio = _figures(ours=[100.0], naive=[0.0]).ratio("speed", "ours", "naive")
    assert ratio is not None
    assert math.isinf(ratio.median)


def test_what_was_not_measured_has_neither_spread_nor_ratio():
    figures = _figures(ours=[1.0])
    assert figures.spread("speed", "naive") is None
    assert figures.ratio("speed", "ours", "naive") is None


def _figures(**values: list[float]) -> Figures:
    figures = Figures()
    for contestant, measured in values.items():
        figures.add(Figure("speed", contestant, number, value) for number, value in enumerate(measured))
    return figures
