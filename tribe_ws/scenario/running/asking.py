"""Sending over a connection, and waiting for the frame that answers what was sent."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from tribe_ws.client.events import Event
from tribe_ws.durations import format_duration
from tribe_ws.scenario.matchers import Keys, Literal, Matcher
from tribe_ws.scenario.model import ActorStep, Answered
from tribe_ws.scenario.result import StepFailed
from tribe_ws.scenario.running.differing import difference_lines
from tribe_ws.scenario.running.link import Link
from tribe_ws.scenario.running.moment import Moment, compact, shown_briefly, value_of
from tribe_ws.scenario.running.nearest import came_instead, nearest_to
from tribe_ws.scenario.running.watching import until

SENDING = 5.0
"""Seconds within which the server must have read what is sent to it."""


async def subscribe_to(
    step: Answered, moment: Moment, link: Link, conversation_id: str, extra: Mapping[str, Any]
) -> Any:
    """Subscribe to one conversation and give the frame that confirms it."""
    frame = subscription(conversation_id, extra)
    found = await ask(step, moment, link, frame, frame_of("subscribed", conversation_id), "subscribed")
    link.subscribed[conversation_id] = None
    return found


async def ask(
    step: Answered, moment: Moment, link: Link, frame: Mapping[str, Any], wanted: Matcher, name: str
) -> Any:
    """Send a frame and give the one that answers it."""
    since = link.inbox.next_number
    await send_frame(step, moment, link, compact(frame))
    event = await first_frame(link, wanted, moment, since, step.within, by=str(step.place))
    if event is None:
        raise no_answer(step, moment, link, wanted, name)
    return value_of(event)


async def first_frame(
    link: Link, wanted: Matcher, moment: Moment, since: int, within: float, *, by: str
) -> Event | None:
    """Claim the first frame that is wanted and numbered ``since`` or later; ``None`` if none comes."""
    position = since

    def look() -> int | None:
        nonlocal position
        for number, event in link.inbox.unclaimed(position):
            position = number + 1
            if not wanted.differences(value_of(event), moment.variables):
                return number
        return None

    number = await until(link.inbox, within, look, or_end=True)
    return None if number is None else link.inbox.claim([number], by)[0]


def no_answer(step: Answered, moment: Moment, link: Link, wanted: Matcher, name: str) -> StepFailed:
    """Make the error that says that an answer did not come, and what came instead."""
    ending = link.inbox.ending
    near = nearest_to(wanted, link.inbox, moment.variables)
    if ending is None:
        what = f"no {name} came within {format_duration(step.within)}; {came_instead(link.inbox)}"
    else:
        what = f"no {name} came: the connection of {step.connection} ended with {ending}"
    return moment.failure(
        step,
        what,
        details=near.details if near else (),
        nearest=near.event if near else None,
        hint=ending.error.hint if ending is not None and ending.error is not None else "",
        waited=step.within,
    )


async def send_frame(step: ActorStep, moment: Moment, link: Link, frame: str | bytes) -> None:
    """Send a frame as it stands; raises ``StepFailed`` where it cannot go out in time."""
    try:
        async with asyncio.timeout(SENDING):
            await link.settled()
            if not link.is_open:
                ending = link.inbox.ending
                how = f"ended with {ending}" if ending else "was never opened"
                raise moment.failure(step, f"nothing can be sent: the connection of {step.connection} {how}")
            await link.send(frame)
    except TimeoutError:
        raise moment.failure(
            step, f"the server did not read what {step.connection} sent", waited=SENDING
        ) from None


def judge(step: Answered, moment: Moment, answer: Any) -> None:
    """Hold an answer against what the step wants of it, and remember of it what it wants to."""
    if step.answer is not None:
        found = step.answer.differences(answer, moment.variables)
        if found:
            raise moment.failure(
                step, f"the answer is not as wanted: {shown_briefly(answer)}", details=difference_lines(found)
            )
    moment.remember(step, step.captures, answer)


def subscription(conversation_id: str, extra: Mapping[str, Any]) -> dict[str, Any]:
    """Give the frame that subscribes to a conversation."""
    return {"event": "subscribe", "channel": "conversation", "conversation_id": conversation_id, **extra}


def frame_of(event: str, conversation_id: str = "") -> Matcher:
    """Give what an event must be like, and in which conversation it must be if one is named."""
    keys: dict[str, Matcher] = {"event": Literal(event)}
    if conversation_id:
        keys["conversation_id"] = Literal(conversation_id)
    return Keys(keys)
