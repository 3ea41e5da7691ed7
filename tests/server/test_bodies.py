"""Bodies that are too long, not JSON, or read by a typed route (reliability 0.3, 0.4)."""

from __future__ import annotations

import pytest

from tests.server.routes.test_messages import HOSTILE
from tribe_ws.server.bodies import parse_body, read_body
from tribe_ws.server.failures import Unprocessable


def receiver(*chunks):
    messages = [
        {"type": "http.request", "body": chunk, "more_body": number < len(chunks) - 1}
        for number, chunk in enumerate(chunks)
    ]

    async def receive():
        return messages.pop(0)

    return receive


async def test_body_is_put_together_from_its_chunks():
    assert await read_body(receiver(b"ab", b"", b"cd"), 10) == b"abcd"
    assert await read_body(receiver(b"whole"), 10) == b"whole"


@pytest.mark.parametrize("body", [b"\xff\xfe", b"{", b"NaN", b'"\\ud800"'])
def test_what_is_no_json_is_unprocessable(body):
    with pytest.raises(Unprocessable) as caught:
        parse_body(body)
    assert [field for field, _ in caught.value.errors] == ["body"]


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("path", ["/auth/login", "/auth/register", "/conversations"])
def test_typed_routes_read_as_strictly_as_the_hot_path(backend, path, name):
    answer = backend.post(
        path, backend.person(), content=HOSTILE[name], headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 422
    assert list(answer.json()) == ["detail", "errors"]


def test_body_without_a_content_type_is_taken_for_json(backend):
    answer = backend.post("/auth/login", content=b'{"email":"nobody@x.test","password":"x"}')
    assert answer.status_code == 401


def test_form_is_not_json(backend):
    answer = backend.post("/auth/login", data={"email": "nobody@x.test", "password": "x"})
    assert answer.status_code == 422


def test_typed_routes_have_the_same_limit(start):
    backend = start(max_body_bytes=100)
    answer = backend.post("/auth/login", json={"email": "nobody@x.test", "password": "x" * 100})
    assert (answer.status_code, answer.json()) == (413, {"detail": "Request body too large"})
    assert answer.headers["Connection"] == "close"


def test_no_422_repeats_what_was_sent(backend):
    body = {
        "email": "Some-secret-1",
        "username": "Some-secret-2",
        "full_name": 5,
        "password": "Some-secret-3",
    }
    answer = backend.post("/auth/register", json=body)
    assert answer.status_code == 422
    assert "Some-secret" not in answer.text
