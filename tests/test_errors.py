from __future__ import annotations

import inspect
import re

import pytest

from tribe_ws import errors
from tribe_ws.errors import (
    ApiError,
    AuthenticationError,
    CannotConnect,
    ConfigurationError,
    ConflictError,
    ConnectionLost,
    DatabaseRefused,
    NotFound,
    ProtocolViolation,
    StorageUnavailable,
    TribeError,
    WaitedInVain,
)

CLASSES = [
    value
    for value in vars(errors).values()
    if inspect.isclass(value) and issubclass(value, TribeError) and value is not TribeError
]


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (NotFound("no such user"), "no such user"),
        (ConfigurationError("port is taken", hint="--port 0"), "port is taken"),
        (DatabaseRefused("tribe.db is in use", reason="in_use"), "tribe.db is in use"),
        (AuthenticationError("token refused", reason="token_expired", close_code=4401), "token refused"),
        (CannotConnect("nothing listens", reason="refused"), "nothing listens"),
        (ConnectionLost(1006), "the connection ended with close code 1006"),
        (
            ConnectionLost(4413, "slow_consumer"),
            'the connection ended with close code 4413 "slow_consumer"',
        ),
        (WaitedInVain("no pong", seconds=5), "no pong"),
        (ApiError(404, "Conversation not found"), "the server answered 404: Conversation not found"),
        (
            ApiError(422, ["a", "b"], method="POST", path="/auth/login"),
            "the server answered 422 to POST /auth/login: a; b",
        ),
        (ApiError(500, None), "the server answered 500"),
        (ProtocolViolation("invalid_json", "not JSON"), "not JSON"),
        (ConflictError("taken", field="email"), "taken"),
        (StorageUnavailable("disk full", reason="storage_full"), "disk full"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, TribeError) else "",
)
def test_an_error_says_its_sentence(error: TribeError, sentence: str):
    assert str(error) == sentence


def test_an_error_keeps_what_happened():
    error = ApiError(429, "Too many", method="POST", path="/auth/login", retry_after=7.0)
    assert (error.status, error.detail, error.retry_after) == (429, "Too many", 7.0)
    violation = ProtocolViolation("not_found", "no such conversation", conversation_id="c")
    assert (violation.violation, violation.conversation_id) == ("not_found", "c")
    lost = ConnectionLost(1012, "restart", hint="wait")
    assert (lost.close_code, lost.reason, lost.hint) == (1012, "restart", "wait")
    refused = CannotConnect("no", reason="handshake", url="http://h", status=404)
    assert (refused.reason, refused.url, refused.status) == ("handshake", "http://h", 404)


def test_every_class_has_a_code_of_its_own():
    codes = [cls.code for cls in CLASSES]
    assert len(set(codes)) == len(codes)


def test_the_tree_in_the_docstring_is_the_tree_in_the_code():
    drawn = set(re.findall(r"[├└]── (\w+)", errors.__doc__ or ""))
    assert drawn == {cls.__name__ for cls in CLASSES}
