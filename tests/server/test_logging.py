"""What is logged, and what never is: tokens, raw control characters, tracebacks for a client's fault."""

from __future__ import annotations

import io
import json
import logging

import pytest

from tribe_ws.clock import ManualClock
from tribe_ws.server.logging import (
    RedactingFilter,
    escape_controls,
    make_log,
    redact_library_logs,
    route_library_logs,
)
from tribe_ws.settings import ServerSettings

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl"
LIBRARY = ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi")


@pytest.fixture
def library_logs():
    """Leave uvicorn's loggers as they were found."""
    before = [
        (logger, logger.level, logger.handlers[:], logger.filters[:], logger.propagate)
        for logger in map(logging.getLogger, LIBRARY)
    ]
    yield
    for logger, level, handlers, filters, propagate in before:
        logger.setLevel(level)
        logger.handlers[:], logger.filters[:], logger.propagate = handlers, filters, propagate


def log_of(log_format="json", log_level="info"):
    stream = io.StringIO()
    log = make_log(ServerSettings(log_format=log_format, log_level=log_level), ManualClock(), stream)
    return log, stream


def test_line_for_machines_is_json_with_time_and_level():
    log, stream = log_of()
    log.info("request", method="GET", ms=1.5, user=None)
    assert json.loads(stream.getvalue()) == {
        "time": "2024-01-01T12:00:00.000Z", "level": "info", "event": "request", "method": "GET",
        "ms": 1.5, "user": None,
    }  # fmt: skip


def test_line_for_people_is_short():
    log, stream = log_of("console")
    log.info("request", method="GET", path="/a b", user=None, empty="")
    assert stream.getvalue() == '12:00:00.000 info    request method=GET path="/a b" empty=""\n'


def test_auto_format_looks_at_the_stream():
    log, stream = log_of("auto")
    log.info("request")
    assert json.loads(stream.getvalue())["event"] == "request"
    terminal = io.StringIO()
    terminal.isatty = lambda: True  # type: ignore[method-assign]
    make_log(ServerSettings(log_format="auto"), ManualClock(), terminal).info("request")
    assert terminal.getvalue() == "12:00:00.000 info    request\n"


def test_level_decides_what_is_said():
    log, stream = log_of(log_level="warning")
    log.info("request")
    log.warning("careful")
    assert stream.getvalue().count("\n") == 1


@pytest.mark.parametrize("log_format", ["json", "console"])
@pytest.mark.parametrize("text", [f"/api/v1/ws?token={JWT}", f"Bearer {JWT}", JWT])
def test_tokens_are_redacted_in_every_field(log_format, text):
    log, stream = log_of(log_format)
    log.info(text, path=text)
    assert JWT not in stream.getvalue()
    assert "***" in stream.getvalue()


def test_tokens_in_tracebacks_are_redacted():
    log, stream = log_of()
    try:
        raise ValueError(f"token={JWT}")
    except ValueError:
        log.exception("request failed")
    assert "Traceback" in stream.getvalue()
    assert JWT not in stream.getvalue()


def test_traceback_is_readable_for_people():
    log, stream = log_of("console")
    try:
        raise ValueError("broken")
    except ValueError:
        log.exception("request failed")
    assert "\nTraceback (most recent call last):\n" in stream.getvalue()


@pytest.mark.parametrize("log_format", ["json", "console"])
@pytest.mark.parametrize("character", ["\x1b", "\x07", "\r", "\n", "\x9b", "\u202e", "\u2028", "\x00"])
def test_control_characters_do_not_reach_the_terminal(log_format, character):
    log, stream = log_of(log_format)
    text = f"a{character}b"
    log.info(text, path=text)
    assert character not in stream.getvalue().removesuffix("\n")


def test_escapes_are_visible():
    assert escape_controls("a\x1b[31m\u202eb") == "a\\u001b[31m\\u202eb"


def test_stream_that_is_closed_stops_nothing():
    log, stream = log_of()
    stream.close()
    log.info("request")


def test_what_is_no_json_is_written_as_text():
    log, stream = log_of()
    log.info("request", path=object)
    assert "class 'object'" in stream.getvalue()


def test_uvicorns_loggers_redact_message_and_arguments(library_logs, caplog):
    redact_library_logs()
    redact_library_logs()
    logger = logging.getLogger("uvicorn.error")
    assert sum(isinstance(entry, RedactingFilter) for entry in logger.filters) == 1
    with caplog.at_level("INFO", logger="uvicorn.error"):
        logger.info('%s - "WebSocket %s" [accepted]', "127.0.0.1:5", f"/api/v1/ws?token={JWT}")
    assert caplog.messages == ['127.0.0.1:5 - "WebSocket /api/v1/ws?token=***" [accepted]']
    assert not caplog.records[0].args


def test_tracebacks_of_uvicorn_are_redacted(library_logs, caplog):
    redact_library_logs()
    try:
        raise ValueError(f"token={JWT}")
    except ValueError:
        logging.getLogger("uvicorn.error").exception("Exception in ASGI application")
    assert "ValueError" in caplog.text
    assert JWT not in caplog.text


def test_fault_of_a_client_has_no_traceback(library_logs, caplog):
    redact_library_logs()
    try:
        b"\xff".decode()
    except UnicodeDecodeError:
        logging.getLogger("uvicorn.error").exception("Invalid UTF-8 sequence received from client.")
    assert "Traceback" not in caplog.text
    assert caplog.records[0].levelname == "WARNING"


def test_served_process_has_uvicorns_warnings_in_its_own_log(library_logs):
    log, stream = log_of()
    redact_library_logs()
    route_library_logs(log)
    logger = logging.getLogger("uvicorn.error")
    logger.info("Started server process [1]")
    logger.warning("Invalid HTTP request received.")
    try:
        raise ValueError("broken")
    except ValueError:
        logger.exception("Exception in ASGI application\n")
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [(line["event"], line["level"], line["source"]) for line in lines] == [
        ("Invalid HTTP request received.", "warning", "uvicorn.error"),
        ("Exception in ASGI application", "error", "uvicorn.error"),
    ]
    assert "ValueError: broken" in lines[1]["exception"]
