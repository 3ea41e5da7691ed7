"""Refresh tokens: which are out, for whom and until when; only their hashes are kept (contract 4)."""

from __future__ import annotations

import hmac
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from tribe_ws.clock import Clock
from tribe_ws.storage.database import Database
from tribe_ws.storage.milliseconds import to_milliseconds
from tribe_ws.storage.tables import refresh_tokens


class RefreshTokenStore:
    """The refresh tokens of one database."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def add(
        self, token_id: str, user_id: str, token_hash: str, expires_at: datetime, device_info: Any = None
    ) -> None:
        """Note a token that was given out; ``device_info`` is whatever JSON the client said of itself."""
        values = {
            "id": token_id,
            "user_id": user_id,
            "token_hash": token_hash,
            "device_info": device_info,
            "created_ms": to_milliseconds(self._clock.now()),
            "expires_ms": to_milliseconds(expires_at),
        }
        await self._database.write(lambda connection: _insert(connection, values))

    async def is_live(self, token_id: str, token_hash: str, now: datetime) -> bool:
        """Tell whether that token was given out by us, is not revoked and has not expired at ``now``."""
        moment = to_milliseconds(now)
        return await self._database.look_up(
            lambda connection: _is_live(connection, token_id, token_hash, moment)
        )

    async def revoke(self, token_id: str) -> bool:
        """Make a token worthless; tell whether it was worth something before."""
        now_ms = to_milliseconds(self._clock.now())
        return await self._database.write(lambda connection: _revoke(connection, token_id, now_ms))


def _insert(connection: Connection, values: dict[str, Any]) -> None:
    connection.execute(insert(refresh_tokens), values)


def _is_live(connection: Connection, token_id: str, token_hash: str, now_ms: int) -> bool:
    known = connection.execute(
        select(refresh_tokens.c.token_hash).where(
            refresh_tokens.c.id == token_id,
            refresh_tokens.c.revoked_ms.is_(None),
            refresh_tokens.c.expires_ms > now_ms,
        )
    ).scalar_one_or_none()
    return known is not None and hmac.compare_digest(known.encode(), token_hash.encode())


def _revoke(connection: Connection, token_id: str, now_ms: int) -> bool:
    changed = connection.execute(
        update(refresh_tokens)
        .where(
            refresh_tokens.c.id == token_id,
            refresh_tokens.c.revoked_ms.is_(None),
            refresh_tokens.c.expires_ms > now_ms,
        )
        .values(revoked_ms=now_ms)
    )
    return changed.rowcount == 1
