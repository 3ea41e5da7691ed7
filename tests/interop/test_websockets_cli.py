"""``python -m websockets URL``, the command the owner's document can be tried with by hand."""

from __future__ import annotations

import json
import sys

from tribe_ws.demo_accounts import fixture_id

GENERAL = fixture_id("conversation:general")


def test_the_command_line_subscribes_and_prints_a_message(backend, start):
    bob = open_url(start, backend.ws_url(backend.token("bob")))
    received(bob, '"event":"connected"')
    bob.tell({"event": "subscribe", "channel": "conversation", "conversation_id": GENERAL})
    received(bob, '"event":"subscribed"')
    backend.send(GENERAL, "Hello, terminal")
    line = received(bob, '"event":"message.new"')
    assert json.loads(line[line.index("{") : line.rindex("}") + 1])["data"]["content"] == "Hello, terminal"


def test_the_command_line_prints_why_its_token_was_refused(backend, start):
    nobody = open_url(start, backend.ws_url("not-a-token"))
    closed = nobody.line(lambda line: "Connection closed" in line)
    assert "4401" in closed
    assert "token_invalid" in closed


def open_url(start, url):
    return start(sys.executable, "-m", "websockets", url)


def received(client, text):
    return client.line(lambda line: text in line and "< " in line)
