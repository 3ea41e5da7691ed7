"""How REST says no (contract 5)."""

from __future__ import annotations

import pytest

from tests.contract.harness import RunningServer, exchange, running_server

pytestmark = pytest.mark.asyncio(loop_scope="module")

UNKNOWN = "01890a5d-ac96-774b-bcce-b302099a8057"
CALLS = [
    ("POST", "/auth/logout"),
    ("GET", "/auth/me"),
    ("GET", "/users/me"),
    ("PUT", "/users/me"),
    ("GET", f"/users/{UNKNOWN}"),
    ("GET", "/search/users?q=a"),
    ("GET", "/conversations"),
    ("POST", "/conversations"),
    ("GET", f"/conversations/{UNKNOWN}"),
    ("POST", f"/conversations/{UNKNOWN}/participants"),
    ("DELETE", f"/conversations/{UNKNOWN}/participants/{UNKNOWN}"),
    ("GET", f"/conversations/{UNKNOWN}/messages"),
    ("POST", f"/conversations/{UNKNOWN}/messages"),
    ("POST", f"/conversations/{UNKNOWN}/read"),
]


@pytest.mark.clause("rest.unauthorised")
@pytest.mark.parametrize(("method", "path"), CALLS)
@pytest.mark.parametrize(
    ("header", "reason"),
    [(None, "token_missing"), ("Bearer nonsense", "token_invalid"), ("Basic YTpi", "token_invalid")],
)
async def test_a_call_without_a_good_token_gets_401(
    server: RunningServer, method: str, path: str, header: str | None, reason: str
):
    headers = {"Authorization": header} if header else {}
    answer = await server.http.request(method, f"/api/v1{path}", headers=headers, json={})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.json() == {"detail": reason}


@pytest.mark.clause("rest.unauthorised")
async def test_two_authorization_headers_are_refused(server: RunningServer):
    ana, ben = await server.people("ana", "ben")
    head = f"GET /api/v1/auth/me HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {ana.token}\r\n"
    answer = await exchange(server, f"{head}Authorization: Bearer {ben.token}\r\n\r\n".encode())
    assert answer.split()[1] == b"401"


@pytest.mark.clause("rest.detail")
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nowhere", 404), ("PATCH", "/auth/me", 405), ("GET", "/ws", 404), ("POST", "/auth/me/", 404)],
)
async def test_every_error_is_a_detail(server: RunningServer, method: str, path: str, status: int):
    answer = await server.request(await server.person(), method, path)
    assert answer.status_code == status
    assert list(answer.json()) == ["detail"]
    assert isinstance(answer.json()["detail"], str)


@pytest.mark.clause("rest.validation")
async def test_a_422_names_each_field(server: RunningServer):
    body = {"email": "x", "username": "a b", "full_name": "", "password": "x", "confirm_password": 7}
    answer = await server.http.post("/api/v1/auth/register", json=body)
    assert answer.status_code == 422
    assert list(answer.json()) == ["detail", "errors"]
    assert answer.json()["detail"] == "Validation error"
    assert [error["field"] for error in answer.json()["errors"]] == list(body)
    assert all(list(error) == ["field", "message"] for error in answer.json()["errors"])


@pytest.mark.clause("rest.host-foreign")
@pytest.mark.parametrize(
    ("host", "status"),
    [("evil.test", 421), ("localhost.evil.test:8000", 421), ("localhost:1", 200), ("[::1]", 200)],
)
@pytest.mark.parametrize("path", ["/health", "/metrics", "/api/v1/openapi.json"])
async def test_a_foreign_host_gets_421(server: RunningServer, host: str, status: int, path: str):
    answer = await server.http.get(path, headers={"Host": host})
    assert answer.status_code == status
    if status == 421:
        assert list(answer.json()) == ["detail"]


@pytest.mark.clause("rest.host-foreign")
async def test_a_request_with_two_hosts_or_none_is_refused(server: RunningServer):
    for hosts in ("", "Host: localhost\r\nHost: evil.test\r\n"):
        answer = await exchange(server, f"GET /health HTTP/1.1\r\n{hosts}\r\n".encode())
        assert answer.split()[1] in (b"400", b"421")


@pytest.mark.clause("rest.detail")
async def test_a_page_of_a_foreign_origin_may_not_read_the_answers(server: RunningServer):
    local = await server.http.get("/health", headers={"Origin": "http://localhost:5173"})
    foreign = await server.http.get("/health", headers={"Origin": "https://evil.test"})
    assert "access-control-allow-origin" in local.headers
    assert "access-control-allow-origin" not in foreign.headers


@pytest.mark.clause("rest.detail")
async def test_a_bug_of_the_server_is_a_500_that_tells_nothing(fan_out: str, monkeypatch: pytest.MonkeyPatch):
    async with running_server(fan_out=fan_out, expects_bug=True) as server:

        async def broken(*_: object) -> None:
            raise RuntimeError("the inside of the server")

        ana = await server.person()
        monkeypatch.setattr(server.services.storage.conversations, "list", broken)
        answer = await server.request(ana, "GET", "/conversations")
        assert (answer.status_code, answer.json()) == (500, {"detail": "Internal server error"})
        assert "the inside of the server" in server.log.getvalue()
