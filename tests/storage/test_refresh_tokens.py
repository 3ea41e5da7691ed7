"""Refresh tokens live until they expire or are revoked, and answer to their own hash only."""

from __future__ import annotations

from datetime import timedelta

import pytest


@pytest.fixture
async def token(storage, people, clock):
    await storage.tokens.add(
        "token-1", people.ana.id, "the hash", clock.now() + timedelta(days=30), {"model": "Pixel"}
    )
    return "token-1"


async def test_a_token_is_live_with_its_hash(storage, token, clock):
    assert await storage.tokens.is_live(token, "the hash", clock.now())


@pytest.mark.parametrize(
    ("token_id", "token_hash"), [("token-2", "the hash"), ("token-1", "another"), ("token-1", "ä")]
)
async def test_nothing_else_is_live(storage, token, clock, token_id, token_hash):
    assert not await storage.tokens.is_live(token_id, token_hash, clock.now())


async def test_a_token_ends_at_its_expiry(storage, token, clock):
    end = clock.now() + timedelta(days=30)
    assert await storage.tokens.is_live(token, "the hash", end - timedelta(milliseconds=1))
    assert not await storage.tokens.is_live(token, "the hash", end)


async def test_revoking_works_once(storage, token, clock):
    assert await storage.tokens.revoke(token)
    assert not await storage.tokens.is_live(token, "the hash", clock.now())
    assert not await storage.tokens.revoke(token)
    assert not await storage.tokens.revoke("never given out")


@pytest.mark.parametrize("device_info", [None, "iPhone", {"os": "android", "v": [1, 2]}])
async def test_whatever_a_device_says_of_itself_is_kept(storage, people, clock, device_info):
    await storage.tokens.add("t", people.ana.id, "h", clock.now() + timedelta(hours=1), device_info)
    assert await storage.tokens.is_live("t", "h", clock.now())
