"""No regular expression, on no text, takes long."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tribe_ws.capture import expressions
from tribe_ws.capture.expressions import BadExpression, Expression
from tribe_ws.capture.filter import FilterError, parse_filter
from tribe_ws.capture.record import Record
from tribe_ws.clock import ManualClock

SECONDS = 2.0
"""More than the budget of a trial and of a search together, also where the machine is slow."""


def record(text: str) -> Record:
    return Record(1, ManualClock().now(), "in", "x", text=text, frame={"data": {"content": text}})


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [("depl.y", "a deploy", True), ("^a+$", "aaa", True), ("^a+$", "aab", False), ("x{2,3}", "axxb", True)],
)
def test_ordinary_expressions_do_what_they_say(pattern: str, text: str, found: bool) -> None:
    assert Expression(pattern).is_in(text) is found


def test_case_counts_unless_it_is_ignored() -> None:
    assert not Expression("DEPLOY").is_in("deploy")
    assert Expression("DEPLOY", ignore_case=True).is_in("deploy")


@pytest.mark.parametrize("pattern", ["(a+)+$", "(x+x+)+y", "^(a|aa)+$", r"(\w+\s?)+$", "(?R)+", "(é+)+!$"])
def test_a_runaway_expression_is_refused_when_it_is_read(pattern: str) -> None:
    started = time.process_time()
    with pytest.raises(BadExpression, match="takes too long"):
        Expression(pattern)
    assert time.process_time() - started < SECONDS


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("(", "missing"),
        ("*", "nothing to repeat"),
        ("a{999999999999}", "counts beyond"),
        ("((a{999}){999}){999}", "counts beyond"),
        ("a" * 501, "longer than 500"),
        (r"(?<=a", "missing"),
        (r"\p{nonsense}", "unknown property"),
    ],
)
def test_what_cannot_be_used_is_refused_with_a_reason(pattern: str, why: str) -> None:
    with pytest.raises(BadExpression, match=why):
        Expression(pattern)


def test_one_that_meets_its_match_later_is_given_up_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expressions, "_try_out", lambda *_: None)
    chosen = parse_filter("/(a+)+$/ | data.content~/(b+)+$/ | event:none")
    assert chosen.trouble == ""
    started = time.process_time()
    for _ in range(1_000):
        assert not chosen.matches(record("a" * 5_000 + "b!"))
    assert time.process_time() - started < SECONDS
    assert chosen.trouble == "/(a+)+$/ took too long on a frame; it matches nothing from there on"


def test_the_filter_points_at_a_runaway_expression() -> None:
    with pytest.raises(FilterError, match="takes too long") as caught:
        parse_filter("event:x data.content~/(a+)+$/")
    assert (caught.value.column, caught.value.length) == (21, 8)


@settings(max_examples=60, deadline=None)
@given(
    st.text(alphabet=r"ab01(|)*+?{},.[]\^$dws: ", max_size=14),
    st.sampled_from(["a" * 5_000 + "\0", "ab" * 2_500 + "!", "a1 b" * 1_250, ""]),
)
def test_any_expression_on_any_frame_ends_soon(pattern: str, text: str) -> None:
    started = time.process_time()
    with suppress(BadExpression):
        Expression(pattern).is_in(text)
    assert time.process_time() - started < SECONDS


def test_a_simple_search_costs_microseconds() -> None:
    frames: list[Any] = [record('{"event":"message.new","data":{"content":"The deploy landed"}}')] * 20_000
    chosen = parse_filter(r"/dep\w+ed|rollback/")
    started = time.process_time()
    for frame in frames:
        chosen.matches(frame)
    assert time.process_time() - started < 1.0
