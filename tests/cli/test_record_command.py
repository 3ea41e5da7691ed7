"""``record``, and ``serve --record``: everything that is seen, in a file."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import DEADLINE, Cli, spawn
from tests.cli.test_streams import read_until
from tribe_ws.capture.reader import read_capture
from tribe_ws.clock import new_id
from tribe_ws.server.local import LocalServer


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen[str]]]:
    processes: list[subprocess.Popen[str]] = []
    yield processes
    for process in processes:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=DEADLINE)


def test_a_session_goes_into_a_file_with_a_har_and_a_report(
    cli: Cli, server: LocalServer, started: list[subprocess.Popen[str]]
) -> None:
    text = new_id()
    recording = spawn(
        "record", "c.ndjson", "general", "--as", "bob", "--until", f"data.content={text}", "--for", "50s",
        "--har", "c.har", "--markdown", "c.md",
    )  # fmt: skip
    started.append(recording)
    read_until(recording.stderr, "recording #general as bob, ends by itself")
    cli("send", "general", text, "--as", "alice")
    out, _ = recording.communicate(timeout=DEADLINE)
    assert recording.returncode == 0
    capture = read_capture(Path("c.ndjson"))
    assert out == f"{len(capture.records)} records in c.ndjson\n"
    directions = {record.direction for record in capture.records}
    assert directions >= {"in", "out", "rest"}
    assert [r.event for r in capture.records if r.direction == "out"] == ["subscribe"]
    times = [record.at for record in capture.records if record.direction == "in"]
    assert times == sorted(times)
    assert {r.connection for r in capture.records if r.direction == "in"} != {""}
    for name in ("c.ndjson", "c.har", "c.md"):
        assert Path(name).stat().st_mode & 0o077 == 0
        assert not re.search(r"eyJ|@tribe\.test|Tribe-demo", Path(name).read_text())
    har = json.loads(Path("c.har").read_text())
    assert any("_webSocketMessages" in entry for entry in har["log"]["entries"])
    assert har["log"]["entries"][0]["request"]["url"].startswith(server.url)
    assert text in Path("c.md").read_text()


@pytest.mark.usefixtures("server")
def test_without_a_conversation_it_records_all_and_says_so_as_json(cli: Cli) -> None:
    done = cli("record", "c.ndjson", "--as", "alice", "--for", "300ms", "--json")
    assert done.exit_code == 0, done.stderr
    told = json.loads(done.stdout)
    capture = read_capture(Path("c.ndjson"))
    assert told == {"v": 1, "file": "c.ndjson", "records": len(capture.records), "violations": 0}
    asked = [record.conversation for record in capture.records if record.event == "subscribe"]
    assert set(asked) >= {"general", "design", "bob"}


@pytest.mark.usefixtures("server")
def test_what_does_not_come_is_exit_7_and_the_capture_is_there(cli: Cli) -> None:
    done = cli("record", "c.ndjson", "general", "--as", "bob", "--until", "event:none", "--for", "200ms")
    assert done.exit_code == 7
    assert "records in c.ndjson" in done.stdout
    assert read_capture(Path("c.ndjson")).records


@pytest.mark.usefixtures("server")
def test_a_file_that_cannot_be_written_is_told_before_anything_opens(cli: Cli) -> None:
    done = cli("record", "no/such/folder/c.ndjson", "general", "--as", "bob", "--for", "1s")
    assert done.exit_code == 3
    assert "no/such/folder/c.ndjson: No such file or directory" in done.stderr


@pytest.mark.usefixtures("server")
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_told_and_the_session_goes_on(cli: Cli) -> None:
    done = cli("watch", "general", "--as", "bob", "--record", "/dev/full", "--for", "200ms")
    assert done.exit_code == 0
    assert done.stdout.count("No space left on device") == 1


@pytest.mark.usefixtures("server")
def test_numbers_of_the_stream_s_options_are_checked(cli: Cli) -> None:
    for arguments, why in (
        (("--count", "0"), "--count is a whole number of at least 1, got '0'"),
        (("--count", "many"), "--count is a whole number of at least 1, got 'many'"),
        (("--max-retries", "-1"), "--max-retries is a whole number of at least 0, got '-1'"),
    ):
        done = cli("watch", "general", "--as", "bob", *arguments)
        assert done.exit_code == 2
        assert why in done.stderr


@pytest.mark.usefixtures("server")
def test_a_runaway_expression_ends_before_it_begins(cli: Cli) -> None:
    done = cli("watch", "general", "--as", "bob", "--filter", "/(a+)+$/", "--for", "1s")
    assert done.exit_code == 2
    assert "takes too long" in done.stderr


def test_serve_writes_down_every_connection_and_who_got_what(
    cli: Cli, started: list[subprocess.Popen[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    ready = Path("ready.json")
    serving = spawn(
        "serve", "--port", "0", "--db", ":memory:", "--record", "s.ndjson", "--ready-file", str(ready)
    )
    started.append(serving)
    read_until(serving.stdout, "ready in")
    monkeypatch.setenv("TRIBE_WS_URL", json.loads(ready.read_text())["url"])
    watching = spawn("watch", "general", "--as", "bob", "--count", "1", "--for", "50s", env=dict(os.environ))
    started.append(watching)
    read_until(watching.stdout, "Waiting for events")
    assert cli("send", "general", "Hello", "--as", "alice").exit_code == 0
    assert watching.wait(DEADLINE) == 0
    serving.send_signal(signal.SIGTERM)
    assert serving.wait(DEADLINE) == 0
    capture = read_capture(Path("s.ndjson"))
    got = [r for r in capture.records if r.event == "message.new"]
    assert [(r.as_user, r.direction, r.sender, r.conversation) for r in got] == [
        ("bob", "in", "alice", "general")
    ]
    assert got[0].frame["data"]["seq"] > 0
    calls = [(r.as_user, r.event, r.status) for r in capture.records if r.direction == "rest"]
    assert {("bob", "POST login", 200), ("bob", "GET conversations", 200)} <= set(calls)
    [posted] = [r for r in capture.records if r.event == "POST message"]
    assert (posted.as_user, posted.request, posted.status) == ("alice", {"content": "Hello"}, 201)
    assert posted.frame["id"] == got[0].frame["data"]["id"]
    assert [r.event for r in capture.records if r.violations] == []
    assert "closed" in {r.event for r in capture.records}


def test_serve_cannot_write_where_there_is_no_folder(cli: Cli) -> None:
    done = cli("serve", "--port", "0", "--db", ":memory:", "--record", "no/folder/s.ndjson")
    assert done.exit_code == 3
    assert "no/folder/s.ndjson" in done.stderr
