"""Probes of who is turned away, and how that is said (contract 3.1).

A server may also refuse the upgrade with 401 and the reason in a JSON body; then the reasons are read there.
"""

from __future__ import annotations

import base64
import json
from typing import Any

from tribe_ws.check.probe import Need, probe
from tribe_ws.check.socket import Close, Refusal
from tribe_ws.check.stage import Stage
from tribe_ws.check.verdict import CannotTell, Failed, Skipped

_UNAUTHORISED = 401
_REFUSED = 4401


@probe("document.token-required", advice="turn away whoever brings no valid access token")
async def nobody_gets_in_without_a_token(stage: Stage) -> None:
    """Knock without a token, and with one that is none."""
    await stage.open(stage.first)
    for query in ("", "token=nonsense"):
        socket = await stage.dial(query=query)
        if isinstance(socket, Refusal):
            continue
        if await socket.end() is None:
            if not socket.unread("connected"):
                await socket.marker()
            raise Failed(f"a connection with the query {query!r} was let in")


@probe(
    "connect.accepted-then-closed",
    advice="accept the upgrade, then close with 4401 and the reason: a browser sees no HTTP status",
)
async def a_bad_token_is_accepted_then_closed(stage: Stage) -> None:
    """Bring a token that is none, and look at what comes before the end."""
    socket = await stage.dial(query="token=nonsense")
    if isinstance(socket, Refusal):
        if _reason_in(socket):
            raise CannotTell(f"it refuses by {socket} instead, as a hardened server may")
        raise Failed(f"the upgrade was to be accepted, and got {socket}")
    if await socket.end() is None:
        await (await stage.open(stage.first)).marker()
        raise Failed("the connection was to be closed, and stays open")
    if socket.frames:
        raise Failed(f"nothing was to come before the close, and came {socket.frames[0].text[:200]}")


@probe("connect.reject-http", advice="answer the upgrade with 401 and a JSON body that holds detail")
async def a_hardened_server_says_it_in_http(stage: Stage) -> None:
    """Look at the refusal of the upgrade, where this server refuses it."""
    refusal = await stage.dial(query="token=nonsense")
    if not isinstance(refusal, Refusal) or refusal.status != _UNAUTHORISED:
        raise Skipped("is about servers that refuse the upgrade with 401; this one does not")
    if not _reason_in(refusal):
        raise Failed(f"the body was to be JSON with detail, and is {refusal.body[:200]!r}")


@probe("connect.token-missing", advice="close with 4401 token_missing")
async def no_token_is_told_so(stage: Stage) -> None:
    """Come without a token, with an empty one, and with another parameter."""
    for query in ("", "token=", "other=1"):
        await _is_turned_away(stage, query, "token_missing")


@probe("connect.token-malformed", advice="close with 4401 token_invalid")
async def a_malformed_token_is_told_so(stage: Stage) -> None:
    """Come with texts that are no tokens."""
    for query in ("token=nonsense", "token=a.b.c", "token=%00"):
        await _is_turned_away(stage, query, "token_invalid")


@probe("connect.token-signature", advice="check the signature, and close with 4401 token_invalid")
async def a_forged_token_is_refused(stage: Stage) -> None:
    """Come with a good token whose signature is another one."""
    head, body, signature = _parts(stage.first.token)
    forged = f"{head}.{body}.{_flipped(signature)}"
    await _is_turned_away(stage, f"token={forged}", "token_invalid")


@probe(
    "connect.token-algorithm",
    advice="never take the algorithm from the token; close with 4401 token_invalid",
)
async def an_unsigned_token_is_refused(stage: Stage) -> None:
    """Come with a good token's claims, unsigned and honest about it."""
    _, body, signature = _parts(stage.first.token)
    for algorithm in ("none", "nOnE"):
        await _is_turned_away(stage, f"token={_head(algorithm)}.{body}.", "token_invalid")
    await _is_turned_away(stage, f"token={_head('HS384')}.{body}.{signature}", "token_invalid")


@probe("connect.token-type", advice="take access tokens only; close a refresh token with 4401 token_type")
async def a_refresh_token_is_refused(stage: Stage) -> None:
    """Come with the refresh token of the login."""
    if not stage.first.refresh_token:
        raise CannotTell("the login gave no refresh token")
    await _is_turned_away(stage, f"token={stage.first.refresh_token}", "token_type")


@probe("connect.token-expired", needs=(Need.CONTROL,), advice="close with 4401 token_expired")
async def an_expired_token_is_told_so(stage: Stage) -> None:
    """Come with a token that has ended."""
    await _minted_is_turned_away(stage, "expired", "token_expired")


@probe("connect.token-not-yet", needs=(Need.CONTROL,), advice="heed nbf; close with 4401 token_invalid")
async def a_token_of_tomorrow_is_refused(stage: Stage) -> None:
    """Come with a token whose time has not come."""
    await _minted_is_turned_away(stage, "not-yet", "token_invalid")


@probe("connect.user-unknown", needs=(Need.CONTROL,), advice="close with 4401 user_unknown")
async def a_token_of_nobody_is_told_so(stage: Stage) -> None:
    """Come with a good token of a user who is not there."""
    await _minted_is_turned_away(stage, "unknown-user", "user_unknown")


async def _minted_is_turned_away(stage: Stage, broken: str, reason: str) -> None:
    token = await stage.control.token(stage.first.username, broken=broken)
    await _is_turned_away(stage, f"token={token}", reason)


async def _is_turned_away(stage: Stage, query: str, reason: str) -> None:
    socket = await stage.dial(query=query)
    if isinstance(socket, Refusal):
        said = _reason_in(socket)
        if said is None:
            raise CannotTell(f"it refuses by {socket}, before any reason could be told")
        stage.same("the reason", said, reason)
        return
    close = await socket.end()
    if close is None:
        await (await stage.open(stage.first)).marker()
        raise Failed(f"the connection was to be closed with {_REFUSED} {reason}, and stays open")
    stage.same("the close", str(close), str(Close(_REFUSED, reason)))


def _reason_in(refusal: Refusal) -> str | None:
    """Give the reason in a 401 with a JSON body; ``None`` where it is none."""
    if refusal.status != _UNAUTHORISED:
        return None
    try:
        body: Any = json.loads(refusal.body)
    except ValueError:
        return None
    detail = body.get("detail") if isinstance(body, dict) else None
    return detail if isinstance(detail, str) else None


def _parts(token: str) -> tuple[str, str, str]:
    parts = token.split(".")
    if len(parts) != 3:
        raise CannotTell("the access token of the login is no JWT")
    return parts[0], parts[1], parts[2]


def _flipped(signature: str) -> str:
    # The first character holds six whole bits, whatever the length; the last one may hold fewer.
    return ("B" if signature[:1] == "A" else "A") + signature[1:]


def _head(algorithm: str) -> str:
    head = json.dumps({"alg": algorithm, "typ": "JWT"}).encode()
    return base64.urlsafe_b64encode(head).decode().rstrip("=")
