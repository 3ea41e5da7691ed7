"""The steps that go over REST; an error status fails them, unless the scenario wants it."""

from __future__ import annotations

import asyncio
from urllib.parse import quote

from tribe_ws.durations import format_duration
from tribe_ws.protocol.urls import API_PREFIX
from tribe_ws.scenario.matchers import Matcher
from tribe_ws.scenario.model import Answered, Read, Rest, Send
from tribe_ws.scenario.running.actor import Request
from tribe_ws.scenario.running.asking import judge
from tribe_ws.scenario.running.differing import difference_lines
from tribe_ws.scenario.running.moment import Moment, shown_briefly


async def send(step: Send, moment: Moment) -> None:
    """Send a message."""
    optional = {
        "message_type": step.message_type,
        "reply_to_message_id": step.reply_to,
        "client_message_id": step.client_message_id,
    }
    body = {"content": moment.variables.resolve(step.content)} | {
        name: moment.variables.text(value) for name, value in optional.items() if value is not None
    }
    headers = {}
    if step.idempotency_key is not None:
        headers["Idempotency-Key"] = moment.variables.text(step.idempotency_key)
    path = f"{API_PREFIX}/conversations/{await moment.conversation_id(step.conversation, step)}/messages"
    request = Request("POST", path, body, has_body=True, headers=headers, renews=step.status is None)
    await _call(step, moment, request, step.status)


async def read(step: Read, moment: Moment) -> None:
    """Mark a conversation as read."""
    path = f"{API_PREFIX}/conversations/{await moment.conversation_id(step.conversation, step)}/read"
    request = Request("POST", path, {}, has_body=True, renews=step.status is None)
    await _call(step, moment, request, step.status)


async def rest(step: Rest, moment: Moment) -> None:
    """Make any REST call."""
    request = Request(
        step.method,
        quote(moment.variables.text(step.path), safe="/?&=%:+,@;~!$'()*[]-._"),
        moment.variables.resolve(step.body),
        has_body=step.has_body,
        headers={name: moment.variables.text(value) for name, value in step.headers.items()},
        with_token=step.with_token,
    )
    await _call(step, moment, request, step.status)


async def _call(step: Answered, moment: Moment, request: Request, status: Matcher | None) -> None:
    try:
        async with asyncio.timeout(step.within):
            answer = await moment.player(step).call(request)
    except TimeoutError:
        raise moment.failure(
            step,
            f"no answer to {request.method} {request.path} within {format_duration(step.within)}",
            waited=step.within,
        ) from None
    said = f"{request.method} {request.path} was answered {answer.status}: {shown_briefly(answer.body)}"
    if status is not None:
        if found := status.differences(answer.status, moment.variables, "status"):
            raise moment.failure(step, said, details=difference_lines(found))
    elif answer.status >= 400:
        raise moment.failure(step, said)
    judge(step, moment, answer.body)
