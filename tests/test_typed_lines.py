"""What a typed line means, whatever the commands of the face it was typed into."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tribe_ws.typed_lines import NotUnderstood, Order, RawFrame, Say, Typed, read_line

COMMANDS = {
    "subscribe": ("NAME…", "get what happens in a conversation"),
    "msg": ("TEXT", "send a message"),
    "raw": ("TEXT", "send any text"),
    "record": ("FILE", "write to a file"),
    "reconnect": ("", "connect anew"),
    "help": ("", "list the commands"),
    "quit": ("", "leave"),
}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", None),
        ("   ", None),
        ("Hello", Say("Hello")),
        ("Hello\r\n", Say("Hello")),
        ("  indented", Say("  indented")),
        ("//slash", Say("/slash")),
        ("// comment", Say("/ comment")),
        (' {"event":"ping"} ', RawFrame('{"event":"ping"}')),
        ("{broken", RawFrame("{broken")),
        ("/SUBSCRIBE general", Order("subscribe", ("general",), "general")),
        ('/subscribe "two words" b', Order("subscribe", ("two words", "b"), '"two words" b')),
        ("/subscribe it's", Order("subscribe", ("it's",), "it's")),
        ("/send it's  fine", Order("msg", ("it's  fine",), "it's  fine")),
        ("/msg", Order("msg", (), "")),
        ("/raw {broken  ", Order("raw", ("{broken",), "{broken")),
        ("/q", Order("quit", (), "")),
        ("/exit", Order("quit", (), "")),
        ("/?", Order("help", (), "")),
    ],
)
def test_the_input_rule(line: str, expected: Typed | None) -> None:
    assert read_line(line, COMMANDS) == expected


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("/subscibe x", "No /subscibe. Did you mean /subscribe?"),
        ("/zzz", "No /zzz. /help lists what there is."),
        ("/", "No /. /help lists what there is."),
        ("/re", "No /re."),
    ],
)
def test_an_unknown_command_says_which_was_meant(line: str, sentence: str) -> None:
    with pytest.raises(NotUnderstood) as caught:
        read_line(line, COMMANDS)
    assert str(caught.value).startswith(sentence)


@given(st.text())
def test_any_line_is_understood_or_refused(line: str) -> None:
    try:
        typed = read_line(line, COMMANDS)
    except NotUnderstood:
        return
    assert typed is None or isinstance(typed, Say | RawFrame | Order)
