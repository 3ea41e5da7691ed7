"""Programs that are killed, or whose disk fails, in the middle of sending, and what is found afterwards."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Callable, Collection
from contextlib import closing
from pathlib import Path

import pytest

SENDING = """
    import asyncio, os, sys
    from tribe_ws.clock import SystemClock
    from tribe_ws.demo_accounts import fixture_id
    from tribe_ws.errors import StorageUnavailable
    from tribe_ws.storage.records import NewMessage
    from tribe_ws.storage.storage import Storage

    def tell(*words):
        # One write each: what was told is out, even if this process is killed in the next moment.
        os.write(1, (" ".join(map(str, words)) + "\\n").encode())

    async def main(path, senders, rounds):
        storage = await Storage.open(path, clock=SystemClock())
        await storage.apply_world("demo", lambda password: "no hash")
        alice, general = fixture_id("user:alice"), fixture_id("conversation:general")
        tell("ready")

        async def send(number):
            for turn in range(rounds):
                new = NewMessage(general, alice, f"{number}/{turn}", client_message_id=os.urandom(8).hex())
                try:
                    stored = await storage.messages.send(new)
                except StorageUnavailable as error:
                    tell("failed", error.reason)
                else:
                    tell("stored", stored.id)

        await asyncio.gather(*map(send, range(senders)))
        await storage.close()

    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
"""
"""Sends to #general of the demo world, and tells of every send what came of it, the moment it is known."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tribe.db"


@pytest.fixture
def start_sending(path: Path) -> Callable[..., subprocess.Popen[str]]:
    def start(senders: int, rounds: int, *, under: Collection[str] = ()) -> subprocess.Popen[str]:
        command = [
            *under,
            sys.executable,
            "-c",
            textwrap.dedent(SENDING),
            str(path),
            str(senders),
            str(rounds),
        ]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    return start


def check_history(path: Path, acknowledged: Collection[str]) -> int:
    """Check that a database holds every acknowledged message once, numbered without gaps; tell how many."""
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        rows = connection.execute(
            "SELECT m.id, m.seq, m.created_ms, m.client_message_id"
            " FROM messages m JOIN conversations c ON c.id = m.conversation_id"
            " WHERE c.name = 'general' ORDER BY m.seq"
        ).fetchall()
        head = connection.execute("SELECT last_seq FROM conversations WHERE name = 'general'").fetchone()[0]
    ids = [row[0] for row in rows]
    assert len(set(acknowledged)) == len(acknowledged)
    assert set(acknowledged) <= set(ids), "an acknowledged message is lost"
    assert len(ids) == len(set(ids))
    assert [row[1] for row in rows] == list(range(1, len(rows) + 1)), "seq has gaps"
    moments = [row[2] for row in rows]
    assert moments == sorted(set(moments)), "created_at does not increase strictly"
    assert head == len(rows)
    sent = [row[3] for row in rows if row[3] is not None]
    assert len(sent) == len(set(sent)), "a message is there twice"
    return len(rows)


@pytest.fixture(name="check_history")
def provide_check_history(path: Path) -> Callable[[Collection[str]], int]:
    return lambda acknowledged: check_history(path, acknowledged)
