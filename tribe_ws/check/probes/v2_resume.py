"""Probes of catching up, of echoes, and of what v2 hears of others (contract 3.5)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tribe_ws.check.accounts import Person
from tribe_ws.check.frames import Frame, Matcher, keys, message
from tribe_ws.check.probe import Need, probe
from tribe_ws.check.socket import Socket
from tribe_ws.check.stage import Stage
from tribe_ws.check.v2_talk import in_room, open_v2, subscribe
from tribe_ws.check.verdict import CannotTell

_TWO = (Need.SECOND, Need.WRITE)
_MOST_MISSED = 1000
_AT_ONCE = 8
_CUTS = 4
_A_CUT = 10


@probe(
    "v2.resume",
    needs=_TWO,
    advice="answer after_seq and epoch by recovered true, what was missed, then live ones",
)
async def what_was_missed_comes_and_then_what_is_new(stage: Stage) -> None:
    """Hear one message, miss two, come back, and hear a fourth."""
    room, contents = await stage.room(), [stage.words() for _ in range(4)]
    socket, _ = await open_v2(stage, stage.second)
    start = await _subscribe_anew(stage, socket, room)
    await stage.send(stage.first, room, contents[0])
    await socket.need(message(contents[0]))
    await socket.close()
    for content in contents[1:3]:
        await stage.send(stage.first, room, content)
    socket, _ = await open_v2(stage, stage.second)
    data = await subscribe(socket, room, **start.after(1))
    stage.same("recovered", data.get("recovered"), True)
    await stage.send(stage.first, room, contents[3])
    got = [
        (await socket.expect(in_room(room), what="a missed message")).inner.get("content") for _ in range(3)
    ]
    stage.same("the missed messages and the next one", got, contents[1:])
    await socket.silence(in_room(room), what="nothing after what was missed")


@probe(
    "v2.resume-seam", needs=_TWO, takes=3.0, advice="let live messages wait until the missed ones are sent"
)
async def nothing_is_lost_or_doubled_at_the_seam(stage: Stage) -> None:
    """Be cut off again and again while another person sends, and come back each time where one was."""
    room, contents = await stage.room(), [stage.words() for _ in range(_CUTS * _A_CUT)]
    socket, _ = await open_v2(stage, stage.second)
    start = await _subscribe_anew(stage, socket, room)
    sending = asyncio.create_task(_send_all(stage, room, contents))
    seen: list[Any] = []
    try:
        while len(seen) < len(contents):
            for _ in range(_A_CUT):
                frame = await socket.expect(in_room(room), within=2 * stage.pace.deadline)
                seen.append(frame.inner.get("content"))
            stage.same("what came", seen, contents[: len(seen)])
            await socket.cut()
            if len(seen) < len(contents):
                socket, _ = await open_v2(stage, stage.second)
                data = await subscribe(socket, room, **start.after(len(seen)))
                stage.require(data.get("recovered") is True, "the position was not recovered")
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)


@probe(
    "v2.resume-limit",
    needs=(*_TWO, Need.THOROUGH),
    takes=25.0,
    advice="answer recovered false and send nothing again where more than 1,000 were missed",
)
async def too_much_is_not_sent_again(stage: Stage) -> None:
    """Miss 1,001 messages."""
    room = await stage.room()
    socket, _ = await open_v2(stage, stage.second)
    start = await _subscribe_anew(stage, socket, room)
    await socket.close()
    share = ["missed"] * (_MOST_MISSED // _AT_ONCE)
    await asyncio.gather(*(_send_all(stage, room, share) for _ in range(_AT_ONCE)))
    await stage.send(stage.first, room)
    socket, _ = await open_v2(stage, stage.second)
    data = await subscribe(socket, room, **start.after(0))
    stage.same("recovered after 1,001 messages", data.get("recovered"), False)
    await socket.silence(in_room(room), what="nothing that was missed")


@probe(
    "v2.resume-epoch", needs=_TWO, advice="answer recovered false and send nothing again for another epoch"
)
async def another_epoch_is_not_recovered(stage: Stage) -> None:
    """Ask for what came after 0 in an epoch that never was, and in none."""
    room = await stage.room()
    await stage.send(stage.first, room)
    for fields in ({"epoch": "an epoch that never was"}, {}):
        socket, _ = await open_v2(stage, stage.second)
        data = await subscribe(socket, room, after_seq=0, **fields)
        stage.same("recovered", data.get("recovered"), False)
        await socket.silence(in_room(room), what="nothing that was missed")
        await socket.close()


@probe(
    "v2.echo",
    needs=(*_TWO, Need.SEVERAL),
    advice="send the user's own messages to connections with echo, but not to the one that posted them",
)
async def an_echo_goes_to_the_other_connections(stage: Stage) -> None:
    """Post on one of two connections that want an echo, by its X-Connection-Id."""
    room = await stage.room()
    phone, said = await open_v2(stage, stage.first)
    laptop, _ = await open_v2(stage, stage.first)
    for socket in (phone, laptop):
        await subscribe(socket, room, echo=True)
    stage.require(said.get("connection_id"), "connected does not tell its connection_id")
    path, content = f"/conversations/{room}/messages", stage.words()
    headers = {"X-Connection-Id": str(said["connection_id"])}
    answer = await stage.call(stage.first, "POST", path, body={"content": content}, headers=headers)
    stage.require(answer.status == 201, f"a message could not be sent: {answer}")
    await laptop.expect(in_room(room), what="an echo of what another connection posted")
    await phone.silence(in_room(room), what="no echo of its own message")


@probe("v2.no-echo", needs=_TWO, advice="send nobody's own messages to a connection that asked for no echo")
async def without_echo_own_messages_do_not_come(stage: Stage) -> None:
    """Subscribe without echo, and send."""
    room = await stage.room()
    socket, _ = await open_v2(stage, stage.first)
    await subscribe(socket, room)
    await stage.send(stage.first, room)
    await socket.silence(in_room(room), what="no message of one's own")


@probe("v2.presence", needs=_TWO, advice="send presence to connections in v2, whatever the server's profile")
async def presence_reaches_v2(stage: Stage) -> None:
    """Let the first person say something, while the second listens in v2."""
    await stage.room()
    listener, _ = await open_v2(stage, stage.second)
    speaker, _ = await open_v2(stage, stage.first)
    await speaker.say("presence", status="away")
    frame = await listener.expect(_presence_of(stage.first), within=2 * stage.pace.deadline, what="presence")
    wanted = ["user_id", "is_online", "status", "last_seen_at"]
    stage.same("the keys of the data of presence", keys(frame.value.get("data")), wanted)


@probe("v2.read", needs=_TWO, advice="send message.read to connections in v2, whatever the server's profile")
async def reads_reach_v2(stage: Stage) -> None:
    """Let the second person read, while the first listens in v2."""
    room = await stage.room()
    socket, _ = await open_v2(stage, stage.first)
    await subscribe(socket, room)
    await stage.send(stage.first, room)
    answer = await stage.call(stage.second, "POST", f"/conversations/{room}/read")
    stage.require(answer.status == 200, f"the conversation could not be marked as read: {answer}")
    frame = await socket.expect(
        lambda one: one.event == "message.read" and room in one.text, what="message.read"
    )
    stage.same("user_id", frame.inner.get("user_id"), stage.second.id)


@dataclass(frozen=True, slots=True)
class _Start:
    """Where a first subscription began."""

    seq: int
    epoch: str

    def after(self, count: int) -> dict[str, Any]:
        """Give the position after so many more messages."""
        return {"after_seq": self.seq + count, "epoch": self.epoch}


async def _subscribe_anew(stage: Stage, socket: Socket, room: str) -> _Start:
    data = await subscribe(socket, room)
    seq, epoch = data.get("seq"), data.get("epoch")
    if type(seq) is not int or not isinstance(epoch, str):
        raise CannotTell(f"subscribed does not tell where it begins: {data}")
    stage.evidence.note(socket.who, "note", f"it begins at {seq}")
    return _Start(seq, epoch)


async def _send_all(stage: Stage, room: str, contents: Sequence[str]) -> None:
    for content in contents:
        await stage.send(stage.first, room, content)


def _presence_of(person: Person) -> Matcher:
    def is_it(frame: Frame) -> bool:
        return frame.event == "presence" and person.id in frame.text

    return is_it
