"""Migrations and tables agree, ship with the package, and are run only where they are missing."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from importlib.resources import files

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect

from tribe_ws.clock import ManualClock
from tribe_ws.errors import DatabaseRefused
from tribe_ws.storage import migrate
from tribe_ws.storage.storage import Storage
from tribe_ws.storage.tables import metadata


@pytest.fixture
def migrated(target: str) -> str:
    """A target whose schema was made by the migrations."""
    if target == ":memory:":
        pytest.skip("a database in memory is made from the tables themselves")
    return target


async def test_the_migrations_make_exactly_the_tables(migrated, storage):
    def compare(connection):
        return compare_metadata(MigrationContext.configure(connection), metadata)

    assert await storage._database.read(compare) == []


async def test_every_migration_is_known_by_name(migrated, storage):
    def list_revisions(connection):
        scripts = ScriptDirectory.from_config(migrate.configuration(connection))
        return [script.revision for script in scripts.walk_revisions()][::-1], scripts.get_current_head()

    revisions, head = await storage._database.read(list_revisions)
    assert tuple(revisions) == migrate.REVISIONS
    assert head == migrate.REVISIONS[-1]


async def test_migrations_can_be_taken_back(migrated, storage):
    def downgrade(connection):
        command.downgrade(migrate.configuration(connection), "base")
        return inspect(connection).get_table_names()

    assert await storage._database.write(downgrade) == ["alembic_version"]


async def test_an_emptied_database_is_filled_again(migrated, storage):
    def repeat(connection):
        command.downgrade(migrate.configuration(connection), "base")
        migrate.bring_up_to_date(connection, "it")
        return set(inspect(connection).get_table_names())

    assert await storage._database.write(repeat) == {"alembic_version", *metadata.tables}


@pytest.mark.parametrize("statement", ["UPDATE alembic_version SET version_num = 'f00'"])
async def test_a_newer_schema_is_refused(migrated, storage, statement):
    def pretend(connection):
        connection.exec_driver_sql(statement)
        with pytest.raises(DatabaseRefused, match="newer") as caught:
            migrate.bring_up_to_date(connection, "it")
        return caught.value.reason

    assert await storage._database.write(pretend) == "newer"


async def test_a_second_start_changes_nothing(migrated, storage):
    await storage.close()
    again = await Storage.open(migrated, clock=ManualClock())
    assert await again.ping()
    await again.close()


def test_the_migrations_ship_with_the_package():
    folder = files("tribe_ws.storage") / "migrations"
    assert {"env.py", "versions"} <= {entry.name for entry in folder.iterdir()}
    assert (folder / "versions" / "v0001_first.py").is_file()
    assert (files("tribe_ws.storage") / "worlds" / "demo.yaml").is_file()


def test_alembic_is_imported_only_where_there_is_work_for_it(tmp_path):
    async def make():
        opened = await Storage.open(str(tmp_path / "tribe.db"), clock=ManualClock())
        await opened.close()

    asyncio.run(make())
    code = """
import asyncio, sys
from tribe_ws.clock import SystemClock
from tribe_ws.storage.storage import Storage

async def main():
    for target in (sys.argv[1], ":memory:"):
        opened = await Storage.open(target, clock=SystemClock())
        await opened.close()

asyncio.run(main())
print([name for name in ("alembic", "asyncpg", "ruamel.yaml") if name in sys.modules])
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "tribe.db")], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
