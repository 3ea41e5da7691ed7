"""How often a probe is tried, and what its attempts come to: failed only what was seen twice."""

from __future__ import annotations

import pytest

from tribe_ws.check.evidence import Evidence
from tribe_ws.check.probe import Probe, all_probes
from tribe_ws.check.running import Trial
from tribe_ws.check.verdict import CannotTell, Failed, Said, Skipped, Verdict

PROBE: Probe = next(one for one in all_probes() if one.id == "typing.lapse")


class Staged:
    """As much of a stage as a trial takes note of."""

    def __init__(self, text: str) -> None:
        self.evidence = Evidence()
        self.evidence.note("ana", "got", text)


def said(letter: str, number: int) -> Said | None:
    kinds = {"F": Failed, "C": CannotTell, "S": Skipped}
    return kinds[letter](f"{letter}{number}") if letter in kinds else None


def trial_of(letters: str) -> Trial:
    trial = Trial(PROBE)
    for number, letter in enumerate(letters, 1):
        assert trial.is_open, f"it was settled before attempt {number}"
        trial.heard(said(letter, number), Staged(f"frame {number}"))  # type: ignore[arg-type]
    return trial


@pytest.mark.parametrize(
    ("letters", "verdict"),
    [
        ("P", Verdict.PASS),
        ("S", Verdict.SKIPPED),
        ("FF", Verdict.FAIL),
        ("FPF", Verdict.FAIL),
        ("FCF", Verdict.FAIL),
        ("CFF", Verdict.FAIL),
        ("FPP", Verdict.PASS),
        ("CP", Verdict.PASS),
        ("CC", Verdict.CANNOT_TELL),
        ("FCC", Verdict.CANNOT_TELL),
        ("CFC", Verdict.CANNOT_TELL),
        ("FPC", Verdict.CANNOT_TELL),
        ("CFP", Verdict.CANNOT_TELL),
    ],
)
def test_attempts_come_to_a_verdict(letters: str, verdict: Verdict) -> None:
    trial = trial_of(letters)
    assert not trial.is_open
    assert [result.verdict for result in trial.results()] == [verdict]
    assert trial.results()[0].attempts == len(letters)


@pytest.mark.parametrize("letters", ["F", "C", "FP", "FC", "CF"])
def test_doubt_asks_for_another_attempt(letters: str) -> None:
    assert trial_of(letters).is_open


def test_a_failure_brings_its_evidence_and_advice() -> None:
    result = trial_of("FPF").results()[0]
    assert result.reason == "F3"
    assert [entry.text for entry in result.evidence] == ["frame 3"]
    assert result.advice == PROBE.advice


def test_what_passed_after_a_failure_says_so() -> None:
    result = trial_of("FPP").results()[0]
    assert result.reason == "once in 3 attempts: F1"
    assert result.evidence == ()
    assert result.advice == ""


def test_a_probe_that_is_given_up_cannot_tell() -> None:
    trial = trial_of("F")
    trial.give_up("no time")
    result = trial.results()[0]
    assert (result.verdict, result.reason) == (Verdict.CANNOT_TELL, "no time; once in 2 attempts: F1")
    assert result.attempts == 1


def test_each_clause_of_a_probe_gets_the_verdict() -> None:
    several = next(one for one in all_probes() if len(one.clauses) > 2)
    trial = Trial(several)
    trial.heard(None, Staged("x"))  # type: ignore[arg-type]
    assert [result.clause for result in trial.results()] == list(several.clauses)


def test_no_secret_gets_into_a_reason() -> None:
    trial = Trial(PROBE)
    for _ in range(2):
        trial.heard(Failed("got token=abcdefgh and ana@example.com"), Staged("x"))  # type: ignore[arg-type]
    assert trial.results()[0].reason == "got token=*** and ***"
