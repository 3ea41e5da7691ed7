"""The grammar of faults: what can be written, and what is said of what cannot."""

from __future__ import annotations

import pytest

from tribe_ws.hub.fault_rules import FaultAction, FaultRefused, FaultRule, parse_fault, parse_faults
from tribe_ws.protocol import close_codes


def test_a_rule_with_every_filter_is_read() -> None:
    text = "delay 250ms±50ms @bob #general message.new out 50%"
    assert parse_fault(text) == FaultRule(
        text,
        FaultAction.DELAY,
        delay=0.25,
        jitter=0.05,
        user="bob",
        conversation="general",
        event="message.new",
        direction="out",
        probability=0.5,
    )


def test_filters_come_in_any_order_and_spaces_do_not_count() -> None:
    one = parse_fault("  drop   25%  in typing  #general @ana ")
    other = parse_fault("drop @ana #general typing in 25%")
    assert (one.user, one.conversation, one.event, one.direction, one.probability) == (
        other.user, other.conversation, other.event, other.direction, other.probability,
    )  # fmt: skip
    assert one.text == "drop 25% in typing #general @ana"


@pytest.mark.parametrize("sign", ["±", "+-", "+/-"])
def test_jitter_can_be_written_on_any_keyboard(sign: str) -> None:
    rule = parse_fault(f"delay 1s{sign}200ms")
    assert (rule.delay, rule.jitter) == (1.0, 0.2)


@pytest.mark.parametrize("action", ["drop", "duplicate", "reorder", "corrupt", "stall", "reset"])
def test_an_action_without_filters_is_for_everything(action: str) -> None:
    assert parse_fault(action) == FaultRule(action, FaultAction(action))


def test_a_close_takes_the_contracts_reason_or_says_that_it_is_a_fault() -> None:
    assert parse_fault("close 1012").close_code is close_codes.RESTART
    named = parse_fault("close 4999 @ana").close_code
    assert named is not None
    assert (named.code, named.reason) == (4999, "fault")


def test_refuse_counts_connections() -> None:
    assert parse_fault("refuse").count == 1
    assert parse_fault("refuse 3 @bob").count == 3


def test_several_rules_are_separated_by_semicolons() -> None:
    rules = parse_faults("drop @bob; delay 1s ;; stall #general;")
    assert [rule.action for rule in rules] == ["drop", "delay", "stall"]
    assert parse_faults("") == ()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "expected an action first"),
        ("@bob drop", "expected an action first, got '@bob'"),
        ("explode", "expected an action first, got 'explode'"),
        ("delay", "expected a duration"),
        ("delay @bob", "expected a duration, got '@bob'"),
        ("delay 1s±", "expected a duration"),
        ("delay 2h", "at most an hour"),
        ("close", "expected a close code"),
        ("close 1006", "expected a close code, got '1006'"),
        ("close 2000", "expected a close code"),
        ("close 99999", "expected a close code"),
        ("refuse @bob", "expected how many"),
        ("refuse 0", "expected how many"),
        ("refuse 99999999999999999999", "expected how many"),
        ("refuse 3 typing", "only @user"),
        ("drop 0%", "above 0%"),
        ("drop 101%", "up to 100%"),
        ("drop nan%", "above 0%"),
        ("drop half%", "above 0%"),
        ("drop @", "expected a filter, got '@'"),
        ("drop Typing", "expected a filter, got 'Typing'"),
        ("drop @ana @bob", "more than one user"),
        ("drop in out", "more than one direction"),
    ],
)
def test_what_is_wrong_is_named(text: str, complaint: str) -> None:
    with pytest.raises(FaultRefused, match=complaint):
        parse_fault(text)
