"""``GET events``: every verdict is made to happen and read from the stream."""

from __future__ import annotations

import json
import time
from types import SimpleNamespace
from typing import Any

import pytest
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from tests.server.conftest import Socket, wait_until
from tests.server.control.conftest import verdicts
from tribe_ws.clock import ManualClock, new_id
from tribe_ws.errors import StorageUnavailable
from tribe_ws.hub.journal import Journal
from tribe_ws.server.control import events
from tribe_ws.server.control.events import Filter, _lines
from tribe_ws.server.control.requests import Control
from tribe_ws.storage.records import WorldSummary

V2 = Subprotocol("tribe.v2")


def test_each_reason_for_not_getting_a_message_is_told(backend, driver):
    ana, ben, cem, dan = (backend.person() for _ in range(4))
    room = backend.group(ana, ben, cem)
    with (
        backend.socket(ana, room),
        backend.socket(ben, room) as bens,
        backend.socket(cem),
        backend.socket(dan),
        driver.watching() as stream,
    ):
        backend.say(ana, room, "hello")
        posted, record = stream.both_of_a_message()
        assert bens.next()["data"]["content"] == "hello"
    told = verdicts(record)
    assert {name: told[name] for name in (ana.username, ben.username, cem.username, dan.username)} == {
        ana.username: "own_message",
        ben.username: "delivered",
        cem.username: "not_subscribed",
        dan.username: "not_participant",
    }
    assert (posted["user"], posted["conversation_id"]) == (ana.username, room)
    assert posted["frame"]["request"] == {"content": "hello"}
    assert (record["user"], record["conversation_id"]) == (ana.username, room)
    assert record["frame"]["data"]["content"] == "hello"


def test_an_echo_is_a_delivery_and_no_echo_is_an_own_message(backend, driver):
    ana, ben = backend.person(), backend.person()
    room = backend.group(ana, ben)
    url = f"{backend.server.ws_url}?token={ana.token}"
    with connect(url, proxy=None, subprotocols=[V2]) as connection, backend.socket(ana, room):
        echoing = Socket(connection)
        mine = echoing.next()["data"]["connection_id"]
        echoing.send(event="subscribe", conversation_id=room, echo=True)
        echoing.next_event("subscribed")
        with driver.watching(conversation=room, event="message.new") as stream:
            backend.say(ana, room)
            told = {one["connection_id"]: one["verdict"] for one in stream.next()["verdicts"]}
            assert told.pop(mine) == "delivered"
            assert list(told.values()) == ["own_message"]
            backend.say(ana, room, headers={"X-Connection-Id": mine})
            assert {one["verdict"] for one in stream.next()["verdicts"]} == {"own_message"}


def test_a_message_nobody_listens_to_has_its_reasons_too(backend, driver):
    ana, ben = backend.person(), backend.person()
    room = backend.group(ana, ben)
    with backend.socket(ben), driver.watching(conversation=room) as stream:
        backend.say(ana, room)
        assert verdicts(stream.find(dir="out")) == {ben.username: "not_subscribed"}


def test_a_profile_that_does_not_carry_a_frame_is_named(backend, driver):
    ana, ben = backend.person(), backend.person()
    room = backend.group(ana, ben)
    with backend.socket(ben, room), driver.watching(conversation=room) as stream:
        assert backend.post(f"/conversations/{room}/read", ana).status_code == 200
        assert verdicts(stream.find(event="message.read")) == {ben.username: "profile"}


def test_a_client_that_does_not_read_is_told_to_be_full(start_driven):
    driver = start_driven(limit_outbox_bytes=20_000, limit_outbox_frames=0)
    backend = driver.backend
    ana, ben = backend.person(), backend.person()
    room = backend.group(ana, ben)
    with backend.socket(ben, room), driver.watching(conversation=room) as stream:
        told = "delivered"
        for _ in range(100):  # The kernel takes some megabytes for a client before anything waits.
            driver.done("/trigger", event="message.new", to=room, set={"data.content": "x" * 500_000})
            told = verdicts(stream.find(dir="out", event="message.new"))[ben.username]
            if told != "delivered":
                break
    assert told == "outbox_full"


def test_what_clients_send_is_told_without_their_tokens(backend, driver):
    ana = backend.person()
    with driver.watching(user=ana.username) as stream, backend.socket(ana) as socket_:
        opened = stream.find(event="opened")
        socket_.send(event="ping", token=ana.token)
        socket_.connection.send(f"rubbish {ana.token}")
        ping = stream.find(dir="in", event="ping")
        pong = stream.find(dir="out", event="pong")
        ignored = stream.find(event="ignored")
    assert ping["frame"] == {"event": "ping", "token": "***"}
    assert ping["connection_id"] == pong["connection_id"] == opened["connection_id"]
    assert verdicts(pong) == {ana.username: "delivered"}
    assert ignored["frame"]["violation"] == "invalid_json"
    assert ana.token not in json.dumps(stream.seen)
    assert "rubbish ***" in json.dumps(stream.seen)


def test_the_end_of_a_connection_is_told(backend, driver):
    ana = backend.person()
    with driver.watching(user=ana.id, event="closed") as stream:
        with backend.socket(ana):
            pass
        assert stream.next()["user"] == ana.username


def test_filters_leave_out_everything_else(backend, driver):
    ana, ben = backend.person(), backend.person()
    one, other = backend.group(ana, ben), backend.group(ana, ben)
    with (
        backend.socket(ben, one, other),
        driver.watching(conversation=other, event="message.new,typing") as stream,
    ):
        backend.say(ana, one, "first")
        backend.say(ana, other, "second")
        assert stream.next()["frame"]["data"]["content"] == "second"


def test_a_watcher_who_comes_back_gets_what_was_kept(backend, driver):
    ana, ben = backend.person(), backend.person()
    room = backend.group(ana, ben)
    with driver.watching(conversation=room) as stream:
        backend.say(ana, room, "one")
        last = max(record["n"] for record in stream.both_of_a_message())
        backend.say(ana, room, "two")
        stream.both_of_a_message()
        with driver.watching(conversation=room, after=last) as second:
            call, frame = second.both_of_a_message()
            assert call["frame"]["request"] == {"content": "two"}
            assert frame["frame"]["data"]["content"] == "two"


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"user": "nobody_here"}, 404),
        ({"conversation": "#nowhere"}, 404),
        ({"after": "-1"}, 422),
        ({"after": "x"}, 422),
    ],
)
def test_a_filter_that_means_nothing_is_refused(driver, query, status):
    assert driver.get("/events", params=query).status_code == status


def test_nothing_is_recorded_when_the_last_watcher_has_gone(start_driven):
    driver = start_driven()
    journal = driver.backend.services.hub.journal
    with driver.watching():
        assert driver.get("/info").json()["watchers"] == 1
    wait_until(lambda: not journal.is_watched)


def test_a_watcher_does_not_keep_the_server_from_stopping(start_driven):
    driver = start_driven(stop_timeout=30.0)
    with driver.watching() as stream:
        started = time.monotonic()
        driver.backend.server.stop()
        assert list(stream.lines) == []
    assert time.monotonic() - started < 15


class Nobody:
    """A database that knows no user and no conversation."""

    users = conversations = property(lambda self: self)

    async def by_id(self, _user_id):
        return None

    async def participant_ids(self, _conversation_id):
        return ()


def test_a_conversation_is_named_by_whom_it_is_of_or_by_its_name(backend, driver):
    ana, ben = backend.person(), backend.person()
    room = backend.group(ana, ben)
    direct = {"conversation_type": "direct", "participant_ids": [ben.id]}
    with driver.watching() as stream:
        pair = backend.post("/conversations", ana, json=direct).json()["id"]
        backend.get(f"/conversations/{pair}", ana)
        backend.get(f"/conversations/{room}", ana)
        backend.get(f"/conversations/{new_id()}", ana)
        made, read, of_group, unknown = (stream.find(event="call") for _ in range(4))
    assert read["conversation"] == "+".join(sorted((ana.username, ben.username)))
    assert of_group["conversation"] == "Team"
    assert "conversation" not in made
    assert "conversation" not in unknown


class Gone:
    """A database that is closed already."""

    users = conversations = property(lambda self: self)

    async def by_id(self, _user_id):
        raise StorageUnavailable("The database is closed", reason="storage_stopped")

    async def participant_ids(self, _conversation_id):
        raise StorageUnavailable("The database is closed", reason="storage_stopped")


async def test_what_is_told_after_the_database_is_closed_has_no_names(monkeypatch):
    monkeypatch.setattr(events, "MOST_NAMES", 1)
    watcher = Journal(ManualClock()).watch()
    for room in ("one", "two"):
        watcher._journal.called({"status": 200}, user_id="ana", conversation_id=room)
    watcher.close()
    storage: Any = Gone()
    _, *records = [record async for record in events.told(storage, watcher)]
    assert [(one["user"], one["conversation_id"], "conversation" in one) for one in records] == [
        ("ana", "one", False),
        ("ana", "two", False),
    ]


async def test_a_reader_too_slow_for_it_hears_how_much_it_missed():
    journal = Journal(ManualClock())
    watcher = journal.watch(size=1)
    for number in range(3):
        journal.called({"number": number}, user_id="ana", conversation_id="room")
    services: Any = SimpleNamespace(storage=Nobody())
    lines: Any = _lines(Control(services, WorldSummary("none")), watcher, Filter())
    watching, missed, last = [json.loads(await anext(lines)) for _ in range(3)]
    assert watching["event"] == "watching"
    assert (missed["event"], missed["frame"]) == ("missed", {"records": 2})
    assert (last["frame"], last["user"]) == ({"number": 2}, "ana")
    await lines.aclose()
    assert not journal.is_watched
