"""Probes of presence and reads as the shipped app sees them (contract 3.4, profile app)."""

from __future__ import annotations

import asyncio
import time

from tribe_ws.check.accounts import Person
from tribe_ws.check.frames import Frame, Matcher, keys
from tribe_ws.check.probe import Need, probe
from tribe_ws.check.rest_answers import objects, register, sequence
from tribe_ws.check.socket import Socket
from tribe_ws.check.stage import Stage
from tribe_ws.check.verdict import CannotTell
from tribe_ws.protocol.frames import MessageRead, Presence, PresenceChanged, ReadMark

_TWO = (Need.SECOND, Need.WRITE)
_DELAY = 3.0
"""Seconds after a user's last socket closed before that is told."""
_SOON = _DELAY - 1.0
"""Seconds within which somebody who comes back was surely never gone."""
_LONGEST_PAGE = 100


@probe(
    "presence.shape",
    needs=_TWO,
    alone=True,
    advice="send presence with the keys event and data; data has user_id, is_online, status, last_seen_at",
)
async def presence_has_its_keys(stage: Stage) -> None:
    """Look at the keys of presence after the first person said something."""
    await stage.room()
    listener, speaker = await stage.open(stage.second), await stage.open(stage.first)
    await speaker.say("presence", status="away")
    frame = await listener.need(_of(stage.first), within=_patient(stage), what="presence")
    stage.same("the keys of presence", list(frame.value), list(PresenceChanged.model_fields))
    stage.same("the keys of its data", keys(frame.value["data"]), list(Presence.model_fields))
    data = frame.inner
    stage.check(isinstance(data["is_online"], bool), f"is_online is no boolean: {frame.text}")
    stage.check(data["status"] in {"online", "away", "offline"}, f"no such status: {frame.text}")
    seen = data["last_seen_at"]
    stage.check(seen is None or str(seen).endswith("Z"), f"last_seen_at is no moment in UTC: {frame.text}")


@probe(
    "presence.first-socket",
    needs=_TWO,
    alone=True,
    takes=5.0,
    advice="tell those who share a conversation with a user when the user's first socket opens",
)
async def the_first_socket_is_told(stage: Stage) -> None:
    """Wait until the first person is offline, then open a socket of theirs."""
    listener = await _listen(stage)
    await stage.open(stage.first)
    await listener.expect(
        _of(stage.first, True), within=_patient(stage), what=f"presence: {stage.first.username} is online"
    )


@probe(
    "presence.last-socket",
    needs=_TWO,
    alone=True,
    takes=8.0,
    advice="tell it when a user's last socket is closed for some seconds",
)
async def the_last_socket_is_told(stage: Stage) -> None:
    """Open a socket of the first person and close it."""
    listener = await _listen(stage)
    speaker = await stage.open(stage.first)
    await speaker.say("presence", status="online")
    await listener.settle(_of(stage.first))
    await speaker.close()
    await listener.expect(
        _of(stage.first, False),
        within=_DELAY + 2 * stage.pace.deadline,
        what=f"presence: {stage.first.username} is offline",
    )


@probe(
    "presence.returning",
    needs=_TWO,
    alone=True,
    takes=10.0,
    advice="wait 3 s after a user's last socket closed before saying that the user is offline",
)
async def whoever_returns_was_never_offline(stage: Stage) -> None:
    """Close the first person's only socket and open another one at once."""
    listener = await _listen(stage)
    speaker = await stage.open(stage.first)
    await listener.settle(_of(stage.first))
    left = time.monotonic()
    await speaker.close()
    await stage.open(stage.first)
    if time.monotonic() - left > _SOON:
        raise CannotTell("the person could not come back soon enough; a quicker connection may help")
    await listener.silence(
        _of(stage.first, False), lasting=_DELAY + 1.0, what="no word of somebody who came back at once"
    )


@probe(
    "presence.said",
    needs=_TWO,
    alone=True,
    advice="pass on what a client says of its user's presence, also that the user is offline",
)
async def what_a_client_says_is_told(stage: Stage) -> None:
    """Let the first person say each status."""
    await stage.room()
    listener, speaker = await stage.open(stage.second), await stage.open(stage.first)
    await listener.settle(_of(stage.first))
    for status, is_online in (("away", True), ("offline", False), ("online", True)):
        await speaker.say("presence", status=status)
        await listener.expect(
            _says(stage.first, status, is_online),
            within=_patient(stage),
            what=f"presence: {stage.first.username} is {status}",
        )


@probe(
    "presence.shared",
    needs=(*_TWO, Need.THIRD),
    alone=True,
    advice="send presence only to those who share a conversation with the user",
)
async def nobody_else_is_told(stage: Stage) -> None:
    """Let the first person say something, while a friend and a stranger listen."""
    await stage.room()
    stranger = await _stranger(stage)
    friend, outsider = await stage.open(stage.second), await stage.open(stranger)
    speaker = await stage.open(stage.first)
    await friend.settle(_of(stage.first))
    await speaker.say("presence", status="away")
    await friend.need(_of(stage.first), within=_patient(stage), what="presence")
    await outsider.silence(_of(stage.first), what="no presence of somebody they share nothing with")


@probe(
    "presence.not-to-oneself",
    needs=(*_TWO, Need.SEVERAL),
    alone=True,
    advice="leave out all connections of the user whose presence it is",
)
async def nobody_is_told_of_oneself(stage: Stage) -> None:
    """Let the first person say something on one of two sockets."""
    await stage.room()
    listener, speaker = await stage.open(stage.second), await stage.open(stage.first)
    other = await stage.open(stage.first)
    await listener.settle(_of(stage.first))
    await speaker.say("presence", status="away")
    await listener.need(_of(stage.first), within=_patient(stage), what="presence")
    for socket in (speaker, other):
        await socket.silence(_of(stage.first), what="no presence of oneself")


@probe(
    "read.shape",
    needs=_TWO,
    advice="send message.read with user_id, read_at and last_read_message_id after a read",
)
async def a_read_is_told(stage: Stage) -> None:
    """Let the second person read what the first one wrote, who listens."""
    room = await stage.room()
    socket = await stage.open(stage.first)
    await socket.subscribe(room)
    sent = await stage.send(stage.first, room)
    answer = await stage.call(stage.second, "POST", f"/conversations/{room}/read")
    stage.require(answer.status == 200, f"the conversation could not be marked as read: {answer}")
    frame = await socket.expect("message.read", what="message.read after a read")
    stage.same("the keys of message.read", list(frame.value), list(MessageRead.model_fields))
    stage.same("the keys of its data", keys(frame.value["data"]), list(ReadMark.model_fields))
    stage.same("conversation_id", frame.value["conversation_id"], room)
    stage.same("user_id", frame.inner["user_id"], stage.second.id)
    stage.same("last_read_message_id", frame.inner["last_read_message_id"], sent.get("id"))


def _of(person: Person, is_online: bool | None = None) -> Matcher:
    """Match presence of a person, in that state or any."""

    def is_it(frame: Frame) -> bool:
        is_meant = frame.event == "presence" and person.id in frame.text
        return is_meant and (is_online is None or frame.inner.get("is_online") is is_online)

    return is_it


def _says(person: Person, status: str, is_online: bool) -> Matcher:
    is_right = _of(person, is_online)
    return lambda frame: is_right(frame) and frame.inner.get("status") == status


def _patient(stage: Stage) -> float:
    """Presence may take its time: it goes through the database, and waits for its turn."""
    return 2 * stage.pace.deadline


async def _listen(stage: Stage) -> Socket:
    """Open a socket of the second person, and wait until the first one is offline."""
    await stage.room()
    listener = await stage.open(stage.second)
    deadline = time.monotonic() + _DELAY + 2 * stage.pace.deadline
    while await _is_online(stage):
        if time.monotonic() > deadline:
            raise CannotTell(
                f"{stage.first.username} stays online, though the check has no connection of theirs"
            )
        await asyncio.sleep(0.25)
    await listener.settle(_of(stage.first))
    return listener


async def _is_online(stage: Stage) -> bool:
    answer = await stage.call(stage.second, "GET", f"/users/{stage.first.id}")
    if answer.status != 200 or not isinstance(answer.object.get("is_online"), bool):
        raise CannotTell(f"the server does not tell who is online: {answer}")
    return bool(answer.object["is_online"])


async def _stranger(stage: Stage) -> Person:
    """Find somebody who shares no conversation with the first person, or make such an account."""
    query = {"page": 1, "limit": _LONGEST_PAGE}
    answer = await stage.call(stage.first, "GET", "/conversations", query=query)
    shared = [
        one
        for one in sequence(answer.object, "conversations")
        if stage.third.id in [person.get("user_id") for person in objects(one.get("participants"))]
    ]
    if not shared:
        return stage.third
    if not stage.visit.consent.register:
        raise CannotTell(f"{stage.third.username} shares a conversation with {stage.first.username}")
    return await register(stage)
