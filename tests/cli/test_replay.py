"""``replay``: what is printed, what is sent, what is answered, and which exit code says so."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import DEADLINE, Cli, record_of, run, spawn
from tribe_ws import running
from tribe_ws.capture.reader import read_capture
from tribe_ws.server.local import LocalServer

EVENING = Path(__file__).parents[1] / "capture" / "replay" / "evening.ndjson"


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    """Give a copy of a capture that was made by ``connect --record`` of alice and bob."""
    path = tmp_path / "evening.ndjson"
    path.write_bytes(EVENING.read_bytes())
    return path


@pytest.fixture
def fresh(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalServer]:
    """Run a demo server of its own, which tribe-ws knows."""
    with LocalServer() as server:
        running.announce(record_of(server))
        monkeypatch.setenv("TRIBE_WS_URL", server.url)
        yield server


def without_times(text: str) -> list[str]:
    return [re.sub(r"^\d\d:\d\d:\d\d\.\d{3} ", "", line) for line in text.splitlines()]


# ── to a screen ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_capture_is_printed_as_watch_prints_it(cli: Cli, capture: Path) -> None:
    result = cli(
        "replay", str(capture), "--speed", "0", "--filter", "event:message.new", "--output", "pretty"
    )
    assert result.exit_code == 0
    assert [line.split()[:2] for line in without_times(result.output)][:3] == [["←", "message.new"]] * 3
    assert "alice: Hello Bob" in result.output
    assert "End of evening.ndjson. 39 records in 14 s, 36 hidden by the filter.\n" in result.output


def test_lines_of_several_users_say_whose_they_are(cli: Cli, capture: Path) -> None:
    result = cli("replay", str(capture), "--speed", "0")
    assert re.search(r"typing +bob #general Alice Ames is typing", result.output)
    assert re.search(r"pong +alice +0.8 ms", result.output)


def test_as_json_it_is_the_capture_itself(cli: Cli, capture: Path) -> None:
    result = cli("replay", str(capture), "--speed", "0", "--json")
    assert [json.loads(line) for line in result.stdout.splitlines()] == [
        record.as_json() for record in read_capture(EVENING).records
    ]


def test_pauses_can_be_cut(cli: Cli, capture: Path) -> None:
    assert cli("replay", str(capture), "--max-pause", "1ms", "--json").exit_code == 0


def test_a_capture_that_was_cut_off_is_played_up_to_there(cli: Cli, capture: Path) -> None:
    capture.write_bytes(capture.read_bytes()[:-20])
    result = cli("replay", str(capture), "--speed", "0", "--json")
    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) == 38
    assert f"{capture}: the last line is cut off; played up to there" in result.stderr


@pytest.mark.parametrize(
    ("content", "expected", "code"),
    [
        (None, "No such file", 3),
        ("", "holds no record", 3),
        ("hello\nyou\n", "line 1: not JSON", 3),
        ('{"v":99}\n', "line 1: expected a record of version 1", 3),
    ],
)
def test_what_is_no_capture_is_refused(
    cli: Cli, tmp_path: Path, content: str | None, expected: str, code: int
) -> None:
    file = tmp_path / "x.ndjson"
    if content is not None:
        file.write_text(content)
    result = cli("replay", str(file))
    assert (result.exit_code, expected in result.stderr) == (code, True), result.stderr


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--speed", "-1"), "--speed is 0 (at once) or more"),
        (("--speed", "nan"), "--speed is 0 (at once) or more"),
        (("--max-pause", "soon"), "--max-pause: not a duration"),
        (("--as", "alice"), 'as client or as server, not as "alice"'),
        (("--as", "server", "--to", "http://x"), "--to is where a client plays to"),
        (("--as", "client", "--step"), "--step goes with a replay to a screen, this is one --as client"),
        (("--map", "a=b"), "--map goes with a replay --as client, this is one to a screen"),
        (("--as", "client", "--map", "alice"), '--map takes OLD=NEW, got "alice"'),
        (("--keep-times",), "--keep-times goes with a replay --as server"),
        (("--step",), "--step waits for Enter, which needs a terminal"),
        (("--filter", "even:x"), 'unknown field "even"'),
    ],
)
def test_what_makes_no_sense_is_refused(
    cli: Cli, capture: Path, arguments: tuple[str, ...], expected: str
) -> None:
    result = cli("replay", str(capture), *arguments)
    assert (result.exit_code, expected in result.stderr) == (2, True), result.stderr


def test_steps_wait_for_enter_on_a_terminal(capture: Path) -> None:
    screen, inside = pty.openpty()
    command = [sys.executable, "-m", "tribe_ws_cli", "replay", str(capture), "--step"]
    stepping = subprocess.Popen(
        [*command, "--filter", "event:message.new"], stdin=inside, stdout=subprocess.PIPE, text=True
    )
    os.close(inside)
    assert stepping.stdout is not None
    assert "Hello Bob" in stepping.stdout.readline()
    os.write(screen, b"\n")
    assert "Hi Alice" in stepping.stdout.readline()
    os.write(screen, b"q\n")
    rest, _ = stepping.communicate(timeout=DEADLINE)
    os.close(screen)
    assert rest.startswith("End of evening.ndjson")
    assert stepping.returncode == 0


# ── to a server ─────────────────────────────────────────────────────────────────────────────────────────────


def test_what_several_users_recorded_replays_on_a_fresh_server_without_a_difference(
    cli: Cli, tmp_path: Path, server: LocalServer
) -> None:
    """Two sessions write one capture, at one server; another server then answers the same."""
    file = tmp_path / "flow.ndjson"
    options = ("-s", "general", "--json", "--linger", "1s", "--record", str(file))
    bob = spawn("connect", "--as", "bob", *options, stdin=subprocess.PIPE)
    assert bob.stdout is not None
    assert bob.stdin is not None
    _until_subscribed(file, "bob")
    said = run(
        "connect", "--as", "alice", *options,
        input="/typing\nHello Bob\n/ping\n/presence away\n/unsubscribe general\nbye\n",
    )  # fmt: skip
    assert said.returncode == 0, said.stderr
    bob.communicate(timeout=DEADLINE)
    events = {record.event for record in read_capture(file).records}
    assert {"typing", "message.new", "pong", "presence", "unsubscribe", "POST message"} <= events
    with LocalServer() as other:
        running.announce(record_of(other))
        result = cli("replay", str(file), "--to", other.url, "--patience", "15s", "--json")
    assert result.exit_code == 0, result.output
    verdict = json.loads(result.stdout.splitlines()[-1])
    assert (verdict["differences"], verdict["users"]) == (0, ["bob", "alice"])
    assert verdict["frames"] > 8


def _until_subscribed(file: Path, user: str) -> None:
    """Wait until a session has written down that it is subscribed; the test's own timeout is the deadline."""
    import time

    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        if file.exists() and any(
            record.event == "subscribed" and record.as_user == user for record in read_capture(file).records
        ):
            return
        time.sleep(0.05)
    raise AssertionError(f"{user} did not subscribe")


def test_differences_are_told_with_their_lines_and_exit_9(
    cli: Cli, capture: Path, fresh: LocalServer
) -> None:
    lines = capture.read_text().splitlines()
    short = [line.replace('"user_name":"Alice Ames"', '"user_name":"Al"') for line in lines[:18]]
    capture.write_text("\n".join(short) + "\n")
    result = cli("replay", str(capture), "--as", "client", "--speed", "4", "--patience", "300ms")
    assert result.exit_code == 9
    out = result.stdout.splitlines()
    assert out[:2] == [
        "line 15: bob: typing on of Al differs", '    data.user_name: recorded "Al", got "Alice Ames"',
    ]  # fmt: skip
    assert out[-2] == "left out: 2 records, logins and the like"
    assert out[-1].startswith("2 differences: 3 frames and 5 calls sent, 8 frames compared in ")
    assert f"18 records in 4.2 s, to {fresh.url} as bob, alice" in result.stderr


def test_differences_as_json(cli: Cli, capture: Path, fresh: LocalServer) -> None:
    lines = [line.replace("connection established", "here") for line in capture.read_text().splitlines()[:3]]
    capture.write_text("\n".join(lines) + "\n")
    result = cli("replay", str(capture), "--as", "client", "--url", fresh.url, "--json")
    difference, verdict = map(json.loads, result.stdout.splitlines())
    assert (result.exit_code, difference["difference"], difference["line"]) == (9, "changed", 3)
    assert (verdict["differences"], verdict["gave_up"]) == (1, False)


def test_a_user_nobody_is_logged_in_as_is_named(cli: Cli, capture: Path, fresh: LocalServer) -> None:
    result = cli("replay", str(capture), "--as", "client", "--map", "alice=zoe")
    assert result.exit_code == 4
    assert "tribe-ws login zoe" in result.stderr


def test_no_server_is_said(cli: Cli, capture: Path) -> None:
    assert cli("replay", str(capture), "--to", "http://127.0.0.1:1").exit_code == 5


# ── to a client ─────────────────────────────────────────────────────────────────────────────────────────────


def test_watch_lives_a_recorded_evening(capture: Path) -> None:
    replaying = spawn("replay", str(capture), "--as", "server", "--port", "0", "--speed", "4", "--json")
    try:
        assert replaying.stdout is not None
        url = json.loads(replaying.stdout.readline())["url"]
        login = run("login", "bob", "--url", url, "--password-stdin", input="any\n")
        assert login.returncode == 0, login.stderr
        watched = run(
            "watch", "general", "--as", "bob", "--url", url, "--count", "4", "--for", "30s", "--json"
        )
        assert watched.returncode == 0, watched.stderr
        events = [json.loads(line)["event"] for line in watched.stdout.splitlines()]
        assert events[-1] in {"message.new", "presence"}
        assert "typing" in events
    finally:
        replaying.send_signal(signal.SIGINT)
        replaying.communicate(timeout=DEADLINE)
    assert replaying.returncode == 130


def test_the_server_of_an_evening_says_where_it_is_and_who_may_come(capture: Path) -> None:
    replaying = spawn("replay", str(capture), "--as", "server", "--port", "0")
    try:
        assert replaying.stdout is not None
        said = [replaying.stdout.readline() for _ in range(4)]
    finally:
        replaying.terminate()
        replaying.communicate(timeout=DEADLINE)
    assert replaying.returncode == 143
    assert said[0].startswith("playing evening.ndjson (39 records in 14 s) at http://127.0.0.1:")
    assert said[1].split("conversations")[0].split() == [
        "users",
        "bob",
        "alice",
        "cara",
        "dan",
        "(any",
        "password)",
    ]
    assert "tribe-ws login bob --url http://127.0.0.1:" in said[2]
