"""While somebody watches, every REST call is in the journal, with its bodies and without its secrets."""

from __future__ import annotations

import json
from contextlib import contextmanager

import pytest

from tests.server.conftest import PASSWORD, wait_until
from tribe_ws.server import calls
from tribe_ws.server.calls import CallRecorder


class Watch:
    """What the journal got since it was opened, read in the server's own thread."""

    def __init__(self, backend, watcher):
        self._backend = backend
        self._watcher = watcher
        self.records = []

    def calls(self, count):
        """Give that many calls, when they are there."""

        def told():
            self.records += self._backend.server.call(self._watcher._waiting.take_all)
            return [record for record in self.records if record.direction == "rest"]

        wait_until(lambda: len(told()) >= count)
        found = told()
        assert len(found) == count, found
        return found


@pytest.fixture
def watching(backend):
    @contextmanager
    def watch():
        journal = backend.services.hub.journal
        watcher = backend.server.call(journal.watch)
        try:
            yield Watch(backend, watcher)
        finally:
            backend.server.call(watcher.close)

    return watch


def test_a_message_is_one_line_with_both_bodies(backend, watching):
    ana, ben = backend.person(), backend.person()
    room = backend.group(ana, ben)
    with watching() as watch:
        answer = backend.say(ana, room.upper(), "hello")
        (record,) = watch.calls(1)
    assert (record.event, record.user_id, record.conversation_id) == ("call", ana.id, room)
    assert 0 < record.frame.pop("seconds") < 10
    assert record.frame == {
        "method": "POST",
        "path": f"/api/v1/conversations/{room.upper()}/messages",
        "status": 201,
        "request": {"content": "hello"},
        "answer": answer.json(),
    }


def test_logins_refreshes_and_what_fails_are_told(backend, watching):
    ana = backend.person()
    with watching() as watch:
        tokens = backend.post("/auth/login", json={"email": ana.username, "password": PASSWORD}).json()
        backend.post("/auth/refresh", json={"refresh_token": tokens["refresh_token"]})
        backend.post("/auth/login", json={"email": ana.email, "password": "Wrong-horse-1"})
        backend.get("/auth/me")
        backend.get("/conversations/nowhere", ana)
        backend.post("/auth/login", json={"pasword": PASSWORD})
        backend.get("/users/me", ana)
        backend.get("/../nothing")
        found = watch.calls(8)
    assert [one.frame["status"] for one in found] == [200, 200, 401, 401, 404, 422, 200, 404]
    assert [one.user_id == ana.id for one in found] == [True, True, False, False, True, False, True, False]
    login, refresh = found[0].frame, found[1].frame
    assert login["request"] == {"email": "***", "password": "***"}
    assert login["answer"]["access_token"] == login["answer"]["user"]["email"] == "***"
    assert login["answer"]["user"]["username"] == ana.username
    assert refresh["request"] == {"refresh_token": "***"}
    assert found[5].frame["request"] == {"pasword": "***"}
    assert found[5].frame["answer"]["detail"] == "Validation error"


def test_no_secret_reaches_the_journal_wherever_a_client_puts_it(backend, watching):
    ana = backend.person()
    tokens = backend.post("/auth/login", json={"email": ana.username, "password": PASSWORD}).json()
    as_text = {"headers": {"Content-Type": "application/json"}}
    with watching() as watch:
        backend.post("/auth/login", content=f'{{"email":"{ana.email}","password":"{PASSWORD}"', **as_text)
        backend.post("/auth/login", json=PASSWORD)
        backend.post("/auth/login", json=[{"password": PASSWORD}])
        backend.post("/auth/login", json={"username": ana.email, "full_name": {"password": PASSWORD}})
        backend.post("/auth/login", content=f"username={ana.email}&password={PASSWORD}")
        backend.get(f"/search/users?q={ana.email}&password={PASSWORD}", ana)
        backend.get(f"/search/users?q=%61{ana.email[1:].replace('@', '%40').replace('.', '%2E')}", ana)
        backend.get(f"/users/me?token={ana.token}")
        backend.get(f"/users/{ana.token}", ana)
        backend.http.put("/users/me", json={"bio": f"mail {ana.email}"}, headers=ana.headers)
        backend.get("/auth/me", ana)
        backend.post("/auth/logout", ana, json={"refresh_token": tokens["refresh_token"]})
        told = json.dumps([record.frame for record in watch.calls(12)])
    for secret in (PASSWORD, ana.email, ana.email.split("@")[1], ana.token, tokens["refresh_token"], "eyJ"):
        assert secret not in told
    assert told.count("bytes that are no JSON") == 2


def test_what_no_app_calls_is_left_out(backend, watching):
    with watching() as watch:
        for path in ("/health", "/metrics", "/docs", "/docs/events", "/__tribe__/info", "/nowhere"):
            backend.http.get(backend.url + path)
        for path in ("/openapi.json", "/asyncapi.json", "/auth/me"):
            backend.get(path)
        asked = {"Access-Control-Request-Method": "POST"}
        backend.request("OPTIONS", "/auth/login", headers={"Origin": "http://localhost:3000", **asked})
        backend.request("OPTIONS", "/auth/login", headers={"Origin": "https://evil.example", **asked})
        found = [(one.frame["method"], one.frame["path"], one.frame["status"]) for one in watch.calls(3)]
    assert found == [
        ("GET", "/nowhere", 404),
        ("GET", "/api/v1/auth/me", 401),
        ("OPTIONS", "/api/v1/auth/login", 400),
    ]


def test_a_large_body_is_told_by_its_size(backend, watching, monkeypatch):
    monkeypatch.setattr(calls, "LARGEST_BODY", 200)
    ana, ben = backend.person(), backend.person()
    room = backend.group(ana, ben)
    with watching() as watch:
        backend.say(ana, room, "x" * 300)
        (record,) = watch.calls(1)
    assert record.frame["request"].startswith("(3")
    assert record.frame["answer"].endswith("bytes: too many to be kept)")


def test_nobody_s_calls_are_written_while_nobody_watches(backend, monkeypatch):
    async def refuse(*_):
        raise AssertionError("nobody watches")

    monkeypatch.setattr(CallRecorder, "__call__", refuse)
    assert backend.get("/users/me", backend.person()).status_code == 200


def test_a_call_that_breaks_is_told_as_500(backend, watching, monkeypatch):
    async def break_down(*_):
        raise RuntimeError("broken")

    monkeypatch.setattr(backend.services.storage.users, "search", break_down, raising=False)
    ana = backend.person()
    with watching() as watch:
        assert backend.get("/search/users?q=abc", ana).status_code == 500
        (record,) = watch.calls(1)
    assert record.frame["status"] == 500
    assert record.frame["answer"] == {"detail": "Internal server error"}


def test_a_user_of_a_call_is_named_in_the_log_too(backend):
    ana = backend.person()
    backend.get("/users/me", ana)
    wait_until(lambda: f'"user":"{ana.username}"' in backend.log.replace(" ", ""))
