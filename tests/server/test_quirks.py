"""Each deviation of the production backend, on a real socket; and that nobody meets one unasked."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any, get_args

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from tribe_ws.errors import ConfigurationError
from tribe_ws.server.quirks import OffsetTimestamps, Quirk, Quirks, with_offset
from tribe_ws.settings import QuirkName, load_server_settings

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
OFFSET_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00")
TRICKY = 'they wrote "created_at":"2024-01-01T00:00:00.000Z"'


def test_the_settings_know_all_quirks_and_no_other() -> None:
    assert set(get_args(QuirkName)) == set(Quirk)
    settings = load_server_settings(environ={"TRIBE_WS_QUIRKS": "http-403, page-ignored"}, files=())
    assert settings.quirks == ("http-403", "page-ignored")
    with pytest.raises(ConfigurationError, match="single-socket"):
        load_server_settings(environ={}, files=(), quirks="sleepy")


def test_without_quirks_nothing_changes(backend) -> None:
    ana, ben, stranger = backend.person(), backend.person(), backend.person()
    room = backend.group(ana, ben)
    with backend.socket(ben, room) as first, backend.socket(ben, room) as second:
        sent = [backend.say(ana, room, TRICKY).json(), backend.say(ana, room).json()]
        with backend.socket(stranger) as outside:
            outside.send(event="typing", conversation_id=room, is_typing=True)
            outside.events_until_pong()
        for socket in (first, second):
            frames = socket.events_until_pong()
            assert [frame["data"]["id"] for frame in frames] == [one["id"] for one in sent]
            assert all(MOMENT.fullmatch(frame["data"]["created_at"]) for frame in frames)
    assert MOMENT.fullmatch(sent[0]["created_at"])
    pages = [backend.get(f"/conversations/{room}/messages?limit=1&page={page}", ana) for page in (1, 2)]
    assert [page.json()["messages"][0]["id"] for page in pages] == [sent[1]["id"], sent[0]["id"]]
    with connect(f"{backend.server.ws_url}?token=bad", proxy=None) as connection:
        with pytest.raises(ConnectionClosed):
            connection.recv()
        assert connection.close_code == 4401


def test_the_newest_socket_is_the_only_one_that_gets_anything(start) -> None:
    backend = start(quirks=("single-socket",))
    ana, ben = backend.person(), backend.person()
    room = backend.group(ana, ben)
    with backend.socket(ben, room) as old, backend.socket(ana, room) as other:
        with backend.socket(ben, room) as new:
            sent = backend.say(ana, room).json()
            assert [frame["data"]["id"] for frame in new.events_until_pong()] == [sent["id"]]
            old.send(event="typing", conversation_id=room, is_typing=True)
            assert other.next_event("typing")["data"]["user_id"] == ben.id
        with pytest.raises(TimeoutError):
            old.next(0.2)
        assert other.events_until_pong() is not None
    assert backend.services.hub.connection_count <= 2


def test_typing_of_a_stranger_is_passed_on(start) -> None:
    backend = start(quirks=("typing-unchecked",))
    ana, stranger = backend.person(), backend.person()
    room = backend.group(ana, backend.person())
    with backend.socket(ana, room) as inside, backend.socket(stranger) as outside:
        outside.send(event="typing", conversation_id=room, is_typing=True)
        assert inside.next_event("typing")["data"]["user_id"] == stranger.id


def test_moments_have_microseconds_and_an_offset(start) -> None:
    backend = start(quirks=("offset-timestamps",))
    ana, ben = backend.person(), backend.person()
    room = backend.group(ana, ben)
    with backend.socket(ben, room) as socket:
        stored = backend.say(ana, room, TRICKY)
        frame = socket.next_event("message.new")
    assert OFFSET_MOMENT.fullmatch(frame["data"]["created_at"])
    assert stored.json()["created_at"] == frame["data"]["created_at"]
    assert stored.json()["content"] == frame["data"]["content"] == TRICKY
    page = backend.get(f"/conversations/{room}/messages", ana)
    assert OFFSET_MOMENT.fullmatch(page.json()["messages"][0]["created_at"])
    assert page.json()["messages"][0]["content"] == TRICKY
    (listed,) = backend.get("/conversations", ben).json()["conversations"]
    assert OFFSET_MOMENT.fullmatch(listed["last_message"]["created_at"])
    assert OFFSET_MOMENT.fullmatch(listed["last_message_at"])
    assert listed["participants"][0]["user_id"] in {ana.id, ben.id}


def test_every_page_is_the_first(start) -> None:
    backend = start(quirks=("page-ignored",))
    ana = backend.person()
    room = backend.group(ana, backend.person())
    for content in ("one", "two"):
        backend.say(ana, room, content)
    answers = [backend.get(f"/conversations/{room}/messages?limit=1&page={page}", ana) for page in (1, 2)]
    assert [answer.json()["messages"][0]["content"] for answer in answers] == ["two", "two"]


def test_a_bad_token_is_refused_with_http_403(start) -> None:
    backend = start(quirks=("http-403",), reject="http")
    with pytest.raises(InvalidStatus) as refused:
        connect(f"{backend.server.ws_url}?token=bad", proxy=None)
    assert refused.value.response.status_code == 403
    with backend.socket(backend.person()):
        pass


def test_a_silent_socket_counts_still(start) -> None:
    backend = start(quirks=("single-socket",), limit_connections=1)
    ana = backend.person()
    with backend.socket(ana) as kept:
        with connect(f"{backend.server.ws_url}?token={ana.token}", proxy=None) as refused:
            with pytest.raises(ConnectionClosed):
                refused.recv()
            assert refused.close_code == 4409
        assert kept.events_until_pong() == []


def test_only_moments_that_are_values_are_rewritten() -> None:
    body = json.dumps({"created_at": "2024-01-01T00:00:00.123Z", "content": TRICKY, "read_at": None})
    rewritten = with_offset(body.replace('": ', '":').encode())
    assert json.loads(rewritten) == {
        "created_at": "2024-01-01T00:00:00.123000+00:00", "content": TRICKY, "read_at": None,
    }  # fmt: skip


def test_what_is_no_json_passes_as_it_is() -> None:
    sent: list[dict[str, Any]] = []
    chunks = [b'"created_at":"2024-01-01T', b'00:00:00.000Z"']

    async def app(scope, receive, send) -> None:
        headers = [(b"content-type", scope["kind"])]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": chunks[0], "more_body": True})
        await send({"type": "http.response.body", "body": chunks[1]})

    async def send(message) -> None:
        sent.append(message)

    async def receive() -> dict[str, Any]:
        raise AssertionError("nothing is read")

    asyncio.run(OffsetTimestamps(app)({"kind": b"text/plain"}, receive, send))
    assert [message.get("body") for message in sent] == [None, *chunks]
    sent.clear()
    asyncio.run(OffsetTimestamps(app)({"kind": b"application/json"}, receive, send))
    body = sent[1]["body"]
    assert body == b'"created_at":"2024-01-01T00:00:00.000000+00:00"'
    assert (b"content-length", str(len(body)).encode()) in sent[0]["headers"]
    assert Quirks().answers(app) is app
