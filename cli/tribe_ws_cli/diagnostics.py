"""Owns stderr and the exit codes: every error becomes *what; why; what to do next*, here and nowhere else."""

from __future__ import annotations

import errno
import sys
import traceback
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TextIO

from tribe_ws.capture.visible import visible
from tribe_ws.errors import (
    ApiError,
    AuthenticationError,
    CannotConnect,
    ConfigurationError,
    ConnectionLost,
    NotAllowed,
    NotFound,
    ProtocolViolation,
    TribeError,
    WaitedInVain,
)
from tribe_ws.protocol.urls import API_PREFIX, SOCKET_PATH, parse_address, redact
from tribe_ws_cli.exit_codes import ExitCode
from tribe_ws_cli.output import paint, to_json

_UNAUTHENTICATED_STATUS = {401, 403}
_UNAUTHENTICATED_CLOSE = {4401, 4403}
DEFAULT_PORT = 8000


class UsageProblem(TribeError):
    """The command line cannot be understood, or asks for something that cannot be had here."""

    code = "usage"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """An error as people and programs see it."""

    what: str
    hint: str
    code: str
    exit: ExitCode

    def as_json(self) -> dict[str, object]:
        """Give the form for ``--json``."""
        error = {"code": self.code, "message": self.what, "hint": self.hint, "exit": int(self.exit)}
        return {"error": error}


class Talk:
    """Writes words to stderr: notes, which ``-q`` silences, and errors, which nothing does."""

    def __init__(
        self, stream: TextIO | None = None, *, quiet: bool = False, color: bool = False, json: bool = False
    ) -> None:
        self._stream = stream
        self.quiet = quiet
        self.color = color
        self.json = json

    def note(self, text: str) -> None:
        """Say something that is no data and no error."""
        if not self.quiet:
            self._write(visible(redact(text)))

    def error(self, diagnosis: Diagnosis) -> None:
        """Say what went wrong, why, and what to do next."""
        if self.json:
            self._write(to_json(diagnosis.as_json()))
            return
        head = paint("error:", "bad", self.color)
        lines = [f"{head} {visible(diagnosis.what)}"]
        lines += [f"  {visible(line)}" for line in diagnosis.hint.splitlines()]
        self._write("\n".join(lines))

    def _write(self, text: str) -> None:
        stream = self._stream or sys.stderr
        try:
            stream.write(text + "\n")
            stream.flush()
        except UnicodeEncodeError:
            stream.write(text.encode("ascii", "backslashreplace").decode() + "\n")
        except (BrokenPipeError, ValueError):
            # Nobody listens on stderr any more, which is no reason to fail.
            return


def diagnose(error: BaseException) -> Diagnosis:
    """Tell what an error means to the user, with its exit code; tokens never get through."""
    what, hint = _words(error)
    code = error.code if isinstance(error, TribeError) else "bug"
    if isinstance(error, OSError):
        code = "file"
    return Diagnosis(redact(what), redact(hint), code, exit_code(error))


def exit_code(error: BaseException) -> ExitCode:
    """Choose the exit code for an error."""
    match error:
        case CannotConnect(status=status) if status in _UNAUTHENTICATED_STATUS:
            return ExitCode.NOT_AUTHENTICATED
        case ConnectionLost(close_code=code) if code in _UNAUTHENTICATED_CLOSE:
            return ExitCode.NOT_AUTHENTICATED
        case ApiError(status=status) if status in _UNAUTHENTICATED_STATUS:
            return ExitCode.NOT_AUTHENTICATED
        case ApiError(status=404) | TribeError(code="bad_filter" | "usage"):
            return ExitCode.USAGE
        case TribeError(code="capture"):
            return ExitCode.CONFIGURATION
    for kind, code in _EXIT_CODES:
        if isinstance(error, kind):
            return code
    return ExitCode.FAILED


_EXIT_CODES: tuple[tuple[type[BaseException], ExitCode], ...] = (
    (AuthenticationError, ExitCode.NOT_AUTHENTICATED),
    (NotAllowed, ExitCode.NOT_AUTHENTICATED),
    (CannotConnect, ExitCode.CANNOT_CONNECT),
    (ConnectionLost, ExitCode.CONNECTION_LOST),
    (WaitedInVain, ExitCode.WAITED_IN_VAIN),
    (ProtocolViolation, ExitCode.CONTRACT_VIOLATED),
    (ConfigurationError, ExitCode.CONFIGURATION),
    (NotFound, ExitCode.USAGE),
    (ApiError, ExitCode.FAILED),
    (OSError, ExitCode.CONFIGURATION),
)


def _words(error: BaseException) -> tuple[str, str]:
    """Find the two halves of a message: what happened, and what to do next."""
    match error:
        case CannotConnect(reason="refused"):
            return _cannot_connect(error)
        case TribeError(hint=hint) if hint:
            return str(error), hint + _FURTHER.get(error.code, "")
        case CannotConnect():
            return _cannot_connect(error)
        case AuthenticationError():
            return _not_authenticated(error)
        case ConnectionLost():
            return _connection_lost(error)
        case ApiError():
            return str(error), _api_hint(error)
        case TribeError():
            return str(error), ""
        case OSError() if error.filename is not None:
            return f"{error.filename}: {error.strerror}", ""
        case OSError():
            return error.strerror or str(error), ""
    log = keep_traceback(error)
    return (
        f"a bug in tribe-ws: {type(error).__name__}: {error}",
        f"the whole story is in {log}" if log else "see it all:  the same command with -v",
    )


_FURTHER = {"bad_filter": "          tribe-ws explain filter"}
"""What is said beside the hint that an error brings along, by its code."""


def _cannot_connect(error: CannotConnect) -> tuple[str, str]:
    try:
        address = parse_address(error.url)
    except ConfigurationError:
        return str(error), ""
    place = f"{address.host}:{address.port}"
    port = "" if address.port == DEFAULT_PORT else f" --port {address.port}"
    match error.reason:
        case "refused" if address.is_loopback:
            return (
                f"nothing is listening on {place} (connection refused)",
                f"start one:  tribe-ws serve{port}        or look around:  tribe-ws doctor",
            )
        case "refused":
            return f"nothing is listening on {place} (connection refused)", _WHICH_SERVER
        case "dns":
            return f"there is no host {address.host!r}", _WHICH_SERVER
        case "handshake" if error.status is not None:
            return (
                f"{place} answered HTTP {error.status} to the WebSocket handshake at {SOCKET_PATH}",
                "Is that a Tribe server? Give its base address only:  --url " + address.base_url,
            )
        case "timeout":
            return f"{place} did not answer in time", f"more patience:  --timeout 30s        {_WHICH_SERVER}"
    return str(error), _WHICH_SERVER


_WHICH_SERVER = "which server, and who says so:  tribe-ws config show --origin"


def _not_authenticated(error: AuthenticationError) -> tuple[str, str]:
    if error.close_code is None:
        return str(error), "tribe-ws login USER"
    what = f'the server rejected the token (close {error.close_code} "{error.reason}")'
    return what, _REJECTIONS.get(error.reason, "log in again:  tribe-ws login USER")


_REJECTIONS = {
    "token_invalid": "The token was made with another secret. Was the server restarted with a new one?"
    "\nread it:  tribe-ws token inspect        get a new one:  tribe-ws login USER",
    "token_expired": "tribe-ws login USER               long test? tribe-ws token mint --user USER --ttl 8h",
    "token_type": "A refresh token was given in place of an access token.  tribe-ws token inspect",
    "token_missing": "tribe-ws login USER",
    "user_unknown": "This server does not know the token's user. Another database?  tribe-ws login USER",
    "account_disabled": "The account is disabled on this server; another one:  tribe-ws login USER",
}


def _connection_lost(error: ConnectionLost) -> tuple[str, str]:
    from tribe_ws.protocol.close_codes import CLOSE_CODES, advice_for

    if error.close_code == 1006:  # no close frame was seen: RFC 6455, 7.1.5
        return (
            "the connection broke off (1006, no close frame: the server process ended?)",
            "reconnect with back-off",
        )
    meanings = [entry.meaning for entry in CLOSE_CODES if entry.code == error.close_code]
    why = f"{meanings[0]}; " if meanings else ""
    return str(error), f"{why}{advice_for(error.close_code, error.reason).value}"


def _api_hint(error: ApiError) -> str:
    if error.status == 401:
        return "tribe-ws login USER"
    if error.status == 429 and error.retry_after:
        return f"try again in {error.retry_after:.0f} s"
    if error.status == 404 and not isinstance(error.detail, str):
        return f"Is that a Tribe server? Its REST calls live under {API_PREFIX}.  {_WHICH_SERVER}"
    return ""


def keep_traceback(error: BaseException) -> Path | None:
    """Write the traceback of a bug, without tokens, into a log of the user; tell where, if that worked."""
    from platformdirs import user_log_path

    from tribe_ws.running import APPLICATION, write_private

    path = user_log_path(APPLICATION) / f"bug-{datetime.now():%Y%m%d-%H%M%S}.log"  # noqa: DTZ005 - a file name
    try:
        write_private(path, redact("".join(traceback.format_exception(error))))
    except OSError:
        return None
    return path


def is_broken_pipe(error: BaseException) -> bool:
    """Tell whether an error only says that nobody reads our output any more."""
    return isinstance(error, BrokenPipeError) or (isinstance(error, OSError) and error.errno == errno.EPIPE)
