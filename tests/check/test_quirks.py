"""Each deviation of the production backend: a check names the clauses it concerns, and no others."""

from __future__ import annotations

from typing import get_args

import pytest

from tests.check.on_our_server import check_our_server, explained, failed
from tribe_ws.settings import QuirkName

CONCERNED = {
    "single-socket": {"document.concurrent"},
    "typing-unchecked": {"typing.participants-only"},
    "offset-timestamps": {"message.timestamp"},
    "page-ignored": {"messages.order"},
    "http-403": {"connect.accepted-then-closed"},
}
NEIGHBOURS = {
    "single-socket": ("document.concurrent", "document.heartbeat", "subscribe.acknowledged"),
    "typing-unchecked": ("typing.participants-only", "typing.full-name", "typing.relayed"),
    "offset-timestamps": ("message.*", "document.server-*"),
    "page-ignored": ("messages.*",),
    "http-403": ("connect.*", "document.authentication", "document.token-required"),
}


def test_every_quirk_is_looked_at() -> None:
    assert set(CONCERNED) == set(NEIGHBOURS) == set(get_args(QuirkName))


@pytest.mark.parametrize("quirk", CONCERNED)
async def test_a_quirk_breaks_the_clauses_it_concerns_among_its_neighbours(quirk: str) -> None:
    report = await check_our_server("documented", NEIGHBOURS[quirk], quirks=(quirk,))
    assert failed(report) == CONCERNED[quirk], explained(report)


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("quirk", CONCERNED)
async def test_a_quirk_breaks_the_clauses_it_concerns_and_nothing_else(quirk: str) -> None:
    report = await check_our_server("documented", quirks=(quirk,))
    assert failed(report) == CONCERNED[quirk], explained(report)
