"""Reads YAML 1.2 into nodes that know where they stand: plain values, and never more than a person writes.

No dates, no tags, no merge keys, no key twice. Aliases are followed, but what they unfold to is bounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml import nodes as yaml_nodes
from ruamel.yaml.error import MarkedYAMLError, YAMLError, YAMLStreamError
from ruamel.yaml.reader import ReaderError

from tribe_ws.scenario.place import Place, ScenarioError

LONGEST_FILE = 500_000
MOST_NODES = 50_000
DEEPEST = 50

_INTEGER = re.compile(r"[-+]?[0-9]{1,1000}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,3})?")
_WORDS: dict[str, Any] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_STANDARD_TAG = "tag:yaml.org,2002:"


@dataclass(frozen=True, slots=True)
class ScalarNode:
    """A single value: a text, a number, a boolean or nothing."""

    value: str | int | float | bool | None
    place: Place


@dataclass(frozen=True, slots=True)
class SequenceNode:
    """A list."""

    items: tuple[Node, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class MappingNode:
    """Keys and values, in the order of the file; every key a text, none twice."""

    entries: tuple[tuple[Key, Node], ...]
    place: Place

    def __iter__(self) -> Iterator[tuple[Key, Node]]:
        return iter(self.entries)

    def get(self, name: str) -> Node | None:
        """Give the value of a key, if it is there."""
        return next((node for key, node in self.entries if key.name == name), None)


@dataclass(frozen=True, slots=True)
class Key:
    """A key and where it stands."""

    name: str
    place: Place


Node: TypeAlias = ScalarNode | SequenceNode | MappingNode


def read_document(text: str, path: str) -> Node:
    """Read a YAML text; raises ``ScenarioError`` with the place of whatever is wrong."""
    start = Place(path, 1, 1)
    if len(text) > LONGEST_FILE:
        raise ScenarioError(
            start, f"longer than {LONGEST_FILE:,} characters", hint="split it and use include:"
        )
    root = _compose(text, path)
    if root is None:
        raise ScenarioError(start, "the file is empty", hint="begin with:  name: What happens")
    return _Reader(path).read(root, depth=0)


def plain(node: Node) -> Any:
    """Give the JSON value of a node."""
    match node:
        case ScalarNode(value=value):
            return value
        case SequenceNode(items=items):
            return [plain(item) for item in items]
        case MappingNode(entries=entries):
            return {key.name: plain(value) for key, value in entries}


def kind_of(node: Node) -> str:
    """Say what a node is, for an error."""
    match node:
        case SequenceNode():
            return "a list"
        case MappingNode():
            return "a mapping"
        case ScalarNode(value=None):
            return "nothing"
        case ScalarNode(value=bool(value)):
            return "true" if value else "false"
        case ScalarNode(value=str(value)):
            return f'"{value if len(value) <= 60 else value[:59] + "…"}"'
        case ScalarNode(value=value):
            return str(value)


def _compose(text: str, path: str) -> Any:
    try:
        return YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(path, mark.line + 1, mark.column + 1) if mark else Place(path, 1, 1)
        problem = error.problem or error.context or ""
        if problem.startswith("but found"):
            problem = f"{error.context} {problem}"
        raise ScenarioError(place, f"not YAML: {problem}", hint=_yaml_hint(problem)) from None
    except ReaderError as error:
        at = error.position if isinstance(error.position, int) else 0
        place = Place(path, text.count("\n", 0, at) + 1, at - (text.rfind("\n", 0, at) + 1) + 1)
        raise ScenarioError(place, "a character that no YAML file may hold") from None
    except RecursionError:
        raise ScenarioError(Place(path, 1, 1), "nested too deeply") from None
    except (YAMLError, YAMLStreamError, AssertionError, ValueError, OverflowError) as error:
        raise ScenarioError(Place(path, 1, 1), f"not YAML: {str(error).splitlines()[0]}") from None


def _yaml_hint(problem: str) -> str:
    if "mapping values are not allowed" in problem:
        return 'a text with ": " in it needs quotes'
    if "but got '{'" in problem:
        return 'within braces, "${{ name }}" needs quotes'
    if "cannot start any token" in problem:
        return "indent with spaces; a text that begins with @, ` or % needs quotes"
    return ""


class _Reader:
    """Turns composed nodes into ours and counts them."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._count = 0

    def read(self, node: Any, depth: int) -> Node:
        place = self._place(node)
        self._count += 1
        if self._count > MOST_NODES:
            raise ScenarioError(
                place, f"more than {MOST_NODES:,} values in one file", hint="aliases count each time"
            )
        if depth > DEEPEST:
            raise ScenarioError(place, "nested too deeply")
        if not str(node.tag).startswith(_STANDARD_TAG):
            raise ScenarioError(
                place, f'tags like "{node.tag}" mean nothing here', hint="matchers are written $uuid"
            )
        if isinstance(node, yaml_nodes.MappingNode):
            return MappingNode(self._entries(node, depth), place)
        if isinstance(node, yaml_nodes.SequenceNode):
            return SequenceNode(tuple(self.read(item, depth + 1) for item in node.value), place)
        return ScalarNode(_scalar(node, place), place)

    def _entries(self, node: Any, depth: int) -> tuple[tuple[Key, Node], ...]:
        entries: dict[str, tuple[Key, Node]] = {}
        for key_node, value_node in node.value:
            key = self._key(key_node)
            if key.name in entries:
                first = entries[key.name][0].place
                raise ScenarioError(
                    key.place, f'"{key.name}" stands here twice', hint=f"first at line {first.line}"
                )
            entries[key.name] = (key, self.read(value_node, depth + 1))
        return tuple(entries.values())

    def _key(self, node: Any) -> Key:
        place = self._place(node)
        if not isinstance(node, yaml_nodes.ScalarNode):
            raise ScenarioError(
                place, "a key must be a text", hint="a value that begins with { or [ needs quotes"
            )
        if node.tag == f"{_STANDARD_TAG}merge":
            raise ScenarioError(place, "merge keys (<<) are not understood", hint="write the keys out")
        return Key(str(node.value), place)

    def _place(self, node: Any) -> Place:
        return Place(self._path, node.start_mark.line + 1, node.start_mark.column + 1)


def _scalar(node: Any, place: Place) -> str | int | float | bool | None:
    """Resolve a scalar by the core schema of YAML 1.2; what looks like a date is a text."""
    text = str(node.value)
    kind = str(node.tag).removeprefix(_STANDARD_TAG)
    if node.style is not None or kind == "str":
        return text
    if text in _WORDS:
        return _WORDS[text]  # type: ignore[no-any-return]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        number = float(text)
        if number in (float("inf"), float("-inf")):
            raise ScenarioError(place, f"too large a number: {text[:40]}", hint="in quotes it is a text")
        return number
    return text
