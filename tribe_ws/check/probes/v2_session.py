"""Probes of who gets tribe.v2, and of the answers on such a connection (contract 2 and 3.5)."""

from __future__ import annotations

from typing import Any

from tribe_ws.check.frames import keys
from tribe_ws.check.probe import Need, probe, unjudged
from tribe_ws.check.rest_answers import NOBODY
from tribe_ws.check.socket import Refusal, Socket
from tribe_ws.check.stage import Stage
from tribe_ws.check.v2_talk import OFFER, errors, in_room, open_v2, subscribe
from tribe_ws.protocol.frames import Connected, MessageNew, NewMessage, Sender, Subscribed
from tribe_ws.protocol.frames_v2 import MAX_REF, Leaving, Problem, Subscription, Welcome
from tribe_ws.protocol.profiles import SUBPROTOCOL_V2

_TWO = (Need.SECOND, Need.WRITE)
_LIMIT_FRAMES = 300
_LIMIT_SUBSCRIPTIONS = 128
_SPARE_FRAMES = 40

unjudged(
    {
        "v2.epoch": "a fresh database and a restart cannot be had from outside",
        "v2.error-internal": "the database of a server cannot be stopped from outside",
    }
)


@probe(
    "v2.negotiated",
    needs=[Need.SEVERAL],
    advice="select tribe.v2 on each connection that offers it, and on no other",
)
async def v2_is_for_who_offers_it(stage: Stage) -> None:
    """Open connections which offer it, offer it among others, offer something else, and offer nothing."""
    for offered, wanted in (
        (OFFER, SUBPROTOCOL_V2),
        (("chat", *OFFER), SUBPROTOCOL_V2),
        (("tribe.v3",), None),
        ((), None),
    ):
        socket = await stage.dial(token=stage.first.token, who=stage.first, subprotocols=offered)
        if isinstance(socket, Refusal):
            stage.fail(f"a connection that offers {', '.join(offered) or 'nothing'} is refused: {socket}")
        name = ", ".join(offered) or "nothing"
        stage.same(f"the subprotocol selected from {name}", socket.subprotocol, wanted)


@probe(
    "v2.others-untouched",
    needs=(*_TWO, Need.SEVERAL),
    advice="send the frames of the document, key for key, to whoever did not offer tribe.v2",
)
async def who_does_not_offer_it_sees_the_document(stage: Stage) -> None:
    """Let a documented connection hear the same as one in v2 beside it."""
    room = await stage.room()
    beside, _ = await open_v2(stage, stage.second)
    plain = await stage.open(stage.second)
    for socket in (beside, plain):
        await socket.subscribe(room)
    content = str((await stage.send(stage.first, room, client_message_id=stage.words()))["content"])
    news = await plain.need(lambda frame: frame.event == "message.new" and content in frame.text)
    seen = {frame.event: list(frame.value) for frame in plain.frames}
    for event, model in (("connected", Connected), ("subscribed", Subscribed), ("message.new", MessageNew)):
        if event in seen:
            extra = set(seen[event]) - set(model.model_fields)
            stage.check(not extra, f"{event} of a documented connection has {', '.join(sorted(extra))}")
    extra = set(news.inner) & {"seq", "client_message_id"}
    stage.check(not extra, f"message.new of a documented connection has {', '.join(sorted(extra))}")


@probe("v2.turned-away", advice="select tribe.v2 also for who is turned away, and close with 4401")
async def who_is_turned_away_learns_the_close_code(stage: Stage) -> None:
    """Offer tribe.v2 with rubble for a token."""
    socket = await stage.dial(token="rubble", subprotocols=OFFER)  # noqa: S106 - it opens nothing
    if isinstance(socket, Refusal):
        stage.fail(f"the handshake is refused, so a browser learns no close code: {socket}")
    stage.same("the subprotocol selected", socket.subprotocol, SUBPROTOCOL_V2)
    ending = await socket.end()
    stage.same("the close code", ending.code if ending else None, 4401)


@probe(
    "v2.connected",
    advice="put connection_id, user, server, epoch, heartbeat_interval and expires_at into connected",
)
async def connected_tells_what_a_client_should_know(stage: Stage) -> None:
    """Look at the first frame of a connection in v2."""
    _, data = await open_v2(stage, stage.first)
    stage.same("the keys of the data of connected", list(data), list(Welcome.model_fields))
    stage.same("the keys of its user", keys(data["user"]), list(Sender.model_fields))
    stage.same("the id of its user", data["user"]["id"], stage.first.id)
    for name in ("connection_id", "server", "epoch", "expires_at"):
        stage.check(data[name] and isinstance(data[name], str), f"{name} is no text: {data[name]!r}")
    interval = data["heartbeat_interval"]
    stage.check(type(interval) is int and interval > 0, f"heartbeat_interval is {interval!r}")


@probe("v2.ref", needs=_TWO, advice="copy the ref of a frame, of at most 64 characters, into its answer")
async def answers_carry_the_ref(stage: Stage) -> None:
    """Send each frame that is answered with a ref of its own, and one whose ref is too long."""
    room = await stage.room()
    socket, _ = await open_v2(stage, stage.first)
    for number, (event, fields, answer) in enumerate(_answered(stage, room)):
        ref = f"é{number}".ljust(MAX_REF, "-")
        await socket.say(event, ref=ref, **fields)
        frame = await socket.need(answer)
        stage.same(f"the ref of {answer}", frame.value.get("ref"), ref)
    await socket.say("ping", ref="x" * (MAX_REF + 1))
    frame = await socket.expect(
        lambda one: one.event in {"error", "pong"}, what="an answer to a ref too long"
    )
    stage.same("the answer to a ref of 65 characters", frame.event, "error")


@probe("v2.ref-absent", needs=_TWO, advice="leave ref out of the answer to a frame without one")
async def answers_without_a_ref_have_none(stage: Stage) -> None:
    """Send each frame that is answered without a ref."""
    room = await stage.room()
    socket, _ = await open_v2(stage, stage.first)
    for event, fields, answer in _answered(stage, room):
        await socket.say(event, **fields)
        frame = await socket.need(answer)
        stage.check("ref" not in frame.value, f"{answer} has a ref that nobody gave: {frame.text}")


@probe("v2.subscribed", needs=_TWO, advice="put seq of the newest message, epoch and online into subscribed")
async def subscribed_tells_where_it_begins(stage: Stage) -> None:
    """Subscribe to an empty conversation, and again after two messages."""
    room = await stage.room()
    socket, welcome = await open_v2(stage, stage.first)
    for count in (0, 2):
        for _ in range(count):
            await stage.send(stage.second, room)
        await socket.settle(in_room(room))
        data = await subscribe(socket, room)
        wanted = [name for name in Subscription.model_fields if name != "recovered"]
        stage.same("the keys of the data of subscribed", list(data), wanted)
        stage.same(f"seq after {count} messages", data["seq"], count)
        stage.same("epoch", data["epoch"], welcome.get("epoch", data["epoch"]))
        is_listed = isinstance(data["online"], list) and stage.first.id in data["online"]
        stage.check(is_listed, f"online does not name {stage.first.username}: {data['online']!r}")


@probe("v2.message", needs=_TWO, advice="number the messages of a conversation from 1, without gaps")
async def messages_are_numbered(stage: Stage) -> None:
    """Send three messages, one of them with an id of the client's."""
    room, mine = await stage.room(), stage.words()
    socket, _ = await open_v2(stage, stage.second)
    await subscribe(socket, room)
    for fields in ({}, {"client_message_id": mine}, {}):
        await stage.send(stage.first, room, **fields)
    frames = [await socket.need(in_room(room)) for _ in range(3)]
    stage.same("the numbers of three messages", [one.inner.get("seq") for one in frames], [1, 2, 3])
    ids = [one.inner.get("client_message_id", "missing") for one in frames]
    stage.same("their client_message_id", ids, [None, mine, None])
    wanted = [*NewMessage.model_fields, "seq", "client_message_id"]
    for one in frames:
        stage.same("the keys of data", list(one.inner), wanted)


@probe(
    "v2.unsubscribed-requested",
    needs=_TWO,
    advice="answer unsubscribe by unsubscribed, with the reason requested",
)
async def unsubscribing_is_confirmed(stage: Stage) -> None:
    """Subscribe and unsubscribe."""
    room = await stage.room()
    socket, _ = await open_v2(stage, stage.second)
    await subscribe(socket, room)
    await socket.say("unsubscribe", conversation_id=room)
    await _has_left(stage, socket, room, "requested")


@probe(
    "v2.unsubscribed-removed",
    needs=_TWO,
    advice="tell a connection by unsubscribed, removed, that its user was taken out",
)
async def a_removal_is_told(stage: Stage) -> None:
    """Take a subscriber out of the conversation."""
    room = await stage.room()
    socket, _ = await open_v2(stage, stage.second)
    await subscribe(socket, room)
    path = f"/conversations/{room}/participants/{stage.second.id}"
    answer = await stage.call(stage.first, "DELETE", path)
    stage.require(answer.status in {200, 204}, f"the second person could not be removed: {answer}")
    await _has_left(stage, socket, room, "removed")


@probe("v2.error", advice="answer what cannot be followed by error with its code, and keep the connection")
async def what_cannot_be_followed_is_told(stage: Stage) -> None:
    """Send what is no JSON, no object, no event, no id, and no text."""
    socket, _ = await open_v2(stage, stage.first)
    for sent, code in (
        ("{", "invalid_json"),
        ("[]", "invalid_frame"),
        ('{"event":"dance"}', "unknown_event"),
        ('{"event":"subscribe"}', "invalid_payload"),
        ('{"event":"subscribe","conversation_id":"general"}', "invalid_payload"),
        (b"\x00", "unsupported_data"),
    ):
        await socket.send(sent)
        frame = await socket.expect("error", what=f"error for {sent!r}")
        stage.same(f"the code for {sent!r}", frame.inner.get("code"), code)
        wanted = ["event", "conversation_id", "data"]
        stage.same("the keys of error", [key for key in frame.value if key != "ref"], wanted)
        stage.same("the keys of its data", list(frame.inner), list(Problem.model_fields))
        stage.same("retryable", frame.inner["retryable"], False)
    await socket.lives_on()


@probe(
    "v2.error-not-found",
    needs=(*_TWO, Need.THIRD),
    advice="answer alike for a conversation that does not exist and for a foreign one: not_found",
)
async def unknown_and_foreign_are_answered_alike(stage: Stage) -> None:
    """Subscribe and type in both as a stranger."""
    foreign = await stage.room()
    socket, _ = await open_v2(stage, stage.third)
    for event, fields in (("subscribe", {}), ("typing", {"is_typing": True})):
        answers = []
        for room in (foreign, NOBODY):
            await socket.say(event, conversation_id=room, **fields)
            frame = await socket.expect("error", what=f"error for {event} in a conversation not theirs")
            answers.append(frame.text.replace(room, "ROOM"))
            stage.same(f"the code for {event}", frame.inner.get("code"), "not_found")
        stage.check(answers[0] == answers[1], f"they differ: {answers[0]} and {answers[1]}")


@probe(
    "v2.error-rate-limited",
    needs=[Need.THOROUGH],
    advice="answer each frame beyond 300 in 10 s by error, rate_limited, and drop it",
    takes=4.0,
)
async def a_flood_is_told(stage: Stage) -> None:
    """Send more pings than are allowed, as fast as may be."""
    socket, _ = await open_v2(stage, stage.first)
    total = _LIMIT_FRAMES + _SPARE_FRAMES
    for _ in range(total):
        await socket.say("ping")
    got = [await socket.need(lambda one: one.event in {"pong", "error"}) for _ in range(total)]
    refused = [frame for frame in got if frame.event == "error"]
    if not refused and got[-1].at - got[0].at > 9.0:
        stage.require(False, "the frames went out too slowly to be too many")
    stage.check(refused, f"all of {total} frames were answered by pong")
    stage.check(len(refused) <= 2 * _SPARE_FRAMES, f"{len(refused)} of {total} frames were refused")
    codes = {frame.inner.get("code") for frame in refused}
    stage.same("the code", codes, {"rate_limited"})
    stage.check(all(frame.inner.get("retryable") is True for frame in refused), "it is not retryable")


@probe(
    "v2.error-subscriptions",
    needs=(*_TWO, Need.THOROUGH),
    advice="answer the 129th subscription of a connection by error, too_many_subscriptions",
    takes=15.0,
)
async def one_subscription_too_many_is_told(stage: Stage) -> None:
    """Subscribe to 129 conversations."""
    socket, _ = await open_v2(stage, stage.first)
    for _ in range(_LIMIT_SUBSCRIPTIONS):
        await subscribe(socket, await stage.room())
    room = await stage.room()
    await socket.say("subscribe", conversation_id=room)
    frame = await socket.expect(lambda one: one.event in {"error", "subscribed"})
    stage.check(errors("too_many_subscriptions")(frame), f"the 129th subscription got {frame.text}")


def _answered(stage: Stage, room: str) -> list[tuple[str, dict[str, Any], str]]:
    """List the frames that are answered, each with its fields and the event of the answer."""
    return [
        ("ping", {}, "pong"),
        ("subscribe", {"conversation_id": room}, "subscribed"),
        ("unsubscribe", {"conversation_id": room}, "unsubscribed"),
        ("subscribe", {"conversation_id": NOBODY}, "error"),
        ("auth", {"token": stage.first.token}, "authenticated"),
    ]


async def _has_left(stage: Stage, socket: Socket, room: str, reason: str) -> None:
    frame = await socket.expect("unsubscribed", what=f"unsubscribed, {reason}")
    stage.same("conversation_id", frame.value.get("conversation_id"), room)
    stage.same("the keys of data", list(frame.inner), list(Leaving.model_fields))
    stage.same("the reason", frame.inner["reason"], reason)
