"""Every error tribe-ws raises on purpose; each stores what happened, and ``str()`` says it in a sentence.

::

    TribeError
    ├── ConfigurationError        a setting, a profile or a file is unusable
    │   └── DatabaseRefused       the database must not be opened: corrupt, newer, read-only, in use
    ├── AuthenticationError       not logged in, or the server refused the token or the account
    ├── CannotConnect             nothing answered, or not in our language
    ├── ConnectionLost            an open connection ended with an error code
    ├── WaitedInVain              what was waited for did not come in time
    ├── ApiError                  a REST call was answered with an error status
    ├── ProtocolViolation         a frame breaks the contract
    ├── ConflictError             something with that name is there already
    ├── NotAllowed                the user may not do that (not a participant, not an admin)
    ├── NotFound                  there is no such user, conversation or message
    └── StorageUnavailable        the database cannot store at the moment: full, busy, failing

The exit code of each class is chosen in one place, ``tribe_ws_cli.diagnostics``.
"""

from __future__ import annotations

from typing import Any


class TribeError(Exception):
    """The root of all errors that tribe-ws raises on purpose.

    ``hint`` says what to do next and may be empty; it never holds a token or a password.
    """

    code = "error"

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return self.message


class ConfigurationError(TribeError):
    """A setting, a profile or a file is missing, malformed or unusable."""

    code = "configuration"


class DatabaseRefused(ConfigurationError):
    """The database must not be opened, for a ``reason`` known at start.

    ``reason`` is one of ``corrupt``, ``foreign``, ``newer``, ``read_only``, ``in_use``, ``unreachable``.
    """

    code = "database_refused"

    def __init__(self, message: str, *, reason: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.reason = reason


class AuthenticationError(TribeError):
    """Nobody is logged in, or the server refused the credentials, the token or the account.

    ``reason`` is the server's own word where it gave one (``token_expired``, ``account_disabled``, …);
    ``close_code`` is the code of the close frame where the refusal came over the socket.
    """

    code = "not_authenticated"

    def __init__(
        self, message: str, *, reason: str = "", close_code: int | None = None, hint: str = ""
    ) -> None:
        super().__init__(message, hint=hint)
        self.reason = reason
        self.close_code = close_code


class CannotConnect(TribeError):
    """No connection came about: refused, no such host, TLS, proxy, or a handshake not answered with 101.

    ``reason`` is one of ``refused``, ``dns``, ``tls``, ``proxy``, ``timeout``, ``handshake``, ``network``.
    """

    code = "cannot_connect"

    def __init__(
        self,
        message: str,
        *,
        reason: str = "network",
        url: str = "",
        status: int | None = None,
        hint: str = "",
    ) -> None:
        super().__init__(message, hint=hint)
        self.reason = reason
        self.url = url
        self.status = status


class ConnectionLost(TribeError):
    """An open connection ended, and not because we closed it (contract 3.6)."""

    code = "connection_lost"

    def __init__(self, close_code: int, reason: str = "", *, hint: str = "") -> None:
        said = f' "{reason}"' if reason else ""
        super().__init__(f"the connection ended with close code {close_code}{said}", hint=hint)
        self.close_code = close_code
        self.reason = reason


class WaitedInVain(TribeError):
    """What was waited for did not happen within ``seconds``."""

    code = "waited_in_vain"

    def __init__(self, message: str, *, seconds: float, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.seconds = seconds


class ApiError(TribeError):
    """A REST call was answered with an error status; ``detail`` is the server's own (contract 5)."""

    code = "api_error"

    def __init__(
        self, status: int, detail: Any, *, method: str = "", path: str = "", retry_after: float | None = None
    ) -> None:
        said = (
            detail
            if isinstance(detail, str)
            else "; ".join(map(str, detail))
            if isinstance(detail, list)
            else ""
        )
        where = f" to {method} {path}" if method else ""
        super().__init__(f"the server answered {status}{where}" + (f": {said}" if said else ""))
        self.status = status
        self.detail = detail
        self.method = method
        self.path = path
        self.retry_after = retry_after


class ProtocolViolation(TribeError):
    """A frame breaks the contract; ``violation`` is a code of contract 3.5 and the connection may live on.

    Codes: ``invalid_json``, ``invalid_frame``, ``unknown_event``, ``invalid_payload``, ``unsupported_data``,
    ``rate_limited``, ``too_many_subscriptions``, ``not_found``, ``internal``. ``ref`` is what the client
    called the frame, where it did.
    """

    code = "protocol_violation"

    def __init__(
        self, violation: str, message: str, *, conversation_id: str | None = None, ref: str | None = None
    ) -> None:
        super().__init__(message)
        self.violation = violation
        self.conversation_id = conversation_id
        self.ref = ref


class ConflictError(TribeError):
    """Something with that unique value is there already; ``field`` names which."""

    code = "conflict"

    def __init__(self, message: str, *, field: str) -> None:
        super().__init__(message)
        self.field = field


class NotAllowed(TribeError):
    """The user may not do that: not a participant, not an admin, not the owner."""

    code = "not_allowed"


class NotFound(TribeError):
    """There is no such user, conversation or message."""

    code = "not_found"


class StorageUnavailable(TribeError):
    """The database cannot store at the moment; nothing was stored and nothing was sent.

    ``reason`` is one of ``storage_full``, ``storage_busy``, ``storage_io``, ``storage_stopped``.
    """

    code = "storage_unavailable"

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason
