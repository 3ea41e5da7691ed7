"""Every call of contract 5 over a mocked transport: what goes out, what comes back, what an error becomes."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from tribe_ws.client.rest import RestClient
from tribe_ws.client.tokens import Tokens
from tribe_ws.errors import ApiError, AuthenticationError, CannotConnect, ProtocolViolation

URL = "http://127.0.0.1:8000"
USER = {"id": "u1", "username": "alice", "full_name": "Alice", "email": "alice@tribe.test"}
LOGIN = {
    "user": USER, "access_token": "access-1", "refresh_token": "refresh-1", "token_type": "bearer",
    "expires_in": 3600,
}  # fmt: skip
ROOM = {"id": "c1", "conversation_type": "group", "name": "general", "participants": []}
MESSAGE = {"id": "m1", "conversation_id": "c1", "sender": USER, "content": "hi", "message_type": "text"}


class Api:
    """Answers in turn (the last answer again and again) and keeps what was asked."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []
        self.transport = httpx.MockTransport(self)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    def client(self, token: Any = "access-0", **options: Any) -> RestClient:
        return RestClient(URL, token, transport=self.transport, **options)

    @property
    def last(self) -> httpx.Request:
        return self.requests[-1]

    @property
    def body(self) -> Any:
        return json.loads(self.last.content)


def ok(body: Any = None, status: int = 200, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, json=body, headers=named)


Call = Callable[[RestClient], Awaitable[Any]]


@pytest.mark.parametrize(
    ("call", "answer", "asked", "body"),
    [
        (lambda c: c.me(), USER, "GET /api/v1/auth/me", None),
        (lambda c: c.update_me(bio="x"), USER, "PUT /api/v1/users/me", {"bio": "x"}),
        (lambda c: c.user("a/b"), USER, "GET /api/v1/users/a%2Fb", None),
        (lambda c: c.search_users("al"), [USER], "GET /api/v1/search/users?q=al&page=1&limit=20", None),
        (lambda c: c.conversations(), {}, "GET /api/v1/conversations?page=1&limit=20", None),
        (lambda c: c.conversation("c1"), ROOM, "GET /api/v1/conversations/c1", None),
        (
            lambda c: c.create_conversation(["u2"]), ROOM, "POST /api/v1/conversations",
            {"conversation_type": "direct", "participant_ids": ["u2"]},
        ),
        (
            lambda c: c.create_conversation(["u2"], conversation_type="group", name="n"), ROOM,
            "POST /api/v1/conversations",
            {"conversation_type": "group", "participant_ids": ["u2"], "name": "n"},
        ),
        (
            lambda c: c.add_participants("c1", ["u2"]), ROOM, "POST /api/v1/conversations/c1/participants",
            {"user_ids": ["u2"]},
        ),
        (
            lambda c: c.remove_participant("c1", "u2"), None,
            "DELETE /api/v1/conversations/c1/participants/u2", None,
        ),
        (
            lambda c: c.messages("c1", limit=5, after="m1"), {"messages": [MESSAGE]},
            "GET /api/v1/conversations/c1/messages?limit=5&after=m1", None,
        ),
        (lambda c: c.mark_read("c1"), {"success": True}, "POST /api/v1/conversations/c1/read", {}),
        (lambda c: c.call("PATCH", "/x", body={"a": 1}), {}, "PATCH /api/v1/x", {"a": 1}),
    ],
)  # fmt: skip
async def test_each_call_goes_to_its_place_with_the_token(
    call: Call, answer: Any, asked: str, body: Any
) -> None:
    api = Api(ok(answer))
    async with api.client() as client:
        await call(client)
    assert f"{api.last.method} {api.last.url.raw_path.decode()}" == asked
    assert api.last.headers["authorization"] == "Bearer access-0"
    assert (json.loads(api.last.content) if api.last.content else None) == body


async def test_login_makes_this_client_that_user_and_tells_the_tokens() -> None:
    api = Api(ok(LOGIN), ok(USER))
    kept: list[Tokens] = []
    async with api.client(None, on_tokens=kept.append) as client:
        answer = await client.login("alice@tribe.test", "pw", device_info={"os": "x"})
        assert (answer.user.username, answer.tokens.refresh_token) == ("alice", "refresh-1")
        assert "authorization" not in api.last.headers
        assert api.body == {"email": "alice@tribe.test", "password": "pw", "device_info": {"os": "x"}}
        await client.me()
        assert client.tokens == kept[0]
    assert api.last.headers["authorization"] == "Bearer access-1"


async def test_a_second_login_takes_the_place_of_the_first() -> None:
    api = Api(ok(LOGIN), ok({**LOGIN, "access_token": "access-2"}), ok(USER))
    kept: list[Tokens] = []
    async with api.client(None, on_tokens=kept.append) as client:
        await client.login("a", "pw")
        await client.login("b", "pw")
        await client.me()
    assert api.last.headers["authorization"] == "Bearer access-2"
    assert [tokens.access_token for tokens in kept] == ["access-1", "access-2"]


async def test_register_confirms_the_password_by_itself() -> None:
    api = Api(ok(LOGIN, 201))
    async with api.client(None) as client:
        await client.register(email="e", username="u", full_name="f", password="Pw1")
        assert api.body["confirm_password"] == "Pw1"
        await client.register(email="e", username="u", full_name="f", password="Pw1", confirm_password="no")
        assert api.body["confirm_password"] == "no"


async def test_logout_revokes_and_forgets() -> None:
    api = Api(ok(LOGIN), ok({"success": True}))
    async with api.client(None) as client:
        await client.login("a", "pw")
        await client.logout("another")
        assert client.tokens is not None
        await client.logout()
        assert api.body == {"refresh_token": "refresh-1"}
        assert client.tokens is None
        with pytest.raises(AuthenticationError, match="not logged in"):
            await client.me()


async def test_a_401_is_answered_by_one_renewal_and_one_repetition() -> None:
    api = Api(ok({"detail": "expired"}, 401), ok({"access_token": "access-9", "expires_in": 60}), ok(USER))
    kept: list[Tokens] = []
    async with api.client(Tokens("access-0", "refresh-0"), on_tokens=kept.append) as client:
        assert (await client.me()).username == "alice"
    assert [request.url.path for request in api.requests] == [
        "/api/v1/auth/me", "/api/v1/auth/refresh", "/api/v1/auth/me",
    ]  # fmt: skip
    assert api.last.headers["authorization"] == "Bearer access-9"
    assert [(tokens.access_token, tokens.refresh_token) for tokens in kept] == [("access-9", "refresh-0")]


async def test_a_second_401_is_final() -> None:
    api = Api(ok({"detail": "no"}, 401), ok({"access_token": "access-9"}), ok({"detail": "still no"}, 401))
    async with api.client(Tokens("access-0", "refresh-0")) as client:
        with pytest.raises(AuthenticationError, match="still no") as refusal:
            await client.me()
    assert len(api.requests) == 3
    assert "login" in refusal.value.hint


async def test_a_401_without_a_refresh_token_gives_the_servers_reason() -> None:
    api = Api(ok({"detail": "Token has expired"}, 401))
    async with api.client() as client:
        with pytest.raises(AuthenticationError, match="Token has expired") as refusal:
            await client.me()
    assert refusal.value.reason == "Token has expired"
    assert len(api.requests) == 1


async def test_a_refused_renewal_is_what_ends_it() -> None:
    api = Api(ok({"detail": "expired"}, 401), ok({"detail": "Refresh token revoked"}, 401))
    async with api.client(Tokens("access-0", "refresh-0")) as client:
        with pytest.raises(AuthenticationError, match="Refresh token revoked"):
            await client.me()


async def test_refresh_renews_ones_own_token_or_another() -> None:
    api = Api(ok({"access_token": "access-9"}))
    async with api.client(Tokens("access-0", "refresh-0")) as client:
        assert (await client.refresh()).access_token == "access-9"
        assert api.body == {"refresh_token": "refresh-0"}
        assert (await client.refresh("other")).access_token == "access-9"
        assert api.body == {"refresh_token": "other"}
    async with api.client(None) as nobody:
        with pytest.raises(AuthenticationError):
            await nobody.refresh()


async def test_wrong_credentials_are_an_authentication_error() -> None:
    api = Api(ok({"detail": "Incorrect email or password"}, 401))
    async with api.client(None) as client:
        with pytest.raises(AuthenticationError, match="Incorrect email or password"):
            await client.login("a", "b")


@pytest.mark.parametrize(
    ("status", "body", "headers", "says", "retry_after"),
    [
        (403, {"detail": "Access denied"}, {}, "403 to GET /auth/me: Access denied", None),
        (429, {"detail": "Too many"}, {"Retry_After": "12"}, "Too many", 12.0),
        (503, {"detail": "storage_full"}, {"Retry_After": "soon"}, "storage_full", None),
        (503, None, {"Retry_After": "-1"}, "503", None),
        (400, {"detail": ["a", "b"]}, {}, "a; b", None),
        (
            422,
            {"detail": "Validation error", "errors": [{"field": "password", "message": "too short"}, "odd"]},
            {}, "Validation error; password: too short; odd", None,
        ),
        (422, {"errors": [{"field": "x"}]}, {}, "422", None),
        (500, "oops", {}, "500", None),
    ],
)  # fmt: skip
async def test_an_error_status_says_what_the_server_said(
    status: int, body: Any, headers: dict[str, str], says: str, retry_after: float | None
) -> None:
    async with Api(ok(body, status, **headers)).client() as client:
        with pytest.raises(ApiError) as raised:
            await client.me()
    assert says in str(raised.value)
    assert (raised.value.status, raised.value.retry_after) == (status, retry_after)


@pytest.mark.parametrize(
    ("location", "says", "hint"),
    [
        (
            "https://chat.example/api?token=x",
            "redirects to https://chat.example",
            "--url https://chat.example",
        ),
        ("/elsewhere", "redirects to another path", "Tribe server"),
        ("", "redirects to another path", "Tribe server"),
    ],
)
async def test_a_redirect_is_told_and_never_followed_with_the_token(
    location: str, says: str, hint: str
) -> None:
    api = Api(ok(None, 308, Location=location))
    async with api.client() as client:
        with pytest.raises(CannotConnect) as raised:
            await client.me()
    assert says in str(raised.value)
    assert hint in raised.value.hint
    assert len(api.requests) == 1


@pytest.mark.parametrize("content", [b"<html>", b"[]", b"", b"7", b"[" * 100_000])
async def test_an_answer_in_another_language_breaks_the_contract(content: bytes) -> None:
    async with Api(httpx.Response(200, content=content)).client() as client:
        with pytest.raises(ProtocolViolation):
            await client.me()


async def test_a_search_answers_with_a_list_in_whatever_wrapping() -> None:
    async with Api(ok({"users": [USER, 7]})).client() as client:
        assert [user.username for user in await client.search_users("a")] == ["alice"]
    async with Api(ok({"results": [USER]})).client() as client:
        assert len(await client.search_users()) == 1
    async with Api(ok("none")).client() as client:
        with pytest.raises(ProtocolViolation):
            await client.search_users()


async def test_all_conversations_are_listed_page_after_page() -> None:
    def page(number: int, more: bool) -> httpx.Response:
        room = {**ROOM, "id": f"c{number}"}
        return ok({"conversations": [room], "pagination": {"page": number, "total": 3, "has_more": more}})

    api = Api(page(1, True), page(2, True), page(3, False))
    async with api.client() as client:
        assert [one.id for one in await client.all_conversations()] == ["c1", "c2", "c3"]
    forever = Api(page(1, True))
    async with forever.client() as client:
        assert len(await client.all_conversations()) == 1
    many = Api(page(1, True), page(2, True), page(3, True))
    async with many.client() as client:
        assert len(await client.all_conversations(at_most=2)) == 2


async def test_health_needs_no_token_and_no_prefix() -> None:
    api = Api(ok({"status": "ok", "version": "0.1.0", "database": "ok"}))
    async with api.client(None) as client:
        health = await client.health()
    assert (health.status, health.version, health.raw["database"]) == ("ok", "0.1.0", "ok")
    assert api.last.url.path == "/health"


async def test_a_sent_message_tells_what_became_of_it() -> None:
    api = Api(ok(MESSAGE, 201, Tribe_Recipients="3"))
    async with api.client() as client:
        sent = await client.send_message(
            "c1", "hi", message_type="image", reply_to_message_id="m0", client_message_id="x"
        )
    assert (sent.message.id, sent.recipients, sent.is_replayed, sent.tries) == ("m1", 3, False, 1)
    assert api.last.headers["idempotency-key"] == sent.idempotency_key
    assert api.body == {
        "content": "hi", "message_type": "image", "reply_to_message_id": "m0", "client_message_id": "x",
    }  # fmt: skip


async def test_a_foreign_server_tells_no_recipients() -> None:
    api = Api(ok(MESSAGE, 201, Tribe_Recipients="many"))
    async with api.client() as client:
        sent = await client.send_message("c1", "hi", idempotency_key="mine")
    assert (sent.recipients, sent.idempotency_key) == (None, "mine")
    assert api.body == {"content": "hi"}


@pytest.mark.parametrize("content", ["ünï \U0001f600 \u202e", "\ud800", "a\x00b"])
async def test_content_goes_out_to_the_letter(content: str) -> None:
    api = Api(ok(MESSAGE, 201))
    async with api.client() as client:
        await client.send_message("c1", content)
    assert api.body == {"content": content}


async def test_reading_is_tried_twice_when_a_kept_connection_has_died() -> None:
    api = Api(httpx.RemoteProtocolError("gone"), ok(USER))
    async with api.client() as client:
        assert (await client.me()).username == "alice"
    slow = Api(httpx.ReadTimeout("slow"))
    async with slow.client() as client:
        with pytest.raises(CannotConnect):
            await client.me()
    assert len(slow.requests) == 1


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (httpx.ProxyError("407"), "proxy"),
        (httpx.ConnectTimeout("slow"), "timeout"),
        (httpx.ReadTimeout("slow"), "timeout"),
        (httpx.ConnectError("odd"), "network"),
        (httpx.ReadError("cut"), "network"),
        (httpx.DecodingError("bad gzip"), "network"),
    ],
)
async def test_no_answer_has_a_precise_reason(error: Exception, reason: str) -> None:
    async with Api(error).client() as client:
        with pytest.raises(CannotConnect) as raised:
            await client.mark_read("c1")
    assert raised.value.reason == reason


async def test_nobody_listening_and_no_such_host_are_told_apart(unused_tcp_port: int) -> None:
    async with RestClient(f"http://127.0.0.1:{unused_tcp_port}") as client:
        with pytest.raises(CannotConnect, match="nothing is listening") as refused:
            await client.health()
    assert refused.value.reason == "refused"
    async with RestClient(f"https://127.0.0.1:{unused_tcp_port}") as client:
        with pytest.raises(CannotConnect, match="nothing is listening"):
            await client.health()


async def test_loopback_never_goes_through_a_proxy(
    monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    async with RestClient(f"http://127.0.0.1:{unused_tcp_port}") as client:
        with pytest.raises(CannotConnect, match=f"nothing is listening on 127.0.0.1:{unused_tcp_port}"):
            await client.health()
    async with RestClient("http://chat.invalid") as client:
        with pytest.raises(CannotConnect) as raised:
            await client.health()
    assert raised.value.reason == "proxy"


async def test_a_client_can_be_used_again_after_close() -> None:
    api = Api(ok(USER))
    client = api.client()
    await client.me()
    await client.close()
    await client.close()
    assert (await client.me()).username == "alice"
    await client.close()


async def test_no_token_shows_in_the_client_or_its_errors() -> None:
    api = Api(ok({"detail": "bad token=eyJabc.def.ghi"}, 403))
    async with api.client(Tokens("secret-a", "secret-r")) as client:
        assert "secret" not in repr(client)
        with pytest.raises(ApiError) as raised:
            await client.me()
    assert "eyJ" not in str(raised.value)


async def test_an_exchange_gives_the_answer_whatever_the_status() -> None:
    api = Api(httpx.Response(401, json={"detail": "no"}), ok(LOGIN))
    async with api.client(Tokens("access-0", "refresh-0")) as client:
        answer = await client.exchange("PATCH", "/anything", content=b"{broken", headers={"X-Mine": "1"})
        assert (answer.status, answer.body) == (401, {"detail": "no"})
        assert len(api.requests) == 1, "it was renewed or tried again"
        assert (api.last.method, api.last.url.path, api.last.content) == ("PATCH", "/anything", b"{broken")
        assert (api.last.headers["x-mine"], api.last.headers["authorization"]) == ("1", "Bearer access-0")
        await client.exchange("GET", "/health", with_token=False)
        assert "authorization" not in api.last.headers
