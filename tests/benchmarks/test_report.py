"""The report: what was reached, drawn from the tables of metrics and targets alone."""

from __future__ import annotations

from benchmarks.__main__ import SCENARIOS
from benchmarks.figures import Figure, Figures
from benchmarks.metrics import CHAPTERS, NAIVE, PYTHON, TARGETS, Target
from benchmarks.report import draw_report, draw_targets, missed

METRICS = {metric.key: chapter for chapter in CHAPTERS for metric in chapter.metrics}


def test_every_chapter_belongs_to_a_scenario_and_every_target_to_a_metric():
    assert [chapter.scenario for chapter in CHAPTERS] == list(SCENARIOS)
    assert {target.metric for target in TARGETS} <= set(METRICS)
    assert all(target.against in {"", *METRICS[target.metric].contestants} for target in TARGETS)


def test_target_in_its_own_unit_is_compared_with_the_median():
    target = Target("sends", "sends/16", at_least=2000, unit="/s", digits=0)
    assert target.is_reached(_figures("sends/16", ours=[1000.0, 2000.0, 9000.0])) is True
    assert target.is_reached(_figures("sends/16", ours=[1000.0, 1999.0, 9000.0])) is False
    assert target.demand == "≥ 2,000 /s"


def test_target_as_a_ratio_is_compared_with_the_rival():
    target = Target("p99", "latency/p99", NAIVE, at_most=0.6)
    assert target.is_reached(_figures("latency/p99", ours=[12.0], naive=[20.0])) is True
    assert target.is_reached(_figures("latency/p99", ours=[13.0], naive=[20.0])) is False
    assert target.demand == "≤ 0.60 × naive"


def test_what_was_not_measured_is_neither_reached_nor_missed():
    figures = Figures()
    assert missed(figures) == []
    assert "not measured" in draw_targets(figures)
    assert all(target.is_reached(figures) is None for target in TARGETS)


def test_report_shows_figures_ratios_and_what_was_missed():
    figures = _figures("fan-out/1000/1", ours=[130000.0, 140000.0], naive=[70000.0, 100000.0])
    figures.add(_figures("start/version", ours=[100.0]).all)
    figures.add([Figure("start/version", PYTHON, 0, 10.0)])
    report = draw_report(figures, passes=2, load="0.10", minutes=3)
    assert "135,000 (130,000–140,000)" in report
    assert "**1.63** (1.40–1.86)" in report
    assert "## Start of the command line" in report
    assert "## An idle connection" not in report
    assert [target.metric for target in missed(figures)] == ["fan-out/1000/1", "start/version"]
    assert report.count("**no**") == 2


def _figures(metric: str, **values: list[float]) -> Figures:
    figures = Figures()
    for contestant, measured in values.items():
        figures.add(Figure(metric, contestant, number, value) for number, value in enumerate(measured))
    return figures
