"""The steps that open and close a connection, with whatever token the scenario wants it to show."""

from __future__ import annotations

import asyncio
from typing import Any

from tribe_ws.scenario.model import ActorStep, Connect, Disconnect, Reconnect
from tribe_ws.scenario.running.asking import first_frame, frame_of, judge, no_answer, subscribe_to
from tribe_ws.scenario.running.link import Link
from tribe_ws.scenario.running.moment import Moment, value_of
from tribe_ws.scenario.running.steering import control_of
from tribe_ws.scenario.tokens import TokenPlan

_TOKEN_EXPIRED = "token_expired"  # noqa: S105 - a reason of the contract


async def connect(step: Connect, moment: Moment) -> None:
    """Open the connection, and wait for ``connected`` where the token is one to be accepted."""
    link = moment.link(step.connection)
    frame = await _open(step, moment, link)
    if frame is not None:
        judge(step, moment, frame)


async def reconnect(step: Reconnect, moment: Moment) -> None:
    """Close the connection, wait, open it again, and subscribe to what it was subscribed to."""
    link = moment.link(step.connection)
    before = list(link.subscribed)
    await link.close()
    await asyncio.sleep(step.after)
    frame = await _open(step, moment, link)
    if frame is None:
        return
    for conversation_id in before if step.resubscribes else ():
        extra: dict[str, Any] = {}
        if step.resumes and conversation_id in link.last_seen:
            extra["after_seq"], extra["epoch"] = link.last_seen[conversation_id]
        await subscribe_to(step, moment, link, conversation_id, extra)
    judge(step, moment, frame)


async def disconnect(step: Disconnect, moment: Moment) -> None:
    """Close the connection, or break it off."""
    link = moment.link(step.connection)
    if step.abrupt:
        await link.break_off()
    else:
        await link.close(step.code, moment.variables.text(step.reason))


async def token_for(plan: TokenPlan, step: ActorStep, moment: Moment) -> str:
    """Give the token that a connection is to show."""
    player = moment.player(step)
    match plan.kind:
        case "own":
            return await player.token()
        case "none":
            return ""
        case "given":
            return moment.variables.text(plan.text)
    return await control_of(step, moment).token(player.user.username, ttl=plan.ttl, broken=plan.broken)


async def _open(step: Connect, moment: Moment, link: Link) -> Any:
    """Open a connection and give the frame ``connected``, or nothing where none is waited for."""
    token = await token_for(step.token, step, moment)
    offers_v2 = moment.offers_v2(step.profile)
    ends_at = asyncio.get_running_loop().time() + step.within
    await link.open(token, offers_v2=offers_v2, within=step.within)
    if not step.token.is_accepted:
        return None
    frame = await _connected(step, moment, link, step.within)
    if frame is None and step.token.kind == "own" and _is_expired(link):
        token = await moment.player(step).renewed_token(token)
        left = max(0.001, ends_at - asyncio.get_running_loop().time())
        await link.open(token, offers_v2=offers_v2, within=left)
        frame = await _connected(step, moment, link, left)
    if frame is None:
        raise no_answer(step, moment, link, frame_of("connected"), "connected")
    if offers_v2 and not link.is_v2:
        raise moment.failure(
            step,
            "the server does not speak tribe.v2: it did not select the subprotocol",
            hint="profile: documented",
        )
    return frame


async def _connected(step: Connect, moment: Moment, link: Link, within: float) -> Any:
    event = await first_frame(link, frame_of("connected"), moment, 0, within, by=str(step.place))
    return None if event is None else value_of(event)


def _is_expired(link: Link) -> bool:
    return link.inbox.ending is not None and link.inbox.ending.reason == _TOKEN_EXPIRED
