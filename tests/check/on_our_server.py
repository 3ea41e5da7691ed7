"""Checks of our own server, in a thread of this process, as the demo users and with its control API."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tribe_ws.check.accounts import Account
from tribe_ws.check.report import Report
from tribe_ws.check.running import CheckRequest, check_server
from tribe_ws.check.verdict import Verdict
from tribe_ws.check.visit import Consent
from tribe_ws.client.control import ControlClient
from tribe_ws.demo_accounts import DEMO_PASSWORD, demo_email
from tribe_ws.protocol.clause import Level
from tribe_ws.server.local import LocalServer, local_settings

PEOPLE = tuple(Account(demo_email(name), DEMO_PASSWORD) for name in ("alice", "bob", "dan"))
ALL = Consent(write=True, register=True)


async def check_our_server(
    level: Level = "documented", only: Iterable[str] = (), *, consent: Consent = ALL, **settings: Any
) -> Report:
    """Start a server with these settings and the demo world, and check it with everything there is."""
    async with (
        LocalServer(local_settings(**settings)) as server,
        ControlClient(server.url, server.control_key) as control,
    ):
        request = CheckRequest(
            server.address, PEOPLE, level=level, only=tuple(only), consent=consent, control=control
        )
        return await check_server(request)


def failed(report: Report) -> set[str]:
    """Tell the ids of the clauses that a check found broken."""
    return {one.clause.id for one in report.failed}


def explained(report: Report) -> str:
    """Say why the clauses failed, for the message of a test."""
    lines: list[str] = []
    for one in report.results:
        if one.verdict is Verdict.FAIL or "once in" in one.reason:
            lines += [
                f"{one.verdict} {one.clause.id}: {one.reason}",
                *(f"    {entry}" for entry in one.evidence),
            ]
    return "\n".join(lines)
