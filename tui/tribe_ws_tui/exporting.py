"""Writes chosen events to a file: NDJSON to replay, HAR, Markdown for an issue, or a scenario to run.

Whatever the form, tokens, passwords and e-mails are taken out, and only the owner can read the file.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

from tribe_ws.capture.har import to_har
from tribe_ws.capture.markdown import to_markdown
from tribe_ws.capture.record import Record
from tribe_ws.capture.redaction import redact_record
from tribe_ws.capture.writer import capture_line
from tribe_ws.protocol.urls import ServerAddress

Scope = Literal["all", "shown", "marked"]
Form = Literal["ndjson", "har", "markdown", "scenario"]


def export(records: Iterable[Record], form: Form, path: Path, *, address: ServerAddress | None = None) -> int:
    """Write events to a file that is not there yet or is replaced; tells how many they were.

    Raises ``OSError``, and ``TribeError`` for events of which that form cannot be made.
    """
    chosen = list(records)
    content = written(chosen, form, path, address=address)
    _replace(path, content)
    return len(chosen)


def written(
    records: Sequence[Record], form: Form, path: Path, *, address: ServerAddress | None = None
) -> bytes:
    """Give the content of the file."""
    match form:
        case "ndjson":
            return b"".join(map(capture_line, records))
        case "har":
            return (json.dumps(to_har(records, address), indent=1) + "\n").encode()
        case "markdown":
            return to_markdown(records).encode("utf-8", "backslashreplace")
        case "scenario":
            return _scenario(records, path).encode("utf-8", "backslashreplace")


def _scenario(records: Sequence[Record], path: Path) -> str:
    # Only here: reading and writing YAML costs a tenth of a second.
    from tribe_ws.scenario.retelling.from_capture import scenario_of

    return scenario_of(map(redact_record, records), name=path.stem, source="what the inspector held")


def _replace(path: Path, content: bytes) -> None:
    """Put the whole content in place at once: half a file would look like a capture that was cut off."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0), 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
