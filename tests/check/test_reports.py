"""The report in its forms: for people, for programs, for continuous integration, for code scanning."""

from __future__ import annotations

import json
from xml.etree import ElementTree as ET

import pytest

from tribe_ws.check.evidence import Entry
from tribe_ws.check.junit import to_junit
from tribe_ws.check.report import Report
from tribe_ws.check.report_text import report_lines
from tribe_ws.check.sarif import to_sarif
from tribe_ws.check.verdict import Result, Verdict
from tribe_ws.protocol.contract import clause

BELL = "\x07\x1b]0;owned\x07\uffff"
FAILED = Result(
    clause("typing.lapse"),
    Verdict.FAIL,
    f"ben was to get it, and got nothing {BELL}",
    (Entry(0.5, "ana", "sent", '{"event": "typing"}'), Entry(1.0, "ben", "got", f"<&> {BELL}")),
    "send is_typing:false by yourself",
    9.25,
    2,
)
RESULTS = (
    Result(clause("document.heartbeat"), Verdict.PASS, seconds=0.01, attempts=1),
    Result(clause("ping.pong"), Verdict.PASS, "once in 3 attempts: nothing came", attempts=3),
    Result(clause("typing.relayed"), Verdict.SKIPPED, "needs a second account"),
    FAILED,
    Result(clause("close.restart"), Verdict.CANNOT_TELL, "could be judged only by doing harm"),
)
REPORT = Report("http://x.test", "documented", RESULTS, ("ana", "ben"), 12.5, left_behind=2)


def text_of(report: Report) -> list[str]:
    return ["".join(text for text, _ in line) for line in report_lines(report)]


def test_people_read_one_line_for_each_clause_under_its_section() -> None:
    lines = text_of(REPORT)
    assert lines[0] == "document, Features Implemented"
    assert lines[1] == "  pass         document.heartbeat  A ping event is answered by a pong event."
    assert "  skipped      typing.relayed      needs a second account" in lines
    assert "  cannot tell  close.restart       could be judged only by doing harm" in lines


def test_people_read_of_a_broken_clause_what_was_seen_and_what_mends_it() -> None:
    lines = text_of(REPORT)
    place = lines.index(
        "  fail         typing.lapse        is_typing:true lapses after 6 s with one is_typing:false."
    )
    assert lines[place + 1].strip().startswith("seen  ben was to get it, and got nothing")
    assert lines[place + 2].strip() == '0.500  ana          → {"event": "typing"}'
    assert lines[place + 4].strip() == "mend  send is_typing:false by yourself"


def test_people_read_that_a_pass_was_not_plain() -> None:
    assert any(line.strip() == "once in 3 attempts: nothing came" for line in text_of(REPORT))


def test_people_read_what_it_came_to() -> None:
    assert text_of(REPORT)[-3:] == [
        "5 clauses of http://x.test as ana, ben, level documented: 2 pass, 1 fail, 1 cannot tell, 1 skipped",
        "broken: typing.lapse",
        "2 conversations of the check could not be left",
    ]


def test_programs_read_everything() -> None:
    read = json.loads(json.dumps(REPORT.as_json()))
    assert read["counts"] == {"pass": 2, "fail": 1, "cannot_tell": 1, "skipped": 1}
    broken = next(one for one in read["clauses"] if one["verdict"] == "fail")
    assert broken["id"] == "typing.lapse"
    assert broken["sentence"] == clause("typing.lapse").sentence
    assert broken["section"] == "contract 3.2"
    assert [entry["direction"] for entry in broken["evidence"]] == ["sent", "got"]
    assert (broken["advice"], broken["attempts"], broken["level"]) == (FAILED.advice, 2, "documented")


def test_a_report_tells_verdicts_by_name() -> None:
    assert REPORT.verdict_of("typing.lapse") is Verdict.FAIL
    assert REPORT.verdict_of("typing.coalesced") is None
    assert REPORT.failed == (FAILED,)


def test_continuous_integration_reads_suites_and_cases() -> None:
    root = ET.fromstring(to_junit(REPORT))
    assert (root.get("tests"), root.get("failures"), root.get("skipped")) == ("5", "1", "2")
    assert [suite.get("name") for suite in root] == [
        "document, Features Implemented",
        "contract 3.2",
        "contract 3.6",
    ]
    failure = root.find(".//testcase[@name='typing.lapse']/failure")
    assert failure is not None
    assert "and got nothing" in failure.get("message", "")
    assert '0.500  ana          → {"event": "typing"}' in (failure.text or "")
    assert FAILED.advice in (failure.text or "")
    skipped = root.find(".//testcase[@name='close.restart']/skipped")
    assert skipped is not None
    assert skipped.get("message") == "cannot tell: could be judged only by doing harm"


def test_what_no_xml_may_hold_is_made_visible() -> None:
    assert r"\x07\x1b]0;owned" in to_junit(REPORT)
    ET.fromstring(to_junit(REPORT))


def test_code_scanning_reads_a_rule_for_each_clause_and_a_result_for_each_broken_one() -> None:
    log = to_sarif(REPORT, file="docs/protocol.md")
    assert (log["version"], log["$schema"]) == ("2.1.0", "https://json.schemastore.org/sarif-2.1.0.json")
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == [one.clause.id for one in RESULTS]
    (result,) = run["results"]
    assert rules[result["ruleIndex"]]["id"] == result["ruleId"] == "typing.lapse"
    assert result["level"] == "error"
    place = result["locations"][0]["physicalLocation"]
    assert place == {"artifactLocation": {"uri": "docs/protocol.md"}, "region": {"startLine": 1}}
    assert "To mend it: send is_typing:false by yourself." in result["message"]["text"]


def test_code_scanning_knows_an_alert_again() -> None:
    fingerprints = [to_sarif(REPORT)["runs"][0]["results"][0]["partialFingerprints"] for _ in range(2)]
    assert fingerprints[0] == fingerprints[1]
    elsewhere = Report("http://y.test", "documented", RESULTS, (), 0.0)
    assert to_sarif(elsewhere)["runs"][0]["results"][0]["partialFingerprints"] != fingerprints[0]


@pytest.mark.parametrize(
    "form", [lambda report: json.dumps(to_sarif(report)), to_junit], ids=["sarif", "junit"]
)
def test_no_control_character_gets_into_a_file(form) -> None:
    assert not any(ord(letter) < 32 and letter not in "\n\t" for letter in form(REPORT))


def test_every_rule_has_what_code_scanning_asks_for() -> None:
    for rule in to_sarif(REPORT)["runs"][0]["tool"]["driver"]["rules"]:
        assert {"id", "shortDescription", "fullDescription", "help", "defaultConfiguration"} <= set(rule)
        assert all(rule[name]["text"] for name in ("shortDescription", "fullDescription", "help"))
