"""An evening with the inspector, from the prompt of a shell and back to it."""

from __future__ import annotations

import os
import re
import signal

import pytest

from tribe_ws.demo_accounts import DEMO_PASSWORD

OPEN = "● open"
SIZES = ((120, 40), (80, 24), (40, 10), (1, 1), (200, 60), (60, 16), (59, 16), (160, 50), (40, 10), (120, 40))


def test_a_session_does_its_work_and_leaves_the_terminal_as_it_was(open_terminal, serve, home, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    backend = serve(environment=home | {"XDG_RUNTIME_DIR": str(elsewhere)})
    terminal = open_terminal()
    before = terminal.state()
    terminal.run(f"tribe-ws tui --url {backend.url}")
    terminal.sees("nobody is logged in to it")
    assert terminal.state() != before
    log_in(terminal)

    terminal.press("s")
    terminal.sees("← +subscribed +#general")
    backend.send("bob", "Morning!")
    terminal.sees("← +message.new +bob: Morning!")
    terminal.press("i")
    terminal.sees("Enter Send")
    terminal.type("Good morning")
    terminal.sees("│ Good morning")
    terminal.press("Enter")
    terminal.sees("⇡ +POST message +alice: Good")
    terminal.press("Escape")
    terminal.sees("/ Filter")

    terminal.press("/")
    terminal.sees("Enter Apply")
    terminal.type("event:message.new")
    terminal.press("Enter")
    terminal.sees("filter: event:message.new +1 of ")
    terminal.press("Enter")
    terminal.sees('content: "Morning!"')

    terminal.press("q")
    terminal.ends()
    assert terminal.state() == before
    assert "Conversations" not in terminal.screen()


def log_in(terminal):
    """Log in with a password, by the keys that the screens name."""
    terminal.press("u")
    terminal.sees("Log in as")
    terminal.type("alice")
    terminal.press("Enter")
    terminal.sees("The password is kept nowhere")
    terminal.type(DEMO_PASSWORD)
    terminal.press("Enter")
    terminal.sees(OPEN)
    assert DEMO_PASSWORD not in terminal.screen()


@pytest.mark.parametrize("keys", [("q",), ("C-q",), ("C-c", "C-c")], ids="-".join)
def test_every_way_out_leaves_the_terminal_as_it_was(inspect, open_terminal, serve, keys):
    backend, terminal = serve(), open_terminal()
    before = terminal.state()
    terminal.run(f"tribe-ws tui --url {backend.url} -s general")
    terminal.sees("← +subscribed")
    terminal.press(*keys)
    terminal.ends()
    assert terminal.state() == before


def test_a_terminated_inspector_leaves_the_terminal_as_it_was(serve, open_terminal):
    backend, terminal = serve(), open_terminal()
    before = terminal.state()
    terminal.run(f"tribe-ws tui --url {backend.url} -s general")
    terminal.sees("← +subscribed")
    (inspector,) = terminal.processes()
    os.kill(inspector, signal.SIGTERM)
    terminal.ends(143)
    assert terminal.state() == before


def test_a_closed_window_ends_the_inspector(inspect):
    terminal, _ = inspect("-s", "general")
    terminal.sees("← +subscribed")
    assert len(terminal.processes()) == 1
    # The fixture closes the window, and waits for the end of what ran in it.


def test_the_demo_talks_and_leaves_nothing(open_terminal):
    terminal = open_terminal()
    before = terminal.state()
    terminal.run("tribe-ws demo --tui")
    terminal.sees("message.new +(bob|cara): ")
    terminal.sees("4 Faults +embedded")
    terminal.press("t")
    terminal.sees("● open +bob@local")
    terminal.press("q")
    terminal.ends()
    assert terminal.state() == before
    assert terminal.processes() == []


def test_a_small_terminal_is_told_what_is_needed(inspect):
    terminal, _ = inspect(size=(40, 10))
    terminal.sees("Terminal is 40x10")
    shown = " ".join(terminal.screen().split())
    assert "the inspector needs 60x16. `tribe-ws connect` works at any size." in shown
    terminal.press("q")
    terminal.ends()


def test_the_inspector_lives_through_every_size(inspect):
    terminal, backend = inspect("-s", "general")
    terminal.sees("← +subscribed")
    for columns, rows in SIZES:
        terminal.resize(columns, rows)
        if columns < 60 and columns > 1:
            terminal.sees(f"Terminal is {columns}x{rows}")
        elif columns > 1:
            terminal.sees_no_more("Terminal is")
            terminal.sees("#general")
    backend.send("bob", "still here")
    terminal.sees("bob: still here")
    terminal.press("q")
    terminal.ends()


def test_without_colour_words_carry_the_meaning(inspect):
    terminal, backend = inspect("-s", "general", NO_COLOR="1")
    terminal.sees("← +subscribed")
    backend.push("alice", "message.new", created_at="yesterday", content="late")
    terminal.sees("✗ +message.new")
    terminal.sees("✗ 1")
    assert colours(terminal.screen("-e")) == set()


def colours(styled):
    """Tell which colours are on the screen that are no shade of grey."""
    found = re.findall(r"[34]8;2;(\d+);(\d+);(\d+)", styled)
    named = re.findall(r"\x1b\[(?:\d;)*([349][1-6])m", styled)
    return {rgb for rgb in found if max(map(int, rgb)) - min(map(int, rgb)) > 8} | set(named)
