"""``exec``: a command with a server of its own, of which nothing is left."""

from __future__ import annotations

import json
import os
import pty
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

import pytest

from tests.cli.conftest import DEADLINE, run, spawn
from tribe_ws import running
from tribe_ws.demo_accounts import fixture_id

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals and process groups")

TELL = (
    "import json, os, sys; keep = ('TRIBE_WS_', 'API_BASE_URL');"
    "json.dump({k: v for k, v in os.environ.items() if k.startswith(keep)}, open(sys.argv[1], 'w'))"
)


def execute(script: str, *options: str, **more: object):
    return run("exec", *options, "--", "sh", "-c", script, **more)


def eventually(is_so: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        if is_so():
            return True
        time.sleep(0.02)
    return is_so()


def files_of(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("code", [0, 1, 7, 42, 255])
def test_the_exit_code_is_the_commands(code: int) -> None:
    done = execute(f"exit {code}")
    assert done.returncode == code, done.stderr
    assert done.stdout == done.stderr == ""


@posix
def test_a_command_that_a_signal_ended_gives_what_a_shell_gives() -> None:
    assert execute("kill -KILL $$").returncode == 128 + signal.SIGKILL


def test_the_command_finds_address_tokens_and_ids(home: Path) -> None:
    told = home / "told.json"
    outside = os.environ | {"TRIBE_WS_TOKEN": "of another server", "TRIBE_WS_PORT": "1", "TRIBE_WS_AS": "dan"}
    done = run("exec", "--", sys.executable, "-c", TELL, str(told), env=outside)
    assert done.returncode == 0, done.stderr
    variables = json.loads(told.read_text())
    assert variables["TRIBE_WS_URL"] == variables["API_BASE_URL"]
    assert variables["TRIBE_WS_URL"].startswith("http://127.0.0.1:")
    assert variables["TRIBE_WS_USER_BOB"] == fixture_id("user:bob")
    assert variables["TRIBE_WS_CONVERSATION_GENERAL"] == fixture_id("conversation:general")
    assert {f"TRIBE_WS_TOKEN_{name}" for name in ("ALICE", "BOB", "CARA", "DAN")} <= set(variables)
    assert not {"TRIBE_WS_TOKEN", "TRIBE_WS_AS"} & set(variables)


def test_the_tokens_open_the_server_and_the_server_is_gone_after(home: Path) -> None:
    told = home / "told.json"
    script = (
        f"{TELL}; from urllib.request import Request, urlopen; e = os.environ;"
        "me = urlopen(Request(e['API_BASE_URL'] + '/api/v1/users/me', headers="
        "{'Authorization': 'Bearer ' + e['TRIBE_WS_TOKEN_CARA']}));"
        "assert json.load(me)['username'] == 'cara'"
    )
    done = run("exec", "--", sys.executable, "-c", script, str(told))
    assert done.returncode == 0, done.stderr
    variables = json.loads(told.read_text())
    with pytest.raises(URLError):
        urlopen(Request(f"{variables['API_BASE_URL']}/health"), timeout=5)


def test_a_tribe_ws_inside_logs_in_by_itself_and_no_file_is_left(home: Path) -> None:
    before = files_of(home)
    send = f"{sys.executable} -m tribe_ws_cli send general Hello --as alice --wait-delivery bob"
    done = execute(send)
    assert done.returncode == 0, done.stderr
    assert "bob received it" in done.stdout
    assert files_of(home) == before


def test_the_server_takes_the_options_of_serve(home: Path) -> None:
    world = home / "team.yaml"
    world.write_text("users:\n- username: zoe\n  full_name: Zoe Zed\n")
    done = execute('test -n "$TRIBE_WS_TOKEN_ZOE" && test -z "$TRIBE_WS_TOKEN_BOB"', "--fixtures", str(world))
    assert done.returncode == 0, done.stderr


@posix
def test_term_goes_on_to_the_command_which_may_answer_it(home: Path) -> None:
    ready = home / "ready"
    process = spawn(
        "exec", "--", "sh", "-c", f"trap 'exit 5' TERM; touch {ready}; while :; do sleep 0.05; done"
    )
    assert eventually(ready.exists)
    process.terminate()
    assert process.wait(DEADLINE) == 5
    process.communicate()


@posix
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_in_the_middle_ends_the_command_and_leaves_nothing(home: Path, number: int) -> None:
    ready = home / "ready"
    before = files_of(home)
    # A shell lets its background jobs ignore SIGINT, and exec makes sure of them at the end.
    process = spawn(
        "exec", "--", sys.executable, "-c", f"import time; open({str(ready)!r}, 'w'); time.sleep(600)"
    )
    assert eventually(ready.exists)
    process.send_signal(number)
    code = process.wait(DEADLINE)
    process.communicate()
    assert code in {128 + number, 1}
    assert files_of(home) == before | {ready}


@posix
@pytest.mark.parametrize("stubborn", ["", "trap '' TERM; "], ids=["willing", "deaf to TERM"])
def test_a_grandchild_in_the_background_does_not_outlive_the_command(home: Path, stubborn: str) -> None:
    note = home / "pid"
    done = execute(f"({stubborn}while :; do sleep 0.05; done) >/dev/null 2>&1 & echo $! > {note}; exit 3")
    assert done.returncode == 3
    pid = int(note.read_text())
    assert eventually(lambda: not running.is_alive(pid))


@posix
def test_a_signal_before_the_start_keeps_the_command_from_starting() -> None:
    import asyncio

    from tribe_ws_cli.child import Signals, run_child

    async def early() -> int:
        with Signals() as signals:
            arrived = asyncio.Event()
            asyncio.get_running_loop().add_signal_handler(signal.SIGUSR2, arrived.set)
            os.kill(os.getpid(), signal.SIGUSR1)
            os.kill(os.getpid(), signal.SIGUSR2)
            await arrived.wait()
            return await run_child(["sh", "-c", "exit 9"], os.environ, signals)

    assert asyncio.run(early()) == 128 + signal.SIGUSR1


@posix
def test_the_command_may_read_from_the_terminal_and_gets_its_ctrl_c() -> None:
    screen, inside = pty.openpty()
    process = spawn(
        "exec", "--", "sh", "-c", "read line; echo got $line; exec sleep 600",
        stdin=inside, stdout=inside, stderr=inside, start_new_session=True,
        preexec_fn=lambda: os.close(os.open(os.ttyname(0), os.O_RDWR)),
    )  # fmt: skip
    os.close(inside)
    os.write(screen, b"hello\n")
    seen = b""
    while b"got hello" not in seen:
        seen += os.read(screen, 1024)
    os.write(screen, b"\x03")
    assert process.wait(DEADLINE) == 128 + signal.SIGINT
    os.close(screen)


def test_what_cannot_be_run_is_said() -> None:
    refused = run("exec", "--", "no-such-command-here")
    assert refused.returncode == 2
    assert "cannot run 'no-such-command-here': No such file or directory" in refused.stderr
    refused = run("exec")
    assert refused.returncode == 2
    assert "tribe-ws exec -- CMD" in refused.stderr
    refused = run("exec", "--access-ttl", "soon", "--", "true")
    assert refused.returncode == 2
    assert "--access-ttl" in refused.stderr


def test_a_tribe_ws_inside_may_drive_the_server() -> None:
    done = execute(f"{sys.executable} -m tribe_ws_cli trigger pong --to bob --json")
    assert done.returncode == 0, done.stderr
