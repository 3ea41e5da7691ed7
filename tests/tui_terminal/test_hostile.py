"""What comes from the wire is text on the screen, whatever is in it; the terminal obeys none of it."""

from __future__ import annotations

import pytest

from tests.tui_terminal.terminal import until

ESCAPES = "\x1b[2J\x1b[H\x1b[31mred\x1b[0m\x1b]0;owned\x07\x1b[?1049l\x1b[?25h\x1b[6n\x1bc"
BACKWARDS = "\u202eevil\u202c \u2066\u05e9\u05dc\u05d5\u05dd\u2069 \u0645\u0631\u062d\u0628\u0627"
HOSTILE = {
    "escapes": (ESCAPES, r"\[2J"),
    "long": ("x" * 5000, "x{10}"),
    "right-to-left": (BACKWARDS, "evil"),
    "nul": ("a\0b\rc\bd\te\nf\x9b31mg", "."),
    "markup": ("[red]danger[/red] [@click=app.quit]quit[/] [/]", r"\[red\]danger"),
    "wide": ("\u200d".join("👩👧👦") + "\u0301" * 200 + "深" * 300, "👩|👧|👦"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_message_changes_nothing(inspect, name):
    content, shown = HOSTILE[name]
    terminal, backend = inspect("-s", "general")
    terminal.sees("← +subscribed")
    before, title = terminal.state(), terminal.told("pane_title")
    calm = frame_of(terminal)
    if "\0" in content:
        # No server of ours would take it from a person.
        backend.push("alice", "message.new", content=content)
    else:
        backend.send("bob", content)
    terminal.sees(rf"message\.new .*({shown})")
    backend.send("bob", "the next one")
    terminal.sees("the next one")
    assert frame_of(terminal) == calm
    for key, words in (("p", r'\{"event":"m'), ("p", "the next"), ("w", "the next")):
        terminal.press(key)
        terminal.sees(words)
    terminal.press("Up", "Up", "Enter")
    terminal.sees('event: "message.new"')
    terminal.press("p")
    terminal.sees(r"\[Raw\]")
    assert frame_of(terminal) == calm
    assert (terminal.state(), terminal.told("pane_title")) == (before, title)
    terminal.press("q")
    terminal.ends()


def frame_of(terminal):
    """Give the lines which a calm screen keeps: the composer at the bottom, with its borders."""
    return until(
        lambda: [
            line[:78] for line in terminal.screen().splitlines() if "╭─ as alice" in line or "╰──" in line
        ],
        "the composer is there",
    )
