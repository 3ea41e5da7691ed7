"""A server that goes away and comes back while somebody watches, and a token that ends."""

from __future__ import annotations

import re
from contextlib import suppress

from websockets.exceptions import ConnectionClosed

from tests.tui_terminal.terminal import PATIENCE


def test_a_killed_server_is_come_back_to_and_what_was_missed_is_fetched(inspect, serve):
    backend = serve()
    terminal, _ = inspect("-s", "general", backend=backend, size=(200, 60))
    terminal.sees("← +subscribed")
    backend.send("bob", "before the crash")
    terminal.sees("bob: before")

    backend.kill()
    terminal.sees("◌ closed 1006, again in [1-9][0-9]* s")
    first = int(terminal.sees(r"again in ([2-9]|1[0-9]) s \(try \d+\) +Ctrl\+R now").group(1))
    terminal.sees(f"again in [1-{first - 1}] s")

    backend.start()
    for number in range(3):
        backend.send("bob", f"missed {number}")
    terminal.press("C-r")
    terminal.sees("● open")
    terminal.sees("back after [0-9.]+ s, re-subscribed to 1")
    terminal.sees("── gap [0-9.]+ s: 3 missed messages fetched, typing and presence in it are lost ──")
    shown = terminal.screen()
    assert [shown.count(f"bob: missed {number}") for number in range(3)] == [1, 1, 1]
    backend.send("bob", "after all")
    terminal.sees("← +message.new +#general +bob: after all")


def test_it_comes_back_by_itself(inspect, serve):
    backend = serve()
    terminal, _ = inspect("-s", "general", backend=backend, size=(200, 60))
    terminal.sees("← +subscribed")
    backend.kill()
    terminal.sees(r"again in \d+ s")
    backend.start()
    terminal.sees("re-subscribed to 1")
    backend.send("bob", "welcome back")
    terminal.sees("bob: welcome")


def test_a_restart_is_called_by_its_name(inspect, serve):
    backend = serve()
    terminal, _ = inspect("-s", "general", backend=backend, size=(200, 60))
    terminal.sees("← +subscribed")
    backend.stop()
    terminal.sees("◌ server restarting…")
    backend.start()
    terminal.sees("re-subscribed to 1")
    terminal.sees("● open")


def test_a_draft_and_two_users_outlive_the_crash(inspect, serve):
    backend = serve()
    terminal, _ = inspect("--as", "alice", "--also", "bob", "-s", "general", backend=backend, size=(200, 60))
    terminal.sees("B bob +● open")
    terminal.press("i")
    terminal.sees("Enter Send")
    terminal.type("half a sentence")
    terminal.sees("half a sentence")
    backend.kill()
    terminal.sees("A alice +◌")
    terminal.sees("B bob +◌")
    backend.start()
    terminal.sees("A alice +● open")
    terminal.sees("B bob +● open")
    terminal.sees("half a sentence")
    terminal.press("Enter")
    terminal.sees("message.new +(#general +)?alice: half")


def test_a_token_that_ends_is_renewed(inspect, serve):
    backend = serve("--access-ttl", "5s")
    terminal, _ = inspect("-s", "general", backend=backend, size=(200, 60))
    terminal.sees("← +subscribed")
    with backend.connected("bob") as phone, suppress(ConnectionClosed):
        # Bob's token is younger than alice's: when his has ended, hers has.
        while phone.recv(timeout=PATIENCE):
            pass
    terminal.sees("● open")
    backend.log_out("bob")
    backend.send("bob", "still with us")
    terminal.sees("bob: still")
    assert not re.search("refused|log in again", terminal.screen())
