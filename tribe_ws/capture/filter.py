r"""The one filter language, over records: ``event:message.new from:bob data.content~deploy``.

::

    either   := all ("|" all)*
    all      := one+                                   a space means: and
    one      := "!" one | "(" either ")" | test
    test     := FIELD ":" VALUE ("," VALUE)*           event dir from conv as is since at has
              | ("latency" | "size") (">" | ">=" | "<" | "<=" | "=") NUMBER UNIT
              | PATH ("~" | "=" | "!=") VALUE          data.content~deploy, data.message_type=image
              | word | "two words" | /regular expression/i     in the raw frame, any case

``event``, ``from``, ``conv`` and ``as`` take ``*`` as a wildcard. A mistake is a ``FilterError`` which knows
its column and, where there is one, the word that was probably meant.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from functools import partial

from tribe_ws.capture import filter_tests as tests
from tribe_ws.capture.filter_tests import BadValue, Search, Test
from tribe_ws.capture.record import Record
from tribe_ws.errors import TribeError

FIELDS: dict[str, str] = {
    "event": "event name, * allowed",
    "dir": "in, out, rest or note",
    "from": "username of the sender",
    "conv": "conversation by name or id",
    "as": "user of the session",
    "is": "violation, control, own, gap, marked or error",
    "latency": "latency>50ms",
    "size": "size>1kb, of the raw frame",
    "since": "since:5m, newer than",
    "at": "at:01:22..01:25, local time of day",
    "has": "has:data.sender, present and not null",
}

_COMPARED = frozenset({"latency", "size"})
_SPACE = re.compile(r"\s+")
_COMPARISON = re.compile(r"(latency|size)(>=|<=|>|<|=)([^\s()|]*)")
_PATH_TEST = re.compile(r"([A-Za-z_]\w*(?:\.\w+)+|data|event)(!=|~|=)")
_FIELD = re.compile(r"([A-Za-z_][\w-]*):")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_EXPRESSION = re.compile(r"/((?:[^/\\\s]|\\.|[ ])+)/(i?)(?=[\s()|,]|$)")
_BARE = re.compile(r"[^\s()|]+")
_BARE_VALUE = re.compile(r"[^\s()|,]+")


class FilterError(TribeError):
    """A filter cannot be read: what is wrong, and where.

    ``column`` counts from 0 in ``text``, ``length`` is that of the wrong part; ``suggestion`` may be empty.
    """

    code = "bad_filter"

    def __init__(
        self, complaint: str, *, text: str, column: int, length: int = 1, suggestion: str = ""
    ) -> None:
        meant = f'did you mean "{suggestion}"?' if suggestion else ""
        marks = " " * column + "^" * max(1, length)
        super().__init__(f"bad filter: {complaint}", hint=f"{text}\n{marks} {meant}".rstrip())
        self.pointed = f"column {column + 1}. {meant}".rstrip()
        self.text = text
        self.column = column
        self.length = max(1, length)
        self.suggestion = suggestion


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter ready to be asked; the empty filter matches everything."""

    text: str
    test: Test
    searches: tuple[Search, ...] = ()

    def matches(self, record: Record, now: datetime | None = None) -> bool:
        """Tell whether a record passes; ``now`` is what ``since:`` counts from, by default this moment."""
        return self.test(record, now or datetime.now(UTC))

    @property
    def trouble(self) -> str:
        """Say which regular expression was given up on a frame that took too long; nearly always empty."""
        given_up = [f"/{one.expression.pattern}/" for one in self.searches if one.expression.is_given_up]
        if not given_up:
            return ""
        return f"{', '.join(given_up)} took too long on a frame; it matches nothing from there on"


def parse_filter(text: str) -> Filter:
    """Read a filter; raises ``FilterError``."""
    parser = _Parser(text)
    if parser.at_end():
        return Filter(text, lambda _record, _now: True)
    test = parser.either()
    if not parser.at_end():
        raise parser.error("nothing opens this bracket")
    return Filter(text, test, tuple(parser.searches))


class _Parser:
    """Recursive descent over the text itself, so that every complaint knows its column."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._place = 0
        self._depth = 0
        self.searches: list[Search] = []

    def at_end(self) -> bool:
        self._skip_space()
        return self._place >= len(self._text)

    def either(self) -> Test:
        branches = [self._all()]
        while self._accept("|"):
            branches.append(self._all())
        return branches[0] if len(branches) == 1 else tests.any_of(tuple(branches))

    def error(
        self, complaint: str, *, column: int | None = None, length: int = 1, meant: str = ""
    ) -> FilterError:
        place = self._place if column is None else column
        return FilterError(complaint, text=self._text, column=place, length=length, suggestion=meant)

    def _all(self) -> Test:
        parts: list[Test] = []
        while not self.at_end() and self._text[self._place] not in "|)":
            parts.append(self._one())
        if not parts:
            raise self.error("something is missing here")
        return parts[0] if len(parts) == 1 else tests.all_of(tuple(parts))

    def _one(self) -> Test:
        if self._accept("!"):
            if self.at_end():
                raise self.error("something must follow !")
            return tests.none_of(self._deeper(self._one))
        start = self._place
        if not self._accept("("):
            return self._test()
        inner = self._deeper(self.either)
        if not self._accept(")"):
            raise self.error("this bracket is never closed", column=start)
        return inner

    def _deeper(self, rule: Callable[[], Test]) -> Test:
        self._depth += 1
        if self._depth > 50:
            raise self.error("too many brackets")
        result = rule()
        self._depth -= 1
        return result

    def _test(self) -> Test:
        if match := self._match(_COMPARISON):
            return self._checked(match.start(3), match[3], partial(tests.comparison, *match.groups()))
        if match := self._match(_PATH_TEST):
            return self._path_test(match[1], match[2])
        if match := self._match(_FIELD):
            return self._field_test(match)
        return self._text_test()

    def _path_test(self, path: str, operator: str) -> Test:
        column = self._place
        if match := self._match(_EXPRESSION):
            make = partial(tests.path_matches, path, operator, *match.groups())
            return self._searched(self._checked(column, match[0], make))
        return tests.path_test(path, operator, self._value(path))

    def _field_test(self, match: re.Match[str]) -> Test:
        field, start = match[1], match.start()
        if field in _COMPARED:
            raise self.error(f"{field} is compared", column=start, length=len(field) + 1, meant=f"{field}>")
        if field not in FIELDS:
            close = get_close_matches(field.lower(), FIELDS, n=1, cutoff=0.6)
            raise self.error(
                f'unknown field "{field}"', column=start, length=len(field), meant=close[0] if close else ""
            )
        choices: list[Test] = []
        for column, value in self._values(field):
            choices.append(self._checked(column, value, partial(tests.field_test, field, value)))
        return choices[0] if len(choices) == 1 else tests.any_of(tuple(choices))

    def _text_test(self) -> Test:
        column = self._place
        if match := self._match(_EXPRESSION):
            make = partial(tests.text_matches, *match.groups())
            return self._searched(self._checked(column, match[0], make))
        if self._text[column] == '"':
            return tests.contains(self._quoted())
        match = self._match(_BARE)
        if match is None:
            raise self.error(f"did not expect {self._text[column]!r} here")
        return tests.contains(match[0])

    def _searched(self, test: Test) -> Test:
        if isinstance(test, Search):
            self.searches.append(test)
        return test

    def _values(self, field: str) -> Iterator[tuple[int, str]]:
        yield self._place, self._value(field)
        while self._place < len(self._text) and self._text[self._place] == ",":
            self._place += 1
            yield self._place, self._value(field)

    def _value(self, field: str) -> str:
        if self._text[self._place : self._place + 1] == '"':
            return self._quoted()
        match = _BARE_VALUE.match(self._text, self._place)
        if match is None:
            raise self.error(f"{field} needs a value")
        self._place = match.end()
        return match[0]

    def _quoted(self) -> str:
        match = _QUOTED.match(self._text, self._place)
        if match is None:
            raise self.error("this quote is never closed")
        self._place = match.end()
        return re.sub(r"\\(.)", r"\1", match[1])

    def _checked(self, column: int, value: str, make: Callable[[], Test]) -> Test:
        try:
            return make()
        except BadValue as error:
            raise self.error(
                error.complaint, column=column, length=len(value), meant=error.suggestion
            ) from None

    def _accept(self, mark: str) -> bool:
        self._skip_space()
        if not self._text.startswith(mark, self._place):
            return False
        self._place += len(mark)
        return True

    def _match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        match = pattern.match(self._text, self._place)
        if match is not None:
            self._place = match.end()
        return match

    def _skip_space(self) -> None:
        if match := _SPACE.match(self._text, self._place):
            self._place = match.end()
