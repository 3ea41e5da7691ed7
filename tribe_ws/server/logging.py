"""What the server says on stderr: one line per request and per socket, for people or for machines.

No line ever holds a token, whatever library wrote it, and no text from outside reaches a terminal with its
control characters. A client's fault is a line, never a traceback. A log that cannot be written stops nothing.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, TextIO

import structlog
from structlog.typing import FilteringBoundLogger, Processor

from tribe_ws.clock import Clock, format_timestamp
from tribe_ws.protocol.urls import redact, redact_value
from tribe_ws.settings import ServerSettings

Log = FilteringBoundLogger

_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}
_LIBRARY_LOGGERS = ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi")
# C0, DEL, C1, and what turns the direction of writing or breaks lines.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
_CLIENT_FAULTS = ("Invalid UTF-8 sequence received", "Invalid HTTP request received")


def make_log(settings: ServerSettings, clock: Clock, stream: TextIO | None = None) -> Log:
    """Make the log of one server; ``auto`` format is for people on a terminal and for machines elsewhere."""
    stream = stream or sys.stderr
    people = settings.log_format == "console" or (settings.log_format == "auto" and stream.isatty())

    def add_time(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
        return {"time": format_timestamp(clock.now()), **event}

    processors: list[Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.format_exc_info,
        add_time,
        redact_event,
        _for_people if people else _for_machines,
    ]
    log: Log = structlog.wrap_logger(
        _Lines(stream),
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[settings.log_level]),
        context_class=dict,
        cache_logger_on_first_use=True,
    )
    return log.bind()


def redact_event(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Replace the tokens in a log event, however deep in its values they are."""
    redacted: Mapping[str, Any] = redact_value(event)
    return redacted


def escape_controls(text: str) -> str:
    """Write control characters, and those that turn the direction of writing, as visible escapes."""
    return _CONTROL.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def redact_library_logs() -> None:
    """Make uvicorn's loggers redact what they print; doing it again changes nothing.

    The whole address of every socket, with its token, goes to ``uvicorn.error`` at INFO (reliability 0.1).
    The filter sits on the loggers, not on a handler, so that every handler anywhere gets the redacted record.
    """
    for name in _LIBRARY_LOGGERS:
        logger = logging.getLogger(name)
        if not any(isinstance(entry, RedactingFilter) for entry in logger.filters):
            logger.addFilter(RedactingFilter())


def route_library_logs(log: Log) -> None:
    """Send the warnings of uvicorn to ``log`` alone; for a process that is nothing but a server."""
    logger = logging.getLogger("uvicorn")
    logger.handlers = [_Forward(log)]
    logger.propagate = False
    for name in _LIBRARY_LOGGERS:
        # At DEBUG it prints frames with what people wrote to each other.
        logging.getLogger(name).setLevel(logging.WARNING)


class RedactingFilter(logging.Filter):
    """Takes tokens out of a record, and the traceback where a client is to blame."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record in place; every record may pass."""
        message = record.getMessage()
        record.msg, record.args = redact(message), None
        if message.startswith(_CLIENT_FAULTS):
            record.exc_info = record.exc_text = None
            record.levelno, record.levelname = logging.WARNING, "WARNING"
        elif record.exc_info:
            record.exc_text = redact(logging.Formatter().formatException(record.exc_info))
        return True


class _Forward(logging.Handler):
    """Passes the records of a library on to our own log."""

    def __init__(self, log: Log) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        extra = {"exception": record.exc_text} if record.exc_text else {}
        self._log.log(record.levelno, record.getMessage().strip(), source=record.name, **extra)


class _Lines:
    """Writes lines to a stream, and forgives a stream that is closed or full."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def msg(self, line: str) -> None:
        try:
            self._stream.write(line + "\n")
            self._stream.flush()
        except (OSError, ValueError):
            return

    debug = info = warning = error = critical = fatal = msg


# Made once: json.dumps would make one for every line.
_to_json = json.JSONEncoder(default=str, separators=(",", ":")).encode


def _for_machines(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> str:
    return _to_json(event)


def _for_people(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> str:
    time, level = event.pop("time"), event.pop("level")
    what, exception = event.pop("event"), event.pop("exception", "")
    facts = (f"{name}={_shown(value)}" for name, value in event.items() if value is not None)
    line = " ".join([time[11:23], f"{level:<7}", escape_controls(str(what)), *facts])
    return f"{line}\n{exception}" if exception else line


def _shown(value: Any) -> str:
    text = escape_controls(str(value))
    return json.dumps(text, ensure_ascii=False) if " " in text or not text else text
