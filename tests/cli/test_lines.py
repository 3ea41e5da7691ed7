"""One record, one line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tribe_ws.capture.record import Record
from tribe_ws_cli.lines import LineStyle, line_of

AT = datetime(2026, 11, 23, 1, 22, 24, 902_000, tzinfo=UTC)


def line(label: str = "", style: LineStyle | None = None, **values: Any) -> list[str]:
    defaults: dict[str, Any] = {"seq": 9, "at": AT, "direction": "in", "event": "pong"}
    record = Record(**(defaults | values))
    lines = line_of(record, style or LineStyle(), label)
    return ["".join(text for text, _ in parts).rstrip()[12:] for parts in lines]


def frame(**values: Any) -> dict[str, Any]:
    return values


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (
            {"event": "connected", "frame": frame(message="WebSocket connection established")},
            " ←   connected              WebSocket connection established",
        ),
        (
            {"event": "subscribed", "latency": 0.003},
            " ←   subscribed … 3 ms",
        ),
        ({"direction": "out", "event": "subscribe"}, " →   subscribe"),
        ({"direction": "out", "event": "ping"}, " →   ping"),
        (
            {"direction": "out", "event": "typing", "frame": frame(is_typing=True)},
            " →   typing                 on",
        ),
        (
            {"direction": "out", "event": "typing", "frame": frame(is_typing=False)},
            " →   typing                 off",
        ),
        (
            {"direction": "out", "event": "presence", "frame": frame(status="away")},
            " →   presence               away",
        ),
        ({"direction": "out", "event": "raw", "text": "{x"}, " →   raw                    {x"),
        (
            {
                "direction": "rest",
                "event": "POST message",
                "text": 'say "hi"\n',
                "status": 201,
                "latency": 0.009,
            },
            ' ⇡   POST message           "say \\"hi\\"\\n" … 201  9 ms',
        ),
        ({"direction": "note", "event": "note", "text": "look"}, " •   note                   look"),
        (
            {"event": "message.new", "sender": "bob", "frame": frame(data={"content": "a\nb"})},
            " ←   message.new            bob: a\\nb",
        ),
        ({"event": "message.new", "frame": frame(data=7)}, " ←   message.new            ?:"),
        (
            {"event": "typing", "frame": frame(data={"user_name": "Bob Stone", "is_typing": True})},
            " ←   typing                 Bob Stone is typing",
        ),
        (
            {"event": "typing", "sender": "bob", "frame": frame(data={"is_typing": False})},
            " ←   typing                 bob stopped typing",
        ),
        (
            {"event": "presence", "sender": "bob", "frame": frame(data={"status": "away"})},
            " ←   presence               bob is away",
        ),
        (
            {"event": "presence", "frame": frame(data={"is_online": True})},
            " ←   presence               ? is online",
        ),
        (
            {"event": "message.read", "sender": "bob", "frame": frame(data={})},
            " ←   message.read           bob has read it",
        ),
        (
            {"event": "error", "frame": frame(data={"code": "not_found", "message": "no"})},
            " ←   error                  not_found: no",
        ),
        ({"event": "novel", "text": '{"event":"novel"}'}, ' ←   novel                  {"event":"novel"}'),
        (
            {"latency": 1.4, "timing": "guessed"},
            " ←   pong … ~1 s",
        ),
        ({"latency": 0.0004}, " ←   pong … 0.4 ms"),
    ],
)
def test_bodies(values: dict[str, Any], expected: str) -> None:
    left, _, right = expected.partition(" … ")
    (shown,) = line(**values)
    assert shown.startswith(left)
    assert shown.endswith(right)
    if right:
        assert len(shown) == 84 - len("01:22:24.902")
    else:
        assert shown == left


def test_the_conversation_has_its_column() -> None:
    assert line("#general", event="subscribed") == [" ←   subscribed   #general"]


def test_a_violation_gets_its_mark_and_a_line_of_its_own() -> None:
    shown = line(event="message.new", violations=("data.created_at: wrong",))
    assert shown[0].startswith(" ← ✗ message.new")
    assert shown[1].strip() == "data.created_at: wrong   (/show 9)"


def test_ascii_glyphs() -> None:
    style = LineStyle(ascii=True)
    shown = [line(style=style, direction=direction)[0][:3] for direction in ("in", "out", "rest", "note")]
    assert shown == [" < ", " > ", " ^ ", " * "]
    assert line(style=style, violations=("x",))[0].startswith(" < ! pong")


def test_a_long_body_is_not_cut_and_pushes_the_latency_out() -> None:
    shown = line(event="message.new", sender="bob", frame=frame(data={"content": "x" * 90}), latency=0.002)[0]
    assert shown.endswith("x" * 90 + "  2 ms")


def test_dangerous_characters_are_visible() -> None:
    (shown,) = line(
        "#\x1b[0m", event="message.new", sender="\x1b", frame=frame(data={"content": "\x9b2J\u202e"})
    )
    assert "\\x9b2J\\u202e" in shown
    assert "\x9b" not in shown


def test_times() -> None:
    later = AT + timedelta(milliseconds=1500)
    clock = LineStyle()
    local = AT.astimezone()
    assert clock.moment(AT) == f"{local:%H:%M:%S}.902"
    relative = LineStyle(time="rel")
    assert [relative.moment(one).strip() for one in (AT, later, later)] == ["+0.000", "+1.500", "+1.500"]
    delta = LineStyle(time="delta")
    assert [delta.moment(one).strip() for one in (AT, later, later)] == ["+0.000", "+1.500", "+0.000"]
