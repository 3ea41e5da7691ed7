"""Takes out of texts and JSON values what must not leave the machine: tokens, passwords, e-mail addresses.

What stood there becomes ``***``; everything else stays as it was, key for key.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tribe_ws.protocol.urls import HIDDEN, redact

SECRET_KEYS = frozenset(
    {
        "token", "access_token", "refresh_token", "id_token", "password", "confirm_password", "new_password",
        "current_password", "old_password", "passwd", "secret", "client_secret", "authorization",
        "proxy-authorization", "cookie", "set-cookie", "api_key", "apikey", "x-tribe-control", "email",
    }
)  # fmt: skip
"""Whatever stands under one of these names is hidden, in any case, at any depth."""

_DEEPEST = 100
# Bounded on both sides of the @, so that a long text of letters costs no more than its length.
_EMAIL = re.compile(r"(?<![\w.+%-])[\w.+%-]{1,64}(?:@|%40)[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}", re.IGNORECASE)
_SECRET_PARAMETER = re.compile(r"(?i)([?&;](?:password|secret|email|api_?key)=)[^&\s\"'#;]*")
_SECRET_ENTRY = re.compile(
    r"(?i)((?:password|passwd|secret|authorization|cookie|email)\\?[\"']\s*:\s*\\?[\"'])[^\"'\\]*"
)


def redact_text(text: str) -> str:
    """Give a text without its tokens, passwords and e-mail addresses."""
    text = redact(text)
    if "=" in text:
        text = _SECRET_PARAMETER.sub(rf"\1{HIDDEN}", text)
    if ":" in text and ('"' in text or "'" in text):
        text = _SECRET_ENTRY.sub(rf"\1{HIDDEN}", text)
    if "@" in text or "%40" in text:
        text = _EMAIL.sub(HIDDEN, text)
    return text


def redact_json(value: Any) -> Any:
    """Give a copy of any JSON value, or of headers, in which no secret is left.

    What nests deeper than any frame may is hidden as a whole.
    """
    return _redacted(value, _DEEPEST)


def _redacted(value: Any, depth: int) -> Any:
    match value:
        case str():
            return redact_text(value)
        case Mapping() if depth:
            return {redact_text(str(key)): _entry(str(key), item, depth) for key, item in value.items()}
        case list() | tuple() if depth:
            return [_redacted(item, depth - 1) for item in value]
        case Mapping() | list() | tuple():
            return HIDDEN
        case _:
            return value


def _entry(key: str, value: Any, depth: int) -> Any:
    if key.lower() in SECRET_KEYS and value not in (None, "", False):
        return HIDDEN
    return _redacted(value, depth - 1)
