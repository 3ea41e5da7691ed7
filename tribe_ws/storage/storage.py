"""The one thing a server opens: a database that is guarded, migrated and ready, and its four stores."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from tribe_ws.clock import Clock
from tribe_ws.storage.conversations import ConversationStore
from tribe_ws.storage.database import Database
from tribe_ws.storage.engine import Durability
from tribe_ws.storage.messages import MessageStore
from tribe_ws.storage.overview import count_all
from tribe_ws.storage.records import StoredMessage, WorldSummary
from tribe_ws.storage.refresh_tokens import RefreshTokenStore
from tribe_ws.storage.users import UserStore
from tribe_ws.storage.writer import StorageObserver

if TYPE_CHECKING:
    from tribe_ws.storage.snapshot import RestoreSummary


class Storage:
    """An open database. Made by ``open``; to be closed by ``close``."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self.description = database.description
        self.users = UserStore(database, clock)
        self.conversations = ConversationStore(database, clock)
        self.messages = MessageStore(database)
        self.tokens = RefreshTokenStore(database, clock)

    @classmethod
    async def open(
        cls,
        target: str,
        *,
        clock: Clock,
        durability: Durability = "full",
        on_committed: Callable[[Sequence[StoredMessage]], None] | None = None,
        observer: StorageObserver | None = None,
    ) -> Storage:
        """Open a file, ``:memory:``, or the database behind a SQLite or PostgreSQL URL, and migrate it.

        ``on_committed`` gets each batch of messages once, in the order of their commits, on the event loop
        and right after their senders were answered; replays are not in it.

        Raises ``DatabaseRefused`` for a database that must not be served, ``ConfigurationError`` for a target
        that names none.
        """
        database = await Database.open(
            target, clock=clock, durability=durability, on_committed=on_committed, observer=observer
        )
        return cls(database, clock)

    @property
    def epoch(self) -> str:
        """The history in which this database's message numbers count; another one after a restore."""
        return self._database.epoch

    async def renew_epoch(self) -> str:
        """Begin another epoch: what clients know of message numbers is void from now on."""
        return await self._database.renew_epoch()

    async def close(self) -> None:
        """Finish what waits to be committed, then let go of the database; a second call does nothing."""
        await self._database.close()

    async def ping(self) -> bool:
        """Tell whether the database answers."""
        return await self._database.ping()

    async def size(self) -> int:
        """Count what users have made: themselves, their conversations and messages."""
        return await self._database.read(count_all)

    async def apply_world(self, name_or_path: str, hash_password: Callable[[str], str]) -> WorldSummary:
        """Fill in what the database lacks of a world: ``demo``, ``none``, or a YAML file.

        What is there already stays as it is. Raises ``ConfigurationError`` that names file, line and fault.
        """
        # Only servers that fill a world need a YAML reader.
        from tribe_ws.storage.seed import apply_world
        from tribe_ws.storage.world import load_world

        world = await asyncio.to_thread(load_world, name_or_path)
        return await apply_world(self._database, self._clock, world, hash_password)

    async def reset(self, name_or_path: str, hash_password: Callable[[str], str]) -> WorldSummary:
        """Replace everything there is by a world, under another epoch; see ``apply_world``."""
        from tribe_ws.storage.reset import reset
        from tribe_ws.storage.world import load_world

        world = await asyncio.to_thread(load_world, name_or_path)
        return await reset(self._database, self._clock, world, hash_password)

    async def snapshot(self) -> dict[str, Any]:
        """Write everything down as one JSON document, without tokens; see ``storage.snapshot``."""
        from tribe_ws.storage.snapshot import snapshot

        return await snapshot(self._database, self._clock)

    async def restore(self, document: Any) -> RestoreSummary:
        """Replace everything there is by a snapshot, under another epoch: all of it or nothing.

        Raises ``ConfigurationError`` that names the entry at fault.
        """
        from tribe_ws.storage.snapshot import restore

        return await restore(self._database, document)
