"""Who somebody is: what may be remembered, and for how long."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from tribe_ws.clock import ManualClock
from tribe_ws.server import accounts as module
from tribe_ws.server.accounts import Accounts
from tribe_ws.server.passwords import Passwords
from tribe_ws.server.throttle import LoginThrottle
from tribe_ws.server.tokens import TokenIssuer, Unauthorised
from tribe_ws.storage.storage import Storage


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
async def storage(clock):
    opened = await Storage.open(":memory:", clock=clock)
    yield opened
    await opened.close()


@pytest.fixture
def tokens(clock):
    return TokenIssuer("s" * 40, clock, access_ttl=3600, refresh_ttl=7200)


@pytest.fixture
def accounts(storage, tokens, clock):
    passwords = Passwords()
    yield Accounts(storage, tokens, passwords, LoginThrottle(10, clock), clock)
    passwords.close()


@pytest.fixture
async def ana(storage):
    return await storage.users.create("ana@x.test", "ana", "Ana", "hash")


@pytest.fixture
def reads(storage, monkeypatch):
    """Count how often a user is read from the database."""
    ids = []
    by_id = storage.users.by_id

    async def count(user_id):
        ids.append(user_id)
        return await by_id(user_id)

    monkeypatch.setattr(storage.users, "by_id", count)
    return ids


async def test_hot_path_reads_a_user_once_a_second(accounts, tokens, clock, ana, reads):
    token = tokens.access(ana)
    for _ in range(5):
        assert (await accounts.recognise(token)).user == ana
    assert len(reads) == 1
    clock.advance(1.0)
    await accounts.recognise(token)
    assert len(reads) == 2


async def test_sender_who_keeps_sending_is_read_once(accounts, tokens, clock, ana, reads):
    token = tokens.access(ana)
    for _ in range(5):
        accounts.have_seen((await accounts.recognise(token)).user)
        clock.advance(0.9)
    assert len(reads) == 1


async def test_sender_whom_a_write_found_disabled_is_refused_at_once(
    accounts, tokens, ana, storage, monkeypatch
):
    token = tokens.access(ana)
    await accounts.recognise(token)
    disabled = replace(ana, is_active=False)

    async def find(_user_id):
        return disabled

    monkeypatch.setattr(storage.users, "by_id", find)
    accounts.have_seen(disabled)
    with pytest.raises(Unauthorised, match="disabled"):
        await accounts.recognise(token)


async def test_everything_else_reads_the_user_each_time(accounts, tokens, ana, reads):
    token = tokens.access(ana)
    for _ in range(3):
        await accounts.authenticate(token)
    assert len(reads) == 3


async def test_disabled_user_is_out_of_the_hot_path_within_a_second(accounts, tokens, clock, ana, storage):
    token = tokens.access(ana)
    await accounts.recognise(token)
    await storage.users.update(ana.id, {"is_active": False})
    clock.advance(1.0)
    with pytest.raises(Unauthorised) as refused:
        await accounts.recognise(token)
    assert refused.value.close_code.reason == "account_disabled"


async def test_expired_token_is_not_remembered(accounts, tokens, clock, ana):
    token = tokens.access(ana, ttl=0.5)
    await accounts.recognise(token)
    clock.advance(7)
    with pytest.raises(Unauthorised) as refused:
        await accounts.recognise(token)
    assert refused.value.close_code.reason == "token_expired"


async def test_memory_is_bounded(accounts, tokens, storage, monkeypatch):
    monkeypatch.setattr(module, "MEMORY_SIZE", 2)
    for name in "abc":
        user = await storage.users.create(f"{name}@x.test", name * 3, name, "hash")
        await accounts.recognise(tokens.access(user))
    assert len(accounts._memory) == 2


async def test_own_change_of_profile_is_remembered_at_once(accounts, tokens, ana, reads):
    token = tokens.access(ana)
    await accounts.recognise(token)
    await accounts.update(ana, {"full_name": "Ana Stone"})
    assert (await accounts.recognise(token)).user.full_name == "Ana Stone"
    assert len(reads) == 1


async def test_change_of_nothing_writes_nothing(accounts, ana, storage, monkeypatch):
    monkeypatch.setattr(storage.users, "update", lambda *_: pytest.fail("it was written"))
    assert await accounts.update(ana, {}) == ana


async def test_token_of_nobody_is_refused(accounts, tokens):
    nobody = SimpleNamespace(id="x", username="x", email="x")
    with pytest.raises(Unauthorised) as refused:
        await accounts.authenticate(tokens.access(nobody))
    assert refused.value.close_code.reason == "user_unknown"
