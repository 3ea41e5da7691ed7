"""Waiting for what a test needs, with a deadline."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

DEADLINE = 20.0


async def until(condition: Callable[[], bool]) -> None:
    """Return when a condition holds; raises ``TimeoutError`` if that takes too long."""
    async with asyncio.timeout(DEADLINE):
        while not condition():  # noqa: ASYNC110 - what it looks at tells nobody when it changes
            await asyncio.sleep(0.01)
