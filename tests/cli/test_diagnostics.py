"""Every error as people see it, and its exit code."""

from __future__ import annotations

import io

import pytest

from tribe_ws.capture.filter import FilterError
from tribe_ws.errors import (
    ApiError,
    AuthenticationError,
    CannotConnect,
    ConfigurationError,
    ConnectionLost,
    DatabaseRefused,
    NotAllowed,
    NotFound,
    ProtocolViolation,
    TribeError,
    WaitedInVain,
)
from tribe_ws_cli.diagnostics import Diagnosis, Talk, UsageProblem, diagnose, exit_code, is_broken_pipe
from tribe_ws_cli.exit_codes import MEANINGS, ExitCode

HERE = "http://127.0.0.1:8000"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageProblem("x"), 2),
        (NotFound("x"), 2),
        (FilterError("x", text="y", column=0), 2),
        (ConfigurationError("x"), 3),
        (DatabaseRefused("x", reason="in_use"), 3),
        (FileNotFoundError(2, "No such file or directory", "f"), 3),
        (AuthenticationError("x"), 4),
        (NotAllowed("x"), 4),
        (ApiError(401, "x"), 4),
        (ApiError(403, "x"), 4),
        (CannotConnect("x", status=401), 4),
        (ConnectionLost(4401, "token_expired"), 4),
        (ConnectionLost(4403), 4),
        (CannotConnect("x", reason="refused"), 5),
        (CannotConnect("x", status=404), 5),
        (ConnectionLost(1006), 6),
        (ConnectionLost(4413), 6),
        (WaitedInVain("x", seconds=1), 7),
        (ProtocolViolation("invalid_json", "x"), 8),
        (ApiError(404, "x"), 2),
        (ApiError(500, "x"), 1),
        (TribeError("x"), 1),
        (RuntimeError("x"), 1),
    ],
)
def test_exit_codes(error: BaseException, code: int) -> None:
    assert exit_code(error) == code


def test_every_exit_code_has_a_meaning() -> None:
    assert set(MEANINGS) == set(ExitCode)


@pytest.mark.parametrize(
    ("error", "what", "hint"),
    [
        (
            CannotConnect("x", reason="refused", url=HERE),
            "nothing is listening on 127.0.0.1:8000 (connection refused)",
            "start one:  tribe-ws serve        or look around:  tribe-ws doctor",
        ),
        (
            CannotConnect("x", reason="refused", url="http://127.0.0.1:9", hint="start one:  tribe-ws serve"),
            "nothing is listening on 127.0.0.1:9 (connection refused)",
            "start one:  tribe-ws serve --port 9",
        ),
        (
            CannotConnect("x", reason="refused", url="http://example.com"),
            "nothing is listening on example.com:80",
            "config show",
        ),
        (CannotConnect("x", reason="dns", url="http://nohost"), "there is no host 'nohost'", "config show"),
        (
            CannotConnect("x", reason="handshake", url=HERE, status=404),
            "127.0.0.1:8000 answered HTTP 404 to the WebSocket handshake at /api/v1/ws",
            "--url http://127.0.0.1:8000",
        ),
        (CannotConnect("x", reason="timeout", url=HERE), "did not answer in time", "--timeout 30s"),
        (CannotConnect("the proxy", reason="proxy", url=HERE), "the proxy", "config show"),
        (CannotConnect("no idea"), "no idea", ""),
        (
            AuthenticationError("x", reason="token_invalid", close_code=4401),
            'the server rejected the token (close 4401 "token_invalid")',
            "The token was made with another secret. Was the server restarted with a new one?",
        ),
        (AuthenticationError("x", reason="other", close_code=4401), '(close 4401 "other")', "log in again"),
        (AuthenticationError("not logged in"), "not logged in", "tribe-ws login USER"),
        (ConnectionLost(1006), "the connection broke off (1006", "reconnect"),
        (
            ConnectionLost(4413, "slow_consumer"),
            'close code 4413 "slow_consumer"',
            "reads too slowly; reconnect",
        ),
        (ApiError(401, "Not authenticated"), "answered 401", "tribe-ws login USER"),
        (ApiError(429, "Slow down", retry_after=7), "answered 429", "try again in 7 s"),
        (ApiError(404, {"x": 1}), "answered 404", "live under /api/v1"),
        (ApiError(500, "oh"), "answered 500", ""),
        (FileNotFoundError(2, "No such file or directory", "f.txt"), "f.txt: No such file or directory", ""),
        (OSError(28, "No space left on device"), "No space left on device", ""),
        (WaitedInVain("nothing came", seconds=2, hint="why?"), "nothing came", "why?"),
        (TribeError("failed"), "failed", ""),
    ],
)
def test_what_and_what_next(error: BaseException, what: str, hint: str) -> None:
    diagnosis = diagnose(error)
    assert what in diagnosis.what
    assert hint in diagnosis.hint


def test_tokens_never_get_through() -> None:
    diagnosis = diagnose(TribeError("at /ws?token=abc.def.ghi", hint="Bearer eyJhbGciOiJIUzI1NiJ9.e30.x"))
    assert "abc" not in diagnosis.what
    assert "eyJ" not in diagnosis.hint


def test_a_bug_without_a_place_for_its_log_still_says_something(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError

    monkeypatch.setattr("tribe_ws.running.write_private", refuse)
    assert diagnose(KeyError("x")).hint == "see it all:  the same command with -v"


def test_the_three_parts_on_stderr() -> None:
    stream = io.StringIO()
    Talk(stream).error(Diagnosis("nothing listens", "one\ntwo", "code", ExitCode.CANNOT_CONNECT))
    assert stream.getvalue() == "error: nothing listens\n  one\n  two\n"


def test_json_and_colour_on_stderr() -> None:
    stream = io.StringIO()
    Talk(stream, json=True).error(Diagnosis("x", "y", "code", ExitCode.USAGE))
    assert stream.getvalue() == '{"error":{"code":"code","message":"x","hint":"y","exit":2}}\n'
    stream = io.StringIO()
    Talk(stream, color=True).error(Diagnosis("x", "", "code", ExitCode.USAGE))
    assert stream.getvalue() == "\x1b[1;31merror:\x1b[0m x\n"


def test_notes_are_silenced_and_errors_are_not() -> None:
    stream = io.StringIO()
    talk = Talk(stream, quiet=True)
    talk.note("hush")
    talk.error(Diagnosis("x", "", "code", ExitCode.USAGE))
    assert stream.getvalue() == "error: x\n"


def test_what_comes_from_outside_is_made_safe_on_stderr() -> None:
    stream = io.StringIO()
    Talk(stream).note("\x1b]0;title\x07 token=secret")
    assert stream.getvalue() == "\\x1b]0;title\\x07 token=***\n"


def test_a_closed_or_narrow_stderr_is_no_reason_to_fail() -> None:
    closed = io.StringIO()
    closed.close()
    Talk(closed).note("x")
    buffer = io.BytesIO()
    stream = io.TextIOWrapper(buffer, encoding="ascii", write_through=True)
    Talk(stream).note("→")
    assert buffer.getvalue() == b"\\u2192\n"


def test_broken_pipes() -> None:
    assert is_broken_pipe(BrokenPipeError())
    assert is_broken_pipe(OSError(32, "x"))
    assert not is_broken_pipe(ValueError())
