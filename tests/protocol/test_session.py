from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tribe_ws.protocol.close_codes import RATE_LIMITED
from tribe_ws.protocol.frames import Pong, Subscribed
from tribe_ws.protocol.profiles import Profile
from tribe_ws.protocol.session import (
    Close,
    Effect,
    Ignore,
    Join,
    Leave,
    Relay,
    Send,
    Session,
    SessionLimits,
    SetStatus,
)

ROOM = "01890a5d-ac96-774b-bcce-b302099a8057"
OTHER = "01890a5d-ac96-774b-bcce-b302099a8058"


@pytest.fixture(params=[Profile.DOCUMENTED, Profile.APP])
def session(request: pytest.FixtureRequest) -> Session:
    return Session(request.param, SessionLimits())


def say(session: Session, now: float = 0.0, **frame: Any) -> tuple[Effect, ...]:
    return session.receive_text(json.dumps(frame), now)


def ignored(effects: tuple[Effect, ...]) -> str:
    (effect,) = effects
    assert isinstance(effect, Ignore)
    return effect.violation.violation


def join(session: Session, conversation_id: str = ROOM) -> None:
    assert say(session, event="subscribe", conversation_id=conversation_id) == (Join(conversation_id),)
    session.joined(conversation_id)


def test_ping_is_answered_by_pong(session: Session):
    assert say(session, event="ping") == (Send(Pong()),)


def test_subscribe_asks_to_join_and_the_confirmation_acknowledges(session: Session):
    assert say(session, event="subscribe", channel="conversation", conversation_id=ROOM) == (Join(ROOM),)
    assert session.subscriptions == set()
    assert session.joined(ROOM) == (Send(Subscribed(conversation_id=ROOM)),)
    assert session.subscriptions == {ROOM}


def test_every_subscribe_is_checked_and_acknowledged_again(session: Session):
    join(session)
    join(session)
    assert session.subscriptions == {ROOM}


def test_an_id_in_capitals_is_the_same_conversation(session: Session):
    assert say(session, event="subscribe", conversation_id=ROOM.upper()) == (Join(ROOM),)
    assert say(session, event="typing", conversation_id=ROOM.upper(), is_typing=True) == (Relay(ROOM, True),)
    assert say(session, event="unsubscribe", conversation_id=ROOM.upper()) == (Leave(ROOM),)


def test_a_refused_join_is_ignored_and_says_only_not_found(session: Session):
    assert ignored(session.refused(ROOM)) == "not_found"
    assert session.subscriptions == set()


def test_a_join_refused_later_ends_the_subscription(session: Session):
    join(session)
    session.refused(ROOM)
    assert session.subscriptions == set()


def test_unsubscribe_leaves_without_an_answer(session: Session):
    join(session)
    assert say(session, event="unsubscribe", channel="conversation", conversation_id=ROOM) == (Leave(ROOM),)
    assert session.subscriptions == set()


def test_unsubscribe_ends_typing_even_where_nothing_was_subscribed(session: Session):
    assert say(session, event="unsubscribe", conversation_id=ROOM) == (Leave(ROOM),)


def test_the_server_may_end_a_subscription(session: Session):
    join(session)
    session.left(ROOM)
    session.left(ROOM)
    assert session.subscriptions == set()


@pytest.mark.parametrize("is_typing", [True, False])
def test_typing_is_relayed_without_a_subscription(session: Session, is_typing: bool):
    effects = say(session, event="typing", conversation_id=ROOM, is_typing=is_typing)
    assert effects == (Relay(ROOM, is_typing),)


@pytest.mark.parametrize("status", ["online", "away", "offline"])
def test_presence_sets_the_status(session: Session, status: str):
    assert say(session, event="presence", status=status) == (SetStatus(status),)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "violation"),
    [
        ("", "invalid_json"),
        ("{", "invalid_json"),
        ("[]", "invalid_frame"),
        ("{}", "invalid_frame"),
        ('{"event": "dance"}', "unknown_event"),
        ('{"event": "subscribe"}', "invalid_payload"),
        ('{"event": "subscribe", "conversation_id": "general"}', "invalid_payload"),
        (f'{{"event": "subscribe", "channel": "user", "conversation_id": "{ROOM}"}}', "invalid_payload"),
        (f'{{"event": "typing", "conversation_id": "{ROOM}", "is_typing": 1}}', "invalid_payload"),
        ('{"event": "presence", "status": "asleep"}', "invalid_payload"),
    ],
)
def test_what_breaks_the_contract_is_ignored(session: Session, text: str, violation: str):
    assert ignored(session.receive_text(text, 0.0)) == violation
    assert say(session, event="ping") == (Send(Pong()),)


def test_a_binary_frame_is_ignored(session: Session):
    assert ignored(session.receive_binary(b'{"event":"ping"}', 0.0)) == "unsupported_data"


# ── Limits ────────────────────────────────────────────────────────────────────────────────────────


def test_subscriptions_are_limited_and_those_there_stay_renewable():
    session = Session(Profile.DOCUMENTED, SessionLimits(subscriptions=1))
    join(session)
    assert ignored(say(session, event="subscribe", conversation_id=OTHER)) == "too_many_subscriptions"
    join(session)
    say(session, event="unsubscribe", conversation_id=ROOM)
    join(session, OTHER)


def test_a_limit_of_zero_is_none():
    session = Session(Profile.DOCUMENTED, SessionLimits(subscriptions=0, frames=0))
    for number in range(500):
        join(session, f"01890a5d-ac96-774b-bcce-{number:012x}")
    assert len(session.subscriptions) == 500


LIMITS = SessionLimits(frames=3, window=10.0, strikes=3)


def flood(session: Session, start: float) -> list[str]:
    """Send one frame more than allowed, all at once, and tell what became of each."""
    outcomes = []
    for _ in range(LIMITS.frames + 1):
        (effect,) = say(session, start, event="ping")
        outcomes.append(effect.violation.violation if isinstance(effect, Ignore) else type(effect).__name__)
    return outcomes


def test_frames_beyond_the_limit_are_ignored_until_the_window_ends():
    session = Session(Profile.DOCUMENTED, LIMITS)
    assert flood(session, 0.0) == ["Send", "Send", "Send", "rate_limited"]
    assert ignored(say(session, 9.9, event="ping")) == "rate_limited"
    assert say(session, 10.0, event="ping") == (Send(Pong()),)


def test_binary_and_broken_frames_count_too():
    session = Session(Profile.DOCUMENTED, LIMITS)
    session.receive_binary(b"", 0.0)
    session.receive_text("{", 0.0)
    say(session, event="ping")
    assert ignored(say(session, event="ping")) == "rate_limited"
    assert ignored(session.receive_binary(b"", 0.0)) == "rate_limited"


def test_the_third_flooded_window_in_a_row_closes():
    session = Session(Profile.DOCUMENTED, LIMITS)
    assert flood(session, 0.0)[-1] == "rate_limited"
    assert flood(session, 10.0)[-1] == "rate_limited"
    for _ in range(3):
        say(session, 20.0, event="ping")
    assert say(session, 20.0, event="ping") == (Close(RATE_LIMITED),)


def test_a_closed_session_answers_nothing():
    session = Session(Profile.DOCUMENTED, LIMITS)
    for start in (0.0, 10.0, 20.0):
        for _ in range(4):
            say(session, start, event="ping")
    assert say(session, 99.0, event="ping") == ()
    assert session.receive_binary(b"", 99.0) == ()


def test_a_window_that_kept_the_limit_forgives():
    session = Session(Profile.DOCUMENTED, LIMITS)
    flood(session, 0.0)
    flood(session, 10.0)
    say(session, 20.0, event="ping")
    assert flood(session, 30.0)[-1] == "rate_limited"
    assert flood(session, 40.0)[-1] == "rate_limited"


def test_a_pause_of_a_whole_window_forgives():
    session = Session(Profile.DOCUMENTED, LIMITS)
    flood(session, 0.0)
    flood(session, 10.0)
    assert flood(session, 30.0)[-1] == "rate_limited"


# ── Any input at all ──────────────────────────────────────────────────────────────────────────────

IDS = st.sampled_from([ROOM, ROOM.upper(), OTHER, "general", "", None, 7])
FRAMES = st.fixed_dictionaries(
    {"event": st.sampled_from(["subscribe", "unsubscribe", "typing", "presence", "ping", "dance"])},
    optional={
        "conversation_id": IDS,
        "channel": st.sampled_from(["conversation", "user", None]),
        "is_typing": st.sampled_from([True, False, 1, "true"]),
        "status": st.sampled_from(["online", "away", "offline", "asleep"]),
        "ref": st.text(max_size=5),
    },
)


@given(st.lists(st.one_of(FRAMES.map(json.dumps), st.text(), st.binary())), st.lists(st.booleans()))
def test_any_input_has_effects_and_raises_nothing(inputs: list[str | bytes], allowed: list[bool]):
    session = Session(Profile.DOCUMENTED, SessionLimits(frames=20, subscriptions=1))
    answers = iter(allowed)
    expected: set[str] = set()
    for now, data in enumerate(inputs):
        effects = (
            session.receive_text(data, float(now))
            if isinstance(data, str)
            else session.receive_binary(data, float(now))
        )
        for effect in effects:
            match effect:
                case Join(conversation_id):
                    if next(answers, True):
                        assert session.joined(conversation_id)
                        expected.add(conversation_id)
                    else:
                        assert session.refused(conversation_id)
                        expected.discard(conversation_id)
                case Leave(conversation_id):
                    expected.discard(conversation_id)
        assert session.subscriptions == expected
        assert len(expected) <= 1


def test_a_session_keeps_its_profile():
    assert [Session(profile, SessionLimits()).profile for profile in Profile] == list(Profile)
