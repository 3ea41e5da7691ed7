"""Whether the tables of a snapshot can be a database: complete, of the right types, at one with each other.

People edit such files. So a fault is told with its place (``users[3].email``) before anything is changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, get_args

from sqlalchemy import JSON, BigInteger, Boolean, Column, Integer, Table, UniqueConstraint

from tribe_ws.errors import ConfigurationError
from tribe_ws.protocol.ids import canonical_id
from tribe_ws.storage.records import ConversationType, Role
from tribe_ws.storage.tables import conversations, messages, participants, sent_keys, users

Row = dict[str, Any]
Tables = dict[str, list[Row]]

TABLES: tuple[Table, ...] = (users, conversations, participants, messages, sent_keys)
"""What a snapshot holds, in an order in which each row finds those it names."""
ROWS_ORDER = {
    "users": ("id",),
    "conversations": ("id",),
    "participants": ("conversation_id", "user_id"),
    "messages": ("conversation_id", "seq"),
    "sent_keys": ("id",),
}
"""How the rows of each table are ordered, so that the same database gives the same document."""

_LATEST_MS = 253_402_300_799_999  # the end of the year 9999
_LARGEST: dict[type[Any], int] = {BigInteger: 2**63 - 1, Integer: 2**31 - 1}
_WORDS = {
    ("conversations", "conversation_type"): get_args(ConversationType),
    ("participants", "role"): get_args(Role),
    ("messages", "message_type"): ("text", "image", "video", "audio", "file"),
    ("users", "status"): ("online", "away", "offline"),
}


def check(tables: Any) -> Tables:
    """Give the tables in the order of their insertion; raises ``ConfigurationError`` at the first fault."""
    names = [table.name for table in TABLES]
    if not isinstance(tables, dict):
        raise _fault("tables", "is missing, or no object")
    for name in tables:
        if name not in names:
            raise _fault(f"tables.{name}", f"is no table of a snapshot; those are {', '.join(names)}")
    for table in TABLES:
        rows = tables.get(table.name)
        if not isinstance(rows, list):
            raise _fault(f"tables.{table.name}", "is missing, or no list")
        for number, row in enumerate(rows):
            _check_row(table, number, row)
        _check_unique(table, rows)
    _check_references(tables)
    _check_numbers(tables)
    order = ROWS_ORDER["messages"]
    return tables | {"messages": sorted(tables["messages"], key=lambda row: [row[name] for name in order])}


def _check_row(table: Table, number: int, row: Any) -> None:
    place = f"{table.name}[{number}]"
    if not isinstance(row, dict):
        raise _fault(place, "is no object")
    for name in row:
        if name not in table.c:
            raise _fault(f"{place}.{name}", "is no column of that table")
    for column in table.columns:
        if column.name not in row:
            raise _fault(f"{place}.{column.name}", "is missing")
        if problem := _problem(table, column, row[column.name]):
            raise _fault(f"{place}.{column.name}", problem)


def _problem(table: Table, column: Column[Any], value: Any) -> str:
    """Say what is wrong with one value; empty if nothing is."""
    if value is None:
        return "" if column.nullable else "must not be null"
    match column.type:
        case JSON():
            return "" if isinstance(value, dict | list) else "must be an object or null"
        case Boolean():
            return "" if isinstance(value, bool) else f"must be true or false, not {value!r}"
        case Integer():
            return _number_problem(column, value)
    return _text_problem(table, column, value)


def _number_problem(column: Column[Any], value: Any) -> str:
    largest = _LATEST_MS if column.name.endswith("_ms") else _LARGEST[type(column.type)]
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= largest:
        return f"must be a whole number from 0 to {largest}, not {value!r}"
    return ""


def _text_problem(table: Table, column: Column[Any], value: Any) -> str:
    if not isinstance(value, str):
        return f"must be text, not {value!r}"
    if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
        return "holds a NUL or half a surrogate pair"
    words = _WORDS.get((table.name, column.name))
    if words and value not in words:
        return f"must be one of {', '.join(words)}, not {value!r}"
    is_id = table is not sent_keys and (column.primary_key or bool(column.foreign_keys))
    if is_id and canonical_id(value) != value:
        return f"must be a UUID in lower case with hyphens, not {value!r}"
    return ""


def _check_unique(table: Table, rows: Sequence[Row]) -> None:
    for names in _unique_sets(table):
        seen: dict[tuple[Any, ...], int] = {}
        for number, row in enumerate(rows):
            value = tuple(row[name] for name in names)
            if None in value:
                continue
            if value in seen:
                where = f"{table.name}[{number}].{names[-1]}"
                raise _fault(where, f"is there twice: {table.name}[{seen[value]}] has the same")
            seen[value] = number


def _unique_sets(table: Table) -> Iterable[tuple[str, ...]]:
    yield tuple(column.name for column in table.primary_key.columns)
    for constraint in table.constraints:
        if isinstance(constraint, UniqueConstraint):
            yield tuple(column.name for column in constraint.columns)


def _check_references(tables: Tables) -> None:
    known = {
        table.name: {row["id"] for row in tables[table.name]} for table in (users, conversations, messages)
    }
    for table in TABLES:
        for column in table.columns:
            for key in column.foreign_keys:
                target = key.column.table.name
                for number, row in enumerate(tables[table.name]):
                    if row[column.name] is not None and row[column.name] not in known[target]:
                        place = f"{table.name}[{number}].{column.name}"
                        raise _fault(place, f"names {row[column.name]!r}, which is not among the {target}")


def _check_numbers(tables: Tables) -> None:
    """See that each conversation numbers its messages from 1 without a gap, and answers go backwards."""
    seqs: dict[str, list[int]] = {row["id"]: [] for row in tables["conversations"]}
    places = {row["id"]: (row["conversation_id"], row["seq"]) for row in tables["messages"]}
    for number, row in enumerate(tables["messages"]):
        seqs[row["conversation_id"]].append(row["seq"])
        answered = row["reply_to_message_id"]
        if answered is not None:
            conversation_id, seq = places[answered]
            if conversation_id != row["conversation_id"] or seq >= row["seq"]:
                place = f"messages[{number}].reply_to_message_id"
                raise _fault(place, "must name an earlier message of the same conversation")
    for number, row in enumerate(tables["conversations"]):
        if sorted(seqs[row["id"]]) != list(range(1, row["last_seq"] + 1)):
            place = f"conversations[{number}].last_seq"
            raise _fault(place, f"is {row['last_seq']}, but its messages are not numbered from 1 to that")


def _fault(place: str, what: str) -> ConfigurationError:
    return ConfigurationError(f"the snapshot cannot be restored: {place} {what}")
