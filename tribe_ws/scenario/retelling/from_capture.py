"""Makes a scenario of a capture: who did what becomes steps, what came becomes expectations.

Ids become names and captures, times become matchers. People who were heard but not recorded act too, so that
the same can happen again on a fresh server. What cannot be told again is left out, and the file says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import timedelta

from tribe_ws.capture.record import Record
from tribe_ws.errors import ConfigurationError
from tribe_ws.scenario.language.writing import flow, literal
from tribe_ws.scenario.limits import DEFAULT_TIMEOUT, LONGEST_TIMEOUT
from tribe_ws.scenario.retelling.deeds import Deed, Story

MOST_STEPS_TOLD = 5_000
_LONGEST_NAME = 100


def scenario_of(records: Iterable[Record], *, name: str, source: str = "") -> str:
    """Write the scenario that does again what the records tell; it loads, and lints without a finding.

    Raises ``ConfigurationError`` where there is nothing to tell.
    """
    story = Story()
    ordered = sorted(records, key=_began)
    story.prepare(ordered)
    for record in ordered:
        story.tell(record)
        if len(story.deeds) > MOST_STEPS_TOLD:
            raise ConfigurationError(
                f"the capture comes to more than {MOST_STEPS_TOLD:,} steps",
                hint="choose what matters:  --filter 'conv:general since:5m'",
            )
    story.close()
    if not story.deeds:
        raise ConfigurationError(
            "the capture holds nothing that could be done again",
            hint="it needs frames of a session:  tribe-ws record FILE --as alice",
        )
    return "\n".join([*_head(story, name, source), "steps:", *map(_line, _used_captures(story.deeds))]) + "\n"


def _began(record: Record) -> float:
    """Tell when a record began: a REST call is written down when it is answered."""
    moment = record.at
    if record.direction == "rest" and record.latency:
        moment -= timedelta(seconds=record.latency)
    return moment.timestamp()


def _head(story: Story, name: str, source: str) -> list[str]:
    lines = [f"# Made of {_comment(source)}." if source else "# Made of a capture."]
    for reason, count in sorted(Counter(story.left_out).items()):
        lines.append(f"# Left out: {count} × {_comment(reason)}")
    lines.append(f"name: {flow(literal(name[:_LONGEST_NAME].strip()) or 'A recorded conversation')}")
    if story.profile != "documented":
        lines.append(f"profile: {story.profile}")
    timeout = min(LONGEST_TIMEOUT, story.patience + 30.0)
    if timeout > DEFAULT_TIMEOUT:
        lines.append(f"timeout: {timeout:.0f}s")
    lines.append(f"actors: {flow(story.actors)}")
    if story.conversations:
        lines.append("conversations:")
        lines += [f"  {key}: {flow(members)}" for key, members in story.conversations.items()]
    return lines


def _comment(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text)


def _used_captures(deeds: list[Deed]) -> list[Deed]:
    """Leave only those captures that a later step uses: the others would be noise."""
    used = {name for deed in deeds for name in deed.uses}
    return [deed if deed.captures in used else deed.without_capture() for deed in deeds]


def _line(deed: Deed) -> str:
    return f"  - {flow(deed.as_value(), braces=False)}"
