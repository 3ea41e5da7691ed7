"""``login``, ``logout``, ``whoami``, ``register``: who one is on a server, and the token that proves it."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from tribe_ws_cli.application import command, environment_of
from tribe_ws_cli.diagnostics import UsageProblem
from tribe_ws_cli.environment import Environment

PasswordStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from the first line of stdin.")
]


@command(
    examples=(
        "tribe-ws login alice",
        "tribe-ws login erin@example.com --url https://api.example.com -p staging",
        "pass show tribe/erin | tribe-ws login erin --password-stdin",
    ),
    without=("as_user",),
)
def login(
    context: typer.Context,
    user: Annotated[str, typer.Argument(metavar="USER", help="Username or e-mail address.")],
    password_stdin: PasswordStdin = False,
) -> Any:
    """Get and keep a token.

    The tokens go into a file that only you can read; the password is kept nowhere. With --url and -p the
    server is remembered under that name. A demo user on a local tribe-ws server needs no password.
    """
    from tribe_ws_cli.lifetime import run_to_end

    return run_to_end(_login(environment_of(context), user, password_stdin))


async def _login(environment: Environment, user: str, password_stdin: bool) -> None:
    from tribe_ws.client.rest import RestClient
    from tribe_ws_cli.identity import login_from

    password = _demo_password(environment, user) if not password_stdin else None
    if password is None:
        password = ask_password(environment, f"Password of {user}: ", password_stdin)
    async with RestClient(environment.address, timeout=environment.timeout) as rest:
        result = await rest.login(user, password)
    kept = login_from(environment.address, result)
    environment.store.save_login(kept)
    environment.talk.note(_remember_server(environment))
    if environment.json:
        environment.output.json(_description(environment, kept))
    else:
        environment.output.line(f'logged in to "{environment.profile}" as {kept.username} ({kept.full_name})')


def _remember_server(environment: Environment) -> str:
    """Keep the server under its name if it was given by both; say what a later command needs."""
    from tribe_ws_cli.profiles import ServerProfile

    name = environment.profile
    if ":" not in name and name not in environment.store.profiles() and name != "local":
        environment.store.save_profile(name, ServerProfile(environment.address.base_url))
    return f"try:  tribe-ws conversations list{environment.url_flag()}"


@command(examples=("tribe-ws logout", "tribe-ws logout --as bob"))
def logout(context: typer.Context) -> Any:
    """Forget a token.

    The server is asked to revoke it; it is forgotten here even if the server cannot be reached.
    """
    from tribe_ws_cli.lifetime import run_to_end

    return run_to_end(_logout(environment_of(context)))


async def _logout(environment: Environment) -> None:
    from tribe_ws.client.rest import RestClient
    from tribe_ws.client.tokens import Tokens
    from tribe_ws.errors import AuthenticationError, TribeError

    server = environment.address.base_url
    store = environment.store
    kept = store.login(server, environment.as_user) if environment.as_user else store.default_login(server)
    if kept is None:
        whom = f" as {environment.as_user}" if environment.as_user else ""
        raise AuthenticationError(
            f'not logged in to "{environment.profile}"{whom}', hint="who is:  tribe-ws profile list"
        )
    revoked = True
    try:
        tokens = Tokens(kept.access_token, kept.refresh_token or None)
        async with RestClient(environment.address, tokens, timeout=environment.timeout) as rest:
            await rest.logout()
    except TribeError as error:
        revoked = False
        environment.talk.note(f"the server could not revoke the token ({error}); forgotten here all the same")
    store.forget_login(server, kept.username)
    if environment.json:
        environment.output.json({"username": kept.username, "server": server, "revoked": revoked})
    else:
        environment.output.line(f'logged out of "{environment.profile}", {kept.username}')


@command(examples=("tribe-ws whoami", "tribe-ws whoami --as bob --json"))
def whoami(context: typer.Context) -> Any:
    """Show who you are, where, and until when."""
    from tribe_ws_cli.lifetime import run_to_end

    return run_to_end(_whoami(environment_of(context)))


async def _whoami(environment: Environment) -> None:
    from tribe_ws_cli.identity import acting

    async with acting(environment) as identity:
        me = await identity.rest.me()
        tokens = identity.rest.tokens
        ends_at = tokens.ends_at if tokens else None
    if environment.json:
        where = {"profile": environment.profile, "server": environment.address.base_url}
        until = ends_at.isoformat() if ends_at else None
        environment.output.json({"user": me.raw, **where, "expires_at": until})
        return
    output = environment.output
    output.line(f"{me.username} ({me.full_name}), {me.email}")
    output.line(f'on "{environment.profile}", {environment.address.base_url}')
    output.line(
        f"token good {_until(ends_at)}" + (", renewed by itself" if tokens and tokens.refresh_token else "")
    )


@command(
    examples=("tribe-ws register erin --email erin@example.com --name 'Erin Gray'",), without=("as_user",)
)
def register(
    context: typer.Context,
    username: Annotated[str, typer.Argument(metavar="USERNAME", help="3 to 50 letters, digits and _.")],
    email: Annotated[
        str, typer.Option("--email", metavar="EMAIL", help="USERNAME@tribe.test if left out.")
    ] = "",
    name: Annotated[
        str, typer.Option("--name", metavar="NAME", help="Full name; the username if left out.")
    ] = "",
    password_stdin: PasswordStdin = False,
) -> Any:
    """Make an account.

    You are logged in as the new user afterwards. A password has 8 to 128 characters, among them an
    upper-case and a lower-case letter and a digit.
    """
    from tribe_ws_cli.lifetime import run_to_end

    return run_to_end(_register(environment_of(context), username, email, name, password_stdin))


async def _register(
    environment: Environment, username: str, email: str, name: str, password_stdin: bool
) -> None:
    from tribe_ws.client.rest import RestClient
    from tribe_ws.demo_accounts import demo_email
    from tribe_ws_cli.identity import login_from

    password = ask_password(environment, f"Password for {username}: ", password_stdin, again=True)
    async with RestClient(environment.address, timeout=environment.timeout) as rest:
        result = await rest.register(
            email=email or demo_email(username),
            username=username,
            full_name=name or username,
            password=password,
        )
    kept = login_from(environment.address, result)
    environment.store.save_login(kept)
    if environment.json:
        environment.output.json(_description(environment, kept))
    else:
        environment.output.line(f'registered {kept.username} on "{environment.profile}", and logged in')


def ask_password(environment: Environment, prompt: str, from_stdin: bool, *, again: bool = False) -> str:
    """Get a password from stdin or from the terminal without showing it; never from the command line."""
    if from_stdin:
        if password := sys.stdin.readline().rstrip("\r\n"):
            return password
        raise UsageProblem(
            "no password came on stdin", hint="echo 'the password' | tribe-ws … --password-stdin"
        )
    if not environment.can_ask:
        raise UsageProblem(
            "a password is needed, and nobody can be asked for it (no terminal, or --no-input)",
            hint="give it on stdin:  --password-stdin",
        )
    from getpass import getpass

    password = getpass(prompt)
    if again and getpass("Again: ") != password:
        raise UsageProblem("the two passwords differ", hint="nothing was sent; try again")
    return password


def _demo_password(environment: Environment, user: str) -> str | None:
    from tribe_ws.demo_accounts import DEMO_PASSWORD, DEMO_USERNAMES, demo_email
    from tribe_ws_cli.identity import demo_server

    is_demo_user = user in DEMO_USERNAMES or user in map(demo_email, DEMO_USERNAMES)
    return DEMO_PASSWORD if is_demo_user and demo_server(environment.address) else None


def _description(environment: Environment, kept: Any) -> dict[str, Any]:
    return {
        "username": kept.username,
        "user_id": kept.user_id,
        "email": kept.email,
        "full_name": kept.full_name,
        "server": kept.server,
        "profile": environment.profile,
    }


def _until(moment: datetime | None) -> str:
    from tribe_ws.durations import format_duration

    if moment is None:
        return "for an unknown time"
    left = (moment - datetime.now(UTC)).total_seconds()
    at = f"{moment.astimezone():%H:%M:%S}"
    return f"for {format_duration(left)} (until {at})" if left > 0 else f"no more (ended {at})"
