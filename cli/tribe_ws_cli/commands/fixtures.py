"""``fixtures``: known users and conversations, with the same ids on every machine."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tribe_ws_cli.application import Command, command, environment_of, group
from tribe_ws_cli.environment import Environment, user_config_file

if TYPE_CHECKING:
    from tribe_ws.settings import ServerSettings
    from tribe_ws.storage.records import WorldSummary
    from tribe_ws.storage.world import World

fixtures = group("Known users and conversations in the local database.")

_SERVERLESS = ("as_user", "url", "profile", "timeout")
WorldName = Annotated[str, typer.Argument(metavar="[WORLD]", help="demo, none, or a YAML file.")]
Db = Annotated[str | None, typer.Option("--db", metavar="FILE|URL", help="Database, as for serve.")]
PrintEnv = Annotated[
    bool, typer.Option("--print-env", help="Print the ids as NAME=VALUE, for a shell or .env.")
]


@fixtures.command("list", cls=Command)
@command(
    examples=("tribe-ws fixtures list", "tribe-ws fixtures list --print-env >> .env.test"),
    without=_SERVERLESS,
)
def list_fixtures(context: typer.Context, world: WorldName = "demo", print_env: PrintEnv = False) -> None:
    """List who and what a world holds, and their ids."""
    from tribe_ws.storage.world import load_world

    _print_world(environment_of(context), load_world(world), print_env=print_env)


@fixtures.command("apply", cls=Command)
@command(
    examples=("tribe-ws fixtures apply", "tribe-ws fixtures apply team.yaml --db test.db"),
    without=_SERVERLESS,
)
def apply_fixtures(
    context: typer.Context, world: WorldName = "demo", db: Db = None, print_env: PrintEnv = False
) -> Any:
    """Fill in what a database lacks of a world; what is there already stays as it is.

    A server that is running has its database to itself: serve --fixtures does the same there.
    """
    from tribe_ws_cli.lifetime import run_to_end

    return run_to_end(_apply(environment_of(context), world, db, print_env=print_env))


async def _apply(environment: Environment, world: str, db: str | None, *, print_env: bool) -> None:
    from tribe_ws.storage.world import load_world

    summary, description = await _fill(_settings(environment, db), world)
    if print_env:
        _print_world(environment, load_world(world), print_env=True)
    elif environment.json:
        environment.output.json(_summary(summary, description))
    else:
        environment.output.line(f"{summary.name}: {_created(summary)}, in {description}")


@fixtures.command("reset", cls=Command)
@command(
    examples=("tribe-ws fixtures reset", "tribe-ws fixtures reset --yes --db test.db"), without=_SERVERLESS
)
def reset_fixtures(
    context: typer.Context,
    world: WorldName = "demo",
    db: Db = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> Any:
    """Throw a database file away and begin with a fresh world.

    It asks first on a terminal, and refuses without one unless --yes is given. Everything in the file is
    lost.
    """
    from tribe_ws_cli.lifetime import run_to_end

    return run_to_end(_reset(environment_of(context), world, db, is_sure=yes))


@fixtures.command("snapshot", cls=Command)
@command(
    examples=(
        "tribe-ws fixtures snapshot before.json",
        "tribe-ws fixtures snapshot --db test.db | jq '.tables.users[].username'",
    ),
    without=_SERVERLESS,
)
def snapshot_fixtures(
    context: typer.Context,
    file: Annotated[str, typer.Argument(metavar="[FILE]", help="Where to; - is stdout.")] = "-",
    db: Db = None,
) -> Any:
    """Write everything in a database into one JSON file, for any database of this version.

    It holds no token. It does hold the users' password hashes, so that they can log in after a restore: the
    file is made readable by you only.
    """
    from tribe_ws_cli.lifetime import run_to_end
    from tribe_ws_cli.snapshots import save

    environment = environment_of(context)
    return run_to_end(save(environment, _settings(environment, db), file))


@fixtures.command("restore", cls=Command)
@command(
    examples=(
        "tribe-ws fixtures restore before.json",
        "tribe-ws fixtures restore before.json --yes --db postgresql://localhost/tribe",
    ),
    without=_SERVERLESS,
)
def restore_fixtures(
    context: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE", help="A snapshot; - is stdin.")],
    db: Db = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> Any:
    """Replace everything in a database by a snapshot: all of it or nothing.

    It asks first on a terminal, and refuses without one unless --yes is given. Everybody has to log in again,
    and clients of tribe.v2 are told another epoch.
    """
    from tribe_ws_cli.lifetime import run_to_end
    from tribe_ws_cli.snapshots import put_back

    environment = environment_of(context)
    return run_to_end(put_back(environment, _settings(environment, db), file, is_sure=yes))


async def _reset(environment: Environment, world: str, db: str | None, *, is_sure: bool) -> None:
    from tribe_ws.clock import SystemClock
    from tribe_ws.errors import ConfigurationError, DatabaseRefused
    from tribe_ws.storage.engine import read_target
    from tribe_ws.storage.storage import Storage
    from tribe_ws.storage.world import load_world

    settings = _settings(environment, db)
    target = read_target(settings.database)
    if target.path is None:
        raise ConfigurationError(
            f"only a database file can be reset, not {target.description}",
            hint="for a server's database: drop it there, then  tribe-ws fixtures apply --db URL",
        )
    load_world(world)
    _require_consent(environment, str(target.path), is_sure=is_sure)
    try:
        # Whoever can open it holds it alone: a running server is not robbed of its file.
        await (await Storage.open(settings.database, clock=SystemClock())).close()
    except DatabaseRefused as refusal:
        if refusal.reason not in {"corrupt", "newer"}:
            raise
    for suffix in ("", "-wal", "-shm", "-journal"):
        target.path.with_name(target.path.name + suffix).unlink(missing_ok=True)
    summary, description = await _fill(settings, world)
    if environment.json:
        environment.output.json(_summary(summary, description))
    else:
        environment.output.line(f"fresh: {_created(summary)}, in {description}")


def _require_consent(environment: Environment, path: str, *, is_sure: bool) -> None:
    from tribe_ws_cli.diagnostics import UsageProblem

    if is_sure:
        return
    if not environment.can_ask:
        raise UsageProblem(
            f"everything in {path} would be lost", hint="if that is meant:  tribe-ws fixtures reset --yes"
        )
    sys.stderr.write(f"Throw away everything in {path}? [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        raise UsageProblem("nothing was done")


async def _fill(settings: ServerSettings, world: str) -> tuple[WorldSummary, str]:
    from tribe_ws.clock import SystemClock
    from tribe_ws.server.passwords import Passwords
    from tribe_ws.storage.storage import Storage

    passwords = Passwords()
    storage = await Storage.open(settings.database, clock=SystemClock(), durability=settings.durability)
    try:
        return await storage.apply_world(world, passwords.hash_for_demo), storage.description
    finally:
        passwords.close()
        await storage.close()


def _settings(environment: Environment, db: str | None) -> ServerSettings:
    from tribe_ws.settings import PROJECT_FILE, load_server_settings

    return load_server_settings(files=(PROJECT_FILE, user_config_file(environment.environ)), db=db)


def _print_world(environment: Environment, world: World, *, print_env: bool) -> None:
    output = environment.output
    if print_env:
        for name, value in _variables(world).items():
            output.line(f"{name}={value}")
        return
    conversations = [history.summary() for history in world.conversations]
    if environment.json:
        users = [{"username": one.username, "id": one.id, "email": one.email} for one in world.users]
        listed = [
            {"label": one.label, "id": one.id, "participants": one.participants} for one in conversations
        ]
        output.json({"world": world.name, "users": users, "conversations": listed})
        return
    output.table(("user", "e-mail", "id"), [(one.username, one.email, one.id) for one in world.users])
    output.line()
    output.table(
        ("conversation", "people", "id"),
        [(one.label, " ".join(one.participants), one.id) for one in conversations],
    )


def _variables(world: World) -> dict[str, str]:
    users = {f"TRIBE_WS_USER_{_variable(one.username)}": one.id for one in world.users}
    conversations = {f"TRIBE_WS_CONVERSATION_{_variable(one.alias)}": one.id for one in world.conversations}
    return users | conversations


def _variable(name: str) -> str:
    return re.sub(r"\W+", "_", name).upper()


def _created(summary: WorldSummary) -> str:
    counts = {
        "user": summary.users_created,
        "conversation": summary.conversations_created,
        "message": summary.messages_created,
    }
    if not any(counts.values()):
        return "all of it was there already"
    return ", ".join(f"{count} {name}{'s' * (count != 1)}" for name, count in counts.items()) + " made"


def _summary(summary: WorldSummary, description: str) -> dict[str, Any]:
    return {
        "world": summary.name,
        "database": description,
        "users_created": summary.users_created,
        "conversations_created": summary.conversations_created,
        "messages_created": summary.messages_created,
    }
