"""Finds the frame that was nearest to one which did not come, and says what came instead."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from tribe_ws.capture.visible import visible_line
from tribe_ws.client.events import Event
from tribe_ws.scenario.matchers import Difference, Keys, Literal, Matcher
from tribe_ws.scenario.running.differing import difference_lines, is_of_another_kind
from tribe_ws.scenario.running.inbox import Inbox
from tribe_ws.scenario.running.moment import value_of
from tribe_ws.scenario.special_matchers import AllOf
from tribe_ws.scenario.substitution import Variables

_MOST_NAMES = 8
_LOOKED_AT = 1_000
"""So many of the newest frames are compared: a failure is told at once."""


@dataclass(frozen=True, slots=True)
class Near:
    """A frame that almost matched, every difference in a line, and what may be behind it."""

    event: Event
    details: tuple[str, ...]
    hint: str = ""


def nearest_to(
    pattern: Matcher, inbox: Inbox, variables: Variables, *, taken: Collection[int] = ()
) -> Near | None:
    """Find the frame with the fewest differences; ``None`` if none has so much as the right event.

    A frame that fits but was claimed by an earlier step is the nearest there can be.
    """
    for event, by in reversed(inbox.claimed):
        if not pattern.differences(value_of(event), variables):
            hint = f"a frame that fits had come, and the step at {by} took it" if by else ""
            return Near(event, (), hint or "a frame that fits had come, and an earlier step took it")
    found: tuple[Event, tuple[Difference, ...]] | None = None
    for number, event in reversed(inbox.unclaimed()[-_LOOKED_AT:]):
        differences = pattern.differences(value_of(event), variables)
        if number in taken or is_of_another_kind(differences):
            continue
        if found is None or len(differences) < len(found[1]):
            found = event, differences
    return None if found is None else Near(found[0], tuple(difference_lines(found[1])))


def came_instead(inbox: Inbox) -> str:
    """Say what is in an inbox, event by event."""
    names = Counter(event.name or "a frame that is no event" for _number, event in inbox.unclaimed())
    if not names:
        return "nothing else came" if not inbox.claimed else "nothing came that no other step had claimed"
    shown = [f"{visible_line(name)} {count}×" for name, count in names.most_common(_MOST_NAMES)]
    more = ", …" if len(names) > _MOST_NAMES else ""
    return f"unclaimed are: {', '.join(shown)}{more}"


def described(pattern: Matcher, variables: Variables) -> str:
    """Say which frame is wanted, its event first: ``message.new with {data: {content: "Hello"}}``."""
    match pattern:
        case AllOf(matchers=matchers):
            return " with ".join(described(matcher, variables) for matcher in matchers)
        case Keys(entries={"event": Literal(value=str(event)), **others}, closed=False):
            return f"{event} with {Keys(others).describe(variables)}" if others else event
    return pattern.describe(variables)
