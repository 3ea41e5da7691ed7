"""Probes of renewing a token on a live connection (contract 3.5)."""

from __future__ import annotations

import time

from tribe_ws.check.probe import Need, probe
from tribe_ws.check.rest_answers import log_in
from tribe_ws.check.stage import Stage
from tribe_ws.check.v2_talk import errors, open_v2
from tribe_ws.protocol.frames_v2 import EXPIRY_NOTICE, TokenLife

_NOTICE = EXPIRY_NOTICE
_LEFT = 3.0


@probe("v2.auth", advice="take auth with a token of the same user, and answer authenticated with expires_at")
async def a_token_is_renewed_in_band(stage: Stage) -> None:
    """Send a fresh token on a live connection."""
    token = (await log_in(stage, stage.first)).access_token if stage.first.password else stage.first.token
    socket, _ = await open_v2(stage, stage.first)
    await socket.say("auth", token=token)
    frame = await socket.expect(lambda one: one.event in {"authenticated", "error"}, what="authenticated")
    stage.same("the answer to auth", frame.event, "authenticated")
    stage.same("the keys of its data", list(frame.inner), list(TokenLife.model_fields))
    stage.check(str(frame.inner["expires_at"]).endswith("Z"), f"expires_at is no moment in UTC: {frame.text}")
    await socket.lives_on()


@probe(
    "v2.auth-refused",
    needs=[Need.SECOND],
    advice="answer auth with a bad token, or one of another user, by error, and keep the connection",
)
async def a_token_that_does_not_fit_changes_nothing(stage: Stage) -> None:
    """Send rubble, and then another person's token."""
    socket, _ = await open_v2(stage, stage.first)
    for name, token in (("rubble", "rubble"), ("another user's token", stage.second.token)):
        await socket.say("auth", token=token)
        frame = await socket.expect(
            lambda one: one.event in {"authenticated", "error"}, what=f"error for auth with {name}"
        )
        stage.check(errors()(frame), f"auth with {name} got {frame.text}")
    await socket.lives_on()


@probe(
    "v2.token-expiring",
    needs=[Need.CONTROL, Need.TIME],
    takes=5.0,
    advice="send token.expiring 60 s before the end of the connection's token",
)
async def the_end_of_a_token_is_announced(stage: Stage) -> None:
    """Connect with a token that ends in a little more than a minute."""
    asked = time.monotonic()
    token = await stage.control.token(stage.first.id, ttl=_NOTICE + _LEFT)
    socket, welcome = await open_v2(stage, stage.first, token=token)
    frame = await socket.expect(
        "token.expiring",
        within=_LEFT + 2 * stage.pace.deadline,
        what="token.expiring a minute before the end",
    )
    # Tokens count whole seconds, so one of them may be lost.
    stage.check(frame.at - asked > _LEFT - 1.5, f"it came {frame.at - asked:.1f} s after the token was made")
    ends = welcome.get("expires_at")
    stage.same("expires_at", frame.inner.get("expires_at"), ends or frame.inner.get("expires_at"))


@probe(
    "v2.token-expires",
    needs=[Need.CONTROL, Need.TIME],
    takes=4.0,
    advice="close a connection whose token was not renewed: 4401 token_expired",
)
async def a_token_that_is_not_renewed_ends_the_connection(stage: Stage) -> None:
    """Connect with a token that ends soon, and wait."""
    settings = (await stage.control.info()).get("settings", {})
    stage.require(settings.get("on_expiry") != "ignore", "the server was told to ignore the end of tokens")
    token = await stage.control.token(stage.first.id, ttl=2)
    socket, _ = await open_v2(stage, stage.first, token=token)
    ending = await socket.end(within=_LEFT + 2 * stage.pace.deadline)
    got = (ending.code, ending.reason) if ending else None
    stage.same("the end of the connection", got, (4401, "token_expired"))
