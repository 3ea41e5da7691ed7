"""A capture as Markdown for an issue: what happened line by line, and each broken frame in full."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import tribe_ws
from tribe_ws.capture.record import Direction, Record
from tribe_ws.capture.redaction import redact_record
from tribe_ws.capture.violation import Violation
from tribe_ws.capture.visible import visible, visible_line
from tribe_ws.capture.words import body_of, timing_of
from tribe_ws.protocol.contract import CLAUSES

MOST_LINES = 200
"""How many lines of the transcript are shown; the newest are, and it says how many came before."""
MOST_BROKEN = 20
_LONGEST_BODY = 200
_GLYPHS: dict[Direction, str] = {"in": "<", "out": ">", "rest": "^", "note": "*"}
_SENTENCES = {clause.id: f"{clause.sentence} ({clause.section})" for clause in CLAUSES}


def to_markdown(records: Iterable[Record]) -> str:
    """Give the records as a report that can be pasted into an issue; it holds no secret."""
    kept = [redact_record(record) for record in records]
    broken = [record for record in kept if record.violations]
    parts = [*_head(kept, broken), *_transcript(kept)]
    for record in broken[:MOST_BROKEN]:
        parts += _broken(record)
    if len(broken) > MOST_BROKEN:
        parts += [f"… and {len(broken) - MOST_BROKEN} more frames that break the contract.", ""]
    return "\n".join(parts).rstrip() + "\n"


def _head(records: Sequence[Record], broken: Sequence[Record]) -> Iterator[str]:
    users = ", ".join(dict.fromkeys(_inline(record.as_user) for record in records if record.as_user))
    counts = Counter(record.direction for record in records)
    yield "## Events"
    yield ""
    yield f"- recorded by tribe-ws {tribe_ws.__version__}"
    if records:
        first, last = records[0].at, records[-1].at
        yield f"- {first:%Y-%m-%d %H:%M:%S} to {last:%H:%M:%S} UTC, as {users or 'nobody'}"
    yield (
        f"- in: {counts['in']}, out: {counts['out']}, REST calls: {counts['rest']}, "
        f"with a violation: {len(broken)}"
    )
    yield ""


def _transcript(records: Sequence[Record]) -> Iterator[str]:
    shown = records[-MOST_LINES:]
    if not shown:
        return
    lines = [_line(record) for record in shown]
    if len(shown) < len(records):
        lines.insert(0, f"… {len(records) - len(shown)} before")
    yield from _fenced("text", lines)


def _line(record: Record) -> str:
    mark = "!" if record.violations else " "
    conversation = record.conversation or (record.conversation_id or "")[:8]
    body = visible_line(body_of(record))
    if len(body) > _LONGEST_BODY:
        body = f"{body[: _LONGEST_BODY - 1]}…"
    head = (
        f"{record.at:%H:%M:%S}.{record.at.microsecond // 1000:03d} {_GLYPHS[record.direction]} {mark} "
        f"{visible_line(record.as_user):<8} {visible_line(record.event):<14} {visible_line(conversation):<10}"
    )
    return f"{head} {body}  {timing_of(record)}".rstrip()


def _broken(record: Record) -> Iterator[str]:
    yield f"### {_inline(record.event or 'frame')} {record.seq}"
    yield ""
    for violation in record.violations:
        yield from _violation(violation)
    yield ""
    whole = record.text if record.frame is None else json.dumps(record.frame, ensure_ascii=False, indent=2)
    yield from _fenced("json", visible(whole).splitlines())


def _violation(violation: Violation) -> Iterator[str]:
    yield f"- **{_inline(violation.clause)}** {_inline(violation.path)}: {_inline(violation.message)}"
    if violation.clause in _SENTENCES:
        yield f"  - the contract: {_inline(_SENTENCES[violation.clause])}"
    if violation.want:
        yield f"  - got {_inline(violation.got) or 'nothing'}, want {_inline(violation.want)}"


def _fenced(language: str, lines: Sequence[str]) -> Iterator[str]:
    """Put lines into a fence that is longer than any in them."""
    longest = max((len(run) for line in lines for run in re.findall(r"`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    yield fence + language
    yield from lines
    yield fence
    yield ""


def _inline(text: str) -> str:
    """Make a text of the wire harmless within a line of Markdown."""
    return re.sub(r"([\\`*_\[\]<>#|@!~])", r"\\\1", visible_line(text))
