"""What is kept of a probe's run: in order, bounded, without secrets."""

from __future__ import annotations

from tribe_ws.check.evidence import Evidence

TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"


def test_entries_tell_what_was_sent_and_got_in_order() -> None:
    evidence = Evidence()
    evidence.note("ana", "sent", '{"event": "ping"}')
    evidence.note("ana", "got", '{"event":"pong"}')
    first, second = evidence.entries()
    assert first.at <= second.at
    assert str(first).endswith('ana          → {"event": "ping"}')
    assert str(second).endswith('ana          ← {"event":"pong"}')
    assert second.as_json() == {
        "at": round(second.at, 3),
        "who": "ana",
        "direction": "got",
        "text": '{"event":"pong"}',
    }


def test_no_secret_is_kept() -> None:
    evidence = Evidence()
    evidence.note("ana", "sent", f"GET ws://x/api/v1/ws?token={TOKEN}")
    evidence.note("ana", "got", f'{{"access_token":"{TOKEN}","email":"ana@example.com","password":"hush"}}')
    kept = "\n".join(map(str, evidence.entries()))
    assert "eyJ" not in kept
    assert "hush" not in kept
    assert "@example.com" not in kept


def test_what_is_too_long_is_cut_and_says_so() -> None:
    evidence = Evidence()
    evidence.note("ana", "sent", "x" * 5000)
    assert len(evidence.entries()[0].text) < 700
    assert evidence.entries()[0].text.endswith("… (5000 characters)")


def test_bytes_are_shown_as_such() -> None:
    evidence = Evidence()
    evidence.note("ana", "got", b"\xff\x00")
    assert evidence.entries()[0].text == "2 bytes: ff 00"


def test_only_the_newest_are_kept_and_the_first_line_says_so() -> None:
    evidence = Evidence()
    for number in range(100):
        evidence.note("ana", "sent", f"{number}")
    entries = evidence.entries()
    assert entries[0].text == "60 earlier entries are left out"
    assert entries[-1].text == "99"
