"""What has to be done for a capture to happen again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.capture.replay.capturing import (
    ALICE,
    BOB,
    GENERAL,
    came,
    evening,
    message,
    posted,
    said,
    subscribed,
    typed,
    went,
)
from tribe_ws.capture.record import Record
from tribe_ws.capture.replay.script import (
    Call,
    Close,
    Expect,
    ExpectClose,
    Open,
    Script,
    Send,
    Step,
    write_script,
)

HELLO = message(1, "alice", "Hello")


def steps(*records: Record) -> list[str]:
    """Write each step in two or three words."""
    return [_words(step) for step in write_script(records).steps]


def _words(step: Step) -> str:
    match step:
        case Send() | Expect():
            return f"{step.user} {'sends' if isinstance(step, Send) else 'gets'} {step.record.event}"
        case Call():
            return f"{step.user} calls {step.record.event}"
        case Open():
            return f"{step.user} opens{' v2' * step.is_v2}"
        case ExpectClose():
            return f"{step.user} is closed {step.code}{f' {step.reason}' * bool(step.reason)}"
        case Close():
            return f"{step.user} closes"
    raise AssertionError(step)


def test_a_session_is_opened_before_its_first_frame() -> None:
    assert steps(came("bob", "connected"), went("bob", "ping"), came("bob", "pong")) == [
        "bob opens", "bob gets connected", "bob sends ping", "bob gets pong",
    ]  # fmt: skip


def test_a_subscription_and_a_ping_that_were_not_recorded_are_made() -> None:
    assert steps(came("bob", "connected"), subscribed("bob"), came("bob", "pong")) == [
        "bob opens", "bob gets connected", "bob sends subscribe", "bob gets subscribed", "bob sends ping",
        "bob gets pong",
    ]  # fmt: skip


def test_one_that_was_recorded_is_not_made_twice() -> None:
    told = steps(
        came("bob", "connected"), went("bob", "subscribe", conversation_id=GENERAL), subscribed("bob")
    )
    assert told.count("bob sends subscribe") == 1


def test_a_call_comes_before_what_it_set_off_though_it_was_answered_later() -> None:
    told = steps(
        came("alice", "connected"),
        came("bob", "connected"),
        typed("bob", "alice", on=True, at=1),
        typed("bob", "alice", on=False, at=3.001),
        said("bob", HELLO, at=3.002),
        posted("alice", HELLO, at=3.009),
    )
    assert told[-3:] == ["alice calls POST message", "bob gets typing", "bob gets message.new"]


def test_two_calls_at_once_go_in_the_order_in_which_they_were_delivered() -> None:
    second = message(2, "alice", "Second")
    script = write_script(
        (
            came("bob", "connected"),
            said("bob", second, at=3.002),
            said("bob", HELLO, at=3.003),
            posted("alice", HELLO, at=3.008),
            posted("alice", second, at=3.009),
        )
    )
    contents = [step.record.request["content"] for step in script.steps if isinstance(step, Call)]
    assert contents == ["Second", "Hello"]


def test_a_message_of_somebody_who_was_not_recorded_is_sent_for_them() -> None:
    script = write_script((came("bob", "connected"), said("bob", HELLO), said("bob", HELLO)))
    call = next(step for step in script.steps if isinstance(step, Call))
    assert (call.user, call.record.request) == ("alice", {"content": "Hello", "message_type": "text"})
    assert call.is_partly_known
    assert sum(isinstance(step, Call) for step in script.steps) == 1
    assert script.users == ("bob", "alice")


def test_typing_of_somebody_who_was_not_recorded_is_done_for_them_once() -> None:
    told = steps(
        came("bob", "connected"),
        came("cara", "connected"),
        typed("bob", "alice", on=True, at=1),
        typed("cara", "alice", on=True, at=1.001),
        typed("bob", "alice", on=True, at=4),
    )
    assert told.count("alice sends typing") == 2
    assert told.count("alice opens") == 1


def test_presence_of_somebody_who_was_not_recorded_is_left_out_and_said_so() -> None:
    presence = came("bob", "presence", frame={"data": {"user_id": ALICE, "is_online": True}}, sender="alice")
    script = write_script((came("bob", "connected"), presence))
    assert script.left_out == {"presence of users whose sessions were not recorded": 1}
    assert not [step for step in script.steps if isinstance(step, Expect) and step.record.event == "presence"]


def test_who_is_said_to_have_gone_is_closed_before() -> None:
    gone = came("alice", "presence", at=9, frame={"data": {"user_id": BOB, "is_online": False}}, sender="bob")
    assert steps(came("bob", "connected"), came("alice", "connected", at=1), gone)[-2:] == [
        "bob closes", "alice gets presence",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("note", "expected"),
    [
        ({"text": '4401 "token_expired", the token is no longer good.'}, "bob is closed 4401 token_expired"),
        ({"text": "1006, the connection broke off"}, "bob is closed 1006"),
        ({"text": "Closed 1000. 3 s"}, "bob closes"),
        ({"frame": {"code": 4403, "reason": "account_disabled"}}, "bob is closed 4403 account_disabled"),
        ({"frame": {}}, "bob closes"),
    ],
)
def test_the_end_of_a_connection_is_expected_as_it_was(note: dict[str, object], expected: str) -> None:
    record = Record(0, came("bob", "x", at=1).at, "note", "closed", as_user="bob")
    assert steps(came("bob", "connected"), replace(record, **note))[-1] == expected  # type: ignore[arg-type]


def test_a_connection_that_came_back_is_opened_again() -> None:
    assert steps(came("bob", "connected"), came("bob", "connected", at=5)) == [
        "bob opens", "bob gets connected", "bob closes", "bob opens", "bob gets connected",
    ]  # fmt: skip


def test_what_was_sent_before_a_connection_had_a_name_goes_over_that_connection() -> None:
    script = write_script(
        (
            went("bob", "subscribe", conversation_id=GENERAL),
            came("bob", "connected", at=0.001, connection="c1", frame={"data": {"connection_id": "c1"}}),
            subscribed("bob", at=0.002, connection="c1"),
        )
    )
    assert {step.connection for step in script.steps if isinstance(step, Send | Expect | Open)} == {
        ("bob", "c1")
    }
    assert [step.is_v2 for step in script.steps if isinstance(step, Open)] == [True]


def test_logins_and_what_nobody_owns_are_left_out() -> None:
    login = replace(posted("bob", HELLO), path="/api/v1/auth/login", event="POST login", frame={})
    script = write_script((login, replace(said("bob", HELLO), as_user=""), came("bob", "connected")))
    assert script.left_out == {"logins and the like": 1, "records that do not say whose they are": 1}


def test_a_message_that_was_fetched_after_a_gap_is_not_waited_for() -> None:
    script = write_script((came("bob", "connected"), said("bob", HELLO, tags=frozenset({"gap"}))))
    assert script.left_out == {"fetched after a gap": 1}


def test_a_message_known_by_its_text_alone_can_be_sent_again() -> None:
    bare = replace(posted("alice", HELLO), method="", path="", request=None)
    call = write_script((bare,)).steps[0]
    assert isinstance(call, Call)
    assert (call.record.method, call.record.request) == ("POST", {"content": "Hello"})
    assert call.record.path == f"/api/v1/conversations/{GENERAL}/messages"


def test_the_lines_of_a_real_capture_are_all_there() -> None:
    script: Script = write_script(evening())
    lines = {step.line for step in script.steps}
    assert len(lines) + script.left_out["logins and the like"] == len(evening())
    assert script.users == ("bob", "alice")


def test_a_call_does_not_pass_what_its_user_did_before_it() -> None:
    second = message(2, "alice", "Second")
    told = steps(
        came("alice", "connected"),
        came("bob", "connected"),
        typed("bob", "alice", on=False, at=3.001),
        said("bob", HELLO, at=3.002),
        posted("alice", HELLO, at=3.003),
        went("alice", "ping", at=3.006),
        said("bob", second, at=3.014),
        posted("alice", second, at=3.016),
    )
    assert told[-6:] == [
        "alice calls POST message", "bob gets typing", "bob gets message.new", "alice sends ping",
        "alice calls POST message", "bob gets message.new",
    ]  # fmt: skip
