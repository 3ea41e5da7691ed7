"""Probes of ``message.new``: to whom it goes, what it holds, in which order (contract 3.3)."""

from __future__ import annotations

import asyncio
import itertools
import re
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from tribe_ws.check.frames import Frame, keys, message
from tribe_ws.check.probe import Need, probe
from tribe_ws.check.socket import Socket, texts
from tribe_ws.check.stage import Stage
from tribe_ws.check.verdict import CannotTell, Failed

_PAIR = (Need.SECOND, Need.WRITE)
_DATA = ["id", "conversation_id", "sender", "content", "message_type", "created_at"]
_SENDER = ["id", "username", "full_name", "profile_image_url"]
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_ZONE_STEP = timedelta(minutes=15)
_MANY = 12


@probe(
    "document.real-time",
    "document.message-broadcast",
    "document.test-flow",
    needs=_PAIR,
    advice="send message.new to the subscribers when a message was stored by REST",
)
async def a_message_appears(stage: Stage) -> None:
    """Follow the document's own steps for a test."""
    room = await stage.shared_room()
    socket = await _subscribed(stage, room)
    await _is_heard(stage, room, socket)


@probe(
    "message.every-subscriber",
    needs=(*_PAIR, Need.SEVERAL),
    advice="send message.new to each subscribed connection, not to one of each user",
)
async def every_subscribed_connection_gets_a_message(stage: Stage) -> None:
    """Send before two connections of one user and, where there is one, one of another."""
    others = stage.visit.people[2:3]
    room = await stage.room(stage.second, *others)
    sockets = [await stage.open(person) for person in (stage.second, stage.second, *others)]
    for socket in sockets:
        await socket.subscribe(room)
    await _is_heard(stage, room, *sockets)


@probe(
    "document.sender-excluded",
    "message.not-to-sender",
    needs=_PAIR,
    advice="leave out every connection of the sender",
)
async def the_sender_gets_nothing(stage: Stage) -> None:
    """Send a message before connections of one's own."""
    room = await stage.shared_room()
    own = [await stage.open(stage.first)]
    if stage.habits.keeps_several:
        own.append(await stage.open(stage.first))
    listener = await _subscribed(stage, room)
    for socket in own:
        await socket.subscribe(room)
    words = stage.words()
    await stage.send(stage.first, room, words)
    await listener.need(message(words))
    for socket in own:
        await socket.silence("message.new", what="no message of one's own")


@probe(
    "document.server-message-new",
    "message.keys",
    needs=_PAIR,
    advice="send message.new with exactly the documented keys, in their order",
)
async def message_new_is_spelt_as_documented(stage: Stage) -> None:
    """Compare the keys of message.new, and what they hold, with the document and with the answer to REST."""
    room = await stage.shared_room()
    socket = await _subscribed(stage, room)
    words = stage.words()
    sent = await stage.send(stage.first, room, words)
    frame = await socket.need(message(words))
    stage.same("the keys of message.new", keys(frame.value), ["event", "conversation_id", "data"])
    stage.same("the keys of data", keys(frame.inner), _DATA)
    stage.same("the keys of sender", keys(frame.inner["sender"]), _SENDER)
    stage.same("conversation_id", frame.value["conversation_id"], room)
    stage.same("data.conversation_id", frame.inner["conversation_id"], room)
    stage.same("data.content", frame.inner["content"], words)
    stage.same("sender.id", frame.inner["sender"]["id"], stage.first.id)
    if "id" in sent:
        stage.same("data.id", frame.inner["id"], sent["id"])


@probe("message.once", needs=_PAIR, advice="emit each stored message once")
async def a_message_comes_once(stage: Stage) -> None:
    """Count the copies of three messages."""
    room = await stage.shared_room()
    socket = await _subscribed(stage, room)
    for _ in range(3):
        words = stage.words()
        await stage.send(stage.first, room, words)
        await socket.need(message(words))
        await socket.silence(message(words), what="the message once")


@probe(
    "message.in-order",
    needs=_PAIR,
    takes=2.0,
    advice="emit the messages of a conversation in the order in which they were committed",
)
async def messages_come_in_the_order_of_their_commit(stage: Stage) -> None:
    """Send one after the other, then many at once; compare with the stored order."""
    room = await stage.room()
    socket = await _subscribed(stage, room)
    one_by_one = [await _say(stage, room) for _ in range(4)]
    at_once = await asyncio.gather(*(_say(stage, room) for _ in range(_MANY)))
    last = await _say(stage, room)
    heard = await _contents(socket, {*one_by_one, *at_once, last})
    in_turn = [words for words in heard if words in {*one_by_one, last}]
    stage.same("messages sent one after the other came in the order", in_turn, [*one_by_one, last])
    stored = await _stored(stage, room)
    if stored.index(one_by_one[0]) > stored.index(last):
        stored.reverse()
    stage.same("all messages came in the order", heard, [words for words in stored if words in heard])


@probe("message.after-commit", needs=_PAIR, advice="emit message.new only after the commit")
async def what_is_heard_is_stored(stage: Stage) -> None:
    """Ask for the messages at the moment when one is heard."""
    room = await stage.shared_room()
    socket = await _subscribed(stage, room)
    for _ in range(5):
        words = stage.words()
        sending = asyncio.create_task(stage.send(stage.first, room, words))
        try:
            await socket.need(message(words))
            stored = await _stored(stage, room)
        finally:
            await sending
        if words in stored:
            continue
        if words not in await _stored(stage, room):
            raise CannotTell("the message is not among the newest later either")
        raise Failed("message.new came while the message was not among the stored ones yet")


@probe("document.message-saved", needs=_PAIR, advice="store a message before the call is answered")
async def a_sent_message_is_there(stage: Stage) -> None:
    """Send by REST and read by REST, as somebody else."""
    room = await stage.shared_room()
    words = stage.words()
    await stage.send(stage.first, room, words)
    if words not in await _stored(stage, room):
        raise Failed("the message was answered as sent, and is not among the stored ones")


@probe(
    "message.timestamp",
    needs=_PAIR,
    advice="write created_at in UTC with milliseconds and Z: 2024-01-01T12:00:00.000Z",
)
async def created_at_is_utc_with_milliseconds(stage: Stage) -> None:
    """Look at created_at, and compare it with the server's own clock."""
    room = await stage.shared_room()
    socket = await _subscribed(stage, room)
    words = stage.words()
    path = f"/conversations/{room}/messages"
    answer = await stage.call(stage.first, "POST", path, body={"content": words})
    frame = await socket.need(message(words))
    moment = frame.inner.get("created_at")
    stage.require(isinstance(moment, str), "message.new has no created_at")
    if not _MOMENT.fullmatch(str(moment)):
        raise Failed(f"created_at was to be UTC as 2024-01-01T12:00:00.000Z, and is {moment!r}")
    if stage.habits.is_on_time and (zone := _zone_of(str(moment), answer.headers.get("date", ""))):
        raise Failed(f"created_at ends in Z and is not UTC: {moment} is {zone} from the server's own clock")


@probe(
    "message.increasing",
    needs=_PAIR,
    takes=2.0,
    advice="give a message a created_at later than that of the one before it, by a millisecond at least",
)
async def created_at_increases(stage: Stage) -> None:
    """Send one after the other, then many at once; compare their moments, whatever the order they come in."""
    room = await stage.room()
    socket = await _subscribed(stage, room)
    one_by_one = [await _say(stage, room) for _ in range(3)]
    at_once = await asyncio.gather(*(_say(stage, room) for _ in range(_MANY)))
    heard = {str(one.inner["content"]): one for one in await _firsts(socket, {*one_by_one, *at_once})}
    in_turn = [heard[words] for words in one_by_one]
    alike = sorted(heard.values(), key=_moment)
    for earlier, later in itertools.pairwise(in_turn):
        if _moment(earlier) >= _moment(later):
            raise Failed(f"created_at does not increase: {texts([earlier, later])}")
    for earlier, later in itertools.pairwise(alike):
        if _moment(earlier) == _moment(later):
            raise Failed(f"two messages have the same created_at: {texts([earlier, later])}")


@probe(
    "message.participants-only",
    needs=(*_PAIR, Need.THIRD),
    advice="send a message only to who is a participant at that moment; end subscriptions with participation",
)
async def only_participants_hear(stage: Stage) -> None:
    """Send a message before a stranger who has subscribed, and before somebody who was taken out."""
    foreign, room = await stage.shared_room(), await stage.room(stage.second, stage.third)
    listener, removed = await _subscribed(stage, room), await stage.open(stage.third)
    await removed.say("subscribe", channel="conversation", conversation_id=foreign)
    await removed.subscribe(room)
    unheard, before, after = stage.words(), stage.words(), stage.words()
    await stage.send(stage.first, foreign, unheard)
    await stage.send(stage.first, room, before)
    await removed.need(message(before))
    await removed.silence(message(unheard), what="nothing of a conversation of others")
    path = f"/conversations/{room}/participants/{stage.third.id}"
    answer = await stage.call(stage.first, "DELETE", path)
    stage.require(answer.status in {200, 204}, f"nobody could be taken out of a group: {answer}")
    await stage.send(stage.first, room, after)
    await listener.need(message(after))
    await removed.silence(message(after), what="nothing after being taken out")


async def _subscribed(stage: Stage, room: str) -> Socket:
    """Open a connection of the second person that is subscribed."""
    socket = await stage.open(stage.second)
    await socket.subscribe(room)
    return socket


async def _is_heard(stage: Stage, room: str, *sockets: Socket) -> None:
    words = stage.words()
    await stage.send(stage.first, room, words)
    for socket in sockets:
        await socket.expect(message(words), what="message.new")


async def _say(stage: Stage, room: str) -> str:
    words = stage.words()
    await stage.send(stage.first, room, words)
    return words


def _any_of(words: set[str]) -> Any:
    def is_it(frame: Frame) -> bool:
        return frame.event == "message.new" and frame.inner.get("content") in words

    return is_it


async def _contents(socket: Socket, words: set[str]) -> list[str]:
    """Give the contents of all these messages, in the order in which they came."""
    return [str(frame.inner["content"]) for frame in await _firsts(socket, words)]


async def _firsts(socket: Socket, words: set[str]) -> list[Frame]:
    """Give the first copy of each of these messages, in the order in which they came."""
    left, frames = set(words), list[Frame]()
    while left:
        frames.append(await socket.need(_any_of(left)))
        left.discard(str(frames[-1].inner["content"]))
    return frames


async def _stored(stage: Stage, room: str) -> list[str]:
    """Give the contents of the newest stored messages, as the server orders them."""
    path = f"/conversations/{room}/messages"
    answer = await stage.call(stage.second, "GET", path, query={"limit": 50})
    messages = answer.object.get("messages")
    if not isinstance(messages, list):
        raise CannotTell(f"the stored messages could not be read: {answer}")
    return [str(one.get("content")) for one in messages if isinstance(one, dict)]


def _moment(frame: Frame) -> datetime:
    try:
        return datetime.fromisoformat(str(frame.inner["created_at"]))
    except (KeyError, ValueError):
        raise CannotTell(f"created_at cannot be read: {texts([frame])}") from None


def _zone_of(moment: str, date: str) -> timedelta | None:
    """Tell by how much a moment is off the server's clock, if that is as much as a time zone."""
    try:
        difference = datetime.fromisoformat(moment) - parsedate_to_datetime(date)
    except (ValueError, TypeError):
        return None
    steps = round(difference / _ZONE_STEP)
    is_zone = steps != 0 and abs(difference - steps * _ZONE_STEP) < timedelta(seconds=90)
    return steps * _ZONE_STEP if is_zone and abs(difference) < timedelta(hours=15) else None
