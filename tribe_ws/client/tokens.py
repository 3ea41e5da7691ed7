"""Who supplies the access token: one that never changes, or one that is renewed before it ends.

A token is never shown: not in a ``repr``, not in an error, not in a log line.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from tribe_ws.clock import Clock, SystemClock
from tribe_ws.errors import AuthenticationError, TribeError

RENEWAL_MARGIN = 60.0
"""How many seconds before its end a token is renewed; a tenth of its life where that is less."""
ROUNDING = 1.5
_LONGEST_LIFE = 10 * 365 * 86400.0


@dataclass(frozen=True, slots=True)
class Tokens:
    """An access token, what renews it, and when it ends (by this machine's clock, where the server told)."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    expires_at: datetime | None = None

    @classmethod
    def given(cls, access_token: str, refresh_token: object, expires_in: object, now: datetime) -> Tokens:
        """Take tokens from a server's answer that came at ``now``."""
        return cls(
            access_token,
            refresh_token if isinstance(refresh_token, str) and refresh_token else None,
            now + timedelta(seconds=min(expires_in, _LONGEST_LIFE))
            if isinstance(expires_in, int | float)
            else None,
        )

    @property
    def user_id(self) -> str | None:
        """The user the access token was made for, as it says itself (unverified)."""
        subject = claims_of(self.access_token).get("sub")
        return subject if isinstance(subject, str) else None

    @property
    def ends_at(self) -> datetime | None:
        """When the access token ends: what the server said when it gave it, or the claim inside it."""
        return self.expires_at or _moment(claims_of(self.access_token).get("exp"))

    @property
    def renewal_at(self) -> datetime | None:
        """When the access token should be renewed; ``None`` where nobody knows its end."""
        end = self.ends_at
        if end is None:
            return None
        begin = _moment(claims_of(self.access_token).get("iat"))
        claimed_end = _moment(claims_of(self.access_token).get("exp"))
        life = (claimed_end - begin).total_seconds() if begin and claimed_end else 10 * RENEWAL_MARGIN
        # Tokens end at whole seconds, so a short one may end a second before its time.
        margin = max(life / 10, min(ROUNDING, life / 3))
        return end - timedelta(seconds=max(0.0, min(RENEWAL_MARGIN, margin)))


class TokenSource(Protocol):
    """Where a connection gets its token from."""

    async def current(self) -> str:
        """Give a token for now, renewed first if it is about to end and can be."""
        ...

    async def renew(self, refused: str) -> str:
        """Give another token than the refused one; raises ``AuthenticationError`` if there is none."""
        ...

    def renewal_due(self) -> float | None:
        """Tell in how many seconds ``current`` would renew; ``None`` for never."""
        ...


class FixedToken:
    """A token that nobody can renew."""

    def __init__(self, token: str) -> None:
        self._token = token

    async def current(self) -> str:
        """Give the token."""
        return self._token

    async def renew(self, refused: str) -> str:  # noqa: ARG002 - there is only the one
        """Raise ``AuthenticationError``: there is no other token."""
        raise AuthenticationError(
            "the server refused the token, and there is no refresh token to renew it",
            reason="no_refresh_token",
            hint="log in again:  tribe-ws login",
        )

    def renewal_due(self) -> float | None:
        """Tell that this token is never renewed."""
        return None


class TokenKeeper:
    """Keeps one user's tokens fresh; many callers at once cause one renewal.

    ``refresh`` turns a refresh token into new tokens; ``on_change`` hears of every new pair (to store it).
    """

    def __init__(
        self,
        tokens: Tokens,
        refresh: Callable[[str], Awaitable[Tokens]],
        *,
        on_change: Callable[[Tokens], None] | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.tokens = tokens
        self._refresh = refresh
        self._on_change = on_change
        self._clock = clock or SystemClock()
        self._lock = asyncio.Lock()

    async def current(self) -> str:
        """Give a token for now, renewed first if it is about to end; a failing renewal is not fatal yet."""
        due = self.renewal_due()
        if due is None or due > 0:
            return self.tokens.access_token
        try:
            return await self.renew(self.tokens.access_token)
        except TribeError:
            end = self.tokens.ends_at
            if end is None or end <= self._clock.now():
                raise
            return self.tokens.access_token

    async def renew(self, refused: str) -> str:
        """Give another token than ``refused``: one renewed meanwhile by another caller, or a new one."""
        async with self._lock:
            if self.tokens.access_token != refused:
                return self.tokens.access_token
            refresh_token = self.tokens.refresh_token
            if refresh_token is None:
                return await FixedToken(refused).renew(refused)
            renewed = await self._refresh(refresh_token)
            self.replace(replace(renewed, refresh_token=renewed.refresh_token or refresh_token))
            return self.tokens.access_token

    def renewal_due(self) -> float | None:
        """Tell in how many seconds ``current`` would renew; ``None`` where it cannot or need not."""
        moment = self.tokens.renewal_at
        if moment is None or self.tokens.refresh_token is None:
            return None
        return (moment - self._clock.now()).total_seconds()

    def replace(self, tokens: Tokens) -> None:
        """Take over another pair of tokens, as after a login."""
        self.tokens = tokens
        if self._on_change is not None:
            self._on_change(tokens)


def claims_of(token: str) -> dict[str, Any]:
    """Read the claims of a JWT without verifying it; empty for anything that is not one."""
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        padded = parts[1] + "=" * (-len(parts[1]) % 4)
        claims = json.loads(base64.urlsafe_b64decode(padded))
    except (ValueError, binascii.Error, RecursionError):
        return {}
    return claims if isinstance(claims, dict) else {}


def _moment(seconds: object) -> datetime | None:
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None
