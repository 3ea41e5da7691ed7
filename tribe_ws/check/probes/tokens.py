"""Probes of tokens: what the server's own say, and which are refused (contract 4).

Tokens signed with the server's own secret can be made by its control API only; tokens signed otherwise can
be made by anybody, and must be refused.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import time
from typing import Any

from tribe_ws.check.probe import Need, probe, unjudged
from tribe_ws.check.rest_answers import log_in
from tribe_ws.check.socket import Refusal, Socket
from tribe_ws.check.stage import Stage
from tribe_ws.check.verdict import CannotTell

_HOUR = 3600
_MONTH = 30 * 86400
_LEEWAY = 5.0
_GUESSES = ("", "secret", "changeme", "your-secret-key", "your-secret-key-here-change-in-production")
_DIGESTS = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}

unjudged(
    {
        "token.refresh-hashed": "how a server stores refresh tokens cannot be seen from outside",
        "token.secret-file": "where a server keeps its secret cannot be seen from outside",
        "token.short-secret": "with which secrets a server starts cannot be seen from outside",
        "token.argon2id": "how a server stores passwords cannot be seen from outside",
    }
)


@probe(
    "token.access-claims",
    advice="put sub, type access, iat, exp, jti, username and email into an access token",
)
async def an_access_token_says_who_it_is_for(stage: Stage) -> None:
    """Read the claims of a fresh access token."""
    token = (await log_in(stage, stage.first)).access_token
    header, claims = _parts(stage, token, "access token")
    stage.same("alg", header.get("alg"), "HS256")
    wanted = {"sub", "type", "iat", "exp", "jti", "username", "email"}
    stage.same("the claims of an access token", sorted(claims), sorted(wanted))
    stage.same("sub and type", [claims["sub"], claims["type"]], [stage.first.id, "access"])
    stage.same("username", claims["username"], stage.first.username)


@probe("token.access-life", advice="let an access token live 60 minutes")
async def an_access_token_lives_an_hour(stage: Stage) -> None:
    """Compare exp with iat in a fresh access token."""
    _lives(stage, (await log_in(stage, stage.first)).access_token, "access token", _HOUR)


@probe("token.refresh-claims", advice="put sub, type refresh, token_id, iat and exp into a refresh token")
async def a_refresh_token_says_who_it_is_for(stage: Stage) -> None:
    """Read the claims of a fresh refresh token."""
    _, claims = _parts(stage, (await log_in(stage, stage.first)).refresh_token, "refresh token")
    wanted = {"sub", "type", "token_id", "iat", "exp"}
    stage.same("the claims of a refresh token", sorted(claims), sorted(wanted))
    stage.same("sub and type", [claims["sub"], claims["type"]], [stage.first.id, "refresh"])


@probe("token.refresh-life", advice="let a refresh token live 30 days")
async def a_refresh_token_lives_a_month(stage: Stage) -> None:
    """Compare exp with iat in a fresh refresh token."""
    _lives(stage, (await log_in(stage, stage.first)).refresh_token, "refresh token", _MONTH)


@probe(
    "token.algorithm-fixed", advice="fix the list of algorithms in the code, and never take it from the token"
)
async def no_other_algorithm_is_taken(stage: Stage) -> None:
    """Forge tokens: unsigned, of other algorithms, with their own key, and with secrets one can guess."""
    stage.require(_is_jwt(stage.first.token), "the server's tokens are no JWT, and name no algorithm")
    header, claims = _parts(stage, stage.first.token, "access token")
    for name, token in _forgeries(header, claims):
        answer = await stage.call(None, "GET", "/auth/me", token=token)
        stage.check(answer.status != 200, f"a forged token is taken: {name}")


@probe("token.required-claims", needs=[Need.CONTROL], advice="demand exp, iat, sub and type in each token")
async def a_token_without_a_subject_is_refused(stage: Stage) -> None:
    """Have the server sign a token without sub, and use it."""
    token = await stage.control.token(stage.first.id, broken="no-sub")
    answer = await stage.call(None, "GET", "/auth/me", token=token)
    stage.check(answer.status == 401, f"a token without sub: wanted HTTP 401, got {answer}")


@probe(
    "token.leeway",
    needs=[Need.CONTROL, Need.TIME],
    advice="accept a token up to 5 s after its exp, and no longer",
    takes=8.0,
)
async def a_token_is_accepted_five_seconds_longer(stage: Stage) -> None:
    """Use a token shortly after its end, and again when five seconds have passed."""
    before = time.time()
    token = await stage.control.token(stage.first.id, ttl=1)
    _, claims = _parts(stage, token, "access token")
    ends = float(claims["exp"])
    stage.require(abs(ends - before - 1) < 2, "the server's clock is not ours")
    await asyncio.sleep(max(0.0, ends + 0.5 - time.time()))
    answer = await stage.call(None, "GET", "/auth/me", token=token)
    if answer.status != 200 and time.time() > ends + _LEEWAY - 0.5:
        raise CannotTell("the server answered too slowly to tell")
    stage.check(answer.status == 200, f"half a second after its end: wanted HTTP 200, got {answer}")
    await asyncio.sleep(max(0.0, ends + _LEEWAY + 1.2 - time.time()))
    answer = await stage.call(None, "GET", "/auth/me", token=token)
    stage.check(answer.status == 401, f"six seconds after its end: wanted HTTP 401, got {answer}")


@probe(
    "token.two-parameters", advice="refuse an upgrade with two token parameters, also where they are alike"
)
async def two_token_parameters_are_refused(stage: Stage) -> None:
    """Open a connection with the same good token twice, and with a good and an empty one."""
    token = stage.first.token
    for query in (f"token={token}&token={token}", f"token={token}&token="):
        await _is_refused(stage, await stage.dial(query=query, who=stage.first), "two token parameters")


@probe(
    "token.query-and-header",
    needs=[Need.SECOND],
    advice="refuse an upgrade whose query and Authorization header hold two different tokens",
)
async def a_query_and_a_header_that_differ_are_refused(stage: Stage) -> None:
    """Open a connection with two people's tokens, and with one token in both places."""
    both = {"Authorization": f"Bearer {stage.second.token}"}
    socket = await stage.dial(token=stage.first.token, headers=both, who=stage.first)
    await _is_refused(stage, socket, "a query and a header that differ")
    alike = {"Authorization": f"Bearer {stage.first.token}"}
    socket = await stage.dial(token=stage.first.token, headers=alike, who=stage.first)
    if isinstance(socket, Refusal):
        stage.fail(f"a query and a header that are alike are refused: {socket}")
    await socket.lives_on()


async def _is_refused(stage: Stage, socket: Socket | Refusal, what: str) -> None:
    if isinstance(socket, Refusal):
        return
    if await socket.end() is None:
        await socket.lives_on()
        stage.fail(f"{what}: the connection was accepted and lives")
    stage.check(not socket.unread("connected"), f"{what}: the connection was greeted before it was closed")


def _lives(stage: Stage, token: str, what: str, seconds: int) -> None:
    stage.require(_is_jwt(token), f"the {what} is no JWT, and does not tell its life")
    _, claims = _parts(stage, token, what)
    born, ends = claims.get("iat"), claims.get("exp")
    stage.check(
        isinstance(born, int | float) and isinstance(ends, int | float), f"the {what} has no iat and exp"
    )
    life = float(ends or 0) - float(born or 0)
    stage.check(abs(life - seconds) <= 1, f"the life of the {what}: wanted {seconds} s, got {life:g} s")


def _is_jwt(token: str) -> bool:
    return token.count(".") == 2


def _parts(stage: Stage, token: str, what: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read a token's header and claims, without judging its signature."""
    parts = token.split(".")
    stage.check(len(parts) == 3, f"the {what} is no JWT")
    try:
        header, claims = (json.loads(base64.urlsafe_b64decode(part + "==")) for part in parts[:2])
    except ValueError:
        stage.fail(f"the {what} is no JWT")
    stage.check(isinstance(header, dict) and isinstance(claims, dict), f"the {what} is no JWT")
    return header, claims


def _forgeries(header: dict[str, Any], claims: dict[str, Any]) -> list[tuple[str, str]]:
    forged = [
        (f"alg {name}, unsigned", _sign({"alg": name, "typ": "JWT"}, claims, ""))
        for name in ("none", "None", "NONE")
    ]
    for algorithm in _DIGESTS:
        secret = "a secret which no server has" * 2
        forged.append((f"{algorithm}, another secret", _sign({**header, "alg": algorithm}, claims, secret)))
    key = base64.urlsafe_b64encode(b"a key of one's own" * 2).rstrip(b"=").decode()
    own = {"alg": "HS256", "typ": "JWT", "jwk": {"kty": "oct", "k": key}, "kid": "../../dev/null"}
    forged.append(("a key of its own in its header", _sign(own, claims, "a key of one's own" * 2)))
    forged += [(f"the secret {guess!r}", _sign(header, claims, guess)) for guess in _GUESSES]
    return forged


def _sign(header: dict[str, Any], claims: dict[str, Any], secret: str) -> str:
    signed = ".".join(_encode(json.dumps(part).encode()) for part in (header, claims))
    digest = _DIGESTS.get(str(header.get("alg")))
    return f"{signed}.{_encode(hmac.digest(secret.encode(), signed.encode(), digest)) if digest else ''}"


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
