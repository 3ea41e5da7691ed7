"""Our server, broken on purpose in many ways: a check names the clauses that do not hold, and no others."""

from __future__ import annotations

import pytest

from tests.check.breaking import Mutation
from tests.check.mutations import MUTATIONS
from tests.check.on_our_server import check_our_server, explained, failed
from tribe_ws.protocol.contract import clause

QUICK = {
    "sender-not-excluded": ("message.*", "document.sender-excluded"),
    "keys-of-message-swapped": ("message.*", "document.server-*"),
    "moments-without-z": ("message.*", "document.server-*"),
    "subscribed-to-a-stranger": ("subscribe.*", "document.verified"),
    "recovered-lies": ("v2.resume*",),
    "before-includes-the-message": ("messages.before", "messages.after", "messages.order"),
    "last-of-two-tokens-counts": ("token.two-parameters", "token.algorithm-fixed"),
    "errors-of-another-shape": ("rest.*",),
    "presence-to-oneself": ("presence.not-to-oneself", "presence.said"),
}
"""Mutations that are tried in every run, each on the clauses around the one that it breaks."""


def test_there_are_as_many_ways_as_were_asked_for() -> None:
    assert len(MUTATIONS) >= 25
    for mutation in MUTATIONS.values():
        assert mutation.broken, f"{mutation.name} breaks nothing"
        assert all(clause(clause_id) for clause_id in mutation.broken)


@pytest.mark.parametrize("name", QUICK)
async def test_a_check_names_what_is_broken_among_its_neighbours(name: str) -> None:
    mutation = MUTATIONS[name]
    with mutation.applied():
        report = await check_our_server(mutation.level, QUICK[name], **mutation.settings)
    assert failed(report) == mutation.broken, explained(report)


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("mutation", MUTATIONS.values(), ids=lambda mutation: mutation.name)
async def test_a_check_names_what_is_broken_and_nothing_else(mutation: Mutation) -> None:
    with mutation.applied():
        report = await check_our_server(mutation.level, **mutation.settings)
    assert failed(report) == mutation.broken, explained(report)
