"""Passwords: Argon2id, in threads of their own, and as slow for a user who does not exist as for others.

A hash costs a tenth of a second and 64 MiB, so no more than two are made at a time and none on the event
loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2.exceptions import InvalidHashError
from pwdlib.hashers.argon2 import Argon2Hasher

T = TypeVar("T")

WORKERS = 2

# The hash of a password nobody has: verified against in place of a user who does not exist.
_NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"


class Passwords:
    """Hashes and verifies the passwords of one server."""

    def __init__(self) -> None:
        self._hasher = Argon2Hasher()
        # The demo users' password is printed at every start: strength would only cost time.
        self._cheap = Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1)
        self._threads = ThreadPoolExecutor(WORKERS, thread_name_prefix="tribe-passwords")

    async def hash(self, password: str) -> str:
        """Hash a password for keeping."""
        return await self._in_thread(self._hasher.hash, password)

    def hash_for_demo(self, password: str) -> str:
        """Hash the public password of a demo user, cheaply and at once."""
        return self._cheap.hash(password)

    async def verify(self, password: str, password_hash: str | None) -> bool:
        """Tell whether that is the password; ``None`` is the hash of a user who does not exist.

        Every failure costs one full verification, so that its time tells nothing about who has an account.
        """
        return await self._in_thread(self._verify, password, password_hash)

    def close(self) -> None:
        """Let go of the threads; nothing is hashed any more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _verify(self, password: str, password_hash: str | None) -> bool:
        if password_hash and self._hasher.verify(password, password_hash):
            return True
        if not password_hash or not self._is_full_price(password_hash):
            self._hasher.verify(password, _NOBODY)
        return False

    def _is_full_price(self, password_hash: str) -> bool:
        try:
            return not self._hasher.check_needs_rehash(password_hash)
        except InvalidHashError:
            return False

    async def _in_thread(self, work: Callable[..., T], *arguments: str | None) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)
