"""A whole database as one JSON document, and back: the same on SQLite and on PostgreSQL.

The document holds every table but ``refresh_tokens``: no token, no secret. It does hold the password hashes,
without which nobody could log in after a restore; so whoever writes it to a file makes that 0600. It is for
the same version of the tables that made it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Table, delete, insert, select, text

from tribe_ws import __version__
from tribe_ws.clock import Clock, format_timestamp
from tribe_ws.errors import ConfigurationError, ConflictError
from tribe_ws.storage import migrate
from tribe_ws.storage.database import Database
from tribe_ws.storage.epoch import renew_epoch
from tribe_ws.storage.snapshot_check import ROWS_ORDER, TABLES, check
from tribe_ws.storage.tables import messages, meta, metadata

FORMAT = "tribe-ws snapshot"
VERSION = 1

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class RestoreSummary:
    """What a restored database holds."""

    users: int
    conversations: int
    messages: int


async def snapshot(database: Database, clock: Clock) -> Document:
    """Write down everything a database holds at one moment."""
    tables = await database.read(_read_tables)
    return {
        "format": FORMAT,
        "version": VERSION,
        "schema": migrate.REVISIONS[-1],
        "made_at": format_timestamp(clock.now()),
        "made_by": __version__,
        "tables": tables,
    }


def read_document(document: Any) -> dict[str, list[dict[str, Any]]]:
    """Check a document and give its tables; raises ``ConfigurationError`` that names the entry at fault."""
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ConfigurationError(
            "that is no snapshot of tribe-ws", hint="make one:  tribe-ws fixtures snapshot FILE"
        )
    if document.get("version") != VERSION or document.get("schema") != migrate.REVISIONS[-1]:
        found = f"version {document.get('version')!r}, tables {document.get('schema')!r}"
        raise ConfigurationError(
            f"the snapshot is of another tribe-ws ({found}; "
            f"here: version {VERSION}, tables {migrate.REVISIONS[-1]!r})",
            hint="restore it with the tribe-ws that made it, or make it anew",
        )
    return check(document.get("tables"))


async def restore(database: Database, document: Any) -> RestoreSummary:
    """Replace everything in a database by a document, and begin another epoch: all of it or nothing.

    Everybody has to log in again. Raises ``ConfigurationError`` that names the entry and its fault.
    """
    tables = read_document(document)

    def replace(connection: Connection) -> str:
        migrate.take_turns(connection)
        _empty(connection)
        for table in TABLES:
            if tables[table.name]:
                connection.execute(insert(table), tables[table.name])
        return renew_epoch(connection)

    try:
        database.epoch = await database.write(replace)
    except ConflictError as error:  # pragma: no cover - the check finds every conflict first
        raise ConfigurationError(f"the snapshot contradicts itself: {error}") from None
    return RestoreSummary(*(len(tables[name]) for name in ("users", "conversations", "messages")))


def _read_tables(connection: Connection) -> dict[str, list[dict[str, Any]]]:
    if connection.dialect.name == "postgresql":
        # All tables as they were at one moment, as SQLite's readers have it anyway.
        connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
    return {table.name: _read_rows(connection, table) for table in TABLES}


def _read_rows(connection: Connection, table: Table) -> list[dict[str, Any]]:
    order = [table.c[name] for name in ROWS_ORDER[table.name]]
    return [dict(row) for row in connection.execute(select(table).order_by(*order)).mappings()]


def _empty(connection: Connection) -> None:
    # A message may answer another one of the same table: no order of deleting suits that.
    connection.execute(messages.update().values(reply_to_message_id=None))
    for table in reversed(metadata.sorted_tables):
        if table is not meta:
            connection.execute(delete(table))
