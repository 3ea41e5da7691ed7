"""``doctor``: finds what is wrong around the tools, and says what mends it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from tribe_ws_cli.application import command, environment_of
from tribe_ws_cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from tribe_ws_cli.environment import Environment

_MARKS = {"ok": "good", "warn": "note", "fail": "bad"}


@command(
    examples=(
        "tribe-ws doctor",
        "tribe-ws doctor --url chat.example.com --as bob",
        "tribe-ws doctor --json | jq -r '.checks[] | select(.state != \"ok\").mend'",
    ),
)
def doctor(context: typer.Context) -> Any:
    """Find what is wrong: port, server, clock, token, terminal, proxies, database.

    Each check ends with ok, warn or fail, and what mends it. Nothing is changed. Exit 0 if no check failed,
    else 9.
    """
    from tribe_ws_cli.lifetime import run_to_end

    return run_to_end(_doctor(environment_of(context)))


async def _doctor(environment: Environment) -> ExitCode:
    from tribe_ws_cli.checkup import examine

    findings = await examine(environment)
    worst = ExitCode.EXPECTATION_FAILED if any(one.state == "fail" for one in findings) else ExitCode.DONE
    if environment.json:
        environment.output.json({"v": 1, "checks": [one.as_json() for one in findings]})
        return worst
    width = max(len(one.check) for one in findings) + 2
    for one in findings:
        environment.output.segments(
            ((f"{one.state:<6}", _MARKS[one.state]), (f"{one.check:<{width}}", "event"), (one.found, ""))
        )
        for line in one.mend.splitlines():
            environment.output.line(f"{'':{6 + width}}{line}")
    return worst
