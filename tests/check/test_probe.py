"""The registry: every clause has a probe or a reason why not, and nobody claims more than that."""

from __future__ import annotations

import inspect

import pytest

from tribe_ws.check.probe import Need, all_probes, choose, matches, probe, reason_not_to_judge
from tribe_ws.protocol.clause import Level
from tribe_ws.protocol.contract import CLAUSES

CANNOT_BE_JUDGED_FROM_OUTSIDE = {
    "close.cleaned-up",
    "close.expiry-ignored",
    "close.heartbeat",
    "close.internal",
    "close.others-unharmed",
    "close.restart",
    "close.slow-consumer",
    "connect.account-disabled",
    "connect.host-allowed",
    "connect.origin-allowed",
    "connect.token-never-shown",
    "document.base-url",
    "document.tracking",
    "document.url-development",
    "document.url-production",
    "flood.off",
    "frames.counted",
    "health.down",
    "limit.handshake",
    "limit.stop",
    "limit.subscriptions",
    "login.disabled",
    "token.argon2id",
    "token.refresh-hashed",
    "token.secret-file",
    "token.short-secret",
    "v2.epoch",
    "v2.error-internal",
}


def judged() -> list[str]:
    return [clause.id for one in all_probes() for clause in one.clauses]


def test_every_clause_is_judged_or_said_to_be_beyond_judgement() -> None:
    beyond = {clause.id for clause in CLAUSES if reason_not_to_judge(clause.id)}
    assert {clause.id for clause in CLAUSES} - beyond == set(judged())


def test_no_clause_is_judged_twice() -> None:
    assert len(judged()) == len(set(judged()))


def test_the_clauses_beyond_judgement_are_these_and_no_more() -> None:
    beyond = {clause.id for clause in CLAUSES if reason_not_to_judge(clause.id)}
    assert beyond == CANNOT_BE_JUDGED_FROM_OUTSIDE


def test_there_are_sixty_probes_and_more() -> None:
    assert len(all_probes()) >= 60


@pytest.mark.parametrize("one", all_probes(), ids=lambda one: one.id)
def test_a_probe_says_what_it_does_and_what_mends_a_server_that_fails_it(one) -> None:
    assert inspect.iscoroutinefunction(one.function)
    assert (one.function.__doc__ or "").endswith(".")
    assert one.advice
    assert not one.advice.endswith(".")
    assert one.levels


@pytest.mark.parametrize(
    ("level", "has", "has_not"),
    [
        ("documented", "typing.lapse", "presence.shape"),
        ("app", "presence.shape", "v2.ref"),
        ("v2", "v2.ref", "presence.shape"),
    ],
)
def test_a_level_tries_what_is_documented_and_its_own(level: Level, has: str, has_not: str) -> None:
    ids = {clause.id for one in choose(level) for clause in one.clauses}
    assert {"ping.pong", has} <= ids
    assert has_not not in ids


def test_only_the_documented_level_forbids_what_the_app_level_sends() -> None:
    levels = [level for level in ("documented", "app", "v2") if choose(level, ["profile.documented"])]
    assert levels == ["documented"]


def test_patterns_choose_probes_by_any_of_their_clauses() -> None:
    (found,) = choose("documented", ["ping.*"])
    assert {clause.id for clause in found.clauses} == {"ping.pong", "document.heartbeat"}
    assert matches("typing.lapse", ["ping.*", "typing.*"])
    assert not matches("typing.lapse", ["typing"])
    assert choose("documented", ["nothing.*"]) == ()


def test_a_clause_that_has_a_probe_gets_no_second_one() -> None:
    with pytest.raises(ValueError, match=r"probed twice: ping\.pong"):
        probe("ping.pong", advice="x")(all_probes()[0].function)


def test_a_probe_names_clauses_that_exist() -> None:
    with pytest.raises(KeyError):
        probe("ping.pang", advice="x")(all_probes()[0].function)


def test_every_need_says_what_it_is() -> None:
    assert all(need.value for need in Need)
