"""Presence as the app decodes it: who hears what of whom, and when (contract 3.4)."""

from __future__ import annotations

import asyncio
import json

import pytest

from tests.server.conftest import wait_until
from tribe_ws.clock import ManualClock
from tribe_ws.errors import StorageUnavailable


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def app(start, clock):
    return start(clock, profile="app", presence_delay=3)


@pytest.fixture
def ana(app):
    return app.person()


@pytest.fixture
def ben(app, ana):
    ben = app.person()
    app.group(ana, ben)
    return ben


def status_of(backend, person):
    return backend.server.run(backend.services.storage.users.by_id(person.id)).status


def test_first_socket_is_told_to_those_who_share_a_conversation(app, ana, ben):
    with app.socket(ben) as watching, app.socket(app.person()) as stranger:
        with app.socket(ana):
            frame = watching.next()
            assert list(frame) == ["event", "data"]
            assert list(frame["data"]) == ["user_id", "is_online", "status", "last_seen_at"]
            assert frame["event"] == "presence"
            assert (frame["data"]["user_id"], frame["data"]["is_online"]) == (ana.id, True)
            assert frame["data"]["status"] == "online"
            assert frame["data"]["last_seen_at"].endswith("Z")
        assert stranger.events_until_pong() == []


def test_second_socket_and_quick_return_are_no_news(app, ana, ben, clock):
    with app.socket(ben) as watching:
        with app.socket(ana):
            assert watching.next()["data"]["is_online"] is True
            with app.socket(ana):
                pass
        wait_until(lambda: app.services.hub.connection_count == 1)
        with app.socket(ana):
            assert watching.events_until_pong() == []


def test_going_is_told_three_seconds_after_the_last_socket(app, ana, ben, clock):
    with app.socket(ben) as watching:
        with app.socket(ana):
            assert watching.next()["data"]["is_online"] is True
        wait_until(lambda: app.services.hub.connection_count == 1)
        app.server.call(lambda: clock.advance(2.9))
        assert watching.events_until_pong() == []
        app.server.call(lambda: clock.advance(0.2))
        frame = watching.next()
        assert (frame["data"]["is_online"], frame["data"]["status"]) == (False, "offline")
    assert status_of(app, ana) == "offline"


@pytest.mark.parametrize(
    ("status", "is_online"), [("away", True), ("online", True), ("offline", False)], ids=str
)
def test_what_a_client_says_is_stored_and_passed_on(app, ana, ben, status, is_online):
    with app.socket(ben) as watching, app.socket(ana) as saying:
        assert watching.next()["data"]["is_online"] is True
        saying.send(event="presence", status=status)
        frame = watching.next()
        assert (frame["data"]["status"], frame["data"]["is_online"]) == (status, is_online)
        assert [event["event"] for event in saying.events_until_pong()] in ([], ["presence"])
    assert status_of(app, ana) in {status, "offline"}


def test_documented_profile_stores_and_says_nothing(start, clock):
    backend = start(clock)
    ana, ben = backend.person(), backend.person()
    backend.group(ana, ben)
    with backend.socket(ben) as watching, backend.socket(ana) as saying:
        saying.send(event="presence", status="away")
        saying.events_until_pong()
        assert watching.events_until_pong() == []
        assert status_of(backend, ana) == "away"


@pytest.fixture
def busy(app, monkeypatch):
    """Let the news of whoever comes first wait for the test, and thereby all news behind them."""
    touch, release = app.services.storage.users.touch, asyncio.Event()

    async def wait_then_touch(user_id, *, status, last_seen_at):
        if user_id == busy_with.id:
            await release.wait()
        await touch(user_id, status=status, last_seen_at=last_seen_at)

    busy_with = app.person()
    monkeypatch.setattr(app.services.storage.users, "touch", wait_then_touch)
    with app.socket(busy_with):
        yield lambda: app.server.call(release.set)
        app.server.call(release.set)


@pytest.mark.parametrize("status", ["away", "offline"])
def test_what_is_said_at_once_outlives_the_news_of_the_arrival(app, ana, ben, busy, status):
    with app.socket(ben) as watching, app.socket(ana) as saying:
        saying.send(event="presence", status=status)
        first = watching.next()["data"]
        assert (first["user_id"], first["status"]) == (ana.id, status)
        busy()
        wait_until(lambda: not app.services.presence._waiting)
        later = [frame["data"] for frame in watching.events_until_pong() if frame["event"] == "presence"]
        assert [news for news in later if news["user_id"] == ana.id] == []
        assert status_of(app, ana) == status


def test_arrival_is_told_when_what_was_said_could_not_be_stored(app, ana, ben, busy, monkeypatch):
    touch = app.services.storage.users.touch

    async def fail_once(user_id, *, status, last_seen_at):
        if status == "away":
            raise StorageUnavailable("the disk is full", reason="storage_full")
        await touch(user_id, status=status, last_seen_at=last_seen_at)

    monkeypatch.setattr(app.services.storage.users, "touch", fail_once)
    with app.socket(ben) as watching, app.socket(ana) as saying:
        saying.send(event="presence", status="away")
        assert watching.events_until_pong() == []
        busy()
        frame = watching.next()
        assert (frame["data"]["user_id"], frame["data"]["status"]) == (ana.id, "online")


def test_storage_that_fails_costs_a_line_and_not_the_service(app, ana, ben, monkeypatch):
    async def fail(*_, **__):
        raise StorageUnavailable("the disk is full", reason="storage_full")

    with app.socket(ben) as watching:
        wait_until(lambda: not app.services.presence._waiting)
        monkeypatch.setattr(app.services.storage.users, "touch", fail)
        with app.socket(ana) as own:
            assert own.events_until_pong() == []
        wait_until(lambda: "presence not stored" in app.log)
        monkeypatch.undo()
        line = next(json.loads(line) for line in app.log.splitlines() if "presence not stored" in line)
        assert line["reason"] == "storage_full"
        third = app.person()
        app.group(ben, third)
        with app.socket(third):
            assert watching.next()["data"]["user_id"] == third.id


def test_user_who_does_not_exist_is_no_news(app, clock):
    app.server.run(app.services.set_presence("01a20694-502a-7100-b1c6-d30b7b1ea51d", "away"))
