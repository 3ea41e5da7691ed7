"""Each check of ``doctor``: when it is content, when it warns, when it fails, and what it says mends it."""

from __future__ import annotations

import json
import os
import pty
import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import jwt
import pytest

from tests.cli.conftest import DEADLINE, Cli, spawn
from tribe_ws.client.calls import Answer
from tribe_ws.server.local import LocalServer
from tribe_ws_cli.checkup import _clock, _terminal
from tribe_ws_cli.environment import resolve

CHECKS = ["port", "server", "clock", "token", "terminal", "proxy", "database"]


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [*os.environ]:
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def stranger() -> Iterator[int]:
    """A program that speaks HTTP, and is no Tribe server."""
    listener = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            with client:
                if client.recv(4096):
                    client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi")

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    yield int(listener.getsockname()[1])
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


def examined(cli: Cli, *options: str, code: int = 0, env: dict[str, str] | None = None) -> dict[str, Any]:
    done = cli("doctor", "--json", *options, env=env)
    assert done.exit_code == code, done.stdout + done.stderr
    listed = json.loads(done.stdout)["checks"]
    assert [one["check"] for one in listed] == CHECKS
    assert all(one["mend"] for one in listed if one["state"] != "ok")
    return {one["check"]: one for one in listed}


def test_all_is_well_with_a_server_and_a_login(cli: Cli, server: LocalServer) -> None:
    assert cli("whoami", "--as", "alice").exit_code == 0
    found = examined(cli, "--as", "alice")
    assert {one["state"] for one in found.values()} == {"ok"}, found
    assert "held by a tribe-ws" in found["port"]["found"]
    assert "is well" in found["server"]["found"]
    assert "the server takes it: alice" in found["token"]["found"]


def test_people_read_a_line_for_each_check_and_the_mend_below(cli: Cli, server: LocalServer) -> None:
    done = cli("doctor", "--as", "bob")
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert [line.split()[1] for line in lines if not line.startswith(" ")] == CHECKS
    warned = next(number for number, line in enumerate(lines) if line.startswith("warn  token"))
    assert lines[warned + 1].strip().startswith("tribe-ws login bob")


def test_nothing_listens(cli: Cli, free_port: int) -> None:
    found = examined(cli, "--url", f"127.0.0.1:{free_port}", code=9)
    assert found["port"]["state"] == "ok"
    assert "is free" in found["port"]["found"]
    assert found["server"]["state"] == "fail"
    assert found["server"]["mend"] == f"start one:  tribe-ws serve --port {free_port}"
    assert found["clock"]["state"] == "warn"


def test_another_program_holds_the_port(cli: Cli, stranger: int) -> None:
    found = examined(cli, "--url", f"127.0.0.1:{stranger}", code=9)
    assert found["port"]["state"] == found["server"]["state"] == "fail"
    assert "--port 0" in found["port"]["mend"]


def test_a_server_of_somebody_else_is_fine(cli: Cli, running_demo_server: LocalServer) -> None:
    found = examined(cli, "--url", running_demo_server.url)
    assert "not in our records" in found["port"]["found"]


def test_a_token_that_is_over_or_refused_fails(cli: Cli, server: LocalServer) -> None:
    def token(seconds: float) -> str:
        return jwt.encode({"sub": "x", "type": "access", "exp": time.time() + seconds}, "k" * 32)

    over = examined(cli, code=9, env={"TRIBE_WS_TOKEN": token(-720)})["token"]
    assert over["state"] == "fail"
    assert "expired 12" in over["found"]
    refused = examined(cli, code=9, env={"TRIBE_WS_TOKEN": token(720)})["token"]
    assert refused["state"] == "fail"
    assert "tribe-ws login" in refused["mend"]


@pytest.mark.parametrize(
    ("ahead", "state"), [(0, "ok"), (4, "ok"), (-4, "ok"), (60, "fail"), (-60, "fail")]
)  # fmt: skip
def test_clocks_that_disagree_fail(ahead: int, state: str) -> None:
    now = datetime.now(UTC)
    said = format_datetime(now - timedelta(seconds=ahead), usegmt=True)
    found = _clock(Answer(200, {"date": said}, {}, 0.0), now)
    assert found.state == state
    if state == "fail":
        assert ("ahead of" if ahead > 0 else "behind") in found.found
    assert _clock(Answer(200, {"date": "yesterday"}, {}, 0.0), now).state == "warn"


def test_a_proxy_variable_is_told(cli: Cli, server: LocalServer) -> None:
    proxy = {"http_proxy": "http://user:secret@proxy.example:3128"}
    warned = examined(cli, env=proxy)["proxy"]
    assert warned["state"] == "warn"
    assert "no_proxy=localhost" in warned["mend"]
    assert examined(cli, env=proxy | {"no_proxy": "localhost,x"})["proxy"]["state"] == "ok"
    far = cli("doctor", "--json", "--url", "http://chat.invalid", "--timeout", "1s", env=proxy).stdout
    assert "through proxy.example:3128 (http_proxy)" in far
    assert "secret" not in far


def test_a_terminal_that_can_little_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    dumb = _terminal(resolve({}, {"TERM": "dumb"}))
    assert (dumb.state, dumb.mend) == ("warn", "export TERM=xterm-256color")


def test_a_real_terminal_is_measured(server: LocalServer) -> None:
    screen, inside = pty.openpty()
    import termios

    said = b""
    for rows, columns in ((40, 120), (10, 40)):
        termios.tcsetwinsize(inside, (rows, columns))
        process = spawn("doctor", stdout=inside, env=os.environ | {"TERM": "xterm", "LANG": "C.UTF-8"})
        process.communicate(timeout=DEADLINE)
        said += os.read(screen, 65536)
    os.close(inside)
    os.close(screen)
    assert b"120x40, UTF-8" in said
    assert b"40x10 is small" in said


def test_a_database_that_cannot_be_served_fails(cli: Cli, server: LocalServer, home: Path) -> None:
    assert "not there yet" in examined(cli)["database"]["found"]
    db = home / "t.db"
    cli("fixtures", "apply", "--db", str(db))
    assert "is sound" in examined(cli, env={"TRIBE_WS_DB": str(db)})["database"]["found"]
    db.write_bytes(b"not a database" * 1000)
    broken = examined(cli, code=9, env={"TRIBE_WS_DB": str(db)})["database"]
    assert broken["state"] == "fail"
    assert "damaged" in broken["found"]
    assert "names" not in examined(cli, env={"TRIBE_WS_DB": ":memory:"})["database"]["mend"]
    odd = examined(cli, code=9, env={"TRIBE_WS_DB": "oracle://x/y"})["database"]
    assert odd["state"] == "fail"
