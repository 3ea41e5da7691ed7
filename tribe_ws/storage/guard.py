"""Guards a database file: refuses at start what must not be served, and keeps a second server away.

The lock dies with its process, whatever way that goes.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import sys
from contextlib import closing, suppress
from pathlib import Path

from tribe_ws.errors import DatabaseRefused

CHECKED_SIZE = 64 * 1024 * 1024
"""Files up to this size are checked page by page at each start; larger ones would delay it."""
_LOCK_TIMEOUT = 5.0
_MAGIC = b"SQLite format 3\0"

if sys.platform == "win32":  # pragma: no cover - the tests run on POSIX
    import msvcrt

    def _try_lock(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _try_lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


class FileGuard:
    """Holds the right to serve one file. The right is a lock on the file ``NAME.lock`` beside it.

    Not on the database itself: closing any handle to that would drop the locks SQLite holds on it.
    """

    def __init__(self, path: Path) -> None:
        self._lock_path = path.with_name(path.name + ".lock")
        self._handle = _lock(path, self._lock_path)

    def release(self) -> None:
        """Give the right back; a second call does nothing."""
        if self._handle is not None:
            # Removed while it is still held: nobody can have locked it in between.
            with suppress(OSError):
                self._lock_path.unlink()
            os.close(self._handle)
            self._handle = None


def make_ready(path: Path) -> None:
    """Make sure that the file exists, readable by its owner only where it is new, and can be written.

    Raises ``DatabaseRefused``.
    """
    if path.is_dir():
        raise DatabaseRefused(
            f"{path} is a folder, not a database", reason="unreachable", hint="name a file in it"
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise _unusable(path, error) from None
    # SQLite keeps its log beside the file.
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise _read_only(path)


def examine(path: Path) -> None:
    """Refuse a file that is damaged, that is no SQLite database, or that cannot be written now."""
    with path.open("rb") as file:
        # SQLite takes a file that is too short for this as empty, and would write over it.
        if (start := file.read(len(_MAGIC))) not in {b"", _MAGIC}:
            raise _corrupt(path, f"it begins with {start!r}")
    try:
        with closing(sqlite3.connect(path, timeout=_LOCK_TIMEOUT, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            if path.stat().st_size <= CHECKED_SIZE:
                found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
                if found != "ok":
                    raise _corrupt(path, str(found))
            connection.execute("ROLLBACK")
    except sqlite3.Error as error:
        raise refusal(path, error) from None


def refusal(path: Path, error: sqlite3.Error) -> DatabaseRefused:
    """Say in one line why SQLite would not open a file."""
    match getattr(error, "sqlite_errorcode", 0) & 0xFF:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return DatabaseRefused(
                f"{path} is locked by another program", reason="in_use", hint="close that program"
            )
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM:
            return _read_only(path)
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return _corrupt(path, str(error))
        case _:
            return DatabaseRefused(f"{path} cannot be opened: {error}", reason="unreachable")


def _lock(path: Path, lock_path: Path) -> int | None:
    while True:
        try:
            handle = os.open(lock_path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise _unusable(path, error) from None
        try:
            _try_lock(handle)
        except OSError:
            holder = os.read(handle, 20).decode("ascii", "replace").strip()
            os.close(handle)
            raise DatabaseRefused(
                f"{path} is already served" + (f" by process {holder}" if holder else ""),
                reason="in_use",
                hint="stop that server, or give this one another file with --db",
            ) from None
        if _is_still(handle, lock_path):
            os.ftruncate(handle, 0)
            os.write(handle, f"{os.getpid()}\n".encode())
            return handle
        # Its last holder removed it between our opening and our locking it.
        os.close(handle)


def _is_still(handle: int, lock_path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), lock_path.stat())
    except FileNotFoundError:
        return False


def _unusable(path: Path, error: OSError) -> DatabaseRefused:
    if isinstance(error, PermissionError) or error.errno == errno.EROFS:
        return _read_only(path)
    return DatabaseRefused(f"{path} cannot be opened: {error.strerror}", reason="unreachable")


def _read_only(path: Path) -> DatabaseRefused:
    return DatabaseRefused(
        f"{path} cannot be written: it, or its folder, is read-only",
        reason="read_only",
        hint="change its permissions, or give another file with --db",
    )


def _corrupt(path: Path, found: str) -> DatabaseRefused:
    return DatabaseRefused(
        f"{path} is damaged, or no SQLite database: {' '.join(found.split())}",
        reason="corrupt",
        hint="move it away and start again, or restore a backup",
    )
