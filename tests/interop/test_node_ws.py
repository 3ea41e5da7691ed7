"""node's ``ws``, the client most scripts and test suites use."""

from __future__ import annotations

import json

from tribe_ws.demo_accounts import fixture_id

GENERAL = fixture_id("conversation:general")
CONNECTED = {"event": "connected", "message": "WebSocket connection established"}


def test_node_is_told_that_it_is_connected(backend, node):
    bob = node(backend.token("bob"))
    assert bob.happened("open") == {"type": "open", "protocol": "", "extensions": ""}
    assert bob.frame() == CONNECTED


def test_node_gets_a_message_that_was_sent_by_rest(backend, node):
    bob = subscribed(node(backend.token("bob")), GENERAL)
    stored = backend.send(GENERAL, "Hello from REST: ça va? 🙂")
    assert bob.frame() == {
        "event": "message.new",
        "conversation_id": GENERAL,
        "data": {
            "id": stored["id"],
            "conversation_id": GENERAL,
            "sender": {
                key: stored["sender"][key] for key in ("id", "username", "full_name", "profile_image_url")
            },
            "content": "Hello from REST: ça va? 🙂",
            "message_type": "text",
            "created_at": stored["created_at"],
        },
    }


def test_two_node_clients_see_each_other_type(backend, node):
    alice = subscribed(node(backend.token("alice")), GENERAL)
    bob = subscribed(node(backend.token("bob")), GENERAL)
    say(alice, {"event": "typing", "conversation_id": GENERAL, "is_typing": True})
    seen = bob.frame()
    assert (seen["event"], seen["conversation_id"]) == ("typing", GENERAL)
    assert seen["data"]["is_typing"] is True


def test_node_pings_on_both_layers(backend, node):
    bob = node(backend.token("bob"))
    assert bob.frame() == CONNECTED
    say(bob, {"event": "ping"})
    assert bob.frame() == {"event": "pong"}
    bob.tell({"do": "ping", "text": "transport"})
    assert bob.happened("pong")["text"] == "transport"


def test_node_lives_on_after_what_the_contract_ignores(backend, node):
    bob = node(backend.token("bob"))
    assert bob.frame() == CONNECTED
    for text in ("not JSON", "[]", '{"event":"nonsense"}'):
        bob.tell({"do": "text", "text": text})
    bob.tell({"do": "binary", "text": "bytes"})
    say(bob, {"event": "ping"})
    assert bob.frame() == {"event": "pong"}


def test_node_reads_code_and_reason_of_a_refused_token(node):
    refused = node("not-a-token").happened("close")
    assert refused == {"type": "close", "code": 4401, "reason": "token_invalid"}


def test_node_closes_in_good_order(backend, node):
    bob = node(backend.token("bob"))
    assert bob.frame() == CONNECTED
    bob.tell({"do": "close", "code": 1000})
    assert bob.happened("close")["code"] == 1000


def test_node_is_closed_when_its_frame_is_too_big(backend, node):
    bob = node(backend.token("bob"))
    assert bob.frame() == CONNECTED
    bob.tell({"do": "text", "text": "x" * (64 * 1024 + 1)})
    assert bob.happened("close")["code"] == 1009


def say(client, frame):
    client.tell({"do": "text", "text": json.dumps(frame)})


def subscribed(client, conversation_id):
    assert client.frame() == CONNECTED
    say(client, {"event": "subscribe", "channel": "conversation", "conversation_id": conversation_id})
    assert client.frame() == {"event": "subscribed", "conversation_id": conversation_id}
    return client
