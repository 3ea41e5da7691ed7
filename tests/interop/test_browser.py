"""A browser's own WebSocket, on a page from another origin, as a web build of the app would have it."""

from __future__ import annotations

import json

from tribe_ws.demo_accounts import DEMO_PASSWORD, demo_email, fixture_id

GENERAL = fixture_id("conversation:general")


def test_a_page_logs_in_and_shows_a_message_that_arrives(backend, browser):
    page = browser(email=demo_email("bob"), password=DEMO_PASSWORD)
    assert page.frame()["event"] == "connected"
    page.tell({"do": "send", "text": json.dumps({"event": "subscribe", "conversation_id": GENERAL})})
    assert page.frame() == {"event": "subscribed", "conversation_id": GENERAL}
    backend.send(GENERAL, "Hello, browser")
    assert page.frame()["data"]["content"] == "Hello, browser"
    page.tell({"do": "text"})
    assert "message.new Hello, browser" in page.happened("text")["text"]


def test_a_page_shows_why_its_token_was_refused(browser):
    page = browser(token="not-a-token")
    assert page.happened("close") == {"type": "close", "code": 4401, "reason": "token_invalid"}
    page.tell({"do": "text"})
    assert "closed 4401 token_invalid" in page.happened("text")["text"]
