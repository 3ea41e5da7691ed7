"""Passwords: what is right, what is wrong, and that being wrong always costs the same."""

from __future__ import annotations

import threading

import pytest

from tribe_ws.server import passwords as module
from tribe_ws.server.passwords import Passwords


@pytest.fixture
def passwords():
    made = Passwords()
    yield made
    made.close()


@pytest.fixture
def full_verifications(passwords, monkeypatch):
    """Count the verifications of full cost, against whatever hash."""
    hashes = []
    real = passwords._hasher.verify

    def verify(password, password_hash):
        hashes.append(password_hash)
        return real(password, password_hash)

    monkeypatch.setattr(passwords._hasher, "verify", verify)
    return hashes


async def test_right_password_is_right_and_wrong_is_wrong(passwords):
    kept = await passwords.hash("Correct-horse-1")
    assert kept.startswith("$argon2id$")
    assert await passwords.verify("Correct-horse-1", kept)
    assert not await passwords.verify("Correct-horse-2", kept)


async def test_same_password_has_two_hashes(passwords):
    assert await passwords.hash("Correct-horse-1") != await passwords.hash("Correct-horse-1")


async def test_nobody_has_a_password(passwords):
    for guess in ("", "nobody", "A" * 100):
        assert not await passwords.verify(guess, None)


async def test_failure_for_nobody_costs_one_full_verification(passwords, full_verifications):
    await passwords.verify("guess", None)
    assert full_verifications == [module._NOBODY]


async def test_failure_for_somebody_costs_one_full_verification(passwords, full_verifications):
    kept = await passwords.hash("Correct-horse-1")
    await passwords.verify("guess", kept)
    assert full_verifications == [kept]


async def test_failure_for_a_demo_user_costs_a_full_verification_too(passwords, full_verifications):
    kept = passwords.hash_for_demo("Tribe-demo-1")
    await passwords.verify("guess", kept)
    assert full_verifications == [kept, module._NOBODY]


async def test_demo_user_gets_in(passwords, full_verifications):
    kept = passwords.hash_for_demo("Tribe-demo-1")
    assert await passwords.verify("Tribe-demo-1", kept)
    assert full_verifications == [kept]


async def test_hash_of_nobody_costs_as_much_as_a_real_one(passwords):
    assert not passwords._hasher.check_needs_rehash(module._NOBODY)


async def test_hash_that_is_none_is_wrong_and_full_price(passwords, full_verifications):
    assert not await passwords.verify("guess", "$argon2id$broken")
    assert full_verifications[-1] == module._NOBODY


async def test_hashing_happens_off_the_event_loop(passwords, monkeypatch):
    monkeypatch.setattr(passwords._hasher, "hash", lambda _: threading.current_thread().name)
    assert (await passwords.hash("Correct-horse-1")).startswith("tribe-passwords")
