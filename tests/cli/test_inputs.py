"""What a line typed into ``connect`` means."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tribe_ws.typed_lines import NotUnderstood, Order, RawFrame, Say, Typed
from tribe_ws_cli.inputs import COMMANDS, read_input
from tribe_ws_cli.slash import Conversationalist


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Hello", Say("Hello")),
        ("//slash", Say("/slash")),
        ('{"event":"ping"}', RawFrame('{"event":"ping"}')),
        ("{broken", RawFrame("{broken")),
        ('{"cmd":"send","event":"x"}', RawFrame('{"cmd":"send","event":"x"}')),
        ('{"cmd":"send","conv":"general","text":"hi"}', Say("hi", "general")),
        ('{"cmd":"msg","text":"hi"}', Say("hi")),
        ('{"cmd":"subscribe","conv":"general"}', Order("subscribe", ("general",), "general")),
        ('{"cmd":"subscribe","conv":["a","b"]}', Order("subscribe", ("a", "b"), "a b")),
        ('{"cmd":"close","args":[4000,"why not"]}', Order("close", ("4000", "why not"), "4000 why not")),
        ("/subscribe general", Order("subscribe", ("general",), "general")),
        ("/sub general", Order("subscribe", ("general",), "general")),
        ("/send it's  fine", Order("msg", ("it's  fine",), "it's  fine")),
        ("/q", Order("quit", (), "")),
        ("/viol", Order("violations", (), "")),
    ],
)
def test_the_input_rule(line: str, expected: Typed | None) -> None:
    assert read_input(line) == expected


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("/subscibe x", "No /subscibe. Did you mean /subscribe?"),
        ('{"cmd":"jump"}', "No /jump."),
    ],
)
def test_an_unknown_command_says_which_was_meant(line: str, sentence: str) -> None:
    with pytest.raises(NotUnderstood) as caught:
        read_input(line)
    assert str(caught.value).startswith(sentence)


def test_every_command_can_be_carried_out() -> None:
    for name in COMMANDS:
        assert callable(getattr(Conversationalist, f"_{name}")), name


@given(st.text())
def test_any_line_is_understood_or_refused(line: str) -> None:
    try:
        order = read_input(line)
    except NotUnderstood:
        return
    assert order is None or isinstance(order, Say | RawFrame | Order)
