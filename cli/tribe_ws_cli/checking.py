"""What ``check`` needs from its surroundings: who to act as, never by a password on the command line."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import suppress

from tribe_ws.check.accounts import Account, demo_accounts
from tribe_ws.check.probe import choose, matches, reason_not_to_judge
from tribe_ws.client.control import ControlClient
from tribe_ws.client.rest import RestClient
from tribe_ws.errors import ApiError, AuthenticationError, ConfigurationError, ProtocolViolation
from tribe_ws.protocol.clause import Level
from tribe_ws.protocol.contract import CLAUSES
from tribe_ws_cli.commands.account import ask_password
from tribe_ws_cli.diagnostics import UsageProblem
from tribe_ws_cli.environment import Environment
from tribe_ws_cli.profiles import Login

ACCOUNTS_VARIABLE = "TRIBE_WS_ACCOUNTS"
_MOST = 3


async def gather_accounts(
    environment: Environment, named: tuple[str, ...], *, from_stdin: bool
) -> list[Account]:
    """Find who to act as on the server meant.

    Raises ``AuthenticationError`` where nobody is known there, and ``CannotConnect`` if it does not answer.

    Accounts that bring their password (stdin, environment) come first; those only named have a login kept,
    are demo users, or their password is asked for.
    """
    given = {account.name: account for account in given_accounts(environment, from_stdin=from_stdin)}
    if named:
        return [given.get(name) or _named(environment, name) for name in dict.fromkeys(named)]
    if given:
        return list(given.values())
    if demo := demo_accounts(environment.address):
        return list(demo[:_MOST])
    if kept := [_kept(login) for login in environment.store.logins(environment.address.base_url)]:
        return kept[-_MOST:]
    async with RestClient(environment.address, timeout=environment.timeout) as rest:
        # A login would not help where nothing listens, so that is said first.
        with suppress(ApiError, ProtocolViolation):
            await rest.health()
    raise AuthenticationError(
        f"a check logs in, and nobody is known at {environment.address.base_url}",
        hint=f"name two or three:  tribe-ws check --account USER --account USER{environment.url_flag()}"
        f"\nor set {ACCOUNTS_VARIABLE} to lines of user:password",
    )


def given_accounts(environment: Environment, *, from_stdin: bool) -> Iterator[Account]:
    """Yield the accounts whose passwords stand on stdin or in the environment."""
    if from_stdin:
        yield from _read("stdin", sys.stdin.read())
    yield from _read(ACCOUNTS_VARIABLE, environment.environ.get(ACCOUNTS_VARIABLE, ""))


def note_on_accounts(accounts: list[Account]) -> str:
    """Say what a check misses for want of people; empty if it misses nothing."""
    match len(accounts):
        case 1:
            return "one account only: everything between two people is skipped (--account USER, repeatable)"
        case 2:
            return "two accounts only: what a stranger must not see is skipped (--account USER, repeatable)"
        case _:
            return ""


def control_of(environment: Environment) -> ControlClient | None:
    """Give the control API of the server meant, if it is one of ours on this machine."""
    try:
        return ControlClient.of_running(environment.address, timeout=environment.timeout)
    except ConfigurationError:
        return None


def list_of_clauses(environment: Environment, level: Level, only: tuple[str, ...]) -> None:
    """Print the clauses that a check of that level is about, and what judging each one needs."""
    needs = {
        clause.id: [need.value for need in sorted(probe.needs, key=lambda one: one.name)]
        for probe in choose(level, only)
        for clause in probe.clauses
    }
    for clause in CLAUSES:
        reason = reason_not_to_judge(clause.id)
        is_meant = clause.level in {"documented", level} and (not only or matches(clause.id, only))
        if not is_meant or (clause.id not in needs and not reason):
            continue
        if environment.json:
            environment.output.json(
                {
                    "id": clause.id,
                    "level": clause.level,
                    "section": clause.section,
                    "sentence": clause.sentence,
                    "needs": needs.get(clause.id, []),
                    "not_judged": reason,
                }
            )
        else:
            mark = "·" if reason else " "
            environment.output.segments(
                ((f"{mark} {clause.id:<28}", "dim" if reason else "event"), (clause.sentence, ""))
            )
    if not environment.json:
        environment.talk.note("· cannot be judged from outside; --json tells why, and what the others need")


def _read(source: str, text: str) -> Iterator[Account]:
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        name, colon, password = line.partition(":")
        if not colon or not password:
            raise UsageProblem(
                f"{source}, line {number}: expected user:password", hint="one account a line, no quotes"
            )
        yield Account(name.strip(), password)


def _named(environment: Environment, name: str) -> Account:
    if re.search(r".:.", name):
        raise UsageProblem(
            "a password does not belong on a command line, where everybody on the machine can read it",
            hint=f"echo USER:PASSWORD | tribe-ws check --accounts-stdin        or set {ACCOUNTS_VARIABLE}",
        )
    for demo in demo_accounts(environment.address):
        if name in {demo.name, demo.name.partition("@")[0]}:
            return demo
    if (login := environment.store.login(environment.address.base_url, name)) is not None:
        return _kept(login)
    return Account(name, ask_password(environment, f"Password of {name}: ", from_stdin=False))


def _kept(login: Login) -> Account:
    return Account(login.username, access_token=login.access_token, refresh_token=login.refresh_token)
