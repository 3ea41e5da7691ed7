"""``token``: test tokens made without a server, and any token read without one."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from tribe_ws_cli.application import Command, command, environment_of, group
from tribe_ws_cli.diagnostics import UsageProblem
from tribe_ws_cli.environment import Environment, user_config_file
from tribe_ws_cli.exit_codes import ExitCode
from tribe_ws_cli.options import seconds_of

if TYPE_CHECKING:
    from tribe_ws.server.minting import TokenUser
    from tribe_ws_cli.minting import Inspection

token = group("Make test tokens, good and broken ones, and read a token's claims.")

Broken = Literal["expired", "not-yet", "signature", "alg-none", "refresh", "unknown-user", "no-sub"]


@token.command("mint", cls=Command)
@command(
    examples=(
        "tribe-ws token mint --user alice --ttl 8h",
        "TRIBE_WS_TOKEN=$(tribe-ws token mint --user bob --broken expired) tribe-ws whoami",
    ),
    without=("as_user",),
)
def mint_token(
    context: typer.Context,
    user: Annotated[
        str, typer.Option("--user", metavar="USER", help="Demo user, kept login, or user id.")
    ] = "alice",
    ttl: Annotated[str, typer.Option("--ttl", metavar="DURATION", help="Its life.")] = "60m",
    broken: Annotated[
        Broken | None, typer.Option("--broken", help="Make one that a server must refuse, for this reason.")
    ] = None,
) -> None:
    """Make a test token, a good one or a broken one.

    It is signed with the secret of this machine's server (TRIBE_WS_SECRET, or the file made at its first
    start) and good for no other. A server with --db :memory: keeps its secret to itself unless
    TRIBE_WS_SECRET is set for both.
    """
    from tribe_ws.server.minting import mint

    environment = environment_of(context)
    seconds = seconds_of(ttl, "--ttl")
    minted = mint(_user(environment, user), _secret(environment), seconds, broken or "", now=time.time())
    if environment.json:
        environment.output.json({"token": minted, "broken": broken})
    else:
        environment.output.line(minted)


@token.command("inspect", cls=Command)
@command(
    examples=(
        "tribe-ws token inspect",
        "tribe-ws token inspect --as bob",
        "pbpaste | tribe-ws token inspect -",
    ),
)
def inspect_token(
    context: typer.Context,
    source: Annotated[
        str, typer.Argument(metavar="[TOKEN|FILE|-]", help="Your own token if left out; - is stdin.")
    ] = "",
) -> ExitCode:
    """Read a token's claims and say why it would be refused.

    Exit 4 if it would be. The token itself is not shown. Its signature is checked against this machine's
    secret.
    """
    from tribe_ws_cli.minting import inspect

    environment = environment_of(context)
    found = inspect(_given_token(environment, source), _known_secret(environment))
    if environment.json:
        environment.output.json(
            {
                "header": found.header,
                "claims": found.claims,
                "signature": found.signature,
                "refusal": found.refusal or None,
                "why": found.why,
            }
        )
    else:
        _print(environment, found)
    return ExitCode.NOT_AUTHENTICATED if found.refusal else ExitCode.DONE


def _print(environment: Environment, found: Inspection) -> None:
    from tribe_ws.durations import format_duration

    output = environment.output
    for name, value in found.claims.items():
        told = ""
        if name in {"iat", "exp", "nbf"} and isinstance(value, int | float):
            away = value - datetime.now(UTC).timestamp()
            told = f"   {format_duration(abs(away))} {'ago' if away < 0 else 'from now'}"
        output.line(f"{name:<10} {value}{told}")
    signatures = {
        "ours": "made with this machine's secret",
        "other": "made with another secret than this machine's",
        "none": "none",
        "not checked": "not checked: this machine has no secret to compare with",
    }
    output.line(f"{'signature':<10} {signatures[found.signature]}")
    verdict = f"would be refused: {found.refusal}, {found.why}" if found.refusal else "would be accepted"
    is_open = not found.refusal and found.signature == "not checked"
    output.line(f"{'verdict':<10} {verdict}{', if its signature is right' if is_open else ''}")


def _given_token(environment: Environment, source: str) -> str:
    if source == "-":
        return sys.stdin.readline().strip()
    if source.startswith("eyJ") and source.count(".") == 2:
        return source
    if source:
        return Path(source).expanduser().read_text("utf-8").strip()
    if environment.token and not environment.as_user:
        return environment.token
    store, server = environment.store, environment.address.base_url
    kept = store.login(server, environment.as_user) if environment.as_user else store.default_login(server)
    if kept is None:
        raise UsageProblem(
            f'no token is kept for "{environment.profile}"',
            hint="tribe-ws login USER        or:  tribe-ws token inspect -",
        )
    return kept.access_token


def _user(environment: Environment, text: str) -> TokenUser:
    from tribe_ws.demo_accounts import DEMO_USERNAMES, demo_email, fixture_id
    from tribe_ws.errors import NotFound
    from tribe_ws.protocol.ids import canonical_id
    from tribe_ws.server.minting import TokenUser

    name = text.removeprefix("@")
    if (kept := environment.store.login(environment.address.base_url, name)) is not None:
        return TokenUser(kept.user_id, kept.username, kept.email)
    if name in DEMO_USERNAMES:
        return TokenUser(fixture_id(f"user:{name}"), name, demo_email(name))
    if (user_id := canonical_id(name)) is not None:
        return TokenUser(user_id, "", "")
    raise NotFound(
        f'no user "{text}" is known here',
        hint=f"give the id:  tribe-ws users show {name}        demo users: {', '.join(DEMO_USERNAMES)}",
    )


def _secret(environment: Environment) -> str:
    from tribe_ws.server.secrets import load_secret
    from tribe_ws.settings import PROJECT_FILE, load_server_settings

    files = (PROJECT_FILE, user_config_file(environment.environ))
    settings = load_server_settings(files=files)
    return load_secret(settings.model_copy(update={"db": ""}))


def _known_secret(environment: Environment) -> str | None:
    """Give this machine's secret, if it has one already; reading a token must not make one."""
    from tribe_ws.server.secrets import secret_file

    if not environment.environ.get("TRIBE_WS_SECRET") and not secret_file().exists():
        return None
    return _secret(environment)
