"""Probes of subscribing and unsubscribing (contract 3.2)."""

from __future__ import annotations

from uuid import UUID, uuid4

from tribe_ws.check.frames import message, subscribed
from tribe_ws.check.probe import Need, probe
from tribe_ws.check.socket import Socket
from tribe_ws.check.stage import Stage
from tribe_ws.check.verdict import CannotTell, Failed

_PAIR = (Need.SECOND, Need.WRITE)
_STRANGER = (Need.SECOND, Need.THIRD, Need.WRITE)
_ADVICE_ACKNOWLEDGE = 'answer a participant\'s subscribe by {"event":"subscribed","conversation_id":…}'
_NEVER_ACKNOWLEDGED = "this server acknowledges no subscribe at all"
_SPELLINGS = ("{0.hex}", "{{{0}}}", "urn:uuid:{0}", " {0}", "{0} ")


@probe("subscribe.acknowledged", "document.client-subscribe", advice=_ADVICE_ACKNOWLEDGE)
async def subscribe_is_acknowledged(stage: Stage) -> None:
    """Subscribe in the document's own spelling."""
    room = await _readable_room(stage)
    socket = await stage.open(stage.first)
    await socket.send(
        f'{{\n  "event": "subscribe",\n  "channel": "conversation",\n  "conversation_id": "{room}"\n}}'
    )
    await socket.expect(subscribed(room), what=f'"subscribed" for {room}')


@probe("document.server-subscribed", advice='send {"event":"subscribed","conversation_id":…}, nothing else')
async def subscribed_is_spelt_as_documented(stage: Stage) -> None:
    """Compare subscribed with the document's."""
    room = await _readable_room(stage)
    socket = await stage.open(stage.first)
    await socket.say("subscribe", channel="conversation", conversation_id=room)
    frame = await socket.need("subscribed")
    stage.same("the keys of subscribed", list(frame.value), ["event", "conversation_id"])
    stage.same("conversation_id", frame.value["conversation_id"], room)


@probe("subscribe.each-acknowledged", advice="acknowledge every subscribe, also a repeated one")
async def each_subscribe_is_acknowledged(stage: Stage) -> None:
    """Subscribe three times, as the app does after each screen."""
    stage.require(stage.habits.acknowledges, _NEVER_ACKNOWLEDGED)
    room = await _readable_room(stage)
    socket = await stage.open(stage.first)
    await socket.subscribe(room)
    for _ in range(2):
        await socket.say("subscribe", channel="conversation", conversation_id=room)
        await socket.expect(subscribed(room), what='another "subscribed"')


@probe("subscribe.idempotent", needs=_PAIR, advice="keep the subscriptions of a connection as a set")
async def a_message_comes_once_however_often_one_subscribes(stage: Stage) -> None:
    """Count the copies of a message, subscribe twice more, and count again."""
    room = await stage.shared_room()
    socket = await stage.open(stage.second)
    await socket.subscribe(room)
    before = await _copies(stage, socket, room)
    for _ in range(2):
        await socket.say("subscribe", channel="conversation", conversation_id=room)
    await socket.marker()
    after = await _copies(stage, socket, room)
    stage.check(after <= before, f"subscribed three times, {socket.who} got a message {after} times")


async def _copies(stage: Stage, socket: Socket, room: str) -> int:
    """Send a message, and tell how often it comes."""
    words = stage.words()
    await stage.send(stage.first, room, words)
    await socket.need(message(words))
    return 1 + len(await socket.settle(message(words)))


@probe(
    "subscribe.foreign",
    "document.verified",
    needs=_STRANGER,
    advice="look up in the database whether the user is a participant; if not, answer nothing, do nothing",
)
async def a_stranger_is_not_subscribed(stage: Stage) -> None:
    """Subscribe to a conversation of others and to one that is none; then talk in the first."""
    room = await stage.shared_room()
    stranger, listener = await stage.open(stage.third), await stage.open(stage.second)
    await listener.subscribe(room)
    for unknown in (room, str(uuid4())):
        await stranger.say("subscribe", channel="conversation", conversation_id=unknown)
    await stranger.silence(what="no answer to a stranger's subscribe")
    words = stage.words()
    await stage.send(stage.first, room, words)
    await listener.need(message(words))
    await stranger.silence(what="nothing of a conversation of others")


@probe(
    "subscribe.checked-each-time",
    needs=_STRANGER,
    advice="ask the database at every subscribe, and keep no answer",
)
async def participation_is_looked_up_each_time(stage: Stage) -> None:
    """Subscribe as a stranger, then as a participant, then as a former one."""
    stage.require(stage.habits.acknowledges, _NEVER_ACKNOWLEDGED)
    room = await stage.room()
    path = f"/conversations/{room}/participants"
    socket = await stage.open(stage.third)
    await socket.say("subscribe", channel="conversation", conversation_id=room)
    await socket.marker()
    before = bool(socket.unread(subscribed(room)))
    added = await stage.call(stage.first, "POST", path, body={"user_ids": [stage.third.id]})
    stage.require(added.status in {200, 201, 204}, f"nobody could be taken into a group: {added}")
    await socket.say("subscribe", channel="conversation", conversation_id=room)
    if not before:
        await socket.expect(subscribed(room), what='"subscribed" after being taken in')
    removed = await stage.call(stage.first, "DELETE", f"{path}/{stage.third.id}")
    stage.require(removed.status in {200, 204}, f"nobody could be taken out of a group: {removed}")
    stage.require(not before, "strangers are acknowledged too, so nothing is learnt")
    await socket.say("subscribe", channel="conversation", conversation_id=room)
    await socket.silence(subscribed(room), what="no acknowledgement after being taken out")


@probe("subscribe.either-case", advice="take ids in either case, and send them in lower case")
async def capitals_are_taken_and_not_given_back(stage: Stage) -> None:
    """Subscribe with an id in capitals."""
    room = await _readable_room(stage)
    stage.require(room.upper() != room, "this server's ids have no letters")
    stage.require(stage.habits.acknowledges, _NEVER_ACKNOWLEDGED)
    socket = await stage.open(stage.first)
    await socket.say("subscribe", channel="conversation", conversation_id=room.upper())
    frame = await socket.expect(subscribed(room), what='"subscribed" for the id in capitals')
    stage.require(room.lower() in frame.text.lower(), "the acknowledgement does not name the conversation")
    if room not in frame.text:
        raise Failed(f"the id was to come in lower case, and came as {frame.text[:200]}")


@probe("subscribe.one-spelling", needs=_PAIR, advice="take the hyphenated form of an id and no other")
async def other_spellings_are_ignored(stage: Stage) -> None:
    """Subscribe with the id in forms that a lenient parser would take."""
    room = await stage.room()
    socket = await stage.open(stage.second)
    for spelling in _SPELLINGS:
        await socket.say("subscribe", channel="conversation", conversation_id=spelling.format(_as_uuid(room)))
    await socket.silence("subscribed", what="no answer to other spellings of an id")
    words = stage.words()
    await stage.send(stage.first, room, words)
    await socket.silence(message(words), what="no subscription by another spelling of an id")
    await socket.subscribe(room)
    words = stage.words()
    await stage.send(stage.first, room, words)
    await socket.need(message(words))


@probe("subscribe.default-channel", advice="take a subscribe without channel as one to a conversation")
async def a_missing_channel_is_a_conversation(stage: Stage) -> None:
    """Subscribe without a channel."""
    stage.require(stage.habits.acknowledges, _NEVER_ACKNOWLEDGED)
    room = await _readable_room(stage)
    socket = await stage.open(stage.first)
    await socket.say("subscribe", conversation_id=room)
    await socket.expect(subscribed(room), what='"subscribed"')


@probe(
    "subscribe.per-connection",
    needs=(*_PAIR, Need.SEVERAL),
    advice="keep subscriptions by connection, and drop them with it",
)
async def a_subscription_is_of_one_connection(stage: Stage) -> None:
    """Subscribe one connection of a user, and look at another one and at a later one."""
    room = await stage.room()
    listening, other = await stage.open(stage.second), await stage.open(stage.second)
    passing = await stage.open(stage.second)
    for socket in (listening, passing):
        await socket.subscribe(room)
    await passing.close()
    later = await stage.open(stage.second)
    words = stage.words()
    await stage.send(stage.first, room, words)
    await listening.need(message(words))
    for socket in (other, later):
        await socket.silence(message(words), what="nothing on a connection that did not subscribe")


@probe(
    "document.cleaned-up",
    needs=_PAIR,
    advice="drop the subscriptions of a connection when it ends",
)
async def nothing_is_left_of_an_ended_connection(stage: Stage) -> None:
    """Subscribe, go away, come back without subscribing, and hear nothing until one subscribes again."""
    room = await stage.shared_room()
    passing = await stage.open(stage.second)
    await passing.subscribe(room)
    await passing.close()
    socket = await stage.open(stage.second)
    words = stage.words()
    await stage.send(stage.first, room, words)
    await socket.silence(message(words), what="nothing on a connection that did not subscribe")
    await socket.subscribe(room)
    again = stage.words()
    await stage.send(stage.first, room, again)
    await socket.need(message(again))


@probe(
    "unsubscribe.ends",
    "document.subscriptions",
    "document.client-unsubscribe",
    needs=_PAIR,
    advice="send nothing of a conversation to a connection that has unsubscribed from it",
)
async def unsubscribe_ends_it(stage: Stage) -> None:
    """Hear a message, unsubscribe, and hear no second one; another conversation goes on."""
    room, other = await stage.shared_room(), await stage.shared_room()
    socket = await stage.open(stage.second)
    for one in (room, other):
        await socket.subscribe(one)
    heard, unheard, last = stage.words(), stage.words(), stage.words()
    await stage.send(stage.first, room, heard)
    await socket.need(message(heard))
    await socket.send(f'{{"event": "unsubscribe", "conversation_id": "{room}"}}')
    await socket.marker()
    await stage.send(stage.first, room, unheard)
    await stage.send(stage.first, other, last)
    await socket.expect(message(last), what="a message of another conversation, still subscribed")
    await socket.silence(message(unheard), what="nothing after unsubscribe")


@probe("unsubscribe.silent", advice="answer nothing to unsubscribe")
async def unsubscribe_gets_no_answer(stage: Stage) -> None:
    """Unsubscribe, once after a subscribe and once more."""
    room = await _readable_room(stage)
    socket = await stage.open(stage.first)
    await socket.subscribe(room)
    for _ in range(2):
        await socket.say("unsubscribe", conversation_id=room)
    await socket.silence(what="no answer to unsubscribe")


async def _readable_room(stage: Stage) -> str:
    """Give a conversation of the first person; an existing one where none may be made."""
    if stage.visit.consent.write:
        return await stage.shared_room()
    if room := stage.visit.homes.get(stage.first.id):
        return room
    raise CannotTell(f"{stage.first.username} has no conversation, and none may be made")


def _as_uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise CannotTell(f"this server's ids are no UUIDs: {text}") from None
