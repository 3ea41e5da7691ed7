"""``tui --tap`` beside a server that others talk to: a lane per connection, and why one got nothing."""

from __future__ import annotations

import pytest

from tests.tui_terminal.backend import heard, subscribe
from tests.tui_terminal.terminal import until


@pytest.fixture
def tap(serve, open_terminal):
    """Open the tap, and wait until it hears what goes on."""
    backend, terminal = serve(), open_terminal(200, 60)
    terminal.run(f"tribe-ws tui --tap --url {backend.url}")
    terminal.sees("▷ tapping")

    def hears():
        backend.send("bob", "is it on?")
        return "POST message" in terminal.screen()

    until(hears, lambda: f"the tap hears\n{terminal.screen()}")
    return terminal, backend


def test_each_connection_has_a_lane(tap):
    terminal, backend = tap
    with backend.connected("alice") as first, backend.connected("alice") as second:
        subscribe(first)
        terminal.sees("→ +alice 1 +subscribe +#general")
        second.send('{"event": "ping"}')
        terminal.sees("→ +alice 2 +ping")
    terminal.sees("alice 1 +closed")
    terminal.sees("alice 2 +closed")


def test_it_says_why_a_client_did_not_get_a_message(tap):
    terminal, backend = tap
    with backend.connected("alice") as phone, backend.connected("cara"), backend.connected("bob") as author:
        subscribe(phone)
        subscribe(author)
        backend.send("bob", "who gets this?")
        heard(phone, "message.new")
        terminal.sees("← +alice 1 +message.new .*who gets this")
        terminal.press("/")
        terminal.sees("Enter Apply")
        terminal.type("who event:message.new")
        terminal.press("Enter")
        terminal.sees("filter: who event:message.new")
        terminal.press("Enter")
        terminal.sees("Delivered to")
        terminal.sees("● alice 1 +delivered")
        terminal.sees("○ bob 1 +not sent: it is the user's")
        terminal.sees("○ cara 1 +not sent: this connection")
        terminal.sees("did not subscribe to the conversation")
    terminal.press("q")
    terminal.ends()
