"""What goes wrong, as HTTP says it: every error of ours has its status here and nowhere else (contract 5).

Bodies are ``{"detail": …}``; nothing a client sent is echoed: what cannot be read often
cannot be written either.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from tribe_ws.errors import (
    ConflictError,
    NotAllowed,
    NotFound,
    StorageUnavailable,
    TribeError,
)
from tribe_ws.server.accounts import WrongPassword
from tribe_ws.server.openapi import allowed_methods
from tribe_ws.server.throttle import TooManyRequests
from tribe_ws.server.tokens import Unauthorised

CLIENT_GONE = 499
"""The status logged for a request whose client did not wait for the answer; nobody receives it."""
_CHALLENGE = {"WWW-Authenticate": "Bearer"}
_TAKEN = frozenset({"email", "username"})


class Unprocessable(HTTPException):
    """A request that can be read but not accepted: 422 with what is wrong, field by field."""

    def __init__(self, errors: Sequence[tuple[str, str]]) -> None:
        super().__init__(422, "Validation error")
        self.errors = errors


def refusal(status: int, detail: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """Build an error answer."""
    return JSONResponse({"detail": detail}, status, dict(headers or {}))


def complaints(error: RequestValidationError | ValidationError) -> list[tuple[str, str]]:
    """List what pydantic found wrong, by field, without what was sent."""
    found: Sequence[Any] = (
        error.errors()
        if isinstance(error, RequestValidationError)
        else error.errors(include_input=False, include_url=False, include_context=False)
    )
    return [(_field(entry["loc"]), str(entry["msg"]).removeprefix("Value error, ")) for entry in found]


def install_failures(app: FastAPI) -> None:
    """Teach an application to answer every error the way of contract 5."""
    for kind in (TribeError, RequestValidationError, HTTPException, ClientDisconnect):
        app.add_exception_handler(kind, _on_error)
    app.add_exception_handler(Exception, _on_bug)


def respond_to(error: Exception) -> Response | None:
    """Build the answer to whatever a request raised; ``None`` for what is no answer but a bug."""
    match error:
        case TribeError():
            return answer_for(error)
        case RequestValidationError():
            return _unprocessable(complaints(error))
        case Unprocessable(errors=errors):
            return _unprocessable(errors)
        case HTTPException():
            return refusal(error.status_code, error.detail, error.headers)
        case ClientDisconnect():
            return Response(status_code=CLIENT_GONE)
        case _:
            return None


def answer_for(error: TribeError) -> JSONResponse | None:
    """Build the answer to an error of ours; ``None`` for one that is no answer but a bug."""
    match error:
        case Unauthorised(close_code=close_code) if close_code.code == 4403:
            return refusal(403, close_code.reason)
        case Unauthorised(close_code=close_code):
            return refusal(401, close_code.reason, _CHALLENGE)
        case WrongPassword():
            return refusal(401, error.message, _CHALLENGE)
        case TooManyRequests(retry_after=retry_after):
            return refusal(429, error.message, {"Retry-After": str(retry_after)})
        case NotFound():
            return refusal(404, error.message)
        case NotAllowed():
            return refusal(403, error.message)
        case ConflictError(field="participant_ids"):
            return _unprocessable([("participant_ids", error.message)])
        case ConflictError(field=field):
            return refusal(400 if field in _TAKEN else 409, error.message)
        case StorageUnavailable(reason=reason):
            return refusal(503, f"Storage unavailable ({reason})", {"Retry-After": "1"})
        case _:
            return None


async def _on_error(request: Request, error: Exception) -> Response:
    if isinstance(error, HTTPException) and error.status_code == 405:
        return _not_with_that_method(request, error)
    answer = respond_to(error)
    if answer is None:
        raise error
    return answer


def _not_with_that_method(request: Request, error: HTTPException) -> Response:
    # The router names the methods of one route; a path may have several, and sending has none at all.
    methods = allowed_methods(request.app.openapi(), request.url.path)
    return refusal(405, error.detail, {"Allow": ", ".join(methods)} if methods else error.headers)


async def _on_bug(_request: Request, _error: Exception) -> Response:
    return refusal(500, "Internal server error")


def _unprocessable(errors: Sequence[tuple[str, str]]) -> JSONResponse:
    fields = [{"field": field, "message": message} for field, message in errors]
    return JSONResponse({"detail": "Validation error", "errors": fields}, 422)


def _field(location: Sequence[str | int]) -> str:
    parts = location[1:] if location and location[0] in {"body", "query", "path", "header"} else location
    return ".".join(map(str, parts)) or "body"
