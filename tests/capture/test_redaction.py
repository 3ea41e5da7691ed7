"""What must not leave the machine is taken out of a record, wherever it stands; the rest stays."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from tribe_ws.capture.record import Record
from tribe_ws.capture.redaction import redact_record
from tribe_ws.capture.violation import Violation
from tribe_ws.protocol.redaction import SECRET_KEYS, redact_json, redact_text

AT = datetime(2026, 11, 23, 1, 22, tzinfo=UTC)
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln"
SECRETS = ("Tribe-demo-1", JWT, "alice@tribe.test", "alice%40tribe.test", "hunter2")


def leaks(value: Any) -> list[str]:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return [secret for secret in SECRETS if secret in text]


@pytest.mark.parametrize(
    "text",
    [
        f"ws://h/api/v1/ws?token={JWT}",
        f"Authorization: Bearer {JWT}",
        f"see {JWT} here",
        "mail alice@tribe.test, please",
        "https://h/search?q=alice%40tribe.test",
        "https://h/x?email=hunter2&password=hunter2",
        '{"email":"alice@tribe.test","password":"hunter2"',
        r"{\"password\":\"hunter2\"}",
        "{'confirm_password': 'hunter2'}",
    ],
)
def test_texts(text: str) -> None:
    assert leaks(redact_text(text)) == []
    assert "***" in redact_text(text)


@pytest.mark.parametrize(
    "value",
    [
        {"access_token": JWT, "refresh_token": "hunter2"},
        {"body": {"password": "hunter2", "confirm_password": "hunter2"}},
        [{"user": {"email": "alice@tribe.test"}}],
        {"Authorization": f"Bearer {JWT}", "Cookie": "hunter2"},
        {"EMAIL": "hunter2", "Password": ["hunter2"]},
        {"nested": [[{"note": "write to alice@tribe.test"}]]},
        {"text": json.dumps({"password": "hunter2"})},
        {"alice@tribe.test": 1},
    ],
)
def test_values_at_any_depth(value: Any) -> None:
    assert leaks(redact_json(value)) == []


@pytest.mark.parametrize(
    "value",
    [
        "Hello", "#general", "@bob", "a@b", "5 > 3", "password", "the token is gone", 7, None, True, 1.5,
        {"content": "what is your email?"}, {"password": ""}, {"token": None}, ["a", {"b": []}],
        {"email_verified": True},
    ],
)  # fmt: skip
def test_what_is_no_secret_stays(value: Any) -> None:
    assert redact_json(value) == value


def test_a_record_is_cleaned_in_all_its_parts() -> None:
    record = Record(
        1, AT, "rest", "POST login",
        text=f"token={JWT}",
        frame={"access_token": JWT, "user": {"email": "alice@tribe.test", "username": "alice"}},
        path="/api/v1/search/users?q=alice%40tribe.test",
        request={"email": "alice@tribe.test", "password": "Tribe-demo-1"},
        violations=(Violation("me.shape", "email", "got alice@tribe.test", "alice@tribe.test"),),
        method="POST", status=200,
    )  # fmt: skip
    cleaned = redact_record(record)
    assert leaks(repr(cleaned)) == []
    assert cleaned.frame["user"]["username"] == "alice"
    assert (cleaned.event, cleaned.method, cleaned.status) == ("POST login", "POST", 200)
    assert redact_record(cleaned) is cleaned


def test_text_and_frame_agree_after_it_as_before() -> None:
    frame = {"event": "x", "data": {"content": "ask alice@tribe.test", "email": "hunter2"}}
    text = json.dumps(frame, separators=(",", ":"))
    cleaned = redact_record(Record(1, AT, "in", "x", text=text, frame=frame))
    assert json.loads(cleaned.text) == cleaned.frame


@pytest.mark.parametrize("key", sorted(SECRET_KEYS))
def test_every_secret_key_is_seen_in_a_frame_however_it_is_written(key: str) -> None:
    for name in (key, key.upper(), key.title()):
        for text in (
            json.dumps({"event": "x", name: "hunter2"}, separators=(",", ":")),
            '{"event":"x","' + "".join(f"\\u{ord(mark):04x}" for mark in name) + '":"hunter2"}',
        ):
            record = Record(1, AT, "in", "x", text=text, frame=json.loads(text))
            assert leaks(redact_record(record).as_json()) == []


def test_names_from_the_wire_are_cleaned_too() -> None:
    record = Record(
        1,
        AT,
        "in",
        JWT,
        text='{"event":"x"}',
        frame={"event": "x"},
        conversation="alice@tribe.test",
        sender="bob",
    )
    assert leaks(redact_record(record).as_json()) == []


def test_hostile_texts_and_nesting_cost_little() -> None:
    started = time.process_time()
    for text in ("a" * 60_000, "a." * 30_000, "@" * 60_000, '"password":"' * 5_000, "a@" + "b." * 30_000):
        redact_text(text)
    assert time.process_time() - started < 2.0
    deep: Any = "alice@tribe.test"
    for _ in range(5_000):
        deep = [deep]
    shown = redact_json(deep)
    while isinstance(shown, list):
        [shown] = shown
    assert shown == "***"
