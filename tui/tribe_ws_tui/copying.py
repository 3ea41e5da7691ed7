"""What ``Y`` copies: the command that does the same as an event; and where copies are kept."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

from tribe_ws.capture.record import Record
from tribe_ws.protocol.urls import API_PREFIX, ServerAddress
from tribe_ws.running import runtime_folder, write_private

DEFAULT_PLACE = "http://127.0.0.1:8000"


def command_for(record: Record, address: ServerAddress) -> str:
    """Write the command that sends or asks for the same; tokens stand in it as variables only."""
    flag = "" if address.base_url == DEFAULT_PLACE else f" --url {shlex.quote(address.base_url)}"
    content = _content(record)
    if content is not None:
        where = shlex.quote(record.conversation or record.conversation_id or "general")
        who = record.sender or record.as_user
        return f"tribe-ws send {where} {shlex.quote(content)} --as {shlex.quote(who)}{flag}"
    if record.direction == "rest":
        return _curl(record, address)
    if record.direction == "in":
        return f"tribe-ws trigger {shlex.quote(record.event)} --to {shlex.quote(record.as_user)}{flag}"
    return f"tribe-ws connect --as {shlex.quote(record.as_user)}{flag} --send {shlex.quote(record.text)}"


def keep_copy(text: str) -> Path | None:
    """Leave a copy in a file that only its owner can read, for terminals without a clipboard."""
    path = runtime_folder() / "copied.txt"
    try:
        write_private(path, text)
    except (OSError, UnicodeEncodeError):
        return None
    return path


def _content(record: Record) -> str | None:
    """Find the words of a message, sent or received."""
    if record.event == "POST message":
        return record.text
    frame: Any = record.frame
    data = frame.get("data") if record.event == "message.new" and isinstance(frame, dict) else None
    content = data.get("content") if isinstance(data, dict) else None
    return content if isinstance(content, str) else None


def _curl(record: Record, address: ServerAddress) -> str:
    method, path = record.method or "GET", record.path or "/"
    prefix = "" if path.startswith(API_PREFIX) else API_PREFIX
    words = ["curl", "-X", method, f"{address.base_url}{prefix}{path}"]
    command = f'{shlex.join(words)} -H "Authorization: Bearer $TRIBE_WS_TOKEN"'
    if record.request is None:
        return command
    body = json.dumps(record.request, ensure_ascii=False)
    return f"{command} -H 'Content-Type: application/json' -d {shlex.quote(body)}"
