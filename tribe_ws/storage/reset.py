"""Begins anew: empties every table and fills a world in, in one transaction, so nobody sees half of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from sqlalchemy import Connection, delete

from tribe_ws.clock import Clock
from tribe_ws.storage import migrate
from tribe_ws.storage.database import Database
from tribe_ws.storage.epoch import renew_epoch
from tribe_ws.storage.milliseconds import to_milliseconds
from tribe_ws.storage.records import WorldSummary
from tribe_ws.storage.seed import Filling
from tribe_ws.storage.tables import messages, meta, metadata
from tribe_ws.storage.world import World


async def reset(
    database: Database, clock: Clock, world: World, hash_password: Callable[[str], str]
) -> WorldSummary:
    """Replace everything a database holds by a world, and begin another epoch."""
    hashes = await asyncio.to_thread(lambda: {user.id: hash_password(user.password) for user in world.users})
    filling = Filling(world, hashes, to_milliseconds(clock.now()))

    def begin_anew(connection: Connection) -> tuple[WorldSummary, str]:
        migrate.take_turns(connection)
        empty(connection)
        return filling.run(connection), renew_epoch(connection)

    summary, database.epoch = await database.write(begin_anew)
    return summary


def empty(connection: Connection) -> None:
    """Delete all that users have made; what the database says of itself stays."""
    # A message may answer another one of the same table: no order of deleting suits that.
    connection.execute(messages.update().values(reply_to_message_id=None))
    for table in reversed(metadata.sorted_tables):
        if table is not meta:
            connection.execute(delete(table))
