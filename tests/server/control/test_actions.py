"""What acts on certain users: tokens, the end of sockets, and events out of nothing."""

from __future__ import annotations

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from tests.server.conftest import Socket
from tests.server.control.conftest import end_of, verdicts
from tribe_ws.protocol.codec import decode_server_frame_v2

V2 = Subprotocol("tribe.v2")


def test_a_minted_token_is_good_for_its_user(backend, driver):
    ana = backend.person()
    for name in (ana.username, f"@{ana.username}", ana.id, ana.id.upper(), ana.email):
        answer = driver.done("/tokens", user=name, ttl="5m")
        head = {"Authorization": f"Bearer {answer['token']}"}
        assert backend.get("/auth/me", headers=head).json()["id"] == ana.id
        assert answer["user"] == ana.username


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ("expired", "token_expired"),
        ("not-yet", "token_invalid"),
        ("signature", "token_invalid"),
        ("alg-none", "token_invalid"),
        ("refresh", "token_type"),
        ("unknown-user", "user_unknown"),
        ("no-sub", "token_invalid"),
    ],
)
def test_a_broken_token_is_refused_for_its_reason(backend, driver, broken, reason):
    token = driver.done("/tokens", user=backend.person().username, broken=broken)["token"]
    answer = backend.get("/auth/me", headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.json()["detail"]) == (401, reason)


def test_tokens_go_by_the_clock_of_the_server(start_driven):
    driver = start_driven()
    backend = driver.backend
    ana = backend.person()
    driver.done("/clock", advance="400d")
    token = driver.done("/tokens", user=ana.username)["token"]
    assert backend.get("/auth/me", headers={"Authorization": f"Bearer {token}"}).status_code == 200


def test_sockets_are_closed_with_the_code_that_was_asked_for(backend, driver):
    ana = backend.person()
    with backend.socket(ana) as one, backend.socket(ana) as other:
        assert len(driver.done("/disconnect", user=ana.username, code=4401, reason="token_expired")["closed"])
        for socket in (one, other):
            with pytest.raises(ConnectionClosed) as closed:
                socket.next()
            assert end_of(closed) == (4401, "token_expired")


def test_a_single_socket_is_closed_by_its_id(backend, driver):
    ana = backend.person()
    with backend.socket(ana) as one, backend.socket(ana) as other:
        ids = [
            entry["id"]
            for entry in driver.get("/connections").json()["connections"]
            if entry["user"] == ana.username
        ]
        assert driver.done("/disconnect", connection_id=ids[0])["closed"] == [ids[0]]
        with pytest.raises(ConnectionClosed):
            one.next()
        assert other.events_until_pong() == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"user": "nobody_at_all"}, 404),
        ({"connection_id": "x"}, 404),
        ({"user": "a", "connection_id": "b"}, 422),
        ({"user": "a", "code": 1006}, 422),
        ({"user": "a", "code": 2000}, 422),
        ({"user": "a", "reason": "ä" * 70}, 422),
        ({"user": "a", "colour": "red"}, 422),
    ],
)
def test_a_disconnect_that_cannot_be_is_refused(driver, body, status):
    assert driver.post("/disconnect", **body).status_code == status


@pytest.mark.parametrize("body", [{}, {"user": 1}, {"user": "a", "broken": "heart"}, {"user": "a", "ttl": 0}])
def test_a_token_that_cannot_be_is_refused(driver, body):
    assert driver.post("/tokens", **body).status_code == 422


@pytest.mark.parametrize("event", ["connected", "subscribed", "pong", "message.new", "typing"])
def test_any_event_reaches_a_user_out_of_nothing(backend, driver, event):
    ana = backend.person()
    with backend.socket(ana) as socket:
        answer = driver.done("/trigger", event=event, to=ana.username)
        assert socket.next() == answer["frame"]
    assert answer["connections"] == 1


V2_EVENTS = (
    "connected",
    "subscribed",
    "pong",
    "message.new",
    "typing",
    "presence",
    "message.read",
    "unsubscribed",
    "error",
    "authenticated",
    "token.expiring",
)


def test_a_client_of_v2_gets_each_event_as_v2_spells_it(backend, driver):
    ana, ben = backend.person(), backend.person()
    room = backend.group(ana, ben)
    url = f"{backend.server.ws_url}?token={ana.token}"
    with connect(url, proxy=None, subprotocols=[V2]) as connection, backend.socket(ben, room) as bens:
        wide = Socket(connection)
        assert "data" in wide.next()
        for event in V2_EVENTS:
            answer = driver.done("/trigger", event=event, to=ana.username)
            assert answer["connections"] == 1
            frame = wide.next_event(event)
            assert decode_server_frame_v2(frame) is not None
        wide.send(event="subscribe", conversation_id=room)
        wide.next_event("subscribed")
        assert driver.done("/trigger", event="message.new", to=room, set={"data.seq": 7})["connections"] == 2
        assert wide.next_event("message.new")["data"]["seq"] == 7
        assert "seq" not in bens.next_event("message.new")["data"]
        assert driver.done("/trigger", event="error", to=room)["connections"] == 1
        assert wide.next_event("error")["data"]["code"] == "internal"
        assert bens.events_until_pong() == []


def test_events_of_the_app_profile_go_where_it_carries_them(start_driven, backend, driver):
    ana = backend.person()
    with backend.socket(ana) as socket, driver.watching(user=ana.id) as stream:
        assert driver.done("/trigger", event="presence", to=ana.username)["connections"] == 0
        assert verdicts(stream.find(event="presence")) == {ana.username: "profile"}
        assert socket.events_until_pong() == []
    app = start_driven(profile="app")
    ben = app.backend.person()
    with app.backend.socket(ben) as socket:
        socket.send(event="ping")
        for event in ("presence", "message.read"):
            frame = app.done("/trigger", event=event, to=f"@{ben.username}")["frame"]
            assert socket.next_event(event) == frame


def test_edits_go_by_path(backend, driver):
    ana, ben = backend.person(), backend.person()
    room = backend.group(ana, ben)
    with backend.socket(ana, room) as socket:
        edits = {"data.content": "héllo", "data.sender.full_name": "Ghost"}
        answer = driver.done("/trigger", event="message.new", to=room, **{"set": edits, "from": ben.username})
        frame = socket.next()
    assert frame == answer["frame"]
    assert frame["data"]["content"] == "héllo"
    assert frame["data"]["sender"] | {"full_name": ben.full_name} == {
        "id": ben.id,
        "username": ben.username,
        "full_name": ben.full_name,
        "profile_image_url": None,
    }
    assert (frame["conversation_id"], answer["connections"]) == (room, 1)


def test_what_breaks_the_contract_goes_out_only_raw(backend, driver):
    ana = backend.person()
    with backend.socket(ana) as socket, driver.watching(user=ana.id) as stream:
        wrong = {"data.is_typing": "yes"}
        refused = driver.post("/trigger", event="typing", to=ana.username, set=wrong)
        assert refused.status_code == 422
        assert "is_typing" in refused.json()["errors"][0]["message"]
        sent = driver.done("/trigger", event="typing", to=ana.username, set=wrong, raw=True)
        assert socket.next() == sent["frame"]
        assert driver.done("/trigger", event="party", to=ana.username, set={"at": [9]}, raw=True)[
            "connections"
        ]
        assert socket.next() == {"event": "party", "at": [9]}
        assert verdicts(stream.find(event="party")) == {ana.username: "delivered"}


def test_a_trigger_goes_to_one_connection_by_its_id(backend, driver):
    ana = backend.person()
    with backend.socket(ana) as one, backend.socket(ana) as other:
        ids = [
            entry["id"]
            for entry in driver.get("/connections").json()["connections"]
            if entry["user"] == ana.username
        ]
        driver.done("/trigger", event="typing", to=ids[1])
        assert other.next()["event"] == "typing"
        assert one.events_until_pong() == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"event": "pong", "to": "nobody_at_all"}, 404),
        ({"event": "party", "to": "USER"}, 422),
        ({"event": "pong"}, 422),
        ({"event": "typing", "to": "USER", "set": {"event.name": 1}}, 422),
        ({"event": "typing", "to": "USER", "from": "nobody_at_all"}, 404),
    ],
)
def test_a_trigger_that_cannot_be_is_refused(backend, driver, body, status):
    ana = backend.person()
    sent = {key: ana.username if value == "USER" else value for key, value in body.items()}
    assert driver.post("/trigger", **sent).status_code == status


def test_a_demo_conversation_has_its_name(start_driven):
    driver = start_driven(fixtures="demo")
    token = driver.done("/tokens", user="bob")["token"]
    general = driver.get("/info").json()["world"]["conversations"][0]["id"]
    bob = driver.backend.person()
    bob.token = token
    with driver.backend.socket(bob, general) as socket:
        for name in ("#general", "general"):
            driver.done("/trigger", event="message.new", to=name)
            assert socket.next()["data"]["sender"]["username"] == "alice"
        driver.done("/trigger", event="message.new", to="bob", set={"data.content": "x"})
        assert socket.next()["data"]["content"] == "x"


@pytest.mark.parametrize("content", [b"{", b"[]", b'"x"', b"\xff", b"{}"])
def test_a_body_that_is_none_is_refused(driver, content):
    assert driver.http.post("/trigger", content=content).status_code == 422


def test_what_is_not_there_is_said_in_json(driver):
    assert driver.get("/nothing").json() == {"detail": "Not Found"}
    assert driver.get("/reset").status_code == 405
