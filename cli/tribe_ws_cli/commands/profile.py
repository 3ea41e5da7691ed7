"""``profile``: names for servers."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from tribe_ws_cli.application import Command, command, environment_of, group

profile = group("Named servers: list, add, use and remove them.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the server.")]
_SERVERLESS = ("as_user", "url", "profile", "timeout")


@profile.command("list", cls=Command)
@command(examples=("tribe-ws profile list",), without=_SERVERLESS)
def list_profiles(context: typer.Context) -> None:
    """List named servers and who is logged in there."""
    from tribe_ws_cli.environment import DEFAULT_PROFILE, DEFAULT_URL

    environment = environment_of(context)
    store = environment.store
    urls = {DEFAULT_PROFILE: DEFAULT_URL} | {name: one.url for name, one in store.profiles().items()}
    rows = [(name, url, _people(environment, url), name == environment.profile) for name, url in urls.items()]
    if environment.json:
        keys = ("name", "url", "logins", "in_use")
        environment.output.json([dict(zip(keys, (n, u, p.split(), i), strict=True)) for n, u, p, i in rows])
        return
    environment.output.table(
        ("", "name", "url", "logged in"),
        [("*" if in_use else "", name, url, who) for name, url, who, in_use in rows],
    )


@profile.command("add", cls=Command)
@command(examples=("tribe-ws profile add staging https://api.staging.example.com",), without=_SERVERLESS)
def add_profile(
    context: typer.Context,
    name: Name,
    url: Annotated[str, typer.Argument(metavar="URL", help="Its base address.")],
) -> None:
    """Give a server a name, for -p NAME."""
    from tribe_ws.protocol.urls import parse_address
    from tribe_ws_cli.profiles import ServerProfile

    environment = environment_of(context)
    address = parse_address(url)
    environment.store.save_profile(name, ServerProfile(address.base_url))
    environment.output.line(f"{name} is {address.base_url}")


@profile.command("use", cls=Command)
@command(examples=("tribe-ws profile use staging",), without=_SERVERLESS)
def use_profile(context: typer.Context, name: Name) -> None:
    """Choose the server that is meant where none is named."""
    environment = environment_of(context)
    _require(environment, name)
    environment.store.use(name)
    environment.output.line(f"{name} is in use")


@profile.command("remove", cls=Command)
@command(examples=("tribe-ws profile remove staging",), without=_SERVERLESS)
def remove_profile(context: typer.Context, name: Name) -> None:
    """Forget a named server and the logins on it."""
    environment = environment_of(context)
    _require(environment, name, is_removal=True)
    environment.store.remove_profile(name)
    environment.output.line(f"{name} is forgotten")


def _require(environment: Any, name: str, *, is_removal: bool = False) -> None:
    from tribe_ws.errors import NotFound
    from tribe_ws_cli.environment import DEFAULT_PROFILE

    known = environment.store.profiles()
    if name not in known and (is_removal or name != DEFAULT_PROFILE):
        raise NotFound(f'no profile "{name}"', hint="all:  tribe-ws profile list")


def _people(environment: Any, url: str) -> str:
    return " ".join(login.username for login in environment.store.logins(url))
