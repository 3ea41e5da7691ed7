"""Reading any token, and judging it as a server with this machine's own secret would."""

from __future__ import annotations

import base64
import binascii
import json
import time
from dataclasses import dataclass
from typing import Any

import jwt

_ALGORITHM = "HS256"
_LEEWAY = 5.0

Claims = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Inspection:
    """What can be read off a token without a server; ``refusal`` is the reason of contract 3.1, or empty."""

    header: Claims
    claims: Claims
    signature: str
    refusal: str
    why: str


def inspect(token: str, secret: str | None) -> Inspection:
    """Read a token, and judge it as a server with that secret would; without one its signature stays open."""
    parts = token.split(".")
    header, claims = (_part(parts[place]) if len(parts) == 3 else None for place in (0, 1))
    if header is None or claims is None:
        return Inspection({}, {}, "none", "token_invalid", "this is no JWT")
    signature = _signature(token, header, secret)
    refusal, why = _judge(header, claims, signature)
    return Inspection(header, claims, signature, refusal, why)


def _judge(header: Claims, claims: Claims, signature: str) -> tuple[str, str]:
    missing = [name for name in ("exp", "iat", "sub", "type") if name not in claims]
    now = time.time()
    if header.get("alg") != _ALGORITHM:
        return "token_invalid", f"its algorithm is {header.get('alg')!r}, and only {_ALGORITHM} is accepted"
    if signature == "other":
        return "token_invalid", "it was signed with another secret than this machine's"
    if missing:
        return "token_invalid", f"it lacks {', '.join(missing)}"
    times = [claims[name] for name in ("exp", "iat", "nbf") if name in claims]
    if not all(isinstance(one, int | float) and not isinstance(one, bool) for one in times):
        return "token_invalid", "one of its times is not a number"
    if max(claims["iat"], claims.get("nbf", claims["iat"])) > now + _LEEWAY:
        return "token_invalid", "it is not valid yet"
    if claims["type"] != "access":
        return "token_type", f"it is a {claims['type']} token, not an access token"
    if claims["exp"] + _LEEWAY <= now:
        return "token_expired", "its time is over"
    return "", ""


def _signature(token: str, header: Claims, secret: str | None) -> str:
    if header.get("alg") != _ALGORITHM:
        return "none"
    if secret is None:
        return "not checked"
    try:
        jwt.decode(token, secret, algorithms=[_ALGORITHM], options=_NO_CLAIMS)
    except jwt.InvalidSignatureError:
        return "other"
    except jwt.PyJWTError:
        return "not checked"
    return "ours"


_NO_CLAIMS: Any = {
    "verify_exp": False, "verify_nbf": False, "verify_iat": False, "verify_aud": False, "verify_iss": False,
    "verify_sub": False, "verify_jti": False,
}  # fmt: skip


def _part(text: str) -> Claims | None:
    try:
        value = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        return None
    return value if isinstance(value, dict) else None
