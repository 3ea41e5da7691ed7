"""What the filter language promises whatever one writes: it reads or points, and its signs mean their law."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.capture.test_filter import NOW, record
from tribe_ws.capture.filter import FIELDS, Filter, FilterError, parse_filter
from tribe_ws.capture.record import Record
from tribe_ws.capture.violation import Violation

LEAVES = (
    "event:message.new", "event:message.*", "event:ping,pong", "dir:in", "dir:out,rest", "from:bob",
    "from:@b*",
    "conv:general", "conv:#design", "conv:7b25f6", "as:alice", "is:violation", "is:control", "is:own",
    "is:gap",
    "is:marked", "is:error", "latency>50ms", "latency<=0.06", "size>40", "size<1kb", "since:5m", "since:1d",
    "at:11:00..13:00", "at:23:00..01:00", "data.content~deploy", "data.content!=x", "data.message_type=text",
    "data.content~/land(ed)?/i", "has:data.sender.username", "has:data.nothing", "deploy", '"The deploy"',
    "/depl.y/",
)  # fmt: skip
RECORDS: tuple[Record, ...] = (
    record(),
    record(event="ping", direction="out", frame={"event": "ping"}, text='{"event":"ping"}', latency=None),
    record(sender="alice", conversation="design", conversation_id=None, tags=frozenset({"gap", "marked"})),
    record(status=500, direction="rest", at=NOW - timedelta(hours=11), violations=(Violation("c", "", "m"),)),
    record(frame=None, text="{nonsense", event="?", as_user="", latency=0.01),
)


@dataclass(frozen=True)
class Tree:
    """A filter as a tree, which can write itself and say what it should match."""

    sign: str
    parts: tuple[Any, ...]

    def __str__(self) -> str:
        match self.sign:
            case "leaf":
                return str(self.parts[0])
            case "!":
                return f"!{_bracketed(self.parts[0])}"
            case "|":
                return " | ".join(_bracketed(part) for part in self.parts)
        return " ".join(_bracketed(part) for part in self.parts)

    def matches(self, one: Record) -> bool:
        match self.sign:
            case "leaf":
                return parse_filter(self.parts[0]).matches(one, NOW)
            case "!":
                return not self.parts[0].matches(one)
            case "|":
                return any(part.matches(one) for part in self.parts)
        return all(part.matches(one) for part in self.parts)


def read(text: str) -> Filter | FilterError:
    try:
        return parse_filter(text)
    except FilterError as error:
        return error


def _bracketed(tree: Tree) -> str:
    return str(tree) if tree.sign == "leaf" else f"({tree})"


leaves = st.sampled_from(LEAVES).map(lambda text: Tree("leaf", (text,)))
trees = st.recursive(
    leaves,
    lambda inner: st.one_of(
        inner.map(lambda one: Tree("!", (one,))),
        st.lists(inner, min_size=2, max_size=3).map(lambda some: Tree("|", tuple(some))),
        st.lists(inner, min_size=2, max_size=3).map(lambda some: Tree(" ", tuple(some))),
    ),
    max_leaves=8,
)


@settings(deadline=None)
@given(trees)
def test_what_a_tree_writes_is_read_with_the_tree_s_meaning(tree: Tree) -> None:
    chosen = parse_filter(str(tree))
    assert [chosen.matches(one, NOW) for one in RECORDS] == [tree.matches(one) for one in RECORDS]


@settings(deadline=None, max_examples=50)
@given(trees, trees)
def test_not_is_complement_bar_is_union_and_space_is_intersection(first: Tree, second: Tree) -> None:
    a, b = (parse_filter(str(tree)) for tree in (first, second))
    for one in RECORDS:
        in_a, in_b = a.matches(one, NOW), b.matches(one, NOW)
        assert parse_filter(f"!({first})").matches(one, NOW) is not in_a
        assert parse_filter(f"({first}) | ({second})").matches(one, NOW) is (in_a or in_b)
        assert parse_filter(f"({first}) ({second})").matches(one, NOW) is (in_a and in_b)
        assert parse_filter(f"!(({first}) | ({second}))").matches(one, NOW) is (not in_a and not in_b)


@given(leaves, leaves, leaves)
def test_a_space_binds_closer_than_a_bar(first: Tree, second: Tree, third: Tree) -> None:
    loose, bracketed = f"{first} {second} | {third}", f"(({first}) ({second})) | ({third})"
    for one in RECORDS:
        assert parse_filter(loose).matches(one, NOW) is parse_filter(bracketed).matches(one, NOW)


PIECES = st.sampled_from(
    [
        *LEAVES,
        *(f"{field}:" for field in FIELDS),
        "latency",
        "size>",
        "|",
        "!",
        "(",
        ")",
        '"',
        "/",
        ",",
        " ",
        "~",
        "\\",
    ]
)


@settings(deadline=None)
@given(st.one_of(st.text(max_size=40), st.lists(PIECES, max_size=8).map("".join)))
def test_any_text_is_read_or_pointed_into(text: str) -> None:
    chosen = read(text)
    if isinstance(chosen, Filter):
        assert all(chosen.matches(one, NOW) in {True, False} for one in RECORDS)
        return
    assert 0 <= chosen.column <= len(text)
    assert chosen.length >= 1
    assert chosen.text == text
    assert str(chosen).startswith("bad filter: ")


@pytest.mark.parametrize("text", ["!" * 5_000 + "x", "(" * 5_000 + "x" + ")" * 5_000])
def test_depth_is_bounded_on_both_signs(text: str) -> None:
    with pytest.raises(FilterError, match="too many brackets"):
        parse_filter(text)


def test_a_frame_of_any_shape_can_be_asked() -> None:
    deep: Any = {"a": 1}
    for _ in range(900):
        deep = {"data": deep}
    frames: list[Any] = [None, [], 7, "x", {"data": None}, {"data": [1, {"b": 2}]}, deep]
    for frame in frames:
        for text in ("data~x", "data.a.b=1", "data.1.b=2", f"data.{'9' * 5_000}~x", "has:data", "data~/x/"):
            assert parse_filter(text).matches(record(frame=frame), NOW) in {True, False}
