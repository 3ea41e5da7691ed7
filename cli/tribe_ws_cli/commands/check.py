"""``check``: asks a server for every promise of the contract, and says which ones it breaks."""

from __future__ import annotations

import json
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from tribe_ws_cli.application import command, environment_of
from tribe_ws_cli.diagnostics import UsageProblem
from tribe_ws_cli.environment import Environment
from tribe_ws_cli.exit_codes import ExitCode
from tribe_ws_cli.options import seconds_of

if TYPE_CHECKING:
    from tribe_ws.check.accounts import Account
    from tribe_ws.check.report import Report
    from tribe_ws.protocol.clause import Level


@command(
    examples=(
        "tribe-ws check",
        "tribe-ws check https://chat.example.com --account ana@example.com --account ben@example.com",
        "tribe-ws check --only 'typing.*' --only message.once",
        "tribe-ws check --level v2 --format junit > check.xml",
        "tribe-ws check --compare https://chat.example.com",
    )
)
def check(
    context: typer.Context,
    url: Annotated[
        str, typer.Argument(metavar="[URL]", help="The server to check, if not the usual one.")
    ] = "",
    level: Annotated[
        Literal["documented", "app", "v2"],
        typer.Option("--level", metavar="documented|app|v2", help="Whose clauses to check (documented)."),
    ] = "documented",
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="PATTERN", help="Only clauses named so: 'typing.*' (repeatable)."),
    ] = None,
    account: Annotated[
        list[str] | None,
        typer.Option("--account", metavar="USER", help="Act as this user (repeatable: two, better three)."),
    ] = None,
    accounts_stdin: Annotated[
        bool, typer.Option("--accounts-stdin", help="Read user:password from stdin, one a line.")
    ] = False,
    format_name: Annotated[
        Literal["human", "json", "junit", "sarif"],
        typer.Option("--format", metavar="human|json|junit|sarif", help="How to print the report (human)."),
    ] = "human",
    points_to: Annotated[
        str, typer.Option("--points-to", metavar="FILE", help="File of your repository for sarif's alerts.")
    ] = "README.md",
    patience: Annotated[
        float, typer.Option("--patience", min=0.1, max=100, metavar="X", help="Wait X times as long.")
    ] = 1.0,
    budget: Annotated[
        str, typer.Option("--budget", metavar="DURATION", help="The longest that all probes may take.")
    ] = "5m",
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Write nothing: no conversation, message, typing, presence.")
    ] = False,
    register: Annotated[
        bool, typer.Option("--register", help="Also make accounts, which stay on the server.")
    ] = False,
    thorough: Annotated[
        bool, typer.Option("--thorough", help="Also what takes minutes, or floods the server.")
    ] = False,
    compare: Annotated[
        str,
        typer.Option("--compare", metavar="URL", help="Check this server too, and show where they differ."),
    ] = "",
    list_clauses: Annotated[
        bool, typer.Option("--list", help="List the clauses and what each needs; ask nobody.")
    ] = False,
) -> Any:
    """Test any server against the documented contract.

    It logs in with two or three accounts, makes conversations of its own, and leaves them at the end. A
    clause failed only if the server did the contrary twice. On a demo server of ours it acts as the demo
    users; elsewhere as those of --account, of --accounts-stdin, or of the variable TRIBE_WS_ACCOUNTS
    (user:password, one a line). Exit 8 if the server breaks a clause; with --compare, if the first one does.
    """
    from tribe_ws.protocol.urls import parse_address
    from tribe_ws_cli.checking import list_of_clauses
    from tribe_ws_cli.lifetime import run_to_end

    environment = environment_of(context)
    if url:
        environment = replace(environment, address=parse_address(url))
    if list_clauses:
        list_of_clauses(environment, level, tuple(only or ()))
        return ExitCode.DONE
    wishes = _Wishes(
        level=level,
        only=tuple(only or ()),
        accounts=tuple(account or ()),
        accounts_stdin=accounts_stdin,
        patience=patience,
        budget=seconds_of(budget, "--budget"),
        may=(not read_only, register, thorough),
    )
    form = "json" if environment.json else format_name
    if compare:
        if form not in {"human", "json"}:
            raise UsageProblem(f"a comparison has no form {form}", hint="--format human or json")
        return run_to_end(
            _compare(environment, replace(environment, address=parse_address(compare)), wishes, form)
        )
    return run_to_end(_check(environment, wishes, form, points_to))


@dataclass(frozen=True, slots=True)
class _Wishes:
    """What was asked for on the command line; ``may``: write, register, be thorough."""

    level: Level
    only: tuple[str, ...]
    accounts: tuple[str, ...]
    accounts_stdin: bool
    patience: float
    budget: float
    may: tuple[bool, bool, bool]


async def _check(environment: Environment, wishes: _Wishes, form: str, points_to: str) -> ExitCode:
    report = await _report_on(environment, wishes, await _accounts(environment, wishes))
    _print(environment, report, form, points_to)
    return ExitCode.CONTRACT_VIOLATED if report.failed else ExitCode.DONE


async def _compare(environment: Environment, other: Environment, wishes: _Wishes, form: str) -> ExitCode:
    from tribe_ws.check.compare import compare, comparison_lines

    accounts = await _accounts(environment, wishes)
    # What stdin held is read, and was meant for both.
    others = accounts if wishes.accounts_stdin else await _accounts(other, wishes)
    one = await _report_on(environment, wishes, accounts)
    comparison = compare(one, await _report_on(other, wishes, others))
    if form == "json":
        environment.output.json(comparison.as_json())
    else:
        for line in comparison_lines(comparison):
            environment.output.segments(line)
    return ExitCode.CONTRACT_VIOLATED if one.failed else ExitCode.DONE


async def _accounts(environment: Environment, wishes: _Wishes) -> list[Account]:
    from tribe_ws_cli.checking import gather_accounts, note_on_accounts

    accounts = await gather_accounts(environment, wishes.accounts, from_stdin=wishes.accounts_stdin)
    if note := note_on_accounts(accounts):
        environment.talk.note(note)
    return accounts


async def _report_on(environment: Environment, wishes: _Wishes, accounts: list[Account]) -> Report:
    from tribe_ws.check.running import CheckRequest, check_server
    from tribe_ws.check.visit import Consent
    from tribe_ws_cli.checking import control_of

    async with AsyncExitStack() as stack:
        control = control_of(environment)
        if control is not None:
            await stack.enter_async_context(control)
        return await check_server(
            CheckRequest(
                environment.address,
                accounts,
                level=wishes.level,
                only=wishes.only,
                consent=Consent(*wishes.may),
                patience=wishes.patience,
                budget=wishes.budget * wishes.patience,
                control=control,
            )
        )


def _print(environment: Environment, report: Report, form: str, points_to: str) -> None:
    output = environment.output
    match form:
        case "json":
            output.json(report.as_json())
        case "junit":
            from tribe_ws.check.junit import to_junit

            output.line(to_junit(report))
        case "sarif":
            from tribe_ws.check.sarif import to_sarif

            output.line(json.dumps(to_sarif(report, file=points_to), indent=2))
        case _:
            from tribe_ws.check.report_text import report_lines

            for line in report_lines(report):
                output.segments(line)
