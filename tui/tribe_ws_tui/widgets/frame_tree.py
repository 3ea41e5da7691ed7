"""A frame as a tree: unfolded on demand, so that a large one costs no more than what is looked at."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

from rich.text import Text
from textual.message import Message
from textual.widgets import Tree
from textual.widgets.tree import TreeNode

from tribe_ws.capture.visible import visible_line
from tribe_ws_tui.json_paths import children, summary

_SHOWN_AT_ONCE = 200
_PLAIN_PATH = re.compile(r"data(?:\.\w+)+|event")
_WIDEST = 2000


class Place(NamedTuple):
    """What a node stands for: the path in the frame, and the value there."""

    path: str
    value: Any


class FrameTree(Tree[Place]):
    """A frame, key by key; Enter on a value asks for a filter by it."""

    class FilterWanted(Message):
        """Somebody wants only such events as hold a value at a place."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self) -> None:
        super().__init__(Text("frame"), id="frame-tree")
        self.show_root = False
        self.guide_depth = 2
        self.auto_expand = False
        self._notes: dict[str, str] = {}

    def show(self, frame: Any, notes: dict[str, str]) -> None:
        """Show a frame; ``notes`` says of some paths what their value stands for, or what is wrong."""
        self._notes = notes
        self.clear()
        self.root.data = Place("", frame)
        self._fill(self.root)
        self.root.expand()
        for node in self.root.children:
            if node.data is not None and node.data.path in ("data", "frame"):
                self._fill(node)
                node.expand()

    def on_tree_node_expanded(self, event: Tree.NodeExpanded[Place]) -> None:
        """Fill a node when it is unfolded for the first time."""
        event.stop()
        self._fill(event.node)

    def on_tree_node_selected(self, event: Tree.NodeSelected[Place]) -> None:
        """Unfold a node, or filter by the value of one that holds nothing more."""
        event.stop()
        node = event.node
        if node.allow_expand:
            node.toggle()
        elif node.data is not None and (text := filter_for(node.data)):
            self.post_message(self.FilterWanted(text))

    def _fill(self, node: TreeNode[Place]) -> None:
        if node.children or node.data is None:
            return
        held = children(node.data.value)
        for name, value in held[:_SHOWN_AT_ONCE]:
            path = f"{node.data.path}.{name}" if node.data.path else name
            node.add(self._label(name, value, path), Place(path, value), allow_expand=bool(children(value)))
        if len(held) > _SHOWN_AT_ONCE:
            left = len(held) - _SHOWN_AT_ONCE
            node.add(Text(f"… {left:,} more, see Raw", "dim"), None, allow_expand=False)

    def _label(self, name: str, value: Any, path: str) -> Text:
        note = self._notes.get(path, "")
        label = Text(no_wrap=True)
        if note.startswith("✗"):
            label.append("✗ ", "bold red")
        label.append(f"{visible_line(name)}: ", "bold")
        if note and not note.startswith("✗"):
            label.append(f'"{visible_line(str(value))[:4]}…" = ')
            label.append(visible_line(note), "bold")
        else:
            label.append(visible_line(summary(value))[:_WIDEST])
        return label


def filter_for(place: Place) -> str:
    """Write the filter which only such events pass; empty where the language cannot say it."""
    if not _PLAIN_PATH.fullmatch(place.path) or isinstance(place.value, dict | list):
        return ""
    value = place.value if isinstance(place.value, str) else json.dumps(place.value)
    quoted = value.replace("\\", "\\\\").replace('"', '\\"')
    shown = value if re.fullmatch(r"[\w.-]+", value) else f'"{quoted}"'
    return f"event:{shown}" if place.path == "event" else f"{place.path}={shown}"
