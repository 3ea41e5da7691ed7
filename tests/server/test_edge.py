"""The layer around the routes: hosts, origins, limits, and one line for each request."""

from __future__ import annotations

import json

import httpx
import pytest

from tests.server.conftest import wait_until

EVIL = "https://evil.example"


def lines(backend, event="request"):
    return [line for line in map(json.loads, backend.log.splitlines()) if line["event"] == event]


@pytest.mark.parametrize("path", ["/health", "/api/v1/auth/me", "/metrics", "/nowhere"])
def test_foreign_host_is_421_everywhere(backend, path):
    answer = httpx.get(backend.url + path, headers={"Host": "evil.example"}, trust_env=False)
    assert answer.status_code == 421
    assert list(answer.json()) == ["detail"]


def test_named_host_is_let_in(start):
    backend = start(allow_host=("tribe.test",))
    answer = httpx.get(backend.url + "/health", headers={"Host": "tribe.test:8000"}, trust_env=False)
    assert answer.status_code == 200


def preflight(backend, origin, method="POST"):
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization,content-type,idempotency-key",
    }
    return backend.request("OPTIONS", "/auth/login", headers=headers)


def test_app_in_a_browser_on_this_machine_may_call(backend):
    answer = preflight(backend, "http://localhost:3000")
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "http://localhost:3000"
    answer = backend.get("/auth/me", headers={"Origin": "http://localhost:3000"})
    assert answer.status_code == 401
    assert answer.headers["Access-Control-Allow-Origin"] == "http://localhost:3000"
    assert "Tribe-Recipients" in answer.headers["Access-Control-Expose-Headers"]
    assert "Access-Control-Allow-Credentials" not in answer.headers


def test_foreign_page_gets_no_permission(backend):
    answer = preflight(backend, EVIL)
    assert answer.status_code == 400
    assert list(answer.json()) == ["detail"]
    assert "Access-Control-Allow-Origin" not in answer.headers
    answer = backend.get("/auth/me", backend.person(), headers={"Origin": EVIL})
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_permission_can_be_switched_off(start):
    backend = start(cors=False)
    answer = backend.get("/auth/me", headers={"Origin": "http://localhost:3000"})
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_requests_are_limited_where_the_settings_say_so(start):
    backend = start(limit_requests=3)
    answers = [httpx.get(backend.url + "/health", trust_env=False) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert 1 <= int(answers[3].headers["Retry-After"]) <= 60
    assert list(answers[3].json()) == ["detail"]


def test_request_leaves_one_line_with_who_and_how_long(start):
    backend = start()
    person = backend.person()
    backend.get("/users/me?secret=1", person)
    (line,) = wait_until(lambda: lines(backend))
    assert line["method"] == "GET"
    assert line["path"] == "/api/v1/users/me"
    assert line["status"] == 200
    assert line["ms"] > 0
    assert line["user"] == person.username


def test_no_line_holds_a_token_or_a_password(start):
    backend = start()
    person = backend.person()
    tokens = backend.post("/auth/login", json={"email": person.email, "password": "Correct-horse-1"}).json()
    backend.post("/auth/refresh", json={"refresh_token": tokens["refresh_token"]})
    backend.get(f"/users/me?token={person.token}", person)
    backend.get(f"/{person.token}", person)
    with backend.socket(person):
        pass
    wait_until(lambda: lines(backend, "socket.closed"))
    for secret in (person.token, tokens["refresh_token"], tokens["access_token"], "Correct-horse-1"):
        assert secret not in backend.log


def test_bug_is_a_500_in_the_usual_shape_and_one_traceback(start, monkeypatch):
    backend = start()
    person = backend.person()

    async def burst(*_):
        raise RuntimeError("a bug")

    monkeypatch.setattr(backend.services.storage.conversations, "list", burst)
    answer = backend.get("/conversations", person)
    assert (answer.status_code, answer.json()) == (500, {"detail": "Internal server error"})
    (line,) = wait_until(lambda: lines(backend))
    assert line["status"] == 500
    assert backend.log.count("Traceback") == 1


def test_bug_in_the_hot_path_is_a_500_too(start, monkeypatch):
    backend = start()
    person = backend.person()
    room = backend.group(person, backend.person())

    async def burst(*_):
        raise RuntimeError("a bug")

    monkeypatch.setattr(backend.services.storage.messages, "send", burst)
    answer = backend.say(person, room)
    assert (answer.status_code, answer.json()) == (500, {"detail": "Internal server error"})


def test_bug_in_the_edge_itself_is_a_500_too(start, monkeypatch):
    backend = start()
    monkeypatch.setattr(backend.services.guard, "refuse_host", lambda _: 1 / 0)
    answer = backend.get("/conversations")
    assert (answer.status_code, answer.json()) == (500, {"detail": "Internal server error"})


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/nowhere", 404), ("PATCH", "/users/me", 405)]
)
def test_what_is_not_there_is_said_in_the_usual_shape(backend, method, path, status):
    answer = backend.request(method, path)
    assert answer.status_code == status
    assert list(answer.json()) == ["detail"]


@pytest.mark.parametrize("path", ["/conversations/", "/auth//login", "/%00", "/..%2f..%2fetc/passwd", "/%ff"])
def test_strange_paths_are_404_or_401(backend, path):
    assert backend.get(path).status_code in {401, 404}
