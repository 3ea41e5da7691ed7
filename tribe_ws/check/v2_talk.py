"""What probes of ``tribe.v2`` need again and again: a connection that speaks it, and answers by their ref."""

from __future__ import annotations

from typing import Any

from tribe_ws.check.accounts import Person
from tribe_ws.check.frames import Matcher, subscribed
from tribe_ws.check.socket import Refusal, Socket
from tribe_ws.check.stage import Stage
from tribe_ws.check.verdict import CannotTell
from tribe_ws.protocol.profiles import SUBPROTOCOL_V2

OFFER = (SUBPROTOCOL_V2,)


async def open_v2(stage: Stage, person: Person, *, token: str = "") -> tuple[Socket, dict[str, Any]]:
    """Open a connection in v2, as a precondition; gives it and what its ``connected`` tells."""
    socket = await stage.dial(token=token or person.token, who=person, subprotocols=OFFER)
    if isinstance(socket, Refusal):
        raise CannotTell(f"the server refused the connection of {person.username}: {socket}")
    stage.require(socket.subprotocol == SUBPROTOCOL_V2, "the server does not select tribe.v2")
    greeting = await socket.hear("connected") if stage.habits.greets else None
    return socket, greeting.inner if greeting else {}


async def subscribe(socket: Socket, room: str, **fields: Any) -> dict[str, Any]:
    """Subscribe in v2, as a precondition, and give the data of the answer."""
    await socket.say("subscribe", channel="conversation", conversation_id=room, **fields)
    frame = await socket.need(subscribed(room), what=f'"subscribed" for {room}')
    return frame.inner


def errors(code: str = "") -> Matcher:
    """Match ``error``, with that code or any."""
    return lambda frame: frame.event == "error" and (not code or frame.inner.get("code") == code)


def in_room(room: str) -> Matcher:
    """Match messages of one conversation."""
    return lambda frame: frame.event == "message.new" and room in frame.text
