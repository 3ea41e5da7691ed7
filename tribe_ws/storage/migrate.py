"""Brings a database to this program's schema, or refuses it.

Alembic is imported only when there is work for it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, inspect, text

from tribe_ws.errors import DatabaseRefused

SCRIPTS = Path(__file__).with_name("migrations")
REVISIONS = ("0001", "0002")
"""Every revision there is, oldest first; the last is what this program works with."""
# Any number will do, as long as every tribe-ws takes the same.
_SET_UP_LOCK = 0x7472696265


def bring_up_to_date(connection: Connection, description: str) -> None:
    """Migrate a database within the caller's transaction.

    Raises ``DatabaseRefused`` for a schema that is newer than ours, or somebody else's.
    """
    take_turns(connection)
    revision = current_revision(connection, description)
    if revision != REVISIONS[-1]:
        upgrade(connection)


def take_turns(connection: Connection) -> None:
    """Let one server at a time set a database up; the next one finds the work done."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _SET_UP_LOCK})


def current_revision(connection: Connection, description: str) -> str | None:
    """Tell the revision of a database, ``None`` for an empty one; refuses what is not ours."""
    tables = inspect(connection).get_table_names()
    if "alembic_version" not in tables:
        if tables:
            raise DatabaseRefused(
                f"{description} holds the tables of another program",
                reason="foreign",
                hint="give another database with --db",
            )
        return None
    revision = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    if revision is not None and revision not in REVISIONS:
        raise DatabaseRefused(
            f"{description} was made by a newer tribe-ws (its schema is {revision}, ours {REVISIONS[-1]})",
            reason="newer",
            hint="upgrade tribe-ws, or give another database with --db",
        )
    return str(revision) if revision is not None else None


def upgrade(connection: Connection) -> None:
    """Run every migration that is missing."""
    from alembic import command

    command.upgrade(configuration(connection), REVISIONS[-1])


def configuration(connection: Connection) -> Any:
    """Make the settings with which Alembic works on an open connection."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
