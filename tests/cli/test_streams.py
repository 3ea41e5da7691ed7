"""``watch`` and ``connect`` as processes: transcripts as run, bounds, modes, signals, pipes."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from tests.cli.conftest import DEADLINE, Cli, run, spawn
from tribe_ws.clock import new_id
from tribe_ws.demo_accounts import fixture_id
from tribe_ws.server.local import LocalServer

pytestmark = pytest.mark.usefixtures("server")

GENERAL = fixture_id("conversation:general")


RULE = (
    "Text goes to the conversation by REST, {…} goes out as a raw frame, /help lists commands. Ctrl+D leaves."
)


def read_until(stream: IO[str] | None, text: str) -> str:
    """Read lines until one holds a text; the test's own timeout is the deadline."""
    assert stream is not None
    seen = ""
    for line in stream:
        seen += line
        if text in line:
            return seen
    raise AssertionError(f"{text!r} did not come; got {seen!r}")


def masked(text: str) -> str:
    """Mask what differs from run to run: times, latencies, ports."""
    text = re.sub(r"\d\d:\d\d:\d\d\.\d{3}", "HH:MM:SS.mmm", text)
    text = re.sub(r" +[\d.]+ m?s$", "  LAT", text, flags=re.MULTILINE)
    text = re.sub(r"(open|in|min|avg|max|/)( in)? [\d.]+( m?s)?(?=[,. \n/]|$)", r"\1\2 N", text)
    return re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT", text)


@pytest.fixture
def watching() -> Iterator[list[subprocess.Popen[str]]]:
    """Keep track of processes, so that none outlives its test."""
    started: list[subprocess.Popen[str]] = []
    yield started
    for process in started:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=DEADLINE)


def test_transcript_of_watch(cli: Cli, watching: list[subprocess.Popen[str]]) -> None:
    watch = spawn("watch", "general", "--as", "bob", "--count", "1", "--for", "50s")
    watching.append(watch)
    head = read_until(watch.stdout, "Waiting for events")
    assert masked(head) == (
        "bob on ws://127.0.0.1:PORT … open in N, subscribed #general in N."
        " Waiting for events, ends by itself.\n"
    )
    cli("send", "general", "Hello", "--as", "alice")
    out, err = watch.communicate(timeout=DEADLINE)
    assert masked(out.splitlines()[0]) == "HH:MM:SS.mmm ←   message.new  #general  alice: Hello  LAT"
    assert out.splitlines()[1].startswith("Closed 1000. ")
    assert (watch.returncode, err) == (0, "")


def test_transcript_of_connect_until(cli: Cli, watching: list[subprocess.Popen[str]]) -> None:
    arguments = ("--count", "1", "--until", "event:message.new", "--for", "50s", "--json")
    connect = spawn("connect", "--as", "bob", "-s", "general", *arguments)
    watching.append(connect)
    read_until(connect.stderr, "open in")
    text = new_id()
    # Sent until it is seen: the subscription is confirmed a moment after the connection opens.
    while connect.poll() is None:
        cli("send", "general", text, "--as", "alice")
    assert connect.stdout is not None
    *others, record = map(json.loads, connect.stdout.read().splitlines())
    assert connect.returncode == 0
    # Those who were on this server before go offline some seconds after that, and it is told unasked.
    assert {other["event"] for other in others} <= {"presence"}
    assert record["frame"]["data"]["content"] == text
    shown = {key: record[key] for key in list(record)[:9] if key != "t"}
    assert shown == {
        "v": 1,
        "as": "bob",
        "dir": "in",
        "seq": 3 + len(others),
        "event": "message.new",
        "conv": "general",
        "latency_ms": None,
        "violations": [],
    }


def test_transcript_of_a_ping_in_a_pipe() -> None:
    done = run("connect", "--as", "bob", "--output", "raw", input='{"event":"ping"}\n')
    assert done.stdout == (
        '{"event":"connected","message":"WebSocket connection established"}\n{"event":"pong"}\n'
    )
    assert done.returncode == 0


def test_transcript_of_waiting_in_vain() -> None:
    done = run("connect", "--as", "bob", "-s", "general", "--until", "event:x", "--for", "1s")
    assert done.returncode == 7
    assert done.stdout == ""
    assert "error: no event matched 'event:x' in 1 s (saw: connected 1, subscribed 1)\n" in done.stderr


def test_transcript_of_sending_from_a_script() -> None:
    order = '{"cmd":"send","conv":"general","text":"hi"}\n'
    done = run("connect", "--as", "alice", "--json", "--linger", "0", input=order)
    assert [json.loads(line)["event"] for line in done.stdout.splitlines()] == ["POST message"]
    posted = json.loads(done.stdout)
    assert (posted["dir"], posted["status"], posted["conv"]) == ("rest", 201, "general")
    assert posted["frame"]["content"] == "hi"


def test_transcript_of_lines_for_people() -> None:
    lines = "/subscribe general\nMorning!\n/ping 3\n"
    done = run("connect", "--as", "alice", "--output", "pretty", input=lines)
    shown = [line for line in masked(done.stdout).splitlines() if "is typing" not in line]
    assert shown[:4] == [
        "Connecting to ws://127.0.0.1:PORT/api/v1/ws?token=*** as alice … open in  LAT",
        RULE,
        "HH:MM:SS.mmm ←   connected              WebSocket connection established",
        "HH:MM:SS.mmm →   subscribe    #general",
    ]
    # Lines of a pipe go out one after the other; nobody waits for the answers in between.
    assert "HH:MM:SS.mmm ←   subscribed   #general  LAT" in shown
    assert re.search(r'⇡   POST message #general  "Morning!" +201  LAT', masked(done.stdout))
    assert "See it arrive: tribe-ws connect --as bob" in done.stdout
    assert re.search(r"  3 pings, 3 pongs, min [\d.]+ / avg [\d.]+ / max [\d.]+ ms", done.stdout)
    assert re.search(r"Closed 1000\. .*, 5 events in, 5 out\.", done.stdout)
    assert (done.returncode, done.stderr) == (0, "")


def test_plain_is_ascii_and_append_only() -> None:
    done = run("connect", "--as", "alice", "--plain", input="/sub general\n{broken\n/nonsense\n")
    assert done.returncode == 2
    assert re.search(r"^[\d:.]+ > +subscribe    #general$", done.stdout, re.MULTILINE)
    assert re.search(r"^[\d:.]+ > ! raw +\{broken$", done.stdout, re.MULTILINE)
    assert "\x1b" not in done.stdout
    assert done.stderr == "error: No /nonsense. /help lists what there is.\n"


def test_a_stream_ends_quietly_when_nobody_reads() -> None:
    command = (
        'for i in 1 2 3 4 5 6 7 8 9; do echo \'{"event":"ping"}\'; done'
        f" | {sys.executable} -m tribe_ws_cli connect --as bob --json | head -1; echo ${{PIPESTATUS[1]}}"
    )
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, timeout=DEADLINE, check=True
    )
    first, code = done.stdout.splitlines()
    assert json.loads(first)["event"] in {"ping", "pong"}
    assert code == "0"
    assert "error" not in done.stderr


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 143)]
)
def test_signals_close_the_socket_and_decide_the_exit_code(
    server: LocalServer, watching: list[subprocess.Popen[str]], number: signal.Signals, code: int
) -> None:
    # Whoever runs the tests may have asked them to outlive a terminal.
    watch = spawn(
        "watch", "general", "--as", "dan", preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL)
    )
    watching.append(watch)
    read_until(watch.stdout, "Waiting for events, Ctrl+C stops.")
    watch.send_signal(number)
    out, err = watch.communicate(timeout=DEADLINE)
    assert watch.returncode == code
    assert out.startswith("Closed 1000. ")
    assert err == ""


def test_a_command_that_was_told_to_outlive_its_terminal_does(
    server: LocalServer, watching: list[subprocess.Popen[str]]
) -> None:
    def like_nohup() -> None:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    watch = spawn("watch", "general", "--as", "dan", preexec_fn=like_nohup)
    watching.append(watch)
    read_until(watch.stdout, "Waiting for events, Ctrl+C stops.")
    watch.send_signal(signal.SIGHUP)
    watch.send_signal(signal.SIGINT)
    assert watch.wait(DEADLINE) == 130, "the first of two signals decides"


def test_signals_end_an_input_that_waits(watching: list[subprocess.Popen[str]]) -> None:
    connect = spawn("connect", "--as", "dan", stdin=subprocess.PIPE)
    watching.append(connect)
    read_until(connect.stderr, "open in")
    connect.send_signal(signal.SIGINT)
    assert connect.wait(DEADLINE) == 130


def test_a_filter_hides_what_does_not_match(cli: Cli) -> None:
    done = run("connect", "--as", "bob", "--json", "--filter", "event:pong", input='{"event":"ping"}\n')
    assert [json.loads(line)["event"] for line in done.stdout.splitlines()] == ["pong"]


def test_for_alone_ends_with_0(cli: Cli) -> None:
    done = run("watch", "general", "--as", "bob", "--for", "200ms")
    assert done.returncode == 0


def test_watch_prints_the_past_first(cli: Cli) -> None:
    cli("send", "general", "from the past", "--as", "alice")
    done = run("watch", "general", "--as", "bob", "-n", "1", "--for", "100ms")
    assert "alice: from the past" in done.stdout.splitlines()[0]
    done = run("watch", "general", "--as", "bob", "-n", "1", "--for", "100ms", "--json")
    assert json.loads(done.stdout.splitlines()[0])["past"] is True


def test_watch_all_subscribes_to_everything() -> None:
    done = run("watch", "--all", "--as", "alice", "--for", "100ms")
    assert "#general" in done.stdout
    assert "#design" in done.stdout
    assert "@bob" in done.stdout


def test_a_recording_holds_everything_and_is_private(tmp_path: Path) -> None:
    file = tmp_path / "capture.ndjson"
    run("connect", "--as", "bob", "-s", "general", "--record", str(file), input='{"event":"ping"}\n')
    events = [json.loads(line)["event"] for line in file.read_text().splitlines()]
    assert [event for event in events if event not in {"POST login", "GET conversations"}] == [
        "connected", "GET messages", "subscribe", "subscribed", "ping", "pong",
    ]  # fmt: skip
    assert file.stat().st_mode & 0o077 == 0


def test_send_lines_come_before_stdin() -> None:
    done = run("connect", "--as", "bob", "--json", "--send", '{"event":"ping"}', "--send", "/ping")
    assert [json.loads(line)["event"] for line in done.stdout.splitlines()].count("pong") == 2


def test_a_token_is_read_from_a_file_or_stdin_and_refused_as_an_argument(
    cli: Cli, server: LocalServer, tmp_path: Path
) -> None:
    token = cli("token", "mint", "--user", "bob", env={"TRIBE_WS_SECRET": server.settings.secret}).stdout
    (tmp_path / "token").write_text(token)
    assert run("connect", "--token", str(tmp_path / "token")).returncode == 0
    done = run("connect", "--token", "-", input=token)
    assert done.returncode == 0
    assert "as bob" in done.stderr
    refused = run("connect", "--token", token.strip())
    assert refused.returncode == 2
    assert "can be seen by everybody" in refused.stderr
    assert "eyJ" not in refused.stderr


@pytest.mark.parametrize(
    "broken", ["expired", "not-yet", "signature", "alg-none", "refresh", "unknown-user", "no-sub"]
)
def test_every_broken_token_is_exit_4(cli: Cli, server: LocalServer, broken: str) -> None:
    env = {"TRIBE_WS_SECRET": server.settings.secret}
    token = cli("token", "mint", "--broken", broken, env=env).stdout.strip()
    result = cli("connect", "--json", env={"TRIBE_WS_TOKEN": token})
    assert result.exit_code == 4
    assert token not in result.output


def test_a_server_that_stops_is_exit_6_for_a_script(watching: list[subprocess.Popen[str]]) -> None:
    with LocalServer() as other:
        from tests.cli.conftest import record_of
        from tribe_ws import running

        running.announce(record_of(other))
        watch = spawn(
            "watch", "general", "--as", "bob", "--for", "50s", env=os.environ | {"TRIBE_WS_URL": other.url}
        )
        watching.append(watch)
        read_until(watch.stdout, "Waiting")
    out, err = watch.communicate(timeout=DEADLINE)
    assert watch.returncode == 6
    assert '1012 "restart"' in out
    assert 'error: the connection ended with close code 1012 "restart"' in err


def test_the_wire_log_holds_no_token() -> None:
    done = run("connect", "--as", "bob", "-v", input='{"event":"ping"}\n')
    assert done.returncode == 0
    assert "pong" in done.stderr
    assert "eyJ" not in done.stderr
    assert "eyJ" not in done.stdout


def test_silence_is_explained(watching: list[subprocess.Popen[str]]) -> None:
    watch = spawn("watch", "general", "--as", "bob")
    watching.append(watch)
    seen = read_until(watch.stdout, "note")
    assert "Your own messages are not echoed to you" in seen
    assert 'tribe-ws send general "Hello" --as alice' in seen


def test_silence_without_a_subscription_is_explained(watching: list[subprocess.Popen[str]]) -> None:
    connect = spawn("connect", "--as", "bob", "--plain", stdin=subprocess.PIPE)
    watching.append(connect)
    seen = read_until(connect.stdout, "note")
    assert "Subscribed to nothing yet, so nothing will arrive. Try /subscribe general" in seen
