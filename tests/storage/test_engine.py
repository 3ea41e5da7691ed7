"""What may be opened, how it is spelled, and with which pragmas it runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tribe_ws.errors import ConfigurationError
from tribe_ws.storage import engine
from tribe_ws.storage.engine import read_target
from tribe_ws.storage.storage import Storage


@pytest.mark.parametrize(
    "text",
    [":memory:", "sqlite://", "sqlite+aiosqlite://", "sqlite:///:memory:", "sqlite+aiosqlite:///:memory:"],
)
def test_a_database_in_memory_has_many_spellings(text):
    assert read_target(text).kind == "memory"


def test_a_file_has_one_name_however_it_is_spelled(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    expected = (tmp_path / "tribe.db").resolve()
    spellings = [
        "tribe.db", "./x/../tribe.db", "~/tribe.db", str(expected), "sqlite:///tribe.db",
        f"sqlite+aiosqlite:///{expected}",
    ]  # fmt: skip
    assert {read_target(text).path for text in spellings} == {expected}


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+asyncpg"])
def test_a_postgres_url_is_shown_without_user_and_password(scheme):
    target = read_target(f"{scheme}://ana:s3cret@db.example:5433/tribe?sslmode=require")
    assert target.kind == "postgres"
    assert target.description == "postgresql://db.example:5433/tribe"
    assert target.url is not None
    assert (target.url.drivername, target.url.query) == ("postgresql+asyncpg", {"ssl": "require"})
    assert target.url.password == "s3cret"
    assert "s3cret" not in repr(target)


@pytest.mark.parametrize(
    "text", ["mysql://u:s3cret@h/db", "postgresql+psycopg2://u:s3cret@h/db", "http://s3cret"]
)
def test_other_databases_are_refused_without_their_password(text):
    with pytest.raises(ConfigurationError, match="not spoken here") as caught:
        read_target(text)
    assert "s3cret" not in str(caught.value)
    assert "postgresql://" in caught.value.hint


def test_an_unreadable_url_is_refused_without_repeating_it():
    with pytest.raises(ConfigurationError, match="cannot be read") as caught:
        read_target("postgresql://u:s3cret@h:port/db")
    assert "s3cret" not in str(caught.value)


def test_no_database_is_no_target():
    with pytest.raises(ConfigurationError, match="no database"):
        read_target("")


def test_postgres_without_its_driver_names_the_extra(monkeypatch):
    monkeypatch.setattr(engine, "find_spec", lambda _name: None)
    with pytest.raises(ConfigurationError, match="asyncpg") as caught:
        read_target("postgresql://h/db")
    assert "tribe-ws[postgres]" in caught.value.hint


async def pragmas(run):
    names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
    return await run(
        lambda connection: {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in names}
    )


@pytest.mark.parametrize(("durability", "synchronous"), [("full", 2), ("normal", 1)])
async def test_a_file_commits_durably(tmp_path, clock, durability, synchronous):
    opened = await Storage.open(str(tmp_path / "tribe.db"), clock=clock, durability=durability)
    expected = {"journal_mode": "wal", "synchronous": synchronous, "foreign_keys": 1, "busy_timeout": 5000}
    assert await pragmas(opened._database.write) == expected
    assert await pragmas(opened._database.read) == expected
    await opened.close()


async def test_reading_goes_on_while_somebody_writes(tmp_path, clock):
    opened = await Storage.open(str(tmp_path / "tribe.db"), clock=clock)
    reads = []

    def write(connection):
        # Within the writer's transaction another connection reads, and does not wait for it.
        import sqlite3

        connection.exec_driver_sql("UPDATE users SET bio = 'x'")
        with sqlite3.connect(tmp_path / "tribe.db", timeout=0) as other:
            reads.append(other.execute("SELECT count(*) FROM users").fetchone()[0])
        other.close()

    await opened._database.write(write)
    assert reads == [0]
    await opened.close()


async def test_the_description_names_the_file(tmp_path, clock):
    opened = await Storage.open(str(tmp_path / "tribe.db"), clock=clock)
    assert Path(opened.description) == (tmp_path / "tribe.db").resolve()
    await opened.close()
