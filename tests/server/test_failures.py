"""Every error of ours and its answer."""

from __future__ import annotations

import json

import pytest

from tribe_ws.errors import (
    AuthenticationError,
    ConflictError,
    NotAllowed,
    NotFound,
    StorageUnavailable,
    TribeError,
)
from tribe_ws.protocol import close_codes
from tribe_ws.server.accounts import WrongPassword
from tribe_ws.server.failures import answer_for
from tribe_ws.server.throttle import TooManyRequests
from tribe_ws.server.tokens import TokenRefused, Unauthorised


@pytest.mark.parametrize(
    ("error", "status", "detail", "header"),
    [
        (TokenRefused(close_codes.TOKEN_EXPIRED), 401, "token_expired", ("www-authenticate", "Bearer")),
        (Unauthorised(close_codes.USER_UNKNOWN), 401, "user_unknown", ("www-authenticate", "Bearer")),
        (Unauthorised(close_codes.ACCOUNT_DISABLED), 403, "account_disabled", None),
        (WrongPassword("Incorrect"), 401, "Incorrect", ("www-authenticate", "Bearer")),
        (TooManyRequests("wait", retry_after=7), 429, "wait", ("retry-after", "7")),
        (NotFound("User not found"), 404, "User not found", None),
        (NotAllowed("Access denied"), 403, "Access denied", None),
        (ConflictError("Email already registered", field="email"), 400, "Email already registered", None),
        (ConflictError("Username already taken", field="username"), 400, "Username already taken", None),
        (ConflictError("another body", field="idempotency_key"), 409, "another body", None),
        (StorageUnavailable("full", reason="storage_full"), 503, "Storage unavailable (storage_full)", None),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_error_has_one_answer(error, status, detail, header):
    answer = answer_for(error)
    assert answer is not None
    assert (answer.status_code, json.loads(bytes(answer.body))) == (status, {"detail": detail})
    if header is not None:
        assert answer.headers[header[0]] == header[1]


def test_storage_that_fails_says_when_to_come_back():
    answer = answer_for(StorageUnavailable("busy", reason="storage_busy"))
    assert answer is not None
    assert int(answer.headers["Retry-After"]) >= 1


@pytest.mark.parametrize("error", [TribeError("a bug"), AuthenticationError("a client's error")])
def test_error_that_no_request_should_meet_is_a_bug(error):
    assert answer_for(error) is None


def test_such_a_bug_is_a_500(start, monkeypatch):
    backend = start()

    async def burst(*_):
        raise TribeError("a bug")

    monkeypatch.setattr(backend.services.storage.conversations, "list", burst)
    answer = backend.get("/conversations", backend.person())
    assert (answer.status_code, answer.json()) == (500, {"detail": "Internal server error"})
