"""Two servers beside each other: verdicts that differ, and answers that look different."""

from __future__ import annotations

from tests.check.on_our_server import check_our_server
from tribe_ws.check.compare import compare, comparison_lines
from tribe_ws.check.report import Report
from tribe_ws.check.shapes import Shapes
from tribe_ws.check.verdict import Result, Verdict
from tribe_ws.protocol.contract import clause


def report(url: str, shapes: Shapes | None = None, **verdicts: Verdict) -> Report:
    results = [
        Result(clause(name.replace("_", ".")), verdict, "because" if verdict is Verdict.FAIL else "")
        for name, verdict in verdicts.items()
    ]
    return Report(url, "documented", results, ["ana", "ben"], 1.0, 0, shapes or Shapes())


def text_of(one: Report, other: Report) -> str:
    lines = comparison_lines(compare(one, other))
    return "\n".join("".join(text for text, _ in line).rstrip() for line in lines)


def test_only_what_differs_is_shown() -> None:
    one = report("http://one", ping_pong=Verdict.PASS, message_once=Verdict.PASS)
    other = report("http://other", ping_pong=Verdict.PASS, message_once=Verdict.FAIL)
    assert text_of(one, other) == (
        "one    http://one\n"
        "other  http://other\n"
        "\n"
        "clause        one   other\n"
        "message.once  pass  fail\n"
        "\n"
        "message.once, other: because\n"
        "\n"
        "1 of 2 clauses differ, and 0 places in answers and frames"
    )


def test_answers_are_compared_where_both_gave_one() -> None:
    mine, theirs = Shapes(), Shapes()
    mine.note_answer("GET", "/auth/me", 200, {"id": "x", "name": "y"})
    theirs.note_answer("GET", "/auth/me", 200, {"id": 7})
    theirs.note_answer("GET", "/health", 200, {})
    comparison = compare(report("http://one", mine), report("http://other", theirs))
    assert comparison.as_json()["answers"] == [
        {"name": "GET /auth/me → 200", "place": "name", "one": "there", "other": "missing"},
        {"name": "GET /auth/me → 200", "place": "id", "one": "text", "other": "number"},
    ]


def test_long_cells_are_cut_so_that_columns_stay_columns() -> None:
    mine, theirs = Shapes(), Shapes()
    mine.note_answer("GET", f"/{'x' * 100}", 200, {"a": 1})
    theirs.note_answer("GET", f"/{'x' * 100}", 200, {"a": "1"})
    text = text_of(report("http://one", mine), report("http://other", theirs))
    assert all(len(line) < 80 for line in text.splitlines())


async def test_a_server_beside_itself_differs_in_nothing_and_beside_a_quirk_in_that() -> None:
    only = ("messages.order", "message.timestamp")
    ours, again = [await check_our_server("documented", only) for _ in range(2)]
    quirky = await check_our_server("documented", only, quirks=("offset-timestamps", "page-ignored"))
    same, different = compare(ours, again), compare(ours, quirky)
    assert (list(same.verdicts), list(same.answers)) == ([], [])
    assert {found.one.clause.id for found in different.verdicts} == {"message.timestamp", "messages.order"}
    assert ("message.new", "data.created_at") in {
        (found.name, found.difference.place) for found in different.answers
    }
