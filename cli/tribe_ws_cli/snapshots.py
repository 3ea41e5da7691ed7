"""Writes a database into a snapshot file and puts one back, for ``fixtures snapshot`` and ``restore``.

A server has its database to itself while it runs: one that is served is refused.
"""

from __future__ import annotations

import json
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tribe_ws.errors import ConfigurationError, DatabaseRefused
from tribe_ws_cli.diagnostics import UsageProblem
from tribe_ws_cli.environment import Environment

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tribe_ws.settings import ServerSettings
    from tribe_ws.storage.storage import Storage

STDOUT = "-"


async def save(environment: Environment, settings: ServerSettings, file: str) -> None:
    """Write a database into a file that only its owner can read, or to stdout."""
    from tribe_ws.running import write_private

    _require_database(settings)
    async with _opened(settings) as storage:
        document = await storage.snapshot()
    if file == STDOUT:
        environment.output.json(document)
        environment.talk.note(
            "the snapshot holds the users' password hashes: keep it where only you can read it"
        )
        return
    path = Path(file)
    write_private(path, json.dumps(document, ensure_ascii=False, indent=1) + "\n")
    counts = {name: len(rows) for name, rows in document["tables"].items()}
    if environment.json:
        environment.output.json({"file": str(path), "database": storage.description, **counts})
        return
    held = _said(counts["users"], counts["conversations"], counts["messages"])
    environment.output.line(
        f"{held} of {storage.description} in {path}\n"
        "It holds password hashes, so only you can read it (0600); it holds no token."
    )


async def put_back(environment: Environment, settings: ServerSettings, file: str, *, is_sure: bool) -> None:
    """Replace what a database holds by a snapshot, after asking; all of it or nothing."""
    from tribe_ws.storage.snapshot import read_document

    document = _read(file)
    try:
        read_document(document)
    except ConfigurationError as error:
        raise ConfigurationError(f"{_name(file)}: {error}", hint=error.hint) from None
    if _is_there(settings):
        _require_consent(environment, settings, file, is_sure=is_sure)
    async with _opened(settings) as storage:
        restored = await storage.restore(document)
    if environment.json:
        environment.output.json(
            {
                "database": storage.description,
                "users": restored.users,
                "conversations": restored.conversations,
                "messages": restored.messages,
            }
        )
        return
    held = _said(restored.users, restored.conversations, restored.messages)
    environment.output.line(f"restored: {held}, in {storage.description}; everybody has to log in again")


@asynccontextmanager
async def _opened(settings: ServerSettings) -> AsyncIterator[Storage]:
    from tribe_ws.clock import SystemClock
    from tribe_ws.storage.storage import Storage

    try:
        storage = await Storage.open(settings.database, clock=SystemClock(), durability=settings.durability)
    except DatabaseRefused as refusal:
        if refusal.reason != "in_use":
            raise
        hint = "stop that server first (Ctrl+C there): it has its database to itself"
        raise DatabaseRefused(str(refusal), reason=refusal.reason, hint=hint) from None
    try:
        yield storage
    finally:
        await storage.close()


def _read(file: str) -> Any:
    try:
        text = sys.stdin.read() if file == STDOUT else Path(file).read_text("utf-8")
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ConfigurationError(
            f"{_name(file)}:{error.lineno}: that is no JSON: {error.msg} (column {error.colno})"
        ) from None
    except (UnicodeDecodeError, RecursionError):
        raise ConfigurationError(f"{_name(file)}: that is no JSON in UTF-8") from None


def _name(file: str) -> str:
    return "stdin" if file == STDOUT else file


def _is_there(settings: ServerSettings) -> bool:
    """Tell whether there may be something that a restore throws away."""
    from tribe_ws.storage.engine import read_target

    target = read_target(settings.database)
    return target.path.exists() if target.path is not None else target.kind != "memory"


def _require_database(settings: ServerSettings) -> None:
    if not _is_there(settings):
        raise ConfigurationError(
            f"there is no database {settings.database}", hint="name another one with --db FILE|URL"
        )


def _require_consent(environment: Environment, settings: ServerSettings, file: str, *, is_sure: bool) -> None:
    from tribe_ws.storage.engine import read_target

    if is_sure:
        return
    database = read_target(settings.database).description
    if file == STDOUT or not environment.can_ask:
        raise UsageProblem(
            f"everything in {database} would be replaced",
            hint=f"if that is meant:  tribe-ws fixtures restore {file} --yes",
        )
    sys.stderr.write(f"Replace everything in {database} by {file}? [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        raise UsageProblem("nothing was done")


def _said(users: int, conversations: int, messages: int) -> str:
    counts = {"user": users, "conversation": conversations, "message": messages}
    return ", ".join(f"{count} {name}{'s' * (count != 1)}" for name, count in counts.items())
