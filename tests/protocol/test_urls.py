from __future__ import annotations

import time
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tribe_ws.errors import ConfigurationError
from tribe_ws.protocol.urls import ServerAddress, is_loopback_host, parse_address, redact, redact_value

TOKEN = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P"
TOKENS = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_", min_size=8)
JWTS = st.tuples(TOKENS, TOKENS, TOKENS).map(lambda parts: f"eyJ{parts[0]}.{parts[1]}.{parts[2]}")


@pytest.mark.parametrize(
    ("text", "base_url"),
    [
        ("localhost:8000", "http://localhost:8000"),
        ("127.0.0.1", "http://127.0.0.1"),
        ("http://localhost:8000/", "http://localhost:8000"),
        ("HTTPS://api.tribe.app", "https://api.tribe.app"),
        ("ws://localhost:8000/api/v1/ws?token=abc", "http://localhost:8000"),
        ("wss://api.tribe.app/api/v1/ws", "https://api.tribe.app"),
        ("http://[::1]:8000/x", "http://[::1]:8000"),
        ("http://user:secret@host:1/", "http://host:1"),
        ("  localhost:8000\n", "http://localhost:8000"),
    ],
)
def test_an_address_is_read_as_people_write_it(text: str, base_url: str):
    assert parse_address(text).base_url == base_url


@pytest.mark.parametrize(
    "text",
    ["", "http://", "ftp://host", "http://host:port", "http://[::1", "a b", "http://host:99999", "://x"],
)
def test_what_is_no_address_is_refused(text: str):
    with pytest.raises(ConfigurationError, match="not a server address"):
        parse_address(text)


def test_a_refusal_hides_the_token():
    with pytest.raises(ConfigurationError) as caught:
        parse_address(f"ftp://host/api/v1/ws?token={TOKEN}")
    assert "eyJ" not in str(caught.value)


@given(st.text())
def test_any_text_is_an_address_or_a_configuration_error(text: str):
    try:
        address = parse_address(text)
    except ConfigurationError:
        return
    assert parse_address(address.base_url) == address
    assert address.socket_url.startswith(("ws://", "wss://"))


def test_http_becomes_ws_and_https_becomes_wss():
    assert parse_address("http://localhost:8000").socket_url == "ws://localhost:8000/api/v1/ws"
    assert parse_address("https://api.tribe.app").socket_url == "wss://api.tribe.app/api/v1/ws"
    assert parse_address("localhost:8000").api_url == "http://localhost:8000/api/v1"


@given(st.text(st.characters(codec="utf-8")))
def test_any_token_arrives_as_it_was(token: str):
    url = ServerAddress("http://h").socket_url_with(token)
    assert parse_qs(urlsplit(url).query, keep_blank_values=True) == {"token": [token]}


def test_the_port_is_known_even_where_it_is_left_out():
    assert [parse_address(text).port for text in ("http://h", "https://h", "h:81")] == [80, 443, 81]
    assert parse_address("http://[::1]:8000").host == "::1"


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST.", "api.localhost", "127.0.0.1", "127.9.9.9", "[::1]", "::1"]
)
def test_loopback_is_this_machine(host: str):
    assert is_loopback_host(host)


@pytest.mark.parametrize(
    "host", ["", "localhost.evil.test", "10.0.0.1", "0.0.0.0", "example.org", "notlocalhost"]
)
def test_anything_else_is_not(host: str):
    assert not is_loopback_host(host)


def test_an_address_knows_whether_it_is_this_machine():
    assert parse_address("localhost:1").is_loopback
    assert not parse_address("api.tribe.app").is_loopback


# ── Redaction ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("WebSocket /api/v1/ws?token=abc [accepted]", "WebSocket /api/v1/ws?token=*** [accepted]"),
        ("/ws?a=1&token=abc&b=2", "/ws?a=1&token=***&b=2"),
        ("/ws?TOKEN=abc", "/ws?TOKEN=***"),
        ("/ws?%74oken=abc&b=2", "/ws?%74oken=***&b=2"),
        ("/ws?t%6Fke%6e=abc", "/ws?t%6Fke%6e=***"),
        ("refresh_token=abc;x", "refresh_token=***;x"),
        (f"Authorization: Bearer {TOKEN}", "Authorization: Bearer ***"),
        ("authorization: bearer 0123456789abcdef0", "authorization: bearer ***"),
        ('{"access_token": "abc", "n": 1}', '{"access_token": "***", "n": 1}'),
        ("{'refresh_token': 'abc'}", "{'refresh_token': '***'}"),
        (r'"{\"token\":\"abc\"}"', r'"{\"token\":\"***\"}"'),
        (f"the token {TOKEN} was refused", "the token *** was refused"),
        (f"sub={TOKEN.replace('.', '%2E')}", "sub=***"),
        ("expected a bearer token", "expected a bearer token"),
        ("100 % of 3", "100 % of 3"),
        ("nothing to hide", "nothing to hide"),
        ("", ""),
    ],
)
def test_a_token_is_hidden_and_nothing_else(text: str, redacted: str):
    assert redact(text) == redacted


@given(JWTS, st.text(), st.sampled_from(["", "?token=", "Bearer ", '"', "%20", "x", "token%3D"]))
def test_no_jwt_survives_anywhere(token: str, around: str, before: str):
    text = redact(f"{around}{before}{token} {around}")
    assert token not in text
    assert token.rsplit(".", 1)[1] not in text.replace(around, "")


@given(TOKENS)
def test_no_token_parameter_survives_even_if_it_is_no_jwt(token: str):
    assert token not in redact(f"GET /api/v1/ws?token={token} HTTP/1.1")[20:]


@given(st.text())
def test_redacting_twice_is_redacting_once(text: str):
    assert redact(redact(text)) == redact(text)


def test_structured_values_are_redacted_to_the_bottom():
    value = {
        "url": f"ws://h/api/v1/ws?token={TOKEN}",
        "Authorization": "Basic abc",
        "body": [{"password": "hunter2", "confirm_password": None}, (TOKEN, 7)],
        "raw": f"token={TOKEN}".encode(),
        "count": 3,
    }
    assert redact_value(value) == {
        "url": "ws://h/api/v1/ws?token=***",
        "Authorization": "***",
        "body": [{"password": "***", "confirm_password": None}, ("***", 7)],
        "raw": "token=***",
        "count": 3,
    }


@pytest.mark.parametrize(
    "piece",
    ["?", "&", "%", "&%", "?%", "?%=", "token", "token=", 'token":"', "token ", 'token" ', "token\\",
     "bearer ", "bearer+", "bearer%20", "eyJ", "eyJaaaa%2e", ".", "-", "a", " "],
)  # fmt: skip
def test_hostile_lines_cost_linear_time(piece: str):
    def cost(count: int) -> float:
        started = time.process_time()
        redact("% token eyJ bearer " + piece * count)
        return time.process_time() - started

    # Eightfold input may cost some eightfold time; quadratic work would cost 64 times as much.
    assert min(cost(16_000) for _ in range(3)) < 32 * max(min(cost(2_000) for _ in range(3)), 1e-4)
