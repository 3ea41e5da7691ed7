"""One event taken apart: what it is, what is wrong with it, to whom it went, and the frame in three ways."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.events import Click
from textual.geometry import Region
from textual.message import Message
from textual.widget import Widget
from textual.widgets import ContentSwitcher, Static

from tribe_ws.capture.record import Record
from tribe_ws.capture.violation import Violation
from tribe_ws.capture.visible import visible
from tribe_ws.capture.words import latency_text
from tribe_ws.protocol.contract import clause
from tribe_ws_tui.json_paths import Change, differences
from tribe_ws_tui.keymap import Scope, bindings
from tribe_ws_tui.widgets.frame_tree import FrameTree, Place
from tribe_ws_tui.widgets.raw_text import RawText
from tribe_ws_tui.wording import Tone, count, size_words, toned

ARROWS = {"in": "←", "out": "→", "rest": "⇡", "note": "•"}
View = Literal["decoded", "raw", "diff"]
VIEWS: tuple[tuple[View, str], ...] = (("decoded", "Decoded"), ("raw", "Raw"), ("diff", "Diff"))
_HINTS = "y copy  Y as command  = only such\nr send again  m mark  d diff w/ prev"
_SIGNS: dict[str, tuple[str, Tone]] = {
    "same": ("  ", "dim"),
    "changed": ("~ ", "busy"),
    "added": ("+ ", "good"),
    "removed": ("- ", "bad"),
}


@dataclass(frozen=True, slots=True)
class Delivery:
    """One of those to whom a message could have gone: who, whether it did, and why not."""

    who: str
    words: str
    has_arrived: bool


@dataclass(frozen=True, slots=True)
class Opened:
    """An event with everything that is told of it; ``previous`` is the one of its kind before it."""

    record: Record
    previous: Record | None = None
    deliveries: Sequence[Delivery] = ()
    names: dict[str, str] | None = None
    label: str = ""
    is_marked: bool = False


class ViewTabs(Widget):
    """The title of the pane and its three views, on one row; the chosen view is in brackets."""

    class Chosen(Message):
        """Somebody clicked a view."""

        def __init__(self, view: View) -> None:
            super().__init__()
            self.view = view

    def __init__(self) -> None:
        super().__init__(classes="view-tabs")
        self.title = "3 Event"
        self.view: View = "decoded"
        self._places: list[tuple[int, int, View]] = []

    def render(self) -> Content:
        """Draw the row."""
        tabs = "  ".join(f"[{name}]" if view == self.view else name for view, name in VIEWS)
        gap = max(2, self.size.width - cell_len(self.title) - cell_len(tabs) - 2)
        self._places, column = [], 1 + cell_len(self.title) + gap
        parts = [toned(f" {self.title}{' ' * gap}", "strong")]
        for view, name in VIEWS:
            shown = f"[{name}]" if view == self.view else name
            self._places.append((column, column + len(shown), view))
            column += len(shown) + 2
            parts.append(toned(f"{shown}  ", "accent" if view == self.view else "dim"))
        return Content("").join(parts)

    def on_click(self, event: Click) -> None:
        """Change to the clicked view."""
        for start, end, view in self._places:
            if start <= event.x < end:
                self.post_message(self.Chosen(view))


class Detail(Vertical):
    """The opened event, decoded, raw, or compared with the one before it."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Scope.DETAIL)]

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id, classes="detail")
        self.opened: Opened | None = None
        self.view: View = "decoded"

    def compose(self) -> ComposeResult:
        """Put the three views under the title."""
        yield ViewTabs()
        yield Static("", classes="detail-head", markup=False)
        with ContentSwitcher(initial="decoded"):
            with VerticalScroll(id="decoded", can_focus=False):
                yield Static("", classes="detail-violations", markup=False)
                yield Static("", classes="detail-deliveries", markup=False)
                yield FrameTree()
            yield RawText(id="raw")
            with VerticalScroll(id="diff"):
                yield Static("", classes="detail-diff", markup=False)
        yield Static(_HINTS, classes="detail-hints", markup=False)

    def on_mount(self) -> None:
        """Begin with nothing."""
        self.show(None)

    def show(self, opened: Opened | None) -> None:
        """Show another event; ``None`` says that none is selected."""
        self.opened = opened
        tabs = self.query_one(ViewTabs)
        tabs.title = f"3 Event {opened.record.seq}" if opened else "3 Event"
        tabs.refresh()
        self.query_one(".detail-head", Static).update(_head(opened))
        self.query_one(".detail-hints").display = opened is not None
        self._show_part(".detail-violations", _violations(opened.record.violations) if opened else None)
        self._show_part(".detail-deliveries", _deliveries(opened.deliveries) if opened else None)
        self._show_view()

    def choose(self, view: View) -> None:
        """Change to a view."""
        self.view = view
        tabs = self.query_one(ViewTabs)
        tabs.view = view
        tabs.refresh()
        self.query_one(ContentSwitcher).current = view
        self._show_view()

    def focus_content(self) -> None:
        """Let the arrows move in the view that is shown."""
        target: Widget = self.query_one(f"#{self.view}")
        (self.query_one(FrameTree) if self.view == "decoded" else target).focus()

    def action_diff(self) -> None:
        """Compare with the event before, or go back to the decoded frame."""
        self.choose("decoded" if self.view == "diff" else "diff")
        self.focus_content()

    def on_tree_node_highlighted(self, event: FrameTree.NodeHighlighted[Place]) -> None:
        """Keep the row in sight which the arrows have reached."""
        tree, scroll = self.query_one(FrameTree), self.query_one("#decoded", VerticalScroll)
        if tree.has_focus and event.node.line >= 0:
            row = tree.virtual_region.y + event.node.line
            scroll.scroll_to_region(Region(0, row, 1, 1), animate=False)

    def on_view_tabs_chosen(self, event: ViewTabs.Chosen) -> None:
        """Change to the clicked view."""
        event.stop()
        self.choose(event.view)

    def _show_part(self, selector: str, content: Content | None) -> None:
        part = self.query_one(selector, Static)
        part.display = content is not None
        part.update(content or Content(""))

    def _show_view(self) -> None:
        """Fill the view that is in sight; the others wait until they are."""
        opened = self.opened
        match self.view:
            case "decoded":
                tree = self.query_one(FrameTree)
                shown = _shown_frame(opened.record) if opened else {}
                tree.display = bool(shown)
                tree.show(shown, _notes(opened) if opened else {})
            case "raw":
                self.query_one(RawText).show(opened.record.text if opened else "")
            case "diff":
                self.query_one(".detail-diff", Static).update(_diff(opened))


def _head(opened: Opened | None) -> Content:
    if opened is None:
        return toned("Nothing is selected. Enter on a row opens it.", "dim")
    record = opened.record
    mark = "  marked" if opened.is_marked else ""
    where = f"  {opened.label}" if opened.label else ""
    status = f"  {record.status}" if record.status else ""
    size = size_words(len(record.text.encode("utf-8", "replace")))
    first = toned(f"{ARROWS[record.direction]} {record.event}{where}{status}  {size}{mark}", "strong")
    moment = f"{record.at.astimezone():%H:%M:%S}.{record.at.microsecond // 1000:03d}"
    return Content("\n").join([first, toned(f"{moment}  {_latency(record)}", "dim")])


def _latency(record: Record) -> str:
    if record.latency is None:
        return ""
    match record.timing:
        case "measured":
            how = "POST to answer" if record.direction == "rest" else "measured"
            return f"latency {latency_text(record.latency)} ({how})"
        case "stamped":
            return f"latency {latency_text(record.latency)} (by created_at)"
        case "guessed":
            return f"latency ~{max(1, round(record.latency))} s (by created_at)"


def _violations(violations: Sequence[Violation]) -> Content | None:
    if not violations:
        return None
    lines = [toned(f"✗ {count(len(violations), 'contract violation')}", "bad")]
    for one in violations:
        lines.append(toned(f"  {one.path or 'the frame'}: {one.message}"))
        lines += [toned(f"  got  {one.got}", "bad")] if one.got else []
        lines += [toned(f"  want {one.want}", "good")] if one.want else []
        lines += [toned(f"  {text}", "dim") for text in _clause_words(one.clause)]
    return Content("\n").join(lines)


def _clause_words(clause_id: str) -> list[str]:
    if not clause_id:
        return []
    try:
        found = clause(clause_id)
    except KeyError:
        return [f"clause {clause_id}"]
    return [f"clause {clause_id} ({found.section})", f'"{found.sentence}"']


def _deliveries(deliveries: Sequence[Delivery]) -> Content | None:
    if not deliveries:
        return None
    width = max(cell_len(one.who) for one in deliveries)
    lines = [toned("Delivered to", "strong")]
    for one in deliveries:
        sign = "●" if one.has_arrived else "○"
        lines.append(toned(f"  {sign} {one.who:<{width}}  {one.words}", "" if one.has_arrived else "busy"))
    return Content("\n").join(lines)


def _shown_frame(record: Record) -> Any:
    """Choose what the tree shows: the frame, and for a call what was asked and what came back."""
    if record.direction != "rest":
        return record.frame
    call: dict[str, Any] = {"call": f"{record.method} {record.path}"} if record.method else {}
    if record.request is not None:
        call["request"] = record.request
    return call | {"answer": record.frame}


def _notes(opened: Opened) -> dict[str, str]:
    notes = {one.path: "✗" for one in opened.record.violations if one.path}
    for path, name in (opened.names or {}).items():
        notes.setdefault(path, name)
    return notes


def _diff(opened: Opened | None) -> Content:
    if opened is None:
        return toned("Nothing is selected.", "dim")
    if opened.previous is None:
        return toned(f"There is no {opened.record.event} before this one.", "dim")
    changes = differences(_shown_frame(opened.previous), _shown_frame(opened.record))
    head = toned(f"against event {opened.previous.seq}, the {opened.record.event} before", "strong")
    return Content("\n").join([head, *_changed(changes)])


def _changed(changes: Iterable[Change]) -> list[Content]:
    lines, same = list[Content](), 0
    for one in changes:
        sign, tone = _SIGNS[one.kind]
        if one.kind == "same":
            same += 1
        elif one.kind == "changed":
            lines += [toned(f"{sign}{one.path}", tone), toned(f"    was {visible(one.before)}", "dim")]
            lines.append(toned(f"    now {visible(one.after)}"))
        else:
            lines.append(toned(f"{sign}{one.path}: {visible(one.before or one.after)}", tone))
    return [*lines, toned(f"  {same} the same", "dim")]
