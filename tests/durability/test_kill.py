"""A 201 means: committed. The proof is a process that is killed while 500 send at once, again and again."""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
from pathlib import Path
from time import monotonic, sleep
from typing import Any, Self

import httpx
import pytest

from tribe_ws.demo_accounts import DEMO_PASSWORD, demo_email, fixture_id

ROUNDS = 4
SENDERS = 500
GENERAL = fixture_id("conversation:general")


def test_what_the_storage_acknowledged_survives_kill_9(start_sending, check_history):
    acknowledged: list[str] = []
    for _ in range(ROUNDS):
        before = len(acknowledged)
        with start_sending(SENDERS, 1000) as process:
            enough = before + random.randint(1, 2000)
            for line in process.stdout:
                match line.split():
                    case ["stored", message_id]:
                        acknowledged.append(message_id)
                if len(acknowledged) >= enough:
                    break
            process.kill()
            acknowledged += [line.split()[1] for line in process.stdout if line.startswith("stored")]
        assert len(acknowledged) > before
        assert check_history(acknowledged) >= len(acknowledged)


class Server:
    """A server in a process of its own, which does not get to say good-bye."""

    def __init__(self, path: Path, folder: Path) -> None:
        ready = folder / "ready.json"
        ready.unlink(missing_ok=True)
        command = [
            sys.executable, "-m", "tribe_ws_cli", "serve", "--port", "0", "--db", str(path),
            "--ready-file", str(ready),
        ]  # fmt: skip
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = monotonic() + 60
        while not ready.exists() or not ready.read_text():
            assert self.process.poll() is None, "the server ended before it was ready"
            assert monotonic() < deadline, "the server was not ready in time"
            sleep(0.02)
        self.url = json.loads(ready.read_text())["url"]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(30)


def log_in(server: Server) -> dict[str, str]:
    answer = httpx.post(
        f"{server.url}/api/v1/auth/login",
        json={"email": demo_email("alice"), "password": DEMO_PASSWORD},
        trust_env=False,
    )
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


async def post(server: Server, headers: dict[str, str], content: str) -> tuple[int, dict[str, Any]]:
    """Post a message over a connection of its own; raises when that breaks before the answer is whole."""
    address = httpx.URL(server.url)
    body = json.dumps({"content": content, "client_message_id": content}).encode()
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    reader, writer = await asyncio.open_connection(address.host, address.port)
    try:
        writer.write(
            f"POST /api/v1/conversations/{GENERAL}/messages HTTP/1.1\r\nHost: {address.host}\r\n{head}"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
            "Connection: close\r\n\r\n".encode()
            + body
        )
        answer = await reader.read()
    finally:
        writer.close()
    status, _, content_text = answer.partition(b"\r\n\r\n")
    return int(status.split()[1]), json.loads(content_text)


async def send_until_killed(server: Server, headers: dict[str, str], name: str, enough: int) -> list[str]:
    """Send 500 messages at once, kill the server after some answers; give the ids of what got a 201."""
    acknowledged: list[str] = []

    async def send(number: int) -> None:
        try:
            status, body = await post(server, headers, f"{name}/{number}")
        except (OSError, ValueError, IndexError):
            return
        assert status == 201
        acknowledged.append(body["id"])
        if len(acknowledged) == enough:
            server.kill()

    await asyncio.gather(*(send(number) for number in range(SENDERS)))
    return acknowledged


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_what_got_a_201_survives_kill_9(path, tmp_path, check_history):
    acknowledged: list[str] = []
    killed: list[str] = []
    for round_ in range(ROUNDS):
        with Server(path, tmp_path) as server:
            headers = log_in(server)
            enough = random.randint(1, 300)
            killed = asyncio.run(send_until_killed(server, headers, f"round {round_}", enough))
            assert len(killed) >= enough
            acknowledged += killed
        assert check_history(acknowledged) >= len(acknowledged)
    # Whoever retries what was in doubt gets what is there, or has it stored now: never twice.
    with Server(path, tmp_path) as server:
        again = asyncio.run(send_again(server, log_in(server), f"round {ROUNDS - 1}"))
    assert set(killed) <= again
    check_history({*acknowledged, *again})


async def send_again(server: Server, headers: dict[str, str], name: str) -> set[str]:
    """Repeat all sends of a round, and give the ids of their messages."""
    answers = await asyncio.gather(*(post(server, headers, f"{name}/{number}") for number in range(SENDERS)))
    assert {status for status, _ in answers} <= {200, 201}
    ids = {body["id"] for _, body in answers}
    assert len(ids) == SENDERS
    return ids
