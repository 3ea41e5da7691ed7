"""A capture as HAR: what a browser's network panel needs, and not one secret."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from tribe_ws.capture.har import to_har
from tribe_ws.capture.reader import read_capture
from tribe_ws.capture.record import Record
from tribe_ws.clock import ManualClock
from tribe_ws.protocol.urls import parse_address

CAPTURES = Path(__file__).parents[2] / "fixtures" / "captures"
AT = ManualClock().now()


def entries(name: str = "bobs_evening.ndjson") -> list[dict[str, Any]]:
    har = to_har(read_capture(CAPTURES / name).records, parse_address("localhost:8000"))
    assert (har["log"]["version"], har["log"]["creator"]["name"]) == ("1.2", "tribe-ws")
    return list(har["log"]["entries"])


def sockets(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [entry for entry in found if "_webSocketMessages" in entry]


def test_every_entry_has_what_har_1_2_asks_for() -> None:
    found = entries()
    for entry in found:
        assert datetime.fromisoformat(entry["startedDateTime"]).tzinfo is not None
        assert entry["time"] >= 0
        assert entry["cache"] == {}
        assert {"send", "wait", "receive"} <= entry["timings"].keys()
        assert {
            "method", "url", "httpVersion", "cookies", "headers", "queryString", "headersSize", "bodySize",
        } <= entry["request"].keys()  # fmt: skip
        assert {
            "status", "statusText", "httpVersion", "cookies", "headers", "content", "redirectURL",
            "headersSize", "bodySize",
        } <= entry["response"].keys()  # fmt: skip
    assert [entry["startedDateTime"] for entry in found] == sorted(
        entry["startedDateTime"] for entry in found
    )


def test_a_connection_is_one_entry_with_its_messages_as_chrome_writes_them() -> None:
    [socket] = sockets(entries())
    assert socket["_resourceType"] == "websocket"
    assert socket["request"]["url"] == "ws://localhost:8000/api/v1/ws?token=***"
    assert socket["request"]["queryString"] == [{"name": "token", "value": "***"}]
    assert socket["response"]["status"] == 101
    sent = [one for one in socket["_webSocketMessages"] if one["type"] == "send"]
    assert [json.loads(one["data"])["event"] for one in sent] == ["subscribe"]
    first = socket["_webSocketMessages"][0]
    assert (first["type"], first["opcode"]) == ("receive", 1)
    assert json.loads(first["data"])["event"] == "connected"
    assert first["time"] == datetime.fromisoformat(socket["startedDateTime"]).timestamp()


def test_each_connection_of_a_server_has_its_own_entry() -> None:
    found = sockets(entries("evening.ndjson"))
    assert sorted(one["comment"].split(",")[0] for one in found) == ["as alice", "as bob"]


def test_a_call_has_its_body_and_its_answer() -> None:
    login = next(one for one in entries() if one["request"]["url"].endswith("/auth/login"))
    assert login["request"]["method"] == "POST"
    assert json.loads(login["request"]["postData"]["text"]) == {"email": "***", "password": "***"}
    assert login["request"]["bodySize"] == len(login["request"]["postData"]["text"])
    assert json.loads(login["response"]["content"]["text"])["access_token"] == "***"
    assert (login["response"]["status"], login["response"]["statusText"]) == (200, "OK")


def test_secrets_are_taken_out_also_of_records_that_hold_them() -> None:
    record = Record(1, AT, "in", "x", text="x", frame={"password": "hunter2", "note": "a@tribe.test"})
    text = json.dumps(to_har([record]))
    assert "hunter2" not in text
    assert "a@tribe.test" not in text


def test_notes_are_no_traffic_and_nothing_is_a_har_too() -> None:
    assert to_har([Record(1, AT, "note", "note", text="x")])["log"]["entries"] == []
    assert to_har([])["log"]["entries"] == []


def test_what_is_no_json_stays_the_text_it_was() -> None:
    [socket] = to_har([Record(1, AT, "out", "raw", text="{broken \ud83d")])["log"]["entries"]
    assert socket["_webSocketMessages"][0]["data"] == "{broken \ud83d"
