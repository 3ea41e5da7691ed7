"""The names of REST calls."""

from __future__ import annotations

import pytest

from tribe_ws.capture.rest_calls import Call, read_call

ROOM = "7b25f672-2ae0-56a2-a264-7f656e1c1c68"


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("POST", "/api/v1/auth/login", Call("POST login")),
        ("GET", "/api/v1/auth/me", Call("GET me")),
        ("PUT", "/api/v1/users/me", Call("PUT me")),
        ("GET", f"/api/v1/users/{ROOM}", Call("GET user")),
        ("GET", "/api/v1/search/users?q=bo", Call("GET users")),
        ("GET", "/api/v1/conversations?page=1&limit=20", Call("GET conversations")),
        ("POST", "/api/v1/conversations", Call("POST conversation")),
        ("GET", f"/api/v1/conversations/{ROOM.upper()}", Call("GET conversation", ROOM)),
        ("GET", f"/api/v1/conversations/{ROOM}/messages?limit=1", Call("GET messages", ROOM)),
        ("POST", f"/api/v1/conversations/{ROOM}/messages", Call("POST message", ROOM, is_message=True)),
        ("POST", "/api/v1/conversations/c1/messages", Call("POST message", "c1", is_message=True)),
        ("POST", f"/api/v1/conversations/{ROOM}/read", Call("POST read", ROOM)),
        ("POST", f"/api/v1/conversations/{ROOM}/participants", Call("POST participants", ROOM)),
        ("DELETE", f"/api/v1/conversations/{ROOM}/participants/{ROOM}", Call("DELETE participants", ROOM)),
        ("GET", "/health", Call("GET health")),
        ("GET", "/", Call("GET /")),
        ("GET", "/" + "x" * 99, Call("GET " + "x" * 36)),
    ],
)
def test_a_call_is_named_in_two_words(method: str, path: str, expected: Call) -> None:
    assert read_call(method, path) == expected
