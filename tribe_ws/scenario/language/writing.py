"""Writes values as YAML on one line, so that reading them gives the same values again."""

from __future__ import annotations

import json
import re
from typing import Any

_PLAIN = re.compile(r"[A-Za-z_$/][\w$/.@+-]*( [\w$/@+-][\w$/.@+-]*)*|[0-9]+(ms|s|m|h|d)")
_NO_TEXT = re.compile(r"null|true|false", re.IGNORECASE)
# What YAML forbids in a file, and what it takes for a line break; json leaves these as they are.
_TO_ESCAPE = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")


def flow(value: Any, *, braces: bool = True) -> str:
    """Write a value in the flow style; without ``braces`` the outermost mapping has none."""
    if isinstance(value, dict):
        inner = ", ".join(_entry(key, item) for key, item in value.items())
        return f"{{{inner}}}" if braces or not inner else inner
    if isinstance(value, list | tuple):
        return f"[{', '.join(flow(item) for item in value)}]"
    return _text(value) if isinstance(value, str) else json.dumps(value)


def literal(value: Any) -> Any:
    """Give a value that stands for itself in a scenario, though it may look like a substitution."""
    return value.replace("${{", "$${{") if isinstance(value, str) else value


def _entry(key: str, value: Any) -> str:
    # Nothing after the colon is how people write it: {connect: }
    return f"{_text(key)}: {'' if value is None else flow(value)}"


def _text(text: str) -> str:
    if _PLAIN.fullmatch(text) and not _NO_TEXT.fullmatch(text):
        return text
    quoted = json.dumps(text, ensure_ascii=False)
    return _TO_ESCAPE.sub(lambda found: f"\\u{ord(found[0]):04x}", quoted)
