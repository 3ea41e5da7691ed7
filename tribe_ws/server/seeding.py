"""``serve --seed``: ids that are the same in every run, so that golden files can name them."""

from __future__ import annotations

from tribe_ws.clock import Clock
from tribe_ws.settings import ServerSettings
from tribe_ws.steered_clock import SteeredClock
from tribe_ws.storage.storage import Storage


async def seed_ids(settings: ServerSettings, clock: Clock, storage: Storage) -> None:
    """Begin the sequence of ids that the seed foresees for a database as full as this one.

    How full it is counts, because a database that is served again must not see the ids of before once more.
    A clock that was handed in, as a test does it, makes its ids by itself.
    """
    if settings.seed is not None and isinstance(clock, SteeredClock):
        clock.seed_ids(f"{settings.seed}:{await storage.size()}")
