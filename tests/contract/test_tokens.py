"""Tokens: what ours say, and how every broken one is refused (contract 3.1, 4)."""

from __future__ import annotations

import base64
import hashlib
import json
import stat
from pathlib import Path
from typing import Any

import jwt
import pytest
from sqlalchemy import text

from tests.contract.harness import SECRET, Person, RunningServer, running_server
from tribe_ws.errors import ConfigurationError
from tribe_ws.server import secrets as server_secrets
from tribe_ws.settings import load_server_settings

pytestmark = pytest.mark.asyncio(loop_scope="module")

OTHER_SECRET = "another secret, of somebody else, long"


def claims_of(token: str) -> dict[str, Any]:
    return dict(jwt.decode(token, options={"verify_signature": False}))


def forged(
    person: Person, changes: dict[str, Any] | None = None, *, key: str = SECRET, algorithm: str = "HS256"
) -> str:
    """Change claims of a good token (``None`` leaves one out) and sign it."""
    claims = claims_of(person.token) | (changes or {})
    return jwt.encode({name: value for name, value in claims.items() if value is not None}, key, algorithm)


def unsigned(person: Person, algorithm: str) -> str:
    parts = [{"alg": algorithm, "typ": "JWT"}, claims_of(person.token)]
    return (
        ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts)
        + "."
    )


async def refusal(server: RunningServer, token: str) -> tuple[int | None, str]:
    """Tell how the socket refuses a token, and make sure that REST refuses it for the same reason."""
    answer = await server.http.get("/api/v1/auth/me", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    async with server.dial(token) as socket:
        code, reason = await socket.end()
    assert answer.json() == {"detail": reason}
    return code, reason


def now_of(server: RunningServer) -> int:
    return int(server.clock.now().timestamp())


@pytest.mark.clause("connect.token-malformed")
@pytest.mark.parametrize(
    "token",
    ["x", "a.b.c", "..", "eyJhbGciOiJIUzI1NiJ9", "eyJhbGciOiJIUzI1NiJ9.e30", "%00", "x" * 5000, "eyJ" * 1000],
    ids=lambda token: token[:10],
)
async def test_a_malformed_token_is_invalid(server: RunningServer, token: str):
    async with server.dial(token) as socket:
        assert await socket.end() == (4401, "token_invalid")


@pytest.mark.clause("connect.token-signature")
async def test_a_token_signed_with_another_secret_is_invalid(server: RunningServer):
    ana = await server.person()
    assert await refusal(server, forged(ana, key=OTHER_SECRET)) == (4401, "token_invalid")
    head, body, _ = ana.token.split(".")
    assert await refusal(server, f"{head}.{body}.AAAA") == (4401, "token_invalid")
    assert await refusal(server, f"{head}.{body}.") == (4401, "token_invalid")


@pytest.mark.clause("connect.token-algorithm", "token.algorithm-fixed")
@pytest.mark.parametrize("algorithm", ["none", "None", "nOnE", "HS384", "HS512"])
async def test_no_other_algorithm_is_taken(server: RunningServer, algorithm: str):
    ana = await server.person()
    token = forged(ana, algorithm=algorithm) if algorithm.startswith("HS") else unsigned(ana, algorithm)
    assert await refusal(server, token) == (4401, "token_invalid")


@pytest.mark.clause("token.algorithm-fixed")
async def test_nothing_in_the_header_of_a_token_is_followed(server: RunningServer):
    ana = await server.person()
    headers = {"kid": "../../dev/null", "jku": "http://127.0.0.1:1/keys", "crit": ["exp"]}
    token = jwt.encode(claims_of(ana.token), OTHER_SECRET, "HS256", headers=headers)
    assert await refusal(server, token) == (4401, "token_invalid")


@pytest.mark.clause("connect.token-expired", "token.leeway")
@pytest.mark.parametrize(("age", "is_accepted"), [(4, True), (6, False), (3600, False)])
async def test_an_expired_token_is_taken_five_seconds_longer(
    server: RunningServer, age: int, is_accepted: bool
):
    ana = await server.person()
    token = forged(ana, {"exp": now_of(server) - age})
    if is_accepted:
        answer = await server.http.get("/api/v1/auth/me", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 200
    else:
        assert await refusal(server, token) == (4401, "token_expired")


@pytest.mark.clause("connect.token-not-yet", "token.leeway")
@pytest.mark.parametrize("claim", ["iat", "nbf"])
async def test_a_token_of_the_future_is_invalid(server: RunningServer, claim: str):
    ana = await server.person()
    assert await refusal(server, forged(ana, {claim: now_of(server) + 60})) == (4401, "token_invalid")
    async with server.dial(forged(ana, {claim: now_of(server) + 4})) as socket:
        await socket.hear("connected")


@pytest.mark.clause("connect.token-type")
async def test_a_refresh_token_is_the_wrong_type(server: RunningServer):
    ana = await server.person()
    token = server.services.tokens.refresh(ana_owner(ana)).token
    assert await refusal(server, token) == (4401, "token_type")


@pytest.mark.clause("connect.user-unknown")
@pytest.mark.parametrize("sub", ["01890a5d-ac96-774b-bcce-b302099a8057", "nobody", ""])
async def test_a_token_of_nobody_is_of_an_unknown_user(server: RunningServer, sub: str):
    ana = await server.person()
    assert await refusal(server, forged(ana, {"sub": sub})) == (4401, "user_unknown")


@pytest.mark.clause("token.required-claims")
@pytest.mark.parametrize("claim", ["exp", "iat", "sub", "type"])
async def test_a_token_without_a_required_claim_is_invalid(server: RunningServer, claim: str):
    ana = await server.person()
    assert await refusal(server, forged(ana, {claim: None})) == (4401, "token_invalid")


@pytest.mark.clause("token.required-claims")
@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("exp", "soon"),
        ("exp", True),
        ("exp", 1e300),
        ("exp", -1),
        ("iat", "now"),
        ("iat", [1]),
        ("type", "admin"),
        ("type", 7),
        ("jti", 7),
        ("nbf", "x"),
    ],
    ids=str,
)
async def test_a_claim_of_the_wrong_kind_is_invalid(server: RunningServer, claim: str, value: Any):
    ana = await server.person()
    assert await refusal(server, forged(ana, {claim: value})) == (4401, "token_invalid")


@pytest.mark.clause("token.two-parameters")
async def test_two_token_parameters_are_refused_even_if_they_are_alike(server: RunningServer):
    ana, ben = await server.people("ana", "ben")
    for second in (ben.token, ana.token, "", "x"):
        url = f"{server.socket_url}?token={ana.token}&token={second}"
        async with server.dial(url=url) as socket:
            assert await socket.end() == (4401, "token_invalid")


@pytest.mark.clause("token.query-and-header")
async def test_a_query_and_a_header_that_differ_are_refused(server: RunningServer):
    ana, ben = await server.people("ana", "ben")
    async with server.dial(ana.token, headers=ben.headers) as socket:
        assert await socket.end() == (4401, "token_invalid")
    async with server.dial(ana.token, headers=ana.headers) as socket:
        await socket.hear("connected")


# ── What our own tokens say ───────────────────────────────────────────────────────────────────────


def ana_owner(person: Person) -> Any:
    """A person as the issuer of tokens wants to see one."""

    class Owner:
        id = person.id
        username = person.username
        email = f"{person.username}@tribe.test"

    return Owner()


async def register(server: RunningServer, name: str) -> dict[str, Any]:
    body = {
        "email": f"{name}@tribe.test",
        "username": name,
        "full_name": "Ana Ng",
        "password": "Secret-77",
        "confirm_password": "Secret-77",
    }
    answer = await server.http.post("/api/v1/auth/register", json=body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


@pytest.mark.clause("token.access-claims", "token.access-life")
@pytest.mark.clause("token.refresh-claims", "token.refresh-life", "token.refresh-hashed", "token.argon2id")
async def test_the_tokens_of_a_registration(server: RunningServer, fan_out: str):
    answer = await register(server, f"tokens_{fan_out}")
    access, refresh = claims_of(answer["access_token"]), claims_of(answer["refresh_token"])
    assert jwt.get_unverified_header(answer["access_token"])["alg"] == "HS256"
    assert set(access) == {"sub", "type", "iat", "exp", "jti", "username", "email"}
    assert (access["sub"], access["type"]) == (answer["user"]["id"], "access")
    assert (access["username"], access["email"]) == (answer["user"]["username"], answer["user"]["email"])
    assert access["exp"] - access["iat"] in (3600, 3601)
    assert set(refresh) == {"sub", "type", "token_id", "iat", "exp"}
    assert (refresh["sub"], refresh["type"]) == (answer["user"]["id"], "refresh")
    assert refresh["exp"] - refresh["iat"] in (30 * 86400, 30 * 86400 + 1)

    stored = await server.services.storage._database.read(
        lambda connection: [
            str(row)
            for table in ("users", "refresh_tokens")
            for row in connection.execute(text(f"select * from {table}"))
        ]
    )
    everything = "\n".join(stored)
    assert answer["refresh_token"] not in everything
    assert hashlib.sha256(answer["refresh_token"].encode()).hexdigest() in everything
    assert "Secret-77" not in everything
    assert "$argon2id$" in everything


@pytest.mark.clause("token.secret-file")
async def test_the_secret_is_made_at_the_first_start_and_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fan_out: str
):
    monkeypatch.setattr(server_secrets, "data_folder", lambda: tmp_path / "data")
    options: dict[str, Any] = {"fan_out": fan_out, "secret": "", "db": str(tmp_path / "tribe.db")}
    async with running_server(**options) as first:
        ana = await first.person()
        (file,) = (tmp_path / "data").iterdir()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert len(file.read_text().strip()) >= 32
        jwt.decode(
            ana.token, file.read_text().strip(), ["HS256"], options={"verify_exp": False, "verify_iat": False}
        )
    async with running_server(**options) as second, second.dial(ana.token) as socket:
        await socket.hear("connected")


@pytest.mark.clause("token.short-secret")
async def test_a_short_secret_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(ConfigurationError, match="at least 32 bytes"):
        load_server_settings(environ={"TRIBE_WS_SECRET": "x" * 31}, files=())
    monkeypatch.setattr(server_secrets, "data_folder", lambda: tmp_path)
    (tmp_path / "secret").write_text("short")
    (tmp_path / "secret").chmod(0o600)
    settings = load_server_settings(environ={}, files=(), db=str(tmp_path / "tribe.db"))
    with pytest.raises(ConfigurationError, match="shorter than 32 bytes"):
        server_secrets.load_secret(settings)
