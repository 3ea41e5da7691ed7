"""Probes of the way in: the address, the first frame, headers, and several connections (contract 3, 3.1)."""

from __future__ import annotations

import json

from tribe_ws.check.frames import Frame, message
from tribe_ws.check.probe import Need, probe
from tribe_ws.check.socket import Refusal, Socket
from tribe_ws.check.stage import Stage
from tribe_ws.check.verdict import CannotTell, Failed, Skipped

_GREETING = "WebSocket connection established"
_LOCAL_ORIGINS = ("http://localhost", "http://localhost:5173", "https://127.0.0.1", "http://192.168.0.7:3000")
_FOREIGN_ORIGINS = ("https://evil.test", "http://localhost.evil.test", "null")


@probe(
    "document.url",
    "document.api-version",
    "document.scheme",
    "document.final-url",
    advice="serve the WebSocket at /api/v1/ws, at the host and port of the REST calls",
)
async def the_endpoint_is_where_the_document_has_it(stage: Stage) -> None:
    """Ask for an upgrade at the documented address."""
    socket = await stage.dial(token=stage.first.token, who=stage.first)
    if isinstance(socket, Refusal) and socket.status not in {401, 403, 421, 429}:
        raise Failed(f"{stage.address.socket_url} was to answer 101, and answered {socket}")


@probe("document.authentication", advice="take the access token of a login from the query parameter token")
async def a_token_in_the_query_is_enough(stage: Stage) -> None:
    """Connect with nothing but the token in the query."""
    socket = await stage.dial(token=stage.first.token, who=stage.first)
    if isinstance(socket, Refusal):
        raise Failed(f"a fresh access token was refused: {socket}")
    await socket.lives_on()


@probe(
    "connect.connected-first",
    advice='send {"event":"connected",…} to each accepted connection, before anything else',
)
async def connected_comes_first(stage: Stage) -> None:
    """Look at the first frame of a connection which says something as soon as it may."""
    socket = await _let_in(stage)
    await socket.say("ping")
    frame = await socket.hear(_anything)
    if frame is None:
        await socket.expect("connected", within=0)
    elif frame.event != "connected":
        raise Failed(f"the first frame was to be connected, and was {frame.text[:200]}")


@probe("document.server-connected", advice=f'send {{"event":"connected","message":"{_GREETING}"}}')
async def connected_is_spelt_as_documented(stage: Stage) -> None:
    """Compare connected with the document's."""
    socket = await _let_in(stage)
    frame = await socket.need("connected")
    stage.same("the keys of connected", list(frame.value), ["event", "message"])
    stage.same("the message of connected", frame.value["message"], _GREETING)


@probe(
    "socket.text-frames",
    needs=(Need.SECOND, Need.WRITE),
    advice="send every frame as text, as one JSON object without spaces between its parts",
)
async def frames_are_compact_json_text(stage: Stage) -> None:
    """Collect one frame of each event and look at its bytes."""
    room = await stage.shared_room()
    socket = await stage.open(stage.second)
    await socket.subscribe(room)
    sent = await stage.send(stage.first, room, f"{stage.words()} é 😀")
    await socket.need(message(sent["content"].split(" é")[0]))
    await socket.marker()
    for frame in socket.frames:
        if (fault := _fault_of(frame)) is not None:
            raise Failed(f"{fault}: {frame.text[:200]}")


@probe("connect.bearer-header", advice="take the token also from the header Authorization: Bearer …")
async def a_token_in_the_header_is_enough(stage: Stage) -> None:
    """Connect with the token in the header and none in the query."""
    headers = {"Authorization": f"Bearer {stage.first.token}"}
    socket = await stage.dial(query="", headers=headers, who=stage.first)
    if isinstance(socket, Refusal):
        raise Failed(f"a token in the header was refused: {socket}")
    if await socket.hear("connected") is None:
        await socket.lives_on()


@probe("connect.origin-local", advice="let pages of this machine and of private networks connect")
async def local_pages_may_connect(stage: Stage) -> None:
    """Connect as pages of local origins do, and with no Origin."""
    for origin in (None, *_LOCAL_ORIGINS):
        answer = await stage.dial(token=stage.first.token, origin=origin, who=stage.first)
        if isinstance(answer, Refusal):
            if origin is None:
                raise CannotTell(f"the connection is refused without an Origin too: {answer}")
            raise Failed(f"Origin {origin} was to be let in, and got {answer}")
        await answer.close()


@probe("connect.origin-foreign", advice="refuse the upgrade with 403 for an Origin that is not allowed")
async def foreign_pages_are_refused(stage: Stage) -> None:
    """Connect as a page of a stranger does; without that header the same connection goes through."""
    await stage.open(stage.first)
    for origin in _FOREIGN_ORIGINS:
        answer = await stage.dial(token=stage.first.token, origin=origin, who=stage.first)
        if not isinstance(answer, Refusal):
            raise Failed(f"Origin {origin} was to be refused with 403, and was let in")
        stage.same(f"the status for Origin {origin}", answer.status, 403)


@probe("connect.host-foreign", advice="answer 421 to a Host that is no name of this machine")
async def foreign_hosts_are_misdirected(stage: Stage) -> None:
    """Ask for an upgrade under a Host that a web page could have bound to this address."""
    if not stage.address.is_loopback:
        raise Skipped("is about servers on a loopback address")
    headers = {
        "Host": "evil.test",
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version": "13",
    }
    query = {"token": stage.first.token}
    answer = await stage.call(None, "GET", "/ws", query=query, headers=headers)
    if answer.status == 421:
        return
    if stage.visit.control is None:
        raise CannotTell(f"HTTP {answer.status}; whether it listens on loopback alone is not seen from here")
    raise Failed(f"Host evil.test was to get 421, and got HTTP {answer.status}")


@probe("document.concurrent", advice="keep every connection of a user alive when another one opens")
async def one_user_has_several_connections(stage: Stage) -> None:
    """Open two connections of one user and talk on both, the older one last."""
    older, newer = await _let_in(stage), await _let_in(stage)
    if stage.habits.greets:
        await newer.need("connected")
    await newer.marker()
    if stage.habits.keeps_several:
        await older.lives_on()
    else:
        await _answers(older)


async def _answers(older: Socket) -> None:
    try:
        await older.marker(otherwise=Failed)
    except CannotTell as silence:
        raise Failed(f"after a second connection of the same user opened: {silence}") from None


async def _let_in(stage: Stage) -> Socket:
    socket = await stage.dial(token=stage.first.token, who=stage.first)
    if isinstance(socket, Refusal):
        raise CannotTell(f"the connection was refused: {socket}")
    return socket


def _anything(_: Frame) -> bool:
    return True


def _fault_of(frame: Frame) -> str | None:
    """Tell what is wrong with the form of a frame; ``None`` if nothing is."""
    if frame.data is not None:
        return f"a binary frame of {len(frame.data)} bytes came"
    if not frame.value:
        return "a frame is no JSON object"
    spellings = (
        json.dumps(frame.value, separators=(",", ":"), ensure_ascii=is_ascii) for is_ascii in (False, True)
    )
    is_compact = any(frame.text == spelling for spelling in spellings)
    return None if is_compact or not _has_spaces(frame.text) else "a frame is not compact"


def _has_spaces(text: str) -> bool:
    """Tell whether there is white space outside of the strings of a JSON text."""
    outside, is_escaped = True, False
    for character in text:
        if outside and character in " \t\r\n":
            return True
        if character == '"' and not is_escaped:
            outside = not outside
        is_escaped = character == "\\" and not is_escaped
    return False
