"""Keeping everything a running server holds, and bringing it back."""

import copy

import pytest
from websockets.exceptions import ConnectionClosed


def test_a_restore_brings_everything_back_and_closes_every_socket(start_driven):
    driver = start_driven(fixtures="demo")
    backend = driver.backend
    ana = backend.person()
    room = backend.group(ana, backend.person())
    backend.say(ana, room, "kept")
    kept = driver.get("/snapshot").json()
    backend.say(ana, room, "lost")
    epoch = driver.get("/info").json()["epoch"]
    with backend.socket(ana) as socket:
        answer = driver.done("/snapshot", **kept)
        with pytest.raises(ConnectionClosed) as closed:
            socket.next()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1012
    assert answer["users"] == len(kept["tables"]["users"])
    assert answer["epoch"] == driver.get("/info").json()["epoch"] != epoch
    messages = backend.get(f"/conversations/{room}/messages", ana).json()["messages"]
    assert [message["content"] for message in messages] == ["kept"]
    assert driver.get("/snapshot").json()["tables"] == kept["tables"]


def test_a_snapshot_goes_from_one_server_to_another(start_driven):
    one, other = start_driven(fixtures="demo"), start_driven(fixtures="none")
    other.done("/snapshot", **one.get("/snapshot").json())
    assert other.done("/tokens", user="bob")["user"] == "bob"
    world = other.get("/info").json()["world"]
    assert {one["label"] for one in world["conversations"]} == {"#general", "#design", "alice+bob"}
    assert other.done("/trigger", event="pong", to="#general")["connections"] == 0
    assert other.backend.http.post(
        "/auth/login", json={"email": "bob@tribe.test", "password": "Tribe-demo-1"}
    ).is_success


def test_a_broken_snapshot_is_refused_with_its_fault_and_changes_nothing(start_driven):
    driver = start_driven(fixtures="demo")
    kept = driver.get("/snapshot").json()
    broken = copy.deepcopy(kept)
    broken["tables"]["users"][1]["email"] = None
    refused = driver.post("/snapshot", **broken)
    assert refused.status_code == 400
    assert "users[1].email must not be null" in refused.json()["detail"]
    assert driver.post("/snapshot").status_code == 400
    assert driver.http.post("/snapshot", content=b"{").status_code == 422
    assert driver.get("/snapshot").json()["tables"] == kept["tables"]


def test_nobody_without_the_key_gets_it(driver, backend):
    assert driver.http.get("/snapshot", headers={"X-Tribe-Control": "no"}).status_code in {401, 403}
