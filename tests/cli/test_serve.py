"""``serve`` and ``demo`` as a user runs them."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import DEADLINE, Cli, run, spawn
from tests.cli.test_streams import read_until
from tribe_ws import __version__

THROW_AWAY = ("serve", "--port", "0", "--db", ":memory:")


@pytest.fixture
def serving() -> Iterator[list[subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []
    yield started
    for process in started:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=DEADLINE)


def test_the_demo_runs_by_itself_and_ends_with_0() -> None:
    done = run("demo")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    for said in (
        "Start the backend server",
        "Get a JWT token by logging in as bob",
        "Subscribe bob to #general",
        "alice: Hello! Does this arrive?",
        "alice gets nothing: the sender is excluded",
        "Alice Ames is typing",
        "Alice Ames stopped typing",
        "pong",
        "All 10 steps did what the document promises",
    ):
        assert said in done.stdout


def test_the_demo_as_json() -> None:
    done = run("demo", "--json")
    steps = [json.loads(line) for line in done.stdout.splitlines()]
    names = "serve login login connect connect subscribe subscribe message.new typing ping"
    assert [step["step"] for step in steps] == names.split()
    assert all(step["ok"] and step["v"] == 1 for step in steps)


def test_a_step_that_fails_is_named_and_ends_the_demo(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    from tribe_ws.errors import ApiError

    async def refuse(*_: object, **__: object) -> None:
        raise ApiError(500, "oh no")

    monkeypatch.setattr("tribe_ws.client.rest.RestClient.send_message", refuse)
    result = cli("demo", "-q")
    assert result.exit_code == 1
    assert "error: step 8 of the demo (message.new) failed: the server answered 500: oh no" in result.stderr


def test_a_sender_that_hears_itself_fails_the_demo(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    from tribe_ws.client.events import Event
    from tribe_ws.client.stream import EventStream

    original = EventStream.wait_for

    async def echo(self: EventStream, *args: Any, what: str = "") -> Event:
        event = await original(self, *args, what=what)
        if what == "pong" and event.name == "pong":
            return Event("message.new", None, None, {}, "{}", received_at=0, at=event.at)
        return event

    monkeypatch.setattr(EventStream, "wait_for", echo)
    result = cli("demo", "-q")
    assert result.exit_code == 1
    assert "the sender is excluded" in result.stderr


def test_the_banner_says_where_who_and_what_next(serving: list[subprocess.Popen[str]]) -> None:
    server = spawn(*THROW_AWAY)
    serving.append(server)
    banner = read_until(server.stdout, "Ctrl+C stops")
    banner = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT", re.sub(r"[\d.]+ s,", "N s,", banner))
    banner = re.sub(r"\d\d:\d\d:\d\d\.\d{3}", "HH:MM:SS.mmm", banner)
    head, users, *rest = banner.splitlines()
    assert head.split("   ") == [
        f"tribe-ws {__version__}",
        "http://127.0.0.1:PORT",
        "ws://127.0.0.1:PORT/api/v1/ws?token=***",
        "db: :memory:",
        "profile: documented",
    ]
    assert users.startswith("users   alice bob cara dan (password Tribe-demo-1)      conversations   ")
    assert users.endswith("   #general (all)   #design (alice, cara)   alice+bob")
    assert rest == [
        "Next, in a second terminal:   tribe-ws watch general --as bob --url http://127.0.0.1:PORT",
        (
            '                 in a third:  tribe-ws send general "Hello" --as alice --url http://127.0.0.1:PORT'
            "          everything in one window: tribe-ws demo --tui"
        ),
        "HH:MM:SS.mmm ready in N s, Ctrl+C stops",
    ]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_with_0_and_leaves_nothing(
    serving: list[subprocess.Popen[str]], home: Path, number: signal.Signals
) -> None:
    server = spawn(*THROW_AWAY, "--ready-file", "ready.json", "--json")
    serving.append(server)
    said = json.loads(read_until(server.stdout, "url"))
    ready = json.loads(Path("ready.json").read_text())
    assert ready["url"] == said["url"]
    assert ready["ws_url"] == said["url"].replace("http", "ws") + "/api/v1/ws"
    assert ready["pid"] == server.pid
    assert said["users"] == ["alice", "bob", "cara", "dan"]
    done = run("ping", "-c", "1", "--as", "bob", "--url", said["url"])
    assert done.returncode == 0, done.stderr
    server.send_signal(number)
    assert server.wait(DEADLINE) == 0
    assert not Path("ready.json").exists()


def test_a_port_in_use_is_told_with_its_holder() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run("serve", "--port", str(port), "--db", ":memory:")
    assert done.returncode == 3
    assert done.stdout == ""
    assert f"error: port {port} is in use by" in done.stderr
    assert f"(pid {os.getpid()})" in done.stderr
    assert "tribe-ws serve --port 0 picks a free one" in done.stderr


@pytest.mark.parametrize(
    ("args", "what"),
    [
        (("--port", "99999"), "--port"),
        (("--heartbeat-timeout", "5s"), "75 s is the least"),
        (("--reject", "never"), "--reject"),
        (("--access-ttl", "long"), "--access-ttl"),
    ],
)
def test_a_bad_flag_is_exit_2_and_named(cli: Cli, args: tuple[str, ...], what: str) -> None:
    result = cli("serve", "--db", ":memory:", *args)
    assert result.exit_code == 2
    assert what in result.stderr


@pytest.mark.parametrize(
    ("env", "what"),
    [({"TRIBE_WS_PORT": "99999"}, "TRIBE_WS_PORT"), ({"TRIBE_WS_SECRET": "short"}, "at least 32 bytes")],
)
def test_a_bad_variable_is_exit_3_and_named(cli: Cli, env: dict[str, str], what: str) -> None:
    result = cli("serve", "--db", ":memory:", env=env)
    assert result.exit_code == 3
    assert what in result.stderr


def test_an_unknown_world_is_exit_3_and_named(cli: Cli) -> None:
    result = cli(*THROW_AWAY, "--fixtures", "nowhere")
    assert result.exit_code == 3
    assert "nowhere" in result.stderr


def test_a_bad_settings_file_is_exit_3_and_named(cli: Cli) -> None:
    Path("tribe-ws.toml").write_text("[server]\nprot = 1\n")
    result = cli("serve")
    assert result.exit_code == 3
    assert "did you mean port?" in result.stderr


def test_an_empty_world_says_how_to_begin(serving: list[subprocess.Popen[str]]) -> None:
    server = spawn(*THROW_AWAY, "--fixtures", "none", "--no-cors")
    serving.append(server)
    assert "no users yet; in a second terminal:   tribe-ws register alice" in read_until(
        server.stdout, "Ctrl+C"
    )


def test_lan_prints_the_lines_for_the_app(serving: list[subprocess.Popen[str]]) -> None:
    server = spawn(*THROW_AWAY, "--lan")
    serving.append(server)
    lines = [line for line in read_until(server.stdout, "Ctrl+C").splitlines() if "API_BASE_URL" in line]
    assert len(lines) == 3
    assert re.match(r"API_BASE_URL=http://127\.0\.0\.1:\d+ +this machine", lines[0])
    assert re.match(r"API_BASE_URL=http://10\.0\.2\.2:\d+ +Android emulator", lines[1])
    assert "a phone in the same network" in lines[2]


def test_lan_as_json(serving: list[subprocess.Popen[str]]) -> None:
    server = spawn(*THROW_AWAY, "--lan", "--json")
    serving.append(server)
    assert len(json.loads(read_until(server.stdout, "url"))["api_base_urls"]) == 3
