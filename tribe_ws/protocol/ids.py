"""Ids as the wire spells them, so that one conversation has one name wherever it is looked up."""

from __future__ import annotations

import re

_HYPHENATED = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)


def canonical_id(text: str) -> str | None:
    """Give the lower-case spelling of a hyphenated UUID; ``None`` for anything else (contract 3.2).

    A UUID has other spellings (without hyphens, in braces, as URN) which libraries accept: a room that is
    looked up by the text as sent would split in two.
    """
    return text.lower() if _HYPHENATED.fullmatch(text) else None
