"""Takes out of a record what must not leave the machine: tokens, passwords, e-mail addresses.

Every file that is written of a session goes through here. What stood there becomes ``***``; everything else
stays as it was, key for key, so that a capture still shows what was wrong.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tribe_ws.capture.record import Record, compact_json
from tribe_ws.protocol.redaction import redact_json, redact_text


def redact_record(record: Record) -> Record:
    """Give a record as it may be written into a file; one that holds no secret is given back as it is."""
    frame = redact_json(record.frame)
    cleaned = replace(
        record,
        event=redact_text(record.event),
        text=_text(record, frame),
        frame=frame,
        conversation=redact_text(record.conversation),
        sender=redact_text(record.sender),
        path=redact_text(record.path),
        request=redact_json(record.request),
        violations=tuple(
            replace(one, message=redact_text(one.message), got=redact_text(one.got))
            for one in record.violations
        ),
    )
    return record if cleaned == record else cleaned


def _text(record: Record, frame: Any) -> str:
    """Redact the raw text as the frame was: an escape in it could hide from us what it hides from the eye."""
    if record.direction in {"in", "out"} and record.frame is not None and frame != record.frame:
        return compact_json(frame)
    return redact_text(record.text)
