"""What came of a run, in words, as JSON, as JUnit and as annotations: made from values alone."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.scenario.staging import NOW, event
from tribe_ws.errors import CannotConnect
from tribe_ws.scenario.place import Place
from tribe_ws.scenario.reports.junit import to_annotations, to_junit
from tribe_ws.scenario.reports.report import as_json, explanation, headline, record_line, summary
from tribe_ws.scenario.result import Failure, Log, ScenarioResult, StepResult, SuiteResult
from tribe_ws.scenario.running.diary import Diary, Labels, RestCall, record_of
from tribe_ws.scenario.running.inbox import Ending

TEAM, ALICE = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
LABELS = Labels({TEAM: "team"}, {ALICE: "alice"})
MESSAGE = {
    "event": "message.new",
    "conversation_id": TEAM,
    "data": {"id": "m1", "sender": {"id": ALICE, "username": "alice"}, "content": "Helo \x1b[2J"},
}
PLACE = Place("chats/hello, world.yaml", 7, 5)


def diary():
    kept = Diary("bob.phone")
    kept.sent(json.dumps({"event": "subscribe", "conversation_id": TEAM}))
    kept.got(event(MESSAGE))
    kept.sent(b"\xff\x00")
    kept.sent("no json")
    kept.called(
        RestCall("POST", f"/api/v1/conversations/{TEAM}/messages", {"content": "Hi"}, 201, {"id": "m2"}, 0.01)
    )
    kept.called(RestCall("POST", "/api/v1/auth/login", {"password": "secret"}, 200, {"token": "eyJa.b.c"}, 0))
    kept.ended(Ending(4401, "token_expired"))
    return kept


FAILURE = Failure(
    PLACE,
    "bob: {expect: message.new}",
    "bob did not get message.new within 2 s",
    trail=("time 2 of 3 (a.yaml:1:1)",),
    details=('data.content  wanted "Hello"',),
    nearest=record_of(event(MESSAGE), LABELS),
    hint="look twice",
    waited=2.0,
)


def result(status="passed", **changes):
    defaults: dict[str, Any] = {
        "name": "Hello, world",
        "path": Path("chats/hello.yaml"),
        "started_at": NOW,
        "seconds": 1.5,
    }
    return ScenarioResult(status=status, **(defaults | changes))


FAILED = result(
    "failed",
    failure=FAILURE,
    logs=(Log("bob", diary().records(LABELS), 40),),
    steps=(StepResult(PLACE, "bob: ping", 0.1, True),),
)
BROKEN = result("error", error=CannotConnect("nothing listens", hint="tribe-ws serve"), run=2)
SUITE = SuiteResult((result(steps_taken=1), FAILED, BROKEN, result("skipped", reason="not ours")), 3.0)


def test_headline_says_what_came_of_it():
    assert [headline(one) for one in SUITE.results] == [
        "Hello, world: 1 step in 1.5 s",
        "Hello, world: failed after 1.5 s",
        "Hello, world (run 2): could not be run",
        "Hello, world: left out: not ours",
    ]
    assert summary(SUITE) == "1 passed, 1 failed, 1 could not be run, 1 left out in 3.0 s"
    assert summary(SuiteResult((), 0.0)) == "nothing was run in 0 ms"
    assert not SUITE.is_ok


def test_explanation_is_enough_to_mend_it():
    lines = explanation(FAILED)
    assert lines[:5] == [
        "chats/hello, world.yaml:7:5",
        "  bob: {expect: message.new}",
        "  in time 2 of 3 (a.yaml:1:1)",
        "bob did not get message.new within 2 s",
        "the nearest frame that came:",
    ]
    assert lines[6:9] == ['  data.content  wanted "Hello"', "hint: look twice", "bob, the last 7 (of 40):"]
    assert explanation(BROKEN) == ["nothing listens", "  tribe-ws serve"]
    assert explanation(result()) == []


def test_nothing_dangerous_and_no_secret_is_in_an_explanation():
    told = "\n".join(explanation(FAILED))
    assert "\x1b" not in told
    assert "eyJ" not in told
    assert "secret" not in told
    assert json.loads(json.dumps(as_json(SUITE)))["results"][1]["logs"]["bob"]


def test_last_frames_are_told_by_the_scenarios_own_names():
    lines = [record_line(record)[13:] for record in diary().records(LABELS)]
    assert lines[0].split() == ["→", "bob.phone", "subscribe", "#team"]
    assert lines[1].split()[:5] == ["←", "bob.phone", "message.new", "#team", "alice:"]
    assert "2 bytes, binary" in lines[2]
    assert "no json" in lines[3]
    assert "POST /api/v1/conversations/team/messages 201" in lines[4]
    assert "ended: 4401" in lines[6]


def test_only_the_last_entries_are_kept():
    kept = Diary("bob")
    for number in range(200):
        kept.got(event({"event": "pong", "n": number}))
    records = kept.records(Labels(), 3)
    assert [record.seq for record in records] == [198, 199, 200]
    assert len(kept.records(Labels())) == 50


def test_a_long_frame_is_cut():
    long = event({"event": "message.new", "data": {"content": "x" * 100_000}})
    cut = ScenarioResult(
        "Long", None, "failed", NOW, failure=Failure(PLACE, "s", "p", nearest=record_of(long, LABELS))
    )
    assert max(map(len, explanation(cut))) < 3_000


def test_json_holds_everything():
    form = as_json(SUITE)
    assert (form["v"], form["ok"], form["passed"], form["failed"]) == (1, False, 1, 1)
    assert (form["errors"], form["skipped"]) == (1, 1)
    failed = form["results"][1]
    assert failed["failure"]["line"] == 7
    assert failed["failure"]["nearest"]["event"] == "message.new"
    assert failed["failure"]["waited"] == 2.0
    assert failed["steps"][0]["step"] == "bob: ping"
    assert form["results"][2]["error"] == "nothing listens"
    assert form["results"][3]["reason"] == "not ours"


def test_junit_counts_and_tells_each_run():
    root = ET.fromstring(to_junit(SUITE))
    assert {name: root.get(name) for name in ("tests", "failures", "errors")} == {
        "tests": "4",
        "failures": "1",
        "errors": "1",
    }
    cases = root.findall("testsuite/testcase")
    assert [case.get("name") for case in cases] == [
        "Hello, world",
        "Hello, world",
        "Hello, world [2]",
        "Hello, world",
    ]
    failed = cases[1].find("failure")
    assert failed is not None
    assert failed.get("message") == FAILURE.problem
    assert "the nearest frame" in (failed.text or "")
    assert (cases[1].get("line"), cases[1].get("file")) == ("7", PLACE.path)
    assert cases[2].find("error") is not None
    assert cases[3].find("skipped") is not None
    assert ET.fromstring(to_junit(SuiteResult((), 0.0))).get("tests") == "0"


@pytest.mark.parametrize("nasty", ["\x00", "\x1b[31m", "\ud800", "￿", "]]>", "<b>&amp;", "\u2028"])
def test_junit_can_be_read_whatever_a_server_sent(nasty):
    failure = Failure(PLACE, f"step {nasty}", f"problem {nasty}", details=(nasty,))
    text = to_junit(SuiteResult((result("failed", failure=failure, name=f"N{nasty}"),), 1.0))
    ET.fromstring(text.encode("utf-8"))


def test_annotations_stand_beside_the_failing_line():
    first, second = to_annotations(SUITE)
    assert first.startswith(
        "::error file=chats/hello%2C world.yaml,line=7,col=5,title=Hello%2C world::chats/hello"
    )
    assert "\n" not in first
    assert "%0A" in first
    assert second.startswith("::error file=chats/hello.yaml,title=Hello%2C world::nothing listens")


def test_annotations_name_files_as_seen_from_the_repository():
    place = Place("/repo/tests/a.yaml", 1, 1)
    failed = result("failed", failure=Failure(place, "s", "p"))
    (line,) = to_annotations(SuiteResult((failed,), 1.0), root=Path("/repo"))
    assert "file=tests/a.yaml," in line


def test_annotations_are_not_endless():
    failed = result("failed", failure=Failure(PLACE, "s", "p"), started_at=NOW + timedelta(seconds=1))
    assert len(list(to_annotations(SuiteResult((failed,) * 200, 1.0)))) == 50
