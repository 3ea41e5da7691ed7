"""The tokens of a replay: JSON Web Tokens which a client can read, good for this one run only."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from datetime import datetime
from typing import Any, Literal

from tribe_ws.client.tokens import claims_of

ACCESS_SECONDS = 3600
REFRESH_SECONDS = 30 * 86400

Kind = Literal["access", "refresh"]


class Passes:
    """Gives tokens out and knows them again; the key is made anew for every run and is nowhere written."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def give(self, user_id: str, username: str, kind: Kind, now: datetime) -> str:
        """Give a token of a user."""
        issued = int(now.timestamp())
        life = ACCESS_SECONDS if kind == "access" else REFRESH_SECONDS
        claims = {
            "sub": user_id,
            "type": kind,
            "iat": issued,
            "exp": issued + life,
            "jti": secrets.token_hex(8),
            "username": username,
        }
        head = f"{_part({'alg': 'HS256', 'typ': 'JWT'})}.{_part(claims)}"
        return f"{head}.{self._signature(head)}"

    def user_id(self, token: str, kind: Kind, now: datetime) -> str | None:
        """Tell whose token it is; ``None`` for one that is not ours, of another kind, or expired."""
        head, _, signature = token.rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._signature(head).encode()):
            return None
        claims = claims_of(token)
        if claims.get("type") != kind or claims["exp"] <= now.timestamp():
            return None
        return str(claims["sub"])

    def _signature(self, head: str) -> str:
        return _encoded(hmac.new(self._key, head.encode("utf-8", "replace"), hashlib.sha256).digest())


def _part(value: dict[str, Any]) -> str:
    return _encoded(json.dumps(value, separators=(",", ":")).encode())


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
