"""The single tests a filter is put together from: each takes its words and gives a function over a record."""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from difflib import get_close_matches
from fnmatch import translate
from typing import Any, get_args

from tribe_ws.capture.expressions import BadExpression, Expression
from tribe_ws.capture.record import CONTROL_EVENTS, Direction, Record
from tribe_ws.durations import parse_duration

Test = Callable[[Record, datetime], bool]

DIRECTIONS: tuple[str, ...] = get_args(Direction)
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    ">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le, "=": operator.eq,
}  # fmt: skip
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(b|kb|mb|)", re.IGNORECASE)
_BYTES = {"b": 1, "": 1, "kb": 1024, "mb": 1024 * 1024}
_MISSING = object()
_SHORTEST_ID_PREFIX = 6


@dataclass(frozen=True, slots=True)
class Search:
    """The test of a regular expression, which can be asked whether it has been given up."""

    expression: Expression
    text_of: Callable[[Record], str]

    def __call__(self, record: Record, _now: datetime) -> bool:
        """Tell whether the expression is found in what is searched of a record."""
        return self.expression.is_in(self.text_of(record))


class BadValue(Exception):
    """A value does not fit its field; the parser adds where it stands."""

    def __init__(self, complaint: str, suggestion: str = "") -> None:
        super().__init__(complaint)
        self.complaint = complaint
        self.suggestion = suggestion


def all_of(parts: tuple[Test, ...]) -> Test:
    """Pass what passes every part."""
    return lambda record, now: all(part(record, now) for part in parts)


def any_of(parts: tuple[Test, ...]) -> Test:
    """Pass what passes at least one part."""
    return lambda record, now: any(part(record, now) for part in parts)


def none_of(part: Test) -> Test:
    """Pass what the part does not."""
    return lambda record, now: not part(record, now)


def contains(word: str) -> Test:
    """Pass a record whose raw frame holds the word, in any case."""
    folded = word.casefold()
    return lambda record, _now: folded in record.text.casefold()


def text_matches(pattern: str, flags: str) -> Test:
    """Pass a record whose raw frame holds a match of the regular expression."""
    expression = _expression(pattern, flags)
    return Search(expression, lambda record: record.text)


def comparison(field: str, sign: str, value: str) -> Test:
    """Compare the latency or the size of a record; one without a latency never passes."""
    compare = _COMPARE[sign]
    if field == "latency":
        seconds = _duration(value)
        return lambda record, _now: record.latency is not None and compare(record.latency, seconds)
    size = _size(value)
    return lambda record, _now: compare(len(record.text.encode("utf-8", "surrogatepass")), size)


def path_test(path: str, sign: str, value: str) -> Test:
    """Compare what a frame holds at a dotted path with a text: ``~`` holds, ``=`` is, ``!=`` is not."""
    folded = value.casefold()
    if sign == "~":
        return lambda record, _now: folded in _as_text(find(record.frame, path)).casefold()
    wanted = sign == "="
    return lambda record, _now: (_as_text(find(record.frame, path)) == value) is wanted


def path_matches(path: str, sign: str, pattern: str, flags: str) -> Test:
    """Search what a frame holds at a dotted path with a regular expression (``~`` only)."""
    if sign != "~":
        raise BadValue(f"a regular expression goes with ~, not {sign}", f"{path}~/{pattern}/")
    expression = _expression(pattern, flags)
    return Search(expression, lambda record: _as_text(find(record.frame, path)))


def field_test(field: str, value: str) -> Test:
    """Give the test for ``field:value``; raises ``BadValue``."""
    return _FIELD_TESTS[field](value)


def find(frame: Any, path: str) -> Any:
    """Give what stands at a dotted path of a frame, or a mark that is equal to nothing."""
    value = frame
    for step in path.split("."):
        if isinstance(value, dict) and step in value:
            value = value[step]
        elif isinstance(value, list) and step.isdecimal() and len(step) < 10 and int(step) < len(value):
            value = value[int(step)]
        else:
            return _MISSING
    return value


def _event(value: str) -> Test:
    matches = _wildcard(value)
    return lambda record, _now: matches(record.event)


def _direction(value: str) -> Test:
    if value not in DIRECTIONS:
        raise BadValue(f"dir is one of {', '.join(DIRECTIONS)}", _closest(value, DIRECTIONS))
    return lambda record, _now: record.direction == value


def _sender(value: str) -> Test:
    matches = _wildcard(value.removeprefix("@"))
    return lambda record, _now: matches(record.sender)


def _conversation(value: str) -> Test:
    matches = _wildcard(value.lstrip("#@"))
    prefix = value.lower() if len(value) >= _SHORTEST_ID_PREFIX else None

    def test(record: Record, _now: datetime) -> bool:
        if record.conversation and matches(record.conversation):
            return True
        return prefix is not None and (record.conversation_id or "").startswith(prefix)

    return test


def _session(value: str) -> Test:
    matches = _wildcard(value.removeprefix("@"))
    return lambda record, _now: matches(record.as_user)


def _kind(value: str) -> Test:
    if value not in _KINDS:
        raise BadValue(f"is: takes {', '.join(_KINDS)}", _closest(value, tuple(_KINDS)))
    test = _KINDS[value]
    return lambda record, _now: test(record)


def _since(value: str) -> Test:
    age = timedelta(seconds=_duration(value))
    return lambda record, now: record.at >= now - age


def _time_of_day(value: str) -> Test:
    first, dots, last = value.partition("..")
    start, end = _clock_time(first), _clock_time(last if dots else first)
    # A time without seconds means that whole minute.
    until = end[0] + (1 if end[1] else 60)

    def test(record: Record, _now: datetime) -> bool:
        moment = record.at.astimezone()
        seconds = moment.hour * 3600 + moment.minute * 60 + moment.second
        if until >= start[0]:
            return start[0] <= seconds < until
        return seconds >= start[0] or seconds < until  # over midnight

    return test


def _has(value: str) -> Test:
    return lambda record, _now: find(record.frame, value) not in (_MISSING, None)


def _is_own(record: Record) -> bool:
    return record.direction in {"out", "rest"} or (record.sender != "" and record.sender == record.as_user)


def _is_error(record: Record) -> bool:
    return record.event == "error" or "error" in record.tags or (record.status or 0) >= 400


_KINDS: dict[str, Callable[[Record], bool]] = {
    "violation": lambda record: bool(record.violations),
    "control": lambda record: record.event in CONTROL_EVENTS,
    "own": _is_own,
    "gap": lambda record: "gap" in record.tags,
    "marked": lambda record: "marked" in record.tags,
    "error": _is_error,
}  # fmt: skip

_FIELD_TESTS: dict[str, Callable[[str], Test]] = {
    "event": _event,
    "dir": _direction,
    "from": _sender,
    "conv": _conversation,
    "as": _session,
    "is": _kind,
    "since": _since,
    "at": _time_of_day,
    "has": _has,
}


def _wildcard(value: str) -> Callable[[str], bool]:
    if "*" not in value:
        folded = value.casefold()
        return lambda text: text.casefold() == folded
    # Only * is special: in event names and user names ? and [ stand for themselves.
    expression = re.compile(translate(re.sub(r"([?\[])", r"[\1]", value)), re.IGNORECASE)
    return lambda text: expression.match(text) is not None


def _expression(pattern: str, flags: str) -> Expression:
    try:
        return Expression(pattern.replace("\\/", "/"), ignore_case="i" in flags)
    except BadExpression as error:
        raise BadValue(f"not a regular expression that can be used: {error}") from None


def _duration(value: str) -> float:
    try:
        return parse_duration(value)
    except ValueError as error:
        raise BadValue(str(error)) from None


def _size(value: str) -> float:
    match = _SIZE.fullmatch(value)
    if match is None:
        raise BadValue(f"not a size: {value!r} (write 200, 1kb or 2mb)")
    return float(match[1]) * _BYTES[match[2].lower()]


def _clock_time(value: str) -> tuple[int, bool]:
    """Read a time of day: seconds from midnight, and whether it says seconds."""
    try:
        moment = time.fromisoformat(value)
    except ValueError:
        moment = None
    if moment is None or not re.fullmatch(r"\d\d:\d\d(:\d\d)?", value):
        raise BadValue(f"not a time of day: {value!r} (write 01:22 or 01:22:30)")
    return moment.hour * 3600 + moment.minute * 60 + moment.second, value.count(":") == 2


def _as_text(value: Any) -> str:
    if value is _MISSING:
        return ""
    if isinstance(value, str):
        return value
    try:
        return json.dumps(value, ensure_ascii=False)
    except RecursionError:
        return ""


def _closest(value: str, words: tuple[str, ...]) -> str:
    return next(iter(get_close_matches(value.lower(), words, n=1, cutoff=0.5)), "")
