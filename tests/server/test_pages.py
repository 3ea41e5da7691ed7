from __future__ import annotations

from html.parser import HTMLParser

import pytest

from tribe_ws.protocol.asyncapi import asyncapi_document
from tribe_ws.protocol.profiles import Profile
from tribe_ws.server.app import create_app
from tribe_ws.server.pages import events_page, rest_page
from tribe_ws.settings import ServerSettings

ASYNCAPI = asyncapi_document(version="1.2.3", socket_url="ws://h/api/v1/ws", profile=Profile.APP)


class Reader(HTMLParser):
    """Collects what a page links to, what can be linked to, and which elements it has."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.anchors: set[str] = set()
        self.elements: set[str] = set()
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        named = dict(attrs)
        if tag == "a":
            self.links.add(named["href"] or "")
        if named.get("id"):
            self.anchors.add(f"#{named['id']}")

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def rest() -> Reader:
    app = create_app(ServerSettings(db=":memory:"))
    return Reader(rest_page(app.openapi()))


@pytest.fixture(scope="module")
def events() -> Reader:
    return Reader(events_page(ASYNCAPI))


@pytest.mark.parametrize("name", ["rest", "events"])
def test_every_link_within_a_page_leads_somewhere(name: str, request: pytest.FixtureRequest):
    page: Reader = request.getfixturevalue(name)
    inner = {link for link in page.links if link.startswith("#")}
    assert inner
    assert inner <= page.anchors
    assert {link for link in page.links if not link.startswith(("#", "/"))} == set()


@pytest.mark.parametrize("name", ["rest", "events"])
def test_a_page_runs_and_loads_nothing(name: str, request: pytest.FixtureRequest):
    page: Reader = request.getfixturevalue(name)
    assert page.elements.isdisjoint({"script", "link", "img", "iframe", "object", "form"})


def test_the_rest_page_names_every_call(rest: Reader):
    for call in (
        "POST /api/v1/auth/register",
        "GET /health",
        "/api/v1/conversations/{conversation_id}/messages",
    ):
        assert call in rest.text


def test_the_events_page_names_every_event(events: Reader):
    for event in (
        "subscribe",
        "unsubscribe",
        "typing",
        "presence",
        "ping",
        "connected",
        "message.new",
        "pong",
    ):
        assert event in events.text
    assert "1.2.3" in events.text


def test_what_a_document_says_is_text_and_no_markup():
    document = {
        "info": {"version": "<b>1</b>"},
        "paths": {
            "/<x>": {"get": {"summary": "<script>alert(1)</script>", "responses": {}}},
        },
        "components": {
            "schemas": {"<y>": {"description": "<img src=x>", "properties": {"<z>": {"enum": ["<q>"]}}}}
        },
    }
    page = Reader(rest_page(document))
    assert page.elements.isdisjoint({"script", "img", "x", "y", "z", "q"})
    assert "<script>alert(1)</script>" in page.text
