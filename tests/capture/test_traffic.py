"""What may not follow on what came before, on one connection."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.capture.test_lint import CONNECTED, ROOM, SUBSCRIBE, found, message, opened
from tribe_ws.capture import traffic
from tribe_ws.capture.lint import Linter
from tribe_ws.client.events import read_event
from tribe_ws.clock import ManualClock

ALICE = {"id": "id-alice", "username": "alice", "full_name": "Alice Ames", "profile_image_url": None}
UNSUBSCRIBE = {"event": "unsubscribe", "conversation_id": ROOM}
TYPING = {
    "event": "typing",
    "conversation_id": ROOM,
    "data": {"user_id": "id-bob", "user_name": "Bob Stone", "is_typing": True},
}


def numbered(number: int, seq: int, **data: Any) -> dict[str, Any]:
    return message(number, **data, seq=seq, client_message_id=None)


def test_messages_in_their_order_are_well() -> None:
    linter = opened()
    assert [found(linter, message(number)) for number in range(1, 4)] == [[], [], []]


def test_a_time_that_does_not_grow_breaks_the_order() -> None:
    linter = opened()
    found(linter, message(2))
    assert found(linter, message(1)) == ["message.increasing"]
    assert found(linter, message(3, created_at="2026-11-23T01:22:02.000Z")) == ["message.increasing"]
    assert found(linter, message(4)) == []


def test_each_conversation_has_its_own_order() -> None:
    linter = opened()
    other = "20f5a7d2-396f-584a-a29f-8f7ebc43ee1d"
    linter.outgoing(json.dumps(SUBSCRIBE | {"conversation_id": other}))
    found(linter, message(9))
    assert found(linter, message(1, conversation_id=other) | {"conversation_id": other}) == []


def test_a_repeated_message_is_told_once_as_that() -> None:
    linter = opened()
    found(linter, message(1))
    assert found(linter, message(1)) == ["message.once"]


def test_ones_own_message_is_not_sent_back() -> None:
    assert found(opened(), message(sender=ALICE)) == ["message.not-to-sender"]
    assert found(opened("v2"), numbered(1, 1, sender=ALICE)) == ["v2.no-echo"]
    assert found(Linter("documented", username="alice", is_open=True), message(sender=ALICE)) == [
        "message.not-to-sender"
    ]


def test_an_echo_that_was_asked_for_is_well() -> None:
    linter = opened("v2")
    linter.outgoing(json.dumps(SUBSCRIBE | {"echo": True}))
    assert found(linter, numbered(1, 1, sender=ALICE)) == []


def test_nobody_is_known_to_be_oneself_without_a_name() -> None:
    assert found(opened(user_id="", username=""), message(sender=ALICE)) == []


def test_connected_of_v2_tells_who_one_is() -> None:
    linter = Linter("v2")
    welcome = {
        "connection_id": "c", "user": ALICE, "server": "s", "epoch": "e", "heartbeat_interval": 30,
        "expires_at": "2026-11-23T01:22:00.000Z",
    }  # fmt: skip
    assert found(linter, CONNECTED | {"data": welcome}) == []
    linter.outgoing(json.dumps(SUBSCRIBE))
    assert found(linter, numbered(1, 1, sender=ALICE)) == ["v2.no-echo"]


def test_ones_own_typing_and_presence_are_not_sent_back() -> None:
    typing = TYPING | {"data": {"user_id": "id-alice", "user_name": "Alice Ames", "is_typing": True}}
    assert found(opened(), typing) == ["typing.not-to-oneself"]
    presence = {
        "event": "presence",
        "data": {"user_id": "id-alice", "is_online": True, "status": "online", "last_seen_at": None},
    }
    assert found(opened("app"), presence) == ["presence.not-to-oneself"]


@pytest.mark.parametrize("frame", [message(), TYPING], ids=["message", "typing"])
def test_nothing_comes_of_a_conversation_never_subscribed_to(frame: Any) -> None:
    linter = Linter()
    found(linter, CONNECTED)
    assert found(linter, frame) == ["subscribe.per-connection"]


def test_a_confirmation_counts_where_the_request_was_not_seen() -> None:
    linter = Linter()
    found(linter, CONNECTED)
    assert found(linter, {"event": "subscribed", "conversation_id": ROOM}) == []
    assert found(linter, message()) == []


def test_after_unsubscribe_only_what_was_on_its_way_may_come() -> None:
    linter = opened()
    linter.outgoing(json.dumps(UNSUBSCRIBE))
    assert found(linter, message(1)) == []
    linter.outgoing('{"event":"ping"}')
    assert found(linter, message(2)) == []
    assert found(linter, {"event": "pong"}) == []
    assert found(linter, message(3)) == ["unsubscribe.ends"]


def test_subscribing_again_takes_that_back() -> None:
    linter = opened()
    linter.outgoing(json.dumps(UNSUBSCRIBE))
    linter.outgoing('{"event":"ping"}')
    linter.outgoing(json.dumps(SUBSCRIBE))
    found(linter, {"event": "pong"})
    assert found(linter, message()) == []


def test_v2_tells_that_a_subscription_has_ended() -> None:
    linter = opened("v2")
    gone = {"event": "unsubscribed", "conversation_id": ROOM, "data": {"reason": "removed"}}
    assert found(linter, gone) == []
    assert found(linter, numbered(1, 1)) == ["unsubscribe.ends"]


def test_numbers_of_v2_only_grow() -> None:
    linter = opened("v2")
    assert found(linter, numbered(1, 5)) == []
    assert found(linter, numbered(2, 5)) == ["message.in-order"]
    assert found(linter, numbered(3, 9)) == []


def test_what_was_fetched_by_rest_is_no_matter_of_the_connection() -> None:
    linter = opened()
    found(linter, message(5))
    fetched = read_event(json.dumps(message(3)), received_at=0, at=ManualClock().now(), is_recovered=True)
    assert linter.incoming(fetched) == ()
    replayed = replace(fetched, connection=1, raw=message(2), text=json.dumps(message(2)))
    assert [one.clause for one in linter.incoming(replayed)] == ["message.increasing"]


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traffic, "REMEMBERED", 10)
    linter = Linter(is_open=True)
    for number in range(1, 40):
        about = f"00000000-0000-0000-0000-{number:012}"
        found(linter, message(number, conversation_id=about) | {"conversation_id": about})
    assert len(linter._traffic._messages) == len(linter._traffic._conversations) == 10
