"""What must not be served is refused at start, in one line, and leaves nothing behind."""

from __future__ import annotations

import errno
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tribe_ws.clock import ManualClock
from tribe_ws.errors import DatabaseRefused
from tribe_ws.storage import guard
from tribe_ws.storage.storage import Storage


@contextmanager
def child(code: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """Run a program that prints a line when it is ready; it is killed at the end."""
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    with process:
        try:
            assert process.stdout.readline().strip() == "ready"
            yield process
        finally:
            process.kill()


SERVE = """
    import asyncio, sys
    from tribe_ws.clock import SystemClock
    from tribe_ws.storage.storage import Storage

    async def main():
        opened = await Storage.open(sys.argv[1], clock=SystemClock())
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.read)
        await opened.close()

    asyncio.run(main())
"""
HOLD_WRITE_LOCK = """
    import sqlite3, sys

    connection = sqlite3.connect(sys.argv[1], isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    print("ready", flush=True)
    sys.stdin.read()
"""


async def open_and_close(path: Path) -> None:
    opened = await Storage.open(str(path), clock=ManualClock())
    await opened.close()


async def refusal_of(path: Path) -> DatabaseRefused:
    with pytest.raises(DatabaseRefused) as caught:
        await Storage.open(str(path), clock=ManualClock())
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
    assert not path.with_name(path.name + ".lock").exists() or caught.value.reason == "in_use"
    return caught.value


@pytest.fixture
async def path(tmp_path: Path) -> Path:
    """A database that was used before."""
    path = tmp_path / "tribe.db"
    opened = await Storage.open(str(path), clock=ManualClock())
    for n in range(50):
        await opened.users.create(f"u{n}@tribe.test", f"user_{n}", "U" * 500, "h")
    await opened.close()
    return path


async def test_a_used_database_opens_again(path):
    opened = await Storage.open(str(path), clock=ManualClock())
    assert len(await opened.users.search("user_", 0, 100)) == 50
    await opened.close()


async def test_a_new_file_belongs_to_its_owner_only_and_its_folder_is_made(tmp_path):
    path = tmp_path / "new" / "folder" / "tribe.db"
    await open_and_close(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


async def test_nothing_but_the_file_is_left_behind(path):
    assert [file.name for file in path.parent.iterdir()] == ["tribe.db"]


async def test_an_empty_file_is_a_new_database(tmp_path):
    path = tmp_path / "tribe.db"
    path.touch()
    await open_and_close(path)


@pytest.mark.parametrize(
    "content",
    [b"this is no database at all, it is a text " * 100, b"x", b"SQLite format 3\0" + b"\xff" * 5000],
)
async def test_what_is_no_database_is_refused(tmp_path, content):
    path = tmp_path.resolve() / "tribe.db"
    path.write_bytes(content)
    refused = await refusal_of(path)
    assert refused.reason == "corrupt"
    assert path.read_bytes() == content


@pytest.mark.parametrize("where", ["header", "schema", "middle", "end"])
async def test_a_damaged_database_is_refused(path, where):
    data = bytearray(path.read_bytes())
    start = {"header": 0, "schema": 100, "middle": len(data) // 2, "end": len(data) - 4096}[where]
    data[start : start + 4096] = os.urandom(4096)
    path.write_bytes(data)
    assert (await refusal_of(path)).reason == "corrupt"


async def test_a_database_cut_short_is_refused(path):
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    assert (await refusal_of(path)).reason == "corrupt"


async def test_a_large_file_is_not_checked_page_by_page(path, monkeypatch):
    data = bytearray(path.read_bytes())
    data[-4096:] = os.urandom(4096)
    path.write_bytes(data)
    monkeypatch.setattr(guard, "CHECKED_SIZE", 0)
    await open_and_close(path)


async def test_a_folder_is_refused(tmp_path):
    assert (await refusal_of(tmp_path.resolve())).reason == "unreachable"


async def test_a_path_through_a_file_is_refused(path):
    assert (await refusal_of(path / "deeper.db")).reason == "unreachable"


async def test_a_newer_schema_is_refused(path):
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    refused = await refusal_of(path)
    assert refused.reason == "newer"
    assert "9999" in str(refused)


async def test_the_database_of_another_program_is_refused(tmp_path):
    path = tmp_path.resolve() / "other.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE bookmarks (url)")
    assert (await refusal_of(path)).reason == "foreign"
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("bookmarks",)]


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Make a folder read-only: by its permissions, or for root, whom those do not stop, by a mount."""
    if os.geteuid() != 0:
        files = [folder, *folder.iterdir()]
        modes = [file.stat().st_mode for file in files]
        for file in files:
            file.chmod(0o500 if file.is_dir() else 0o400)
        yield
        for file, mode in zip(files, modes, strict=True):
            file.chmod(mode)
        return
    for options in (["--bind"], ["-o", "remount,bind,ro"]):
        if subprocess.run(["mount", *options, folder, folder], check=False).returncode:
            pytest.skip("root may not mount here")
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


async def test_a_read_only_database_is_refused(path):
    with read_only(path.parent):
        refused = await refusal_of(path)
    assert refused.reason == "read_only"
    await open_and_close(path)


async def test_a_read_only_folder_is_refused_before_a_file_is_made(tmp_path):
    with read_only(tmp_path):
        refused = await refusal_of(tmp_path.resolve() / "tribe.db")
    assert refused.reason == "read_only"


async def test_a_file_without_a_writable_folder_is_refused(path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert (await refusal_of(path)).reason == "read_only"


async def test_a_lock_file_that_cannot_be_made_is_refused(path):
    lock = path.with_name("tribe.db.lock")
    lock.mkdir()
    with pytest.raises(DatabaseRefused) as caught:
        await Storage.open(str(path), clock=ManualClock())
    assert caught.value.reason == "unreachable"


async def test_a_database_is_served_once_in_a_process(path):
    opened = await Storage.open(str(path), clock=ManualClock())
    refused = await refusal_of(path)
    assert refused.reason == "in_use"
    assert f"process {os.getpid()}" in str(refused)
    # The refused one took nothing from the first.
    await opened.users.create("late@tribe.test", "late", "Late", "h")
    assert (await refusal_of(path)).reason == "in_use"
    await opened.close()
    await open_and_close(path)


async def test_a_database_is_served_by_one_process(path):
    with child(SERVE, path) as process:
        refused = await refusal_of(path)
        assert refused.reason == "in_use"
        assert f"process {process.pid}" in str(refused)


async def test_the_lock_dies_with_its_process(path):
    with child(SERVE, path) as process:
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    assert path.with_name("tribe.db.lock").exists()
    await open_and_close(path)
    assert not path.with_name("tribe.db.lock").exists()


async def test_a_lock_that_was_removed_while_we_took_it_is_taken_again(tmp_path, monkeypatch):
    path = tmp_path / "tribe.db"
    lock = tmp_path / "tribe.db.lock"
    try_lock = guard._try_lock
    removed: list[int] = []

    def remove_first(handle: int) -> None:
        if len(removed) < 2:
            # First nothing is there any more, then another server's new file.
            lock.unlink()
            if removed:
                lock.touch()
            removed.append(handle)
        try_lock(handle)

    monkeypatch.setattr(guard, "_try_lock", remove_first)
    held = guard.FileGuard(path)
    assert len(removed) == 2
    assert lock.read_text() == f"{os.getpid()}\n"
    held.release()
    held.release()
    assert not lock.exists()


async def test_a_file_another_program_writes_to_is_refused(path, monkeypatch):
    monkeypatch.setattr(guard, "_LOCK_TIMEOUT", 0.05)
    with child(HOLD_WRITE_LOCK, path):
        refused = await refusal_of(path)
    assert refused.reason == "in_use"
    assert "another program" in str(refused)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (sqlite3.SQLITE_READONLY_DIRECTORY, "read_only"),
        (sqlite3.SQLITE_CANTOPEN, "unreachable"),
        (None, "unreachable"),
    ],
)
def test_every_complaint_of_sqlite_becomes_a_refusal(code, reason):
    error = sqlite3.OperationalError("no")
    if code is not None:
        error.sqlite_errorcode = code
    assert guard.refusal(Path("tribe.db"), error).reason == reason


def test_a_read_only_file_system_is_told_from_other_failures():
    path = Path("tribe.db")
    assert guard._unusable(path, OSError(errno.EROFS, "ro")).reason == "read_only"
    assert guard._unusable(path, PermissionError(errno.EACCES, "no")).reason == "read_only"
    assert guard._unusable(path, OSError(errno.ENAMETOOLONG, "long")).reason == "unreachable"
