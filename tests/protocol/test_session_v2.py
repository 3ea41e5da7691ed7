"""A session that asked for v2: every refusal is told, and every answer carries its ref (contract 3.5)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tribe_ws.errors import ProtocolViolation
from tribe_ws.protocol.codec import encode
from tribe_ws.protocol.frames_v2 import ErrorFrame, PongV2, SubscribedV2, Subscription, Unsubscribed
from tribe_ws.protocol.profiles import Profile
from tribe_ws.protocol.session import (
    Close,
    Effect,
    Ignore,
    Join,
    Leave,
    Position,
    Relay,
    Renew,
    Send,
    Session,
    SessionLimits,
    SetStatus,
)
from tribe_ws.protocol.session_v2 import SessionV2, open_session

ROOM = "01890a5d-ac96-774b-bcce-b302099a8057"
OTHER = "01890a5d-ac96-774b-bcce-b302099a8058"
STATE = Subscription(seq=3, epoch="e", online=["u"])


def opened(**limits: Any) -> SessionV2:
    session = open_session(Profile.V2, SessionLimits(**limits))
    assert isinstance(session, SessionV2)
    return session


def say(session: Session, **frame: Any) -> tuple[Effect, ...]:
    return session.receive_text(json.dumps(frame), 0.0)


def told(effects: tuple[Effect, ...]) -> ErrorFrame:
    """Give the error that goes out for a violation that is counted."""
    ignored, sent = effects
    assert isinstance(ignored, Ignore)
    assert isinstance(sent, Send)
    assert isinstance(sent.frame, ErrorFrame)
    assert sent.frame.data.code == ignored.violation.violation
    return sent.frame


def test_only_v2_speaks_v2():
    assert type(open_session(Profile.DOCUMENTED, SessionLimits())) is Session
    assert type(open_session(Profile.APP, SessionLimits())) is Session


def test_an_answer_carries_the_ref_and_is_silent_without_one():
    session = opened()
    assert say(session, event="ping", ref="1") == (Send(PongV2(ref="1")),)
    assert encode(PongV2(ref="1")) == b'{"event":"pong","ref":"1"}'
    (sent,) = say(session, event="ping")
    assert isinstance(sent, Send)
    assert encode(sent.frame) == b'{"event":"pong"}'


def test_a_position_and_an_echo_are_asked_for_when_joining():
    session = opened()
    assert say(session, event="subscribe", conversation_id=ROOM) == (Join(ROOM),)
    effects = say(
        session, event="subscribe", conversation_id=ROOM, after_seq=3, epoch="e", echo=True, ref="r"
    )
    assert effects == (Join(ROOM, Position(3, "e"), True, "r"),)
    assert session.subscriptions == set()
    assert session.joined_at(ROOM, STATE, "r") == (
        Send(SubscribedV2(conversation_id=ROOM, data=STATE, ref="r")),
    )
    assert session.subscriptions == {ROOM}


def test_recovered_is_told_only_to_who_named_a_position():
    assert "recovered" not in json.loads(encode(STATE))
    assert (
        json.loads(encode(Subscription(seq=3, epoch="e", online=[], recovered=False)))["recovered"] is False
    )


def test_unsubscribing_is_confirmed_always():
    session = opened()
    effects = say(session, event="unsubscribe", conversation_id=ROOM, ref="r")
    assert effects[0] == Leave(ROOM)
    assert isinstance(effects[1], Send)
    assert json.loads(encode(effects[1].frame)) == {
        "event": "unsubscribed",
        "conversation_id": ROOM,
        "data": {"reason": "requested"},
        "ref": "r",
    }


def test_a_removal_is_told_once_and_only_to_a_subscriber():
    session = opened()
    assert session.left(ROOM) == ()
    session.joined_at(ROOM, STATE)
    (sent,) = session.left(ROOM)
    assert isinstance(sent, Send)
    assert isinstance(sent.frame, Unsubscribed)
    assert sent.frame.data.reason == "removed"
    assert session.left(ROOM) == ()


def test_typing_presence_and_auth_become_effects():
    session = opened()
    assert say(session, event="typing", conversation_id=ROOM, is_typing=True, ref="r") == (
        Relay(ROOM, True, "r"),
    )
    assert say(session, event="presence", status="away", ref="r") == (SetStatus("away"),)
    assert say(session, event="auth", token="t", ref="r") == (Renew("t", "r"),)
    assert "secret" not in repr(Renew("secret"))


def test_a_renewal_is_confirmed():
    (sent,) = opened().renewed("2024-01-01T12:00:00.000Z", None)
    assert isinstance(sent, Send)
    assert encode(sent.frame) == b'{"event":"authenticated","data":{"expires_at":"2024-01-01T12:00:00.000Z"}}'


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{", "invalid_json"),
        ("[]", "invalid_frame"),
        ('{"ref":"r"}', "invalid_frame"),
        ('{"event":"dance","ref":"r"}', "unknown_event"),
        ('{"event":"subscribe","ref":"r"}', "invalid_payload"),
        ('{"event":"subscribe","conversation_id":"general","ref":"r"}', "invalid_payload"),
        ('{"event":"auth","ref":"r"}', "invalid_payload"),
        (f'{{"event":"subscribe","conversation_id":"{ROOM}","after_seq":-1,"ref":"r"}}', "invalid_payload"),
        (f'{{"event":"subscribe","conversation_id":"{ROOM}","after_seq":1e3,"ref":"r"}}', "invalid_payload"),
        (
            f'{{"event":"subscribe","conversation_id":"{ROOM}","after_seq":{2**63},"ref":"r"}}',
            "invalid_payload",
        ),
        (f'{{"event":"subscribe","conversation_id":"{ROOM}","echo":"yes","ref":"r"}}', "invalid_payload"),
    ],
)
def test_what_cannot_be_followed_is_told(text: str, code: str):
    error = told(opened().receive_text(text, 0.0))
    assert error.data.code == code
    assert error.ref == ("r" if "ref" in text else None)
    assert error.data.retryable is False


@pytest.mark.parametrize("ref", [7, None, "x" * 65, ["r"]], ids=repr)
def test_a_ref_that_is_none_of_ours_is_not_repeated(ref: Any):
    effects = say(opened(), event="ping", ref=ref)
    if ref is None:
        assert effects == (Send(PongV2()),)
    else:
        assert told(effects).data.code == "invalid_payload"
        assert told(effects).ref is None


def test_a_ref_of_64_characters_is_taken():
    assert say(opened(), event="ping", ref="é" * 64) == (Send(PongV2(ref="é" * 64)),)


def test_a_binary_frame_is_told_as_such():
    assert told(opened().receive_binary(b"x", 0.0)).data.code == "unsupported_data"


def test_unknown_and_foreign_sound_alike():
    error = told(opened().refused(ROOM, "r"))
    assert (error.data.code, error.conversation_id, error.ref) == ("not_found", ROOM, "r")


def test_too_many_subscriptions_are_told():
    session = opened(subscriptions=1)
    session.joined_at(ROOM, STATE)
    error = told(say(session, event="subscribe", conversation_id=OTHER, ref="r"))
    assert (error.data.code, error.conversation_id, error.ref) == ("too_many_subscriptions", OTHER, "r")
    assert say(session, event="subscribe", conversation_id=ROOM) == (Join(ROOM),)


def test_a_flood_is_told_frame_by_frame_and_closed_in_the_third_window():
    session = opened(frames=1, window=10.0)
    for window in range(3):
        assert say_at(session, window * 10.0) == (Send(PongV2(ref="r")),)
        if window < 2:
            error = told(say_at(session, window * 10.0))
            assert (error.data.code, error.data.retryable, error.ref) == ("rate_limited", True, "r")
    assert isinstance(say_at(session, 20.0)[0], Close)
    assert say_at(session, 20.0) == ()


@pytest.mark.parametrize("text", ["ping", '"ref"', '{"ref":7}', '{"ref":'])
def test_a_flooding_frame_without_a_ref_is_told_without_one(text: str):
    session = opened(frames=1)
    say(session, event="ping")
    assert told(session.receive_text(text, 0.0)).ref is None


def say_at(session: Session, now: float) -> tuple[Effect, ...]:
    return session.receive_text('{"event":"ping","ref":"r"}', now)


def test_a_complaint_is_short_however_long_the_frame():
    assert len(told(say(opened(), event="x" * 60_000)).data.message) == 200


def test_a_conversation_that_is_no_id_is_not_repeated():
    error = told(say(opened(), event="subscribe", conversation_id="x" * 60_000))
    assert error.conversation_id is None


def test_what_may_go_well_later_is_marked():
    assert told(opened().complain(ProtocolViolation("internal", "storage"))).data.retryable is True


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
KEYS = ("event", "conversation_id", "ref", "after_seq", "epoch", "echo", "token", "is_typing", "status")
EVENTS = ("subscribe", "unsubscribe", "typing", "presence", "ping", "auth")


@given(st.dictionaries(st.sampled_from(KEYS), JSON), st.sampled_from(EVENTS) | JSON)
def test_whatever_a_client_says_has_an_answer_or_an_effect(frame: dict[str, Any], event: Any):
    effects = opened().receive_text(json.dumps(frame | {"event": event}), 0.0)
    assert effects
    for effect in effects:
        if isinstance(effect, Send):
            assert encode(effect.frame).startswith(b'{"event":')
