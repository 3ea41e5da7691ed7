from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tribe_ws.durations import LONGEST, format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("250ms", 0.25),
        ("5s", 5.0),
        ("1.5 s", 1.5),
        ("60m", 3600.0),
        ("2H", 7200.0),
        ("30d", 2592000.0),
        (" 10 ", 10.0),
        ("0", 0.0),
    ],
)
def test_a_duration_is_read_as_people_write_it(text: str, seconds: float):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "-1s", "5 weeks", "1e3", "nan", "1..2s", "5s5s", "m"])
def test_anything_else_is_refused_with_the_accepted_forms(text: str):
    with pytest.raises(ValueError, match="write 250ms, 5s, 60m, 2h or 30d"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["9" * 400, "99999d"])
def test_what_no_calendar_holds_is_refused(text: str):
    with pytest.raises(ValueError, match="longer than a century"):
        parse_duration(text)


@given(st.text())
def test_any_text_is_a_duration_in_reach_or_a_value_error(text: str):
    try:
        seconds = parse_duration(text)
    except ValueError:
        return
    assert 0 <= seconds <= LONGEST


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.009, "9 ms"),
        (0.9996, "1.0 s"),
        (1.4, "1.4 s"),
        (59.6, "60 s"),
        (119, "119 s"),
        (720, "12 min"),
    ],
)
def test_a_duration_is_written_the_short_way(seconds: float, text: str):
    assert format_duration(seconds) == text
