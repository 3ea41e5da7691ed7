"""What shows and changes the server as a whole."""

from __future__ import annotations

import pytest
from websockets.exceptions import ConnectionClosed

from tests.server.conftest import wait_until
from tests.server.control.conftest import end_of
from tribe_ws.clock import ManualClock


def test_info_says_what_the_server_is(start_driven):
    driver = start_driven(fixtures="demo", control="on")
    info = driver.get("/info").json()
    assert info["world"]["name"] == "demo"
    assert info["world"]["users"] == ["alice", "bob", "cara", "dan"]
    assert info["settings"]["control"] == "on"
    assert info["clock"]["mode"] == "system"
    assert (info["connections"], info["profile"]) == (0, "documented")
    assert info["epoch"]


def test_connections_are_listed_with_what_they_listen_to(backend, driver):
    ana = backend.person()
    room = backend.group(ana, backend.person())
    with backend.socket(ana, room):
        listed = driver.get("/connections").json()["connections"]
        (mine,) = (one for one in listed if one["user"] == ana.username)
    assert mine["subscriptions"] == [room]
    assert mine["profile"] == "documented"
    assert mine["waiting"] == {"bytes": 0, "frames": 0}
    assert mine["closing"] is None


def test_reset_brings_the_world_back_as_it_was(start_driven):
    driver = start_driven(fixtures="demo")
    backend = driver.backend
    stranger = backend.person()
    (alice,) = backend.get("/search/users", stranger, params={"q": "alice"}).json()
    room = backend.post(
        "/conversations", stranger, json={"conversation_type": "direct", "participant_ids": [alice["id"]]}
    ).json()["id"]
    reply = backend.say(stranger, room).json()["id"]
    backend.say(stranger, room, "again")
    assert backend.post(
        f"/conversations/{room}/messages", stranger, json={"content": "x", "reply_to_message_id": reply}
    ).is_success
    epoch = driver.get("/info").json()["epoch"]
    with backend.socket(stranger) as socket:
        answer = driver.done("/reset")
        with pytest.raises(ConnectionClosed) as closed:
            socket.next()
        assert end_of(closed) == (1012, "restart")
    assert (answer["world"], answer["users"]) == ("demo", ["alice", "bob", "cara", "dan"])
    assert answer["epoch"] not in {"", epoch}
    assert backend.get("/auth/me", stranger).status_code == 401
    token = driver.done("/tokens", user="alice")["token"]
    head = {"Authorization": f"Bearer {token}"}
    assert backend.get(f"/conversations/{room}", headers=head).status_code == 404
    general = driver.get("/info").json()["world"]["conversations"][0]["id"]
    assert len(backend.get(f"/conversations/{general}/messages", headers=head).json()["messages"]) == 7


def test_reset_takes_another_world_and_refuses_one_that_is_none(start_driven):
    driver = start_driven()
    assert driver.done("/reset", world="demo")["users"] == ["alice", "bob", "cara", "dan"]
    assert driver.get("/info").json()["world"]["name"] == "demo"
    assert driver.post("/reset", world="no-such-world").status_code == 400
    assert driver.done("/tokens", user="alice")["token"]


def test_a_jump_of_the_clock_ends_a_token_and_its_socket(start_driven):
    driver = start_driven(access_ttl=60.0)
    backend = driver.backend
    ana = backend.person()
    with backend.socket(ana) as socket:
        driver.done("/clock", advance=58)
        assert socket.events_until_pong() == []
        told = driver.done("/clock", advance="2s")
        with pytest.raises(ConnectionClosed) as closed:
            socket.next()
    assert end_of(closed) == (4401, "token_expired")
    assert told["ahead"] == pytest.approx(60, abs=0.1)
    driver.done("/clock", advance=6)  # The leeway between two clocks is 5 s.
    assert backend.get("/auth/me", ana).status_code == 401


def test_typing_lapses_by_the_clock_and_not_before(start_driven):
    driver = start_driven(mode="frozen")
    backend = driver.backend
    ana, ben = backend.person(), backend.person()
    room = backend.group(ana, ben)
    with backend.socket(ana) as anas, backend.socket(ben, room) as bens:
        anas.send(event="typing", conversation_id=room, is_typing=True)
        assert bens.next()["data"]["is_typing"] is True
        driver.done("/clock", advance=5.9)
        assert bens.events_until_pong() == []
        driver.done("/clock", advance=0.2)
        assert bens.next()["data"]["is_typing"] is False


def test_presence_follows_the_clock(start_driven):
    driver = start_driven(profile="app", mode="frozen")
    backend = driver.backend
    ana, ben = backend.person(), backend.person()
    backend.group(ana, ben)
    with backend.socket(ben) as bens:
        with backend.socket(ana):
            assert bens.next_event("presence")["data"]["is_online"] is True
        wait_until(lambda: driver.get("/info").json()["connections"] == 1)
        driver.done("/clock", advance=2.9)
        assert bens.events_until_pong() == []
        driver.done("/clock", advance=0.2)
        assert bens.next_event("presence")["data"]["is_online"] is False


def test_failed_logins_are_forgiven_by_the_clock(start_driven):
    driver = start_driven(limit_logins=1, mode="frozen")
    backend = driver.backend
    ana = backend.person()
    wrong = {"email": ana.email, "password": "Wrong-password-1"}
    assert backend.post("/auth/login", json=wrong).status_code == 401
    assert backend.post("/auth/login", json=wrong).status_code == 429
    driver.done("/clock", advance="61s")
    assert backend.post("/auth/login", json=wrong).status_code == 401


def test_the_clock_changes_its_pace(start_driven):
    driver = start_driven(mode="frozen")
    before = driver.get("/clock").json()
    assert before["mode"] == "frozen"
    assert driver.get("/clock").json()["now"] == before["now"]
    assert driver.done("/clock", mode="x60")["mode"] == "x60"
    wait_until(lambda: driver.get("/clock").json()["now"] > before["now"])


@pytest.mark.parametrize(
    "body",
    [
        {"mode": "backwards"},
        {"advance": -1},
        {"advance": "soon"},
        {"jump": 1},
        {"advance": 1e12},
        {"mode": 1},
    ],
)
def test_a_clock_is_not_told_nonsense(driver, body):
    assert driver.post("/clock", **body).status_code == 422


def test_a_clock_of_somebody_elses_is_not_steered(start_driven):
    driver = start_driven(clock=ManualClock())
    assert driver.get("/clock").json()["mode"] is None
    assert driver.post("/clock", advance=1).status_code == 409
