"""What may be opened, and how: the target's spelling, the engines and their pragmas.

SQLite runs in WAL mode and commits with ``synchronous=FULL``: a commit that returned survives the end of the
process and of the power. Whoever writes begins with ``BEGIN IMMEDIATE``, because a deferred transaction that
reads first and then writes fails at once where an immediate one waits.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, QueuePool

from tribe_ws.errors import ConfigurationError

Durability = Literal["full", "normal"]

BUSY_TIMEOUT = 5.0
"""How long a write waits, in seconds, for somebody else's lock."""
CONNECT_TIMEOUT = 10.0
READERS = 4
"""How many reads run at the same time; more of them wait."""
_SQLITE = frozenset({"sqlite", "sqlite+aiosqlite", "sqlite+pysqlite"})
_POSTGRES = frozenset({"postgres", "postgresql", "postgresql+asyncpg"})


@dataclass(frozen=True, slots=True)
class Target:
    """A database to open: ``path`` for a file, ``url`` for a server; no password is in ``description``."""

    kind: Literal["file", "memory", "postgres"]
    description: str
    path: Path | None = None
    url: URL | None = None


def read_target(text: str) -> Target:
    """Read what a user may write: a path, ``:memory:``, or a URL.

    Raises ``ConfigurationError`` for a database we do not speak to, or when its driver is not installed.
    """
    if "://" not in text:
        return _sqlite_target(text)
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise ConfigurationError("the database URL cannot be read", hint=_ACCEPTED) from None
    if url.drivername in _SQLITE:
        return _sqlite_target(url.database or ":memory:")
    if url.drivername in _POSTGRES:
        return _postgres_target(url)
    raise ConfigurationError(f"databases of the kind {url.drivername!r} are not spoken here", hint=_ACCEPTED)


_ACCEPTED = (
    "give a file, :memory:, or a URL: sqlite+aiosqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME"
)


def _sqlite_target(name: str) -> Target:
    if not name:
        raise ConfigurationError("no database is named", hint=_ACCEPTED)
    if name == ":memory:":
        return Target("memory", ":memory:")
    # One file has one name, however it was reached: the lock lies beside it.
    path = Path(name).expanduser().resolve()
    return Target("file", str(path), path=path)


def _postgres_target(url: URL) -> Target:
    if find_spec("asyncpg") is None:
        raise ConfigurationError(
            "PostgreSQL needs the driver asyncpg, which is not installed",
            hint="install it with: pip install 'tribe-ws[postgres]'",
        )
    query = dict(url.query)
    if "sslmode" in query:
        # libpq's word, which everybody's URLs use; asyncpg calls it ssl.
        query["ssl"] = query.pop("sslmode")
    shown = URL.create("postgresql", host=url.host, port=url.port, database=url.database)
    return Target(
        "postgres",
        shown.render_as_string(hide_password=True),
        url=url.set(drivername="postgresql+asyncpg", query=query),
    )


def file_writer_engine(path: Path, durability: Durability) -> Engine:
    """Make the engine of the one thread that writes to a file; it keeps one connection."""
    engine = create_engine(
        URL.create("sqlite+pysqlite", database=str(path)),
        poolclass=QueuePool,
        pool_size=1,
        max_overflow=0,
        connect_args={"timeout": BUSY_TIMEOUT, "check_same_thread": False},
    )
    _prepare_sqlite(engine, "WAL", durability, begin="BEGIN IMMEDIATE")
    return engine


def file_reader_engine(path: Path, durability: Durability) -> AsyncEngine:
    """Make the engine for reading a file while it is written to."""
    engine = create_async_engine(
        URL.create("sqlite+aiosqlite", database=str(path)),
        poolclass=AsyncAdaptedQueuePool,
        pool_size=READERS,
        max_overflow=0,
        connect_args={"timeout": BUSY_TIMEOUT},
    )
    _prepare_sqlite(engine.sync_engine, "WAL", durability, begin="BEGIN")
    return engine


def memory_engine() -> AsyncEngine:
    """Make the engine of a database that lives in one connection, which everybody has to wait for.

    The default pool would hand that connection to several tasks at a time: their statements would fall into
    each other's transactions, and a rollback of one would silently undo the writes of all.
    """
    engine = create_async_engine(
        URL.create("sqlite+aiosqlite", database=":memory:"),
        poolclass=AsyncAdaptedQueuePool,
        pool_size=1,
        max_overflow=0,
        pool_timeout=3600,
    )
    _prepare_sqlite(engine.sync_engine, "MEMORY", "normal", begin="BEGIN IMMEDIATE")
    return engine


def postgres_engine(url: URL) -> AsyncEngine:
    """Make the engine for PostgreSQL; a statement that waits for a lock gives up as SQLite's does."""
    timeouts = {"lock_timeout": f"{BUSY_TIMEOUT * 1000:.0f}", "application_name": "tribe-ws"}
    return create_async_engine(
        url,
        pool_size=READERS + 1,
        max_overflow=0,
        pool_pre_ping=True,
        connect_args={"timeout": CONNECT_TIMEOUT, "server_settings": timeouts},
    )


def _prepare_sqlite(engine: Engine, journal: str, durability: Durability, *, begin: str) -> None:
    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        # The driver must not begin transactions behind our back.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            f"journal_mode={journal}",
            f"synchronous={durability.upper()}",
            f"busy_timeout={BUSY_TIMEOUT * 1000:.0f}",
            "foreign_keys=ON",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def start(connection: Connection) -> None:
        # One SELECT is consistent in itself; three thread hops are saved.
        if not connection.get_execution_options().get("single_statement"):
            connection.exec_driver_sql(begin)
