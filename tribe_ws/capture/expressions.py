"""Regular expressions of strangers, over frames of strangers: they may be slow, but never for long.

Some expressions take a time that doubles with each character. Those that do so on the simplest of texts are
refused when they are read. One that passes and meets a text which it takes too long on is given up: from then
on it matches nothing, at once, and says so when asked.
"""

from __future__ import annotations

import re
import warnings
from math import prod
from time import process_time
from typing import Any

BUDGET = 0.1
"""Seconds of CPU that one search may take, and all trials of a new expression together."""
LONGEST = 500
"""How many characters an expression may have."""
MOST_COUNTED = 50_000
"""How often a part may have to occur: ``a{100}``, or ``(a{10}){10}``, is a hundred."""
_COUNTED = re.compile(r"\{(\d+)")
_TRIAL_LENGTH = 3_000
_MOST_TRIALS = 8
_QUANTIFIERS = frozenset("*+?{")


class BadExpression(ValueError):
    """An expression cannot be read, or cannot be afforded; the text says why."""


class Expression:
    """One compiled expression; ``is_given_up`` tells that it took too long once and matches nothing since."""

    __slots__ = ("_compiled", "_may_be_slow", "is_given_up", "pattern")

    def __init__(self, pattern: str, *, ignore_case: bool = False) -> None:
        self.pattern = pattern
        self.is_given_up = False
        self._compiled = _compile(pattern, ignore_case=ignore_case)
        # Without a quantifier there is nothing to try twice, and the clock itself costs more than the search.
        self._may_be_slow = not _QUANTIFIERS.isdisjoint(pattern)
        if self._may_be_slow:
            _try_out(self._compiled, pattern)

    def is_in(self, text: str) -> bool:
        """Tell whether a text holds a match; ``False`` where that cannot be told in time."""
        if not self._may_be_slow:
            return self._compiled.search(text) is not None
        if self.is_given_up:
            return False
        try:
            return self._compiled.search(text, timeout=BUDGET) is not None
        except TimeoutError:
            self.is_given_up = True
            return False


def _compile(pattern: str, *, ignore_case: bool) -> Any:
    import regex

    if len(pattern) > LONGEST:
        raise BadExpression(f"longer than {LONGEST} characters")
    # The compiler writes out what is counted, and counts within counts: a short text could take all memory.
    if prod(max(1, int(count[:9])) for count in _COUNTED.findall(pattern)) > MOST_COUNTED:
        raise BadExpression(f"it counts beyond {MOST_COUNTED}")
    flags = regex.V0 | (regex.IGNORECASE if ignore_case else 0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return regex.compile(pattern, flags)
    except (regex.error, ValueError, OverflowError, RecursionError, MemoryError) as error:
        raise BadExpression(str(getattr(error, "msg", error)) or type(error).__name__) from None


def _try_out(compiled: Any, pattern: str) -> None:
    """Search texts that drive a runaway expression mad: one of its own characters again and again."""
    letters = [mark for mark in dict.fromkeys(pattern) if mark.isalnum()]
    units = [*letters[: _MOST_TRIALS - 3], "a", "0", "a "]
    give_up_at = process_time() + BUDGET
    for unit in dict.fromkeys(units):
        text = unit * (_TRIAL_LENGTH // len(unit)) + "\0"
        try:
            compiled.search(text, timeout=max(0.001, give_up_at - process_time()))
        except TimeoutError:
            raise BadExpression("it takes too long, since it repeats what repeats already") from None
