"""``serve`` as a process: it starts, says so, stops in time with exit code 0, or refuses in one sentence."""

from __future__ import annotations

import gc
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from tests.server.conftest import PATIENCE, wait_until
from tribe_ws.demo_accounts import DEMO_PASSWORD, demo_email, fixture_id
from tribe_ws.listening import CannotListen, listen
from tribe_ws.server import serve as module
from tribe_ws.server.local import local_settings
from tribe_ws.server.serve import loop_factory, run_server, start_left_uncollected

PROGRAM = """
import json, sys
from pathlib import Path
from tribe_ws.errors import TribeError
from tribe_ws.server.serve import run_server
from tribe_ws.settings import load_server_settings

flags = json.loads(sys.argv[1])
try:
    code = run_server(
        load_server_settings(**flags),
        lambda ready: print(ready.server.url, ready.world.name, ready.profile, flush=True),
        ready_file=Path(sys.argv[2]),
    )
except TribeError as error:
    print(f"{type(error).__name__}: {error}", file=sys.stderr)
    code = 3
sys.exit(code)
"""
GENERAL = fixture_id("conversation:general")
SLOW = 90.0
"""Seconds that a process may take to come or go on a machine with better things to do."""


class Process:
    """One ``serve`` in a home folder of its own."""

    def __init__(self, home, **flags):
        self.ready_file = home / "ready.json"
        environ = {name: value for name, value in os.environ.items() if not name.startswith("TRIBE_WS_")}
        environ |= {"HOME": str(home), "XDG_RUNTIME_DIR": str(home), "XDG_DATA_HOME": str(home / "data")}
        flags = {"port": 0, "db": str(home / "tribe.db"), "log_format": "json"} | flags
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, json.dumps(flags), str(self.ready_file)],
            env=environ,
            cwd=home,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.errors: list[str] = []
        self._reader = threading.Thread(target=lambda: self.errors.extend(self.process.stderr or ()))
        self._reader.start()

    def ready(self):
        wait_until(lambda: self.ready_file.exists() or self.process.poll() is not None, SLOW)
        assert self.process.poll() is None, self.log
        self.note = json.loads(self.ready_file.read_text())
        self.url = self.note["url"] + "/api/v1"
        return self

    def login(self, name):
        body = {"email": demo_email(name), "password": DEMO_PASSWORD}
        answer = httpx.post(self.url + "/auth/login", json=body, trust_env=False)
        return answer.json()["access_token"]

    def signal(self, number):
        self.process.send_signal(number)

    def end(self, seconds=SLOW):
        code = self.process.wait(seconds)
        self._reader.join()
        return code

    def kill(self):
        with suppress(ProcessLookupError):
            self.process.kill()
        self.end()
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()

    @property
    def log(self):
        return "".join(self.errors)


@pytest.fixture
def serve(tmp_path):
    started = []

    def start(**flags):
        started.append(Process(tmp_path, **flags))
        return started[-1]

    yield start
    for process in started:
        process.kill()


def test_ready_file_is_one_private_line_that_goes_away_with_the_server(serve):
    server = serve().ready()
    line = server.ready_file.read_text()
    assert line.endswith("\n")
    assert line.count("\n") == 1
    assert list(json.loads(line)) == ["url", "ws_url", "pid", "control_key"]
    assert server.note["pid"] == server.process.pid
    assert server.note["ws_url"] == server.note["url"].replace("http", "ws", 1) + "/api/v1/ws"
    assert stat.S_IMODE(server.ready_file.stat().st_mode) == 0o600
    assert httpx.get(server.note["url"] + "/health", trust_env=False).status_code == 200
    server.signal(signal.SIGTERM)
    assert server.end() == 0
    assert not server.ready_file.exists()


def test_running_server_is_announced_and_withdrawn(serve, tmp_path):
    server = serve().ready()
    record = tmp_path / "tribe-ws" / f"server-{server.note['url'].rpartition(':')[2]}.json"
    found = json.loads(record.read_text())
    assert found["pid"] == server.process.pid
    assert found["world"] == "demo"
    assert found["database"].endswith("tribe.db")
    assert found["control_key"] == server.note["control_key"]
    assert stat.S_IMODE(record.stat().st_mode) == 0o600
    info = f"{server.note['url']}/__tribe__/info"
    headers = {"X-Tribe-Control": found["control_key"]}
    assert httpx.get(info, headers=headers, trust_env=False).json()["pid"] == server.process.pid
    server.signal(signal.SIGTERM)
    server.end()
    assert not record.exists()


def test_who_starts_it_is_told_when_it_is_ready(serve):
    server = serve().ready()
    assert server.process.stdout is not None
    assert server.process.stdout.readline() == f"{server.note['url']} demo documented\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stop_tells_every_socket_and_exits_0(serve, number):
    server = serve().ready()
    tokens = [server.login(name) for name in ("alice", "bob", "bob")]
    with ExitStack() as stack:
        sockets = [
            stack.enter_context(connect(f"{server.note['ws_url']}?token={token}", proxy=None))
            for token in tokens
        ]
        for connection in sockets:
            connection.recv(PATIENCE)
        started = time.monotonic()
        server.signal(number)
        for connection in sockets:
            with pytest.raises(ConnectionClosed) as closed:
                connection.recv(PATIENCE)
            assert closed.value.rcvd is not None
            assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1012, "restart")
    assert server.end() == 0
    assert time.monotonic() - started < 10
    assert "Traceback" not in server.log


def test_stop_is_in_time_whatever_clients_do(serve):
    server = serve(stop_timeout=2.0).ready()
    port = int(server.note["url"].rpartition(":")[2])
    token = server.login("bob")
    head = f"Host: localhost\r\nAuthorization: Bearer {token}\r\n"
    upgrade = (
        f"GET /api/v1/ws HTTP/1.1\r\n{head}Connection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    rude = {
        "says nothing": "",
        "half a request": "GET /health HTTP/1.1\r\nHost: local",
        "half a body": f"POST /api/v1/conversations/{GENERAL}/messages HTTP/1.1\r\n{head}"
        "Content-Length: 99\r\n\r\n{",
        "half a login": f"POST /api/v1/auth/login HTTP/1.1\r\n{head}Content-Type: application/json\r\n"
        "Content-Length: 99\r\n\r\n{",
        "half an upgrade": upgrade[:-2],
        "a socket that never reads": upgrade,
    }
    connections = []
    for data in rude.values():
        connection = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        connection.sendall(data.encode())
        connections.append(connection)
    assert connections[-1].recv(1024).startswith(b"HTTP/1.1 101")
    started = time.monotonic()
    server.signal(signal.SIGTERM)
    assert server.end() == 0
    assert time.monotonic() - started < 10
    assert "Traceback" not in server.log
    for connection in connections:
        connection.close()


def test_second_signal_does_not_wait_for_anybody(serve):
    server = serve(stop_timeout=60.0).ready()
    port = int(server.note["url"].rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as stuck:
        body = "POST /api/v1/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\n{"
        stuck.sendall(body.encode())
        wait_until(lambda: httpx.get(server.note["url"] + "/health", trust_env=False).is_success)
        server.signal(signal.SIGTERM)
        wait_until(lambda: not _accepts(port))
        server.signal(signal.SIGTERM)
        assert server.end() == 0
    assert "Traceback" not in server.log


def _accepts(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def test_what_was_acknowledged_before_the_stop_is_there_after_the_next_start(serve, tmp_path):
    server = serve().ready()
    headers = {"Authorization": f"Bearer {server.login('alice')}"}
    stop = threading.Event()
    acknowledged = []

    def send(worker):
        with httpx.Client(trust_env=False, headers=headers, timeout=PATIENCE) as client:
            number = 0
            while not stop.is_set():
                body = {"content": f"{worker}-{number}"}
                with suppress(httpx.HTTPError):
                    answer = client.post(f"{server.url}/conversations/{GENERAL}/messages", json=body)
                    if answer.status_code == 201:
                        acknowledged.append(answer.json()["id"])
                    number += 1

    with ThreadPoolExecutor(4) as pool:
        workers = [pool.submit(send, worker) for worker in range(4)]
        wait_until(lambda: len(acknowledged) > 50)
        server.signal(signal.SIGTERM)
        assert server.end() == 0
        stop.set()
        for worker in workers:
            worker.result()
    again = serve().ready()
    headers = {"Authorization": f"Bearer {again.login('bob')}"}
    stored, page = [], 1
    while True:
        answer = httpx.get(
            f"{again.url}/conversations/{GENERAL}/messages",
            params={"limit": 200, "page": page},
            headers=headers,
            trust_env=False,
        ).json()
        stored += [message["id"] for message in answer["messages"]]
        if not answer["has_more"]:
            break
        page += 1
    assert set(acknowledged) <= set(stored)
    assert len(stored) == len(set(stored))


def test_tokens_outlive_a_restart(serve):
    server = serve().ready()
    token = server.login("alice")
    server.signal(signal.SIGTERM)
    server.end()
    again = serve().ready()
    answer = httpx.get(again.url + "/auth/me", headers={"Authorization": f"Bearer {token}"}, trust_env=False)
    assert answer.status_code == 200


def test_nothing_a_server_writes_holds_a_token(serve, tmp_path):
    server = serve(log_level="debug").ready()
    token = server.login("alice")
    with connect(f"{server.note['ws_url']}?token={token}", proxy=None) as connection:
        connection.recv(PATIENCE)
    with (
        suppress(ConnectionClosed),
        connect(f"{server.note['ws_url']}?token={token}x", proxy=None) as refused,
    ):
        refused.recv(PATIENCE)
    foreign = Origin("https://evil.example")
    with (
        pytest.raises(InvalidStatus, match="403"),
        connect(f"{server.note['ws_url']}?token={token}", proxy=None, origin=foreign),
    ):
        pytest.fail("a foreign page was let in")
    server.signal(signal.SIGTERM)
    server.end()
    assert token not in server.log
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or token.encode() not in path.read_bytes()


def test_taken_port_is_one_clear_line(serve):
    listener = listen("127.0.0.1", 0)
    port = listener.getsockname()[1]
    server = serve(port=port)
    assert server.end() == 3
    assert f"CannotListen: port {port} is in use by " in server.log
    assert f"(pid {os.getpid()})" in server.log
    assert server.log.count("\n") == 1
    listener.close()


def test_second_server_on_a_database_is_one_clear_line(serve):
    first = serve().ready()
    second = serve()
    assert second.end() == 3
    assert second.log.startswith("DatabaseRefused: ")
    assert "Traceback" not in second.log
    assert httpx.get(first.note["url"] + "/health", trust_env=False).status_code == 200


def test_damaged_database_is_one_clear_line(serve, tmp_path):
    (tmp_path / "tribe.db").write_bytes(b"not a database" * 100)
    server = serve()
    assert server.end() == 3
    assert server.log.startswith("DatabaseRefused: ")
    assert "Traceback" not in server.log


def test_run_server_leaves_the_signals_as_it_found_them():
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    seen = []

    def stop(ready):
        seen.append(ready)
        threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGTERM)).start()

    assert run_server(local_settings(fixtures="none", log_level="error"), stop) == 0
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
    assert (seen[0].server.world, seen[0].server.database) == ("none", ":memory:")
    assert seen[0].seconds > 0


def test_run_server_refuses_a_taken_port_before_it_opens_anything(tmp_path):
    listener = listen("127.0.0.1", 0)
    settings = local_settings(db=str(tmp_path / "tribe.db"), port=listener.getsockname()[1])
    with pytest.raises(CannotListen):
        run_server(settings)
    assert not (tmp_path / "tribe.db").exists()
    listener.close()


def test_what_the_watcher_raises_ends_the_server_and_comes_out(tmp_path):
    settings = local_settings(fixtures="none")
    ready_file = tmp_path / "ready.json"

    def refuse(_ready):
        assert ready_file.exists()
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        run_server(settings, refuse, ready_file=ready_file)
    assert not ready_file.exists()


def test_run_server_needs_nobody_to_watch_it(tmp_path):
    ready_file = tmp_path / "ready.json"

    def stop():
        wait_until(ready_file.exists, SLOW)
        os.kill(os.getpid(), signal.SIGTERM)

    stopping = threading.Thread(target=stop)
    stopping.start()
    assert run_server(local_settings(fixtures="none", log_level="error"), ready_file=ready_file) == 0
    stopping.join()


def test_pythons_own_loop_will_do(monkeypatch):
    assert loop_factory() is not None
    monkeypatch.setattr(module, "find_spec", lambda _: None)
    assert loop_factory() is None


def test_what_the_start_has_made_is_not_collected_again_and_again():
    with start_left_uncollected():
        assert gc.get_freeze_count() > 0
    assert gc.get_freeze_count() == 0
