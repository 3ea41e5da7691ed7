"""Faults as people write them: ``delay 250ms±50ms @bob #general message.new out 50%``.

An action comes first, then what it needs, then the filters in any order: ``@user``, ``#conversation``, an
event's name, ``in`` (from the client) or ``out`` (to the client), and the share of frames in per cent. What
is not named matches everything. Rules only; what they do to a connection is in ``hub.faults``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from tribe_ws.durations import parse_duration
from tribe_ws.errors import ConfigurationError
from tribe_ws.protocol.close_codes import CLOSE_CODES, Advice, CloseCode

LONGEST_DELAY = 3600.0
"""Seconds a frame may be held up; nobody waits longer for a test."""
MOST_REFUSALS = 10_000
GRAMMAR = "delay 250ms±50ms | drop | duplicate | reorder | corrupt | stall | close 4401 | reset | refuse 3"
_FILTERS = "@user #conversation event in|out 50%"
_EVENT = re.compile(r"[a-z]+(?:[._][a-z]+)*")
_SPREAD = re.compile(r"±|\+/?-")


class FaultAction(StrEnum):
    """What happens to a frame; ``REFUSE`` happens to a whole connection before it has any."""

    DELAY = "delay"
    DROP = "drop"
    DUPLICATE = "duplicate"
    REORDER = "reorder"
    CORRUPT = "corrupt"
    STALL = "stall"
    CLOSE = "close"
    RESET = "reset"
    REFUSE = "refuse"


class FaultRefused(ConfigurationError):
    """A fault cannot be added: it is not in the grammar, or it names somebody the server does not know."""

    code = "fault_refused"


@dataclass(frozen=True, slots=True)
class FaultRule:
    """One rule as written; empty texts match everything. Seconds for ``delay`` and ``jitter``.

    ``user`` and ``conversation`` are names or ids, as they stand in ``text``.
    """

    text: str
    action: FaultAction
    delay: float = 0.0
    jitter: float = 0.0
    count: int = 0
    close_code: CloseCode | None = None
    user: str = ""
    conversation: str = ""
    event: str = ""
    direction: str = ""
    probability: float = 1.0


def parse_faults(text: str) -> tuple[FaultRule, ...]:
    """Read rules that are separated by ``;``; raises ``FaultRefused``."""
    return tuple(parse_fault(part) for part in text.split(";") if part.strip())


def parse_fault(text: str) -> FaultRule:
    """Read one rule; raises ``FaultRefused`` with the word that is wrong and how it is written."""
    words = text.split()
    action = _action(words[0] if words else "", text)
    values: dict[str, object] = {}
    rest = iter(words[1:])
    match action:
        case FaultAction.DELAY:
            values["delay"], values["jitter"] = _delay(next(rest, ""))
        case FaultAction.CLOSE:
            values["close_code"] = _close_code(next(rest, ""))
        case FaultAction.REFUSE:
            values["count"] = _count(next(rest, "1"))
        case _:
            pass
    for name, value in _filters(rest, action):
        if name in values:
            raise FaultRefused(f"fault {text!r}: more than one {name}", hint="write a rule for each")
        values[name] = value
    return FaultRule(" ".join(words), action, **values)  # type: ignore[arg-type]


def _action(word: str, text: str) -> FaultAction:
    try:
        return FaultAction(word)
    except ValueError:
        raise FaultRefused(
            f"fault {text.strip()!r}: expected an action first, got {word!r}", hint=f"actions: {GRAMMAR}"
        ) from None


def _delay(word: str) -> tuple[float, float]:
    parts = _SPREAD.split(word, maxsplit=1)
    try:
        delay, jitter = parse_duration(parts[0]), parse_duration(parts[1]) if len(parts) > 1 else 0.0
    except ValueError:
        raise FaultRefused(
            f"delay: expected a duration, got {word!r}", hint="write delay 250ms or delay 250ms±50ms"
        ) from None
    if delay + jitter > LONGEST_DELAY:
        raise FaultRefused(f"delay: expected at most an hour, got {word!r}")
    return delay, jitter


def _close_code(word: str) -> CloseCode:
    code = int(word) if word.isascii() and word.isdecimal() and len(word) == 4 else 0
    if not (3000 <= code <= 4999 or (1000 <= code <= 1014 and code not in (1004, 1005, 1006))):
        raise FaultRefused(
            f"close: expected a close code, got {word!r}",
            hint="1000 to 1014 without 1004 to 1006, or 3000 to 4999; reset ends without a close frame",
        )
    known = (entry for entry in CLOSE_CODES if entry.code == code)
    return next(known, CloseCode(code, "fault", "a fault was asked for", Advice.RECONNECT))


def _count(word: str) -> int:
    if not (word.isascii() and word.isdecimal() and 1 <= int(word[:9]) <= MOST_REFUSALS):
        raise FaultRefused(f"refuse: expected how many connections, got {word!r}", hint="write refuse 3")
    return int(word)


def _filters(words: Iterator[str], action: FaultAction) -> Iterator[tuple[str, str | float]]:
    for word in words:
        name, value = _filter(word)
        if action is FaultAction.REFUSE and name != "user":
            raise FaultRefused(f"refuse: expected only @user after the number, got {word!r}")
        yield name, value


def _filter(word: str) -> tuple[str, str | float]:
    if len(word) > 1 and word[0] in "@#":
        return ("user" if word[0] == "@" else "conversation"), word[1:]
    if word in ("in", "out"):
        return "direction", word
    if word.endswith("%"):
        return "probability", _share(word)
    if _EVENT.fullmatch(word):
        return "event", word
    raise FaultRefused(f"expected a filter, got {word!r}", hint=f"filters: {_FILTERS}")


def _share(word: str) -> float:
    try:
        share = float(word[:-1])
    except ValueError:
        share = math.nan
    if not 0 < share <= 100:
        raise FaultRefused(f"expected a share above 0% and up to 100%, got {word!r}")
    return share / 100
