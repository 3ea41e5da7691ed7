"""What a driver's error means: the one place that knows SQLite's result codes and PostgreSQL's SQLSTATEs."""

from __future__ import annotations

import sqlite3

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from tribe_ws.errors import StorageUnavailable

_SQLITE_REASONS = {
    sqlite3.SQLITE_FULL: "storage_full",
    sqlite3.SQLITE_BUSY: "storage_busy",
    sqlite3.SQLITE_LOCKED: "storage_busy",
    sqlite3.SQLITE_IOERR: "storage_io",
    sqlite3.SQLITE_CANTOPEN: "storage_io",
    sqlite3.SQLITE_READONLY: "storage_io",
    sqlite3.SQLITE_CORRUPT: "storage_io",
    sqlite3.SQLITE_NOTADB: "storage_io",
    sqlite3.SQLITE_PERM: "storage_io",
    sqlite3.SQLITE_PROTOCOL: "storage_busy",
}
# Exact states first, then classes (their first two letters).
_POSTGRES_REASONS = {
    "53100": "storage_full",
    "25006": "storage_io",  # the server is a read-only standby
    "53": "storage_busy",  # too many connections, out of memory
    "55P03": "storage_busy",
    "40": "storage_busy",  # deadlock, serialization
    "57": "storage_io",  # shutting down, starting up
    "08": "storage_io",
    "58": "storage_io",
    "XX": "storage_io",
}
_DEADLOCKS = frozenset({"40P01", "40001"})
_SENTENCES = {
    "storage_full": "the database cannot grow: the disk is full",
    "storage_busy": "the database is locked by somebody else",
    "storage_io": "the database cannot be read or written",
    "storage_stopped": "the database is being closed",
}


def unavailable(reason: str) -> StorageUnavailable:
    """Make the error that tells a client to come back later."""
    return StorageUnavailable(_SENTENCES[reason], reason=reason)


def translate(error: Exception) -> Exception:
    """Give ``StorageUnavailable`` for an error that is the storage's, and any other error as it is."""
    reason = _reason(error)
    if reason is None:
        return error
    problem = unavailable(reason)
    problem.__cause__ = error
    return problem


def is_worth_repeating(error: Exception, *, alone: bool) -> bool:
    """Tell whether writes that failed together could succeed one by one.

    A deadlock's victim may try again at once. A full disk may still have room for the smaller ones, and an
    error that is not the storage's is one write's own. Whatever else the storage suffers from, it suffers
    from for all.
    """
    if getattr(getattr(error, "orig", None), "sqlstate", None) in _DEADLOCKS:
        return True
    return not alone and _reason(error) in {None, "storage_full"}


def _reason(error: Exception) -> str | None:
    if isinstance(error, PoolTimeoutError):
        return "storage_busy"
    if isinstance(error, DBAPIError):
        return _reason_of_driver(error)
    if isinstance(error, sqlite3.Error):
        return _reason_of_sqlite(error)
    # asyncpg says so itself when it cannot connect, or when the connection breaks.
    return "storage_io" if isinstance(error, OSError) else None


def _reason_of_driver(error: DBAPIError) -> str | None:
    if isinstance(error.orig, sqlite3.Error):
        return _reason_of_sqlite(error.orig)
    state = getattr(error.orig, "sqlstate", None) or ""
    reason = _POSTGRES_REASONS.get(state) or _POSTGRES_REASONS.get(state[:2])
    return "storage_io" if reason is None and error.connection_invalidated else reason


def _reason_of_sqlite(error: sqlite3.Error) -> str | None:
    # The low byte is the primary code; the rest says more than a client needs to know.
    return _SQLITE_REASONS.get(getattr(error, "sqlite_errorcode", 0) & 0xFF)
