"""YAML as scenarios read it: plain values that know where they stand."""

from __future__ import annotations

import pytest

from tribe_ws.scenario.language.document import (
    LONGEST_FILE,
    Key,
    MappingNode,
    SequenceNode,
    kind_of,
    plain,
    read_document,
)
from tribe_ws.scenario.place import Place, ScenarioError


def value(text):
    return plain(read_document(text, "it"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("on", "on"),
        ("yes", "yes"),
        ("2026-11-23", "2026-11-23"),
        ("2026-11-23T12:00:00Z", "2026-11-23T12:00:00Z"),
        ("1_000", "1_000"),
        ("010", 10),
        ("0x1f", "0x1f"),
        (".inf", ".inf"),
        ("1e3", 1000.0),
        ("-.5", -0.5),
        ("12345678901234567890123", 12345678901234567890123),
        ("~", None),
        ("'5'", "5"),
        ('"a\\nb"', "a\nb"),
        ("|\n  a\n  b\n", "a\nb\n"),
        ("{a: , b}", {"a": None, "b": None}),
        ("[&x {a: 1}, *x]", [{"a": 1}, {"a": 1}]),
        ("# a comment\n- 1\r\n- 2\r\n", [1, 2]),
    ],
)
def test_reads(text, expected):
    assert value(text) == expected


def test_every_node_knows_its_place():
    root = read_document("a: 1\nb:\n  - {c: d}\n", "it")
    assert isinstance(root, MappingNode)
    entries = dict(root.entries)
    inner = root.get("b")
    assert isinstance(inner, SequenceNode)
    assert list(entries) == [Key("a", Place("it", 1, 1)), Key("b", Place("it", 2, 1))]
    assert str(inner.items[0].place) == "it:3:5"
    assert root.get("nothing") is None


@pytest.mark.parametrize(
    ("text", "place", "problem", "hint"),
    [
        ("", "1:1", "the file is empty", "begin with"),
        ("# only a comment\n", "1:1", "the file is empty", ""),
        ("a: 1\na: 2\n", "2:1", '"a" stands here twice', "first at line 1"),
        ("a: b: c\n", "1:5", "mapping values are not allowed", "needs quotes"),
        ("a: @b\n", "1:4", "cannot start any token", "needs quotes"),
        ("a:\n\t- b\n", "2:1", "cannot start any token", "spaces"),
        ("a: !tag b\n", "1:4", 'tags like "!tag" mean nothing here', "$uuid"),
        ("? [a]\n: b\n", "1:3", "a key must be a text", ""),
        ("<<: {a: 1}\n", "1:1", "merge keys", "write the keys out"),
        ("a: 1e999\n", "1:4", "too large a number", "in quotes"),
        ("a: b\x00\n", "1:5", "a character that no YAML file may hold", ""),
        ("a: 1\nb: \x07\n", "2:4", "a character that no YAML file may hold", ""),
        ("--- a\n--- b\n", "2:1", "single document", ""),
        ("*a\n", "1:1", "undefined alias", ""),
        ("%YAML 1.9\n---\na\n", "1:1", "not YAML", ""),
        ("&a [*a]", "1:1", "nested too deeply", ""),
        ("[" * 60 + "]" * 60, "1:52", "nested too deeply", ""),
        ("a" * (LONGEST_FILE + 1), "1:1", "longer than 500,000 characters", "include"),
    ],
    ids=range(18),
)
def test_refuses_with_the_place(text, place, problem, hint):
    with pytest.raises(ScenarioError) as caught:
        read_document(text, "it")
    error = caught.value
    assert str(error.place) == f"it:{place}"
    assert problem in error.problem
    assert hint in error.hint


def test_aliases_that_unfold_to_too_much_are_refused():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 8)]
    with pytest.raises(ScenarioError, match="more than 50,000 values"):
        read_document("\n".join(lines), "it")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[1]", "a list"), ("{a: 1}", "a mapping"), ("~", "nothing"), ("true", "true"), ("false", "false"),
        ("a b", '"a b"'), ("5", "5"), ("a" * 100, f'"{"a" * 59}…"'),
    ],
)  # fmt: skip
def test_says_what_a_node_is(text, said):
    assert kind_of(read_document(text, "it")) == said
