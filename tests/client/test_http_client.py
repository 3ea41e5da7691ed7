"""What holds for every HTTP client of ours, whoever makes calls with it."""

from __future__ import annotations

import httpx
import pytest

from tribe_ws import ServerAddress, __version__
from tribe_ws.client.http_client import headers_of, json_in, open_http

LOOPBACK = ServerAddress("http://127.0.0.1:8000")
ELSEWHERE = ServerAddress("https://api.example.com")


async def seen(address: ServerAddress, headers: dict[str, str] | None = None) -> httpx.Request:
    requests: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(302, headers={"Location": "http://elsewhere.test/"})

    transport = httpx.MockTransport(answer)
    async with open_http(address, timeout=1, connect=1, transport=transport, headers=headers) as http:
        await http.get("/health")
    (request,) = requests
    return request


async def test_it_says_who_it_is_and_follows_no_redirect() -> None:
    request = await seen(LOOPBACK)
    assert str(request.url) == "http://127.0.0.1:8000/health"
    assert request.headers["user-agent"] == f"tribe-ws/{__version__}"
    assert request.headers["accept"] == "application/json"


async def test_headers_of_the_caller_come_along_and_win() -> None:
    request = await seen(LOOPBACK, headers={"User-Agent": "other", "X-Key": "7"})
    assert (request.headers["user-agent"], request.headers["x-key"]) == ("other", "7")


@pytest.mark.parametrize(("address", "is_proxied"), [(LOOPBACK, False), (ELSEWHERE, True)])
async def test_only_what_is_elsewhere_goes_through_a_proxy(
    monkeypatch: pytest.MonkeyPatch, address: ServerAddress, is_proxied: bool
) -> None:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://proxy.test:3128")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    async with open_http(address, timeout=1, connect=1) as http:
        proxied = [transport for transport in http._mounts.values() if transport is not None]
    assert bool(proxied) == is_proxied


def test_headers_are_found_by_lower_case_names() -> None:
    assert headers_of(httpx.Response(200, headers={"Retry-After": "3"}))["retry-after"] == "3"


@pytest.mark.parametrize(
    ("content", "value"), [(b"", None), (b"{", None), (b"[" * 100_000, None), (b"\xff", None), (b"[1]", [1])]
)
def test_a_body_that_is_no_json_is_none(content: bytes, value: object) -> None:
    assert json_in(content) == value
