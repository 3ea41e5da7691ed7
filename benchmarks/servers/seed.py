"""Makes the world our server is measured in: a thousand readers and sixty-four senders in one conversation.

    python -m benchmarks.servers.seed DATABASE

Prints one JSON object: the conversation's id and everybody's access token. Each start of the server gets a
copy of the database.
"""

from __future__ import annotations

import asyncio
import json
import sys

from tribe_ws.clock import Clock, SystemClock
from tribe_ws.server.tokens import TokenIssuer
from tribe_ws.settings import ServerSettings
from tribe_ws.storage.records import User
from tribe_ws.storage.storage import Storage

SECRET = "the secret of a benchmark, known to everybody"
READERS, SENDERS = 1000, 64


def settings_for(database: str) -> ServerSettings:
    """Build the settings under which ours is measured: as it is served, but quiet, and empty."""
    return ServerSettings(db=database, fixtures="none", secret=SECRET, durability="full", log_level="warning")


async def make_world(database: str) -> dict[str, object]:
    """Fill a new database, and tell what the driver has to know of it."""
    clock = SystemClock()
    storage = await Storage.open(database, clock=clock)
    try:
        readers = await _create_users(storage, "reader", READERS)
        senders = await _create_users(storage, "sender", SENDERS)
        creator, *others = [*senders, *readers]
        conversation, _ = await storage.conversations.create(
            creator.id, "group", [user.id for user in others], "Everybody"
        )
    finally:
        await storage.close()
    tokens = _issuer(database, clock)
    return {
        "conversation_id": conversation.id,
        "readers": [tokens.access(user) for user in readers],
        "senders": [tokens.access(user) for user in senders],
    }


async def _create_users(storage: Storage, name: str, count: int) -> list[User]:
    creating = (
        storage.users.create(
            email=f"{name}{number}@benchmark.test",
            username=f"{name}{number}",
            full_name=f"{name.title()} Number {number}",
            password_hash="nobody logs in",
        )
        for number in range(count)
    )
    return await asyncio.gather(*creating)


def _issuer(database: str, clock: Clock) -> TokenIssuer:
    settings = settings_for(database)
    return TokenIssuer(SECRET, clock, access_ttl=settings.access_ttl, refresh_ttl=settings.refresh_ttl)


if __name__ == "__main__":
    print(json.dumps(asyncio.run(make_world(sys.argv[1]))))
