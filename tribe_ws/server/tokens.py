"""Access and refresh tokens (contract 4): made here, judged here, and refused with the reason the wire knows.

The algorithm is fixed in this file and never read from a token. Times are judged by the server's own clock,
so that moving that clock moves the tokens too. A refused token never appears in the error.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

import jwt

from tribe_ws.clock import Clock, new_id
from tribe_ws.errors import TribeError
from tribe_ws.protocol import close_codes
from tribe_ws.protocol.close_codes import CloseCode
from tribe_ws.protocol.ids import canonical_id
from tribe_ws.server.minting import mint

ALGORITHM = "HS256"
LEEWAY = 5.0
"""Seconds by which the clocks of two machines may differ (contract 4)."""
MAX_TOKEN_LENGTH = 4096
"""A longer text is no token of ours; nothing in it is parsed."""
CACHE_SIZE = 10_000

_REQUIRED = ["exp", "iat", "sub", "type"]
_UNREADABLE = (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError)


class TokenKind(StrEnum):
    """What a token is good for."""

    ACCESS = "access"
    REFRESH = "refresh"


class Unauthorised(TribeError):
    """Whoever asks cannot be let in; ``close_code`` says why, in the words of contract 3.1."""

    code = "unauthorised"

    def __init__(self, close_code: CloseCode) -> None:
        super().__init__(close_code.meaning)
        self.close_code = close_code


class TokenRefused(Unauthorised):
    """The token itself is missing, malformed, forged, over, not for now, or of the wrong kind."""

    code = "token_refused"


class TokenOwner(Protocol):
    """What a token says of its user."""

    @property
    def id(self) -> str:
        """The user's id."""
        ...

    @property
    def username(self) -> str:
        """The user's name as it is typed."""
        ...

    @property
    def email(self) -> str:
        """The address under which the user logs in."""
        ...


@dataclass(frozen=True, slots=True)
class Claims:
    """What a verified token says; times are seconds since 1970."""

    user_id: str
    kind: TokenKind
    issued_at: float
    expires_at: float
    token_id: str


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """A fresh refresh token and what the server keeps of it: never the token, only its hash."""

    token: str
    token_id: str
    token_hash: str
    expires_at: datetime


def token_hash(token: str) -> str:
    """Hash a refresh token for keeping; it is random enough to need no salt."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


class TokenIssuer:
    """Makes and verifies the tokens of one server."""

    def __init__(self, secret: str, clock: Clock, *, access_ttl: float, refresh_ttl: float) -> None:
        self._secret = secret
        self._clock = clock
        self.access_ttl = access_ttl
        self._refresh_ttl = refresh_ttl
        # PyJWT takes as long to verify a token as half of the rest of a request (performance 4).
        self._verified: dict[str, Claims] = {}

    def access(self, user: TokenOwner, *, ttl: float | None = None) -> str:
        """Make an access token for that user, good for ``ttl`` seconds (default: the server's)."""
        return self._sign(
            {
                "sub": user.id,
                "type": TokenKind.ACCESS.value,
                **self._life(self.access_ttl if ttl is None else ttl),
                "jti": new_id(),
                "username": user.username,
                "email": user.email,
            }
        )

    def mint(self, user: TokenOwner, *, ttl: float | None = None, broken: str = "") -> str:
        """Make a test token, which may be broken in a way that ``minting.BREAKAGES`` knows."""
        now = self._clock.now().timestamp()
        return mint(user, self._secret, self.access_ttl if ttl is None else ttl, broken, now=now)

    def refresh(self, user: TokenOwner) -> RefreshToken:
        """Make a refresh token for that user; the caller keeps its id and hash."""
        token_id = new_id()
        token = self._sign(
            {
                "sub": user.id,
                "type": TokenKind.REFRESH.value,
                "token_id": token_id,
                **self._life(self._refresh_ttl),
            }
        )
        expires_at = self._clock.now() + timedelta(seconds=self._refresh_ttl)
        return RefreshToken(token, token_id, token_hash(token), expires_at)

    def verify(self, token: str | None, kind: TokenKind) -> Claims:
        """Tell what a token says, if it is ours, of that kind, and for now; raises ``TokenRefused``."""
        if not token:
            raise TokenRefused(close_codes.TOKEN_MISSING)
        claims = self._verified.get(token) or self._read(token)
        if claims.kind is not kind:
            raise TokenRefused(close_codes.TOKEN_TYPE)
        if claims.expires_at + LEEWAY <= self._clock.now().timestamp():
            self._verified.pop(token, None)
            raise TokenRefused(close_codes.TOKEN_EXPIRED)
        if kind is TokenKind.ACCESS:
            self._remember(token, claims)
        return claims

    def _read(self, token: str) -> Claims:
        if len(token) > MAX_TOKEN_LENGTH:
            raise TokenRefused(close_codes.TOKEN_INVALID)
        try:
            payload = jwt.decode(
                token,
                self._secret,
                algorithms=[ALGORITHM],
                options={
                    "require": _REQUIRED,
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            )
            return self._claims(payload)
        except _UNREADABLE:
            raise TokenRefused(close_codes.TOKEN_INVALID) from None

    def _claims(self, payload: Mapping[str, Any]) -> Claims:
        issued_at, expires_at = _seconds(payload["iat"]), _seconds(payload["exp"])
        latest_start = max(issued_at, _seconds(payload.get("nbf", issued_at)))
        if latest_start > self._clock.now().timestamp() + LEEWAY:
            raise TokenRefused(close_codes.TOKEN_INVALID)
        kind = TokenKind(payload["type"])
        token_id = payload.get("token_id" if kind is TokenKind.REFRESH else "jti", "")
        if not isinstance(token_id, str):
            raise TokenRefused(close_codes.TOKEN_INVALID)
        # A subject that is no id at all is nobody's: the account look-up says so.
        user_id = canonical_id(payload["sub"]) or ""
        return Claims(user_id, kind, issued_at, expires_at, token_id)

    def _remember(self, token: str, claims: Claims) -> None:
        if token in self._verified:
            return
        if len(self._verified) >= CACHE_SIZE:
            del self._verified[next(iter(self._verified))]
        self._verified[token] = claims

    def _life(self, ttl: float) -> dict[str, int]:
        now = int(self._clock.now().timestamp())
        return {"iat": now, "exp": now + math.ceil(ttl)}

    def _sign(self, payload: dict[str, Any]) -> str:
        return jwt.encode(payload, self._secret, algorithm=ALGORITHM)


def _seconds(value: Any) -> float:
    """Read a NumericDate; a boolean, a text or an infinity is none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("not a time")
    # Beyond the years a datetime knows, arithmetic on it overflows.
    if not 0 <= value <= datetime.max.replace(tzinfo=UTC).timestamp():
        raise ValueError("not a time of this era")
    return float(value)
