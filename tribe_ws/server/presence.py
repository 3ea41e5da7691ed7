"""Telling those who share a conversation with a user that the user came, went, or wants to be seen otherwise.

The hub says when (contract 3.4); the database says to whom. News of one user wait in one place and the
newest wins, so that a storm of sockets costs no more than the database can bear, and one task does it all,
in order. What a user says of themselves goes ahead of the queue, and takes the place of an arrival that still
waits in it: the older news must not undo the newer.
"""

from __future__ import annotations

import asyncio
from weakref import WeakValueDictionary

from tribe_ws.clock import Clock, format_timestamp
from tribe_ws.errors import StorageUnavailable
from tribe_ws.hub.hub import Hub
from tribe_ws.protocol.frames import Presence, PresenceChanged, PresenceStatus
from tribe_ws.server.logging import Log
from tribe_ws.storage.records import User
from tribe_ws.storage.storage import Storage


class PresenceDesk:
    """Keeps ``last_seen_at`` and passes presence on."""

    def __init__(self, storage: Storage, hub: Hub, clock: Clock, log: Log) -> None:
        self._storage = storage
        self._hub = hub
        self._clock = clock
        self._log = log
        self._waiting: dict[str, bool] = {}
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        hub.on_presence = self.note

    def start(self) -> None:
        """Begin passing on what the hub says."""
        self._task = asyncio.get_running_loop().create_task(self._work(), name="presence")

    async def stop(self) -> None:
        """Pass nothing on any more."""
        self._hub.on_presence = None
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def note(self, user_id: str, is_online: bool) -> None:
        """Hear from the hub that a user came or went; never waits."""
        self._waiting[user_id] = is_online
        self._news.set()

    async def say(self, user_id: str, status: PresenceStatus) -> None:
        """Note how a user wants to be seen, and pass it on."""
        async with self._turn_of(user_id):
            await self._storage.users.touch(user_id, status=status, last_seen_at=self._clock.now())
            if self._waiting.get(user_id):
                del self._waiting[user_id]
            await self._pass_on(user_id, self._hub.is_online(user_id) and status != "offline")

    async def _work(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            while self._waiting:
                await self._tell_next(next(iter(self._waiting)))

    async def _tell_next(self, user_id: str) -> None:
        async with self._turn_of(user_id):
            if user_id in self._waiting:
                await self._tell(user_id, self._waiting.pop(user_id))

    async def _tell(self, user_id: str, is_online: bool) -> None:
        try:
            await self._storage.users.touch(
                user_id, status="online" if is_online else "offline", last_seen_at=self._clock.now()
            )
            await self._pass_on(user_id, is_online)
        except StorageUnavailable as error:
            self._log.warning("presence not stored", user=user_id, reason=error.reason)

    def _turn_of(self, user_id: str) -> asyncio.Lock:
        """Give the lock that keeps the news of one user in order; it lives as long as somebody holds it."""
        return self._turns.setdefault(user_id, asyncio.Lock())

    async def _pass_on(self, user_id: str, is_online: bool) -> None:
        # Where nobody's profile carries presence, nobody is asked about.
        if (
            not self._hub.reaches(PresenceChanged)
            or (user := await self._storage.users.by_id(user_id)) is None
        ):
            return
        audience = await self._storage.users.contacts_of(user_id)
        self._hub.send_to_users(audience, PresenceChanged(data=_presence(user, is_online)))


def _presence(user: User, is_online: bool) -> Presence:
    seen = user.last_seen_at
    status: PresenceStatus = "away" if user.status == "away" else "online" if is_online else "offline"
    return Presence(
        user_id=user.id,
        is_online=is_online,
        status=status,
        last_seen_at=None if seen is None else format_timestamp(seen),
    )
