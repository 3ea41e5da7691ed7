"""The steps that say something over a connection: subscriptions, typing, presence, pings, and any frame."""

from __future__ import annotations

from tribe_ws.scenario.model import Forget, Ping, Presence, Raw, Subscribe, Typing, Unsubscribe
from tribe_ws.scenario.running.asking import ask, frame_of, judge, send_frame, subscribe_to, subscription
from tribe_ws.scenario.running.moment import Moment, compact


async def subscribe(step: Subscribe, moment: Moment) -> None:
    """Subscribe to each conversation in turn."""
    link = moment.link(step.connection)
    extra = moment.variables.resolve(dict(step.extra))
    frames = []
    for given in step.conversations:
        conversation_id = await moment.conversation_id(given, step)
        if step.confirmed:
            frames.append(await subscribe_to(step, moment, link, conversation_id, extra))
        else:
            await send_frame(step, moment, link, compact(subscription(conversation_id, extra)))
            link.subscribed[conversation_id] = None
    if frames:
        judge(step, moment, frames[0] if len(frames) == 1 else frames)


async def unsubscribe(step: Unsubscribe, moment: Moment) -> None:
    """Unsubscribe from each conversation in turn."""
    link = moment.link(step.connection)
    frames = []
    for given in step.conversations:
        conversation_id = await moment.conversation_id(given, step)
        link.subscribed.pop(conversation_id, None)
        frame = {"event": "unsubscribe", "conversation_id": conversation_id}
        if link.is_v2:
            wanted = frame_of("unsubscribed", conversation_id)
            frames.append(await ask(step, moment, link, frame, wanted, "unsubscribed"))
        else:
            await send_frame(step, moment, link, compact(frame))
    if frames:
        judge(step, moment, frames[0] if len(frames) == 1 else frames)


async def ping(step: Ping, moment: Moment) -> None:
    """Send a ping and wait for its pong."""
    link = moment.link(step.connection)
    judge(step, moment, await ask(step, moment, link, {"event": "ping"}, frame_of("pong"), "pong"))


async def typing(step: Typing, moment: Moment) -> None:
    """Say that one types or no longer does."""
    conversation_id = await moment.conversation_id(step.conversation, step)
    is_typing = moment.variables.resolve(step.is_typing)
    frame = {"event": "typing", "conversation_id": conversation_id, "is_typing": is_typing}
    await send_frame(step, moment, moment.link(step.connection), compact(frame))


async def presence(step: Presence, moment: Moment) -> None:
    """Tell one's status."""
    frame = {"event": "presence", "status": moment.variables.resolve(step.status)}
    await send_frame(step, moment, moment.link(step.connection), compact(frame))


async def raw(step: Raw, moment: Moment) -> None:
    """Send a frame as it stands."""
    frame = moment.variables.resolve(step.frame)
    text = frame if isinstance(frame, str) else compact(frame)
    content = text.encode("utf-8", "surrogatepass") if step.binary else text
    await send_frame(step, moment, moment.link(step.connection), content)


async def forget(step: Forget, moment: Moment) -> None:
    """Empty the inbox."""
    moment.link(step.connection).inbox.forget()
