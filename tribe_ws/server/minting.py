"""Test tokens: good ones, and ones that are broken in each way of contract 3.1."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import jwt

from tribe_ws.clock import new_id

_ALGORITHM = "HS256"
_HOUR = 3600
_OTHER_SECRET = "a secret which no server has: signatures made with it never fit"  # noqa: S105 - it opens nothing

Claims = dict[str, Any]


class Named(Protocol):
    """Whom a token is for."""

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
class TokenUser:
    """A user of whom no more is known than a token says."""

    id: str
    username: str
    email: str


def mint(user: Named, secret: str, ttl: float, broken: str = "", *, now: float) -> str:
    """Make an access token, or (``broken``) one that a server must refuse for one certain reason.

    ``now`` is the time of the server that is to judge it, in seconds since 1970.
    """
    claims: Claims = {
        "sub": user.id,
        "type": "access",
        "iat": int(now),
        "exp": int(now) + max(1, round(ttl)),
        "jti": new_id(),
        "username": user.username,
        "email": user.email,
    }
    if broken == "signature":
        secret = _OTHER_SECRET
    if broken in BREAKAGES:
        BREAKAGES[broken](claims)
    if broken == "alg-none":
        return jwt.encode(claims, "", algorithm="none")
    return jwt.encode(claims, secret, algorithm=_ALGORITHM)


def _expired(claims: Claims) -> None:
    life = claims["exp"] - claims["iat"]
    claims["iat"], claims["exp"] = claims["iat"] - life - _HOUR, claims["iat"] - _HOUR


def _not_yet(claims: Claims) -> None:
    claims |= {name: claims[name] + _HOUR for name in ("iat", "exp")} | {"nbf": claims["iat"] + _HOUR}


def _refresh(claims: Claims) -> None:
    claims |= {"type": "refresh", "token_id": claims.pop("jti")}


def _unknown_user(claims: Claims) -> None:
    claims |= {"sub": new_id(), "username": "nobody", "email": "nobody@tribe.test"}


def _no_subject(claims: Claims) -> None:
    del claims["sub"]


def _unchanged(claims: Claims) -> None:
    """Leave the claims alone: what is wrong with the token is its signature."""
    assert claims


BREAKAGES: dict[str, Callable[[Claims], None]] = {
    "expired": _expired,
    "not-yet": _not_yet,
    "signature": _unchanged,
    "alg-none": _unchanged,
    "refresh": _refresh,
    "unknown-user": _unknown_user,
    "no-sub": _no_subject,
}
