"""Ways to break a connection: its opening, its subscriptions, and what it answers by itself."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from typing import Any

from tests.check.breaking import Tools, mutation
from tribe_ws.hub.connection import Connection
from tribe_ws.hub.hub import Hub
from tribe_ws.hub.packet import Batch
from tribe_ws.hub.room import Room
from tribe_ws.protocol.close_codes import INTERNAL, TOKEN_INVALID
from tribe_ws.protocol.frames import Ping, Subscribe, Subscribed, Unsubscribe
from tribe_ws.protocol.session import Close, Ignore, Send, Session
from tribe_ws.server import services
from tribe_ws.server.tokens import TokenIssuer, TokenKind, TokenRefused
from tribe_ws.server.visit import Visit

# ── Connecting ──────────────────────────────────────────────────────────────────────────────────────────


@mutation("connected-missing", "connect.connected-first")
def _connected_missing(tools: Tools) -> None:
    send = Hub.send

    def send_others(hub: Hub, connection: Connection, frame: Any) -> None:
        if frame.event != "connected":
            send(hub, connection, frame)

    tools.replace(Hub, "send", send_others)


@mutation("connected-late", "connect.connected-first")
def _connected_late(tools: Tools) -> None:
    send = Hub.send

    def send_late(hub: Hub, connection: Connection, frame: Any) -> None:
        if frame.event == "connected":
            asyncio.get_running_loop().call_later(0.3, send, hub, connection, frame)
        else:
            send(hub, connection, frame)

    tools.replace(Hub, "send", send_late)


@mutation("connected-other-message", "document.server-connected")
def _connected_other_message(tools: Tools) -> None:
    tools.frames("connected", lambda frame: frame | {"message": "Welcome"})


@mutation("second-socket-displaces", "document.concurrent")
def _second_socket_displaces(tools: Tools) -> None:
    attach = Hub.attach

    def attach_alone(hub: Hub, connection: Connection) -> bool:
        hub.close_user(connection.user_id, INTERNAL)
        return attach(hub, connection)

    tools.replace(Hub, "attach", attach_alone)


@mutation("expired-closes-otherwise", "connect.token-expired")
def _expired_closes_otherwise(tools: Tools) -> None:
    verify = TokenIssuer.verify

    def verify_vaguely(issuer: TokenIssuer, token: str | None, kind: TokenKind) -> Any:
        try:
            return verify(issuer, token, kind)
        except TokenRefused as refused:
            if refused.close_code.reason == "token_expired":
                raise TokenRefused(replace(refused.close_code, code=4001)) from None
            raise

    tools.replace(TokenIssuer, "verify", verify_vaguely)


@mutation("token-missing-says-invalid", "connect.token-missing")
def _token_missing_says_invalid(tools: Tools) -> None:
    verify = TokenIssuer.verify

    def verify_vaguely(issuer: TokenIssuer, token: str | None, kind: TokenKind) -> Any:
        if not token:
            raise TokenRefused(TOKEN_INVALID)
        return verify(issuer, token, kind)

    tools.replace(TokenIssuer, "verify", verify_vaguely)


# ── Subscribing ─────────────────────────────────────────────────────────────────────────────────────────


@mutation("subscribed-to-a-stranger", "subscribe.foreign", "document.verified")
def _subscribed_to_a_stranger(tools: Tools) -> None:
    async def refuse_politely(visit: Visit, conversation_id: str, _ref: str | None) -> None:
        visit._services.hub.send(visit._connection, Subscribed(conversation_id=conversation_id))

    tools.replace(Visit, "_refuse", refuse_politely)


@mutation("anybody-may-listen", "subscribe.foreign", "document.verified", "message.participants-only")
def _anybody_may_listen(tools: Tools) -> None:
    async def may(*_: Any) -> bool:
        return True

    tools.replace(services.Services, "can_subscribe", may)


@mutation("subscribed-once-only", "subscribe.each-acknowledged")
def _subscribed_once_only(tools: Tools) -> None:
    joined = Session.joined

    def joined_first(session: Session, conversation_id: str) -> Any:
        return () if conversation_id in session.subscriptions else joined(session, conversation_id)

    tools.replace(Session, "joined", joined_first)


@mutation("subscribed-without-id", "document.server-subscribed")
def _subscribed_without_id(tools: Tools) -> None:
    tools.frames("subscribed", lambda frame: frame | {"conversation_id": None})


@mutation("ids-in-upper-case", "subscribe.either-case")
def _ids_as_they_came(tools: Tools) -> None:
    decode = Session._decode
    spelt: dict[str, str] = {}

    def decode_and_remember(session: Session, text: str) -> Any:
        frame = decode(session, text)
        if isinstance(frame, Subscribe):
            spelt[frame.conversation_id.lower()] = frame.conversation_id
        return frame

    def as_it_came(frame: dict[str, Any]) -> dict[str, Any]:
        return frame | {"conversation_id": spelt.get(frame["conversation_id"], frame["conversation_id"])}

    tools.replace(Session, "_decode", decode_and_remember)
    tools.frames("subscribed", as_it_came)


@mutation("channel-required", "subscribe.default-channel")
def _channel_required(tools: Tools) -> None:
    receive = Session.receive_text

    def receive_strictly(session: Session, text: str, now: float) -> Any:
        is_bare = '"subscribe"' in text and '"channel"' not in text
        return () if is_bare else receive(session, text, now)

    tools.replace(Session, "receive_text", receive_strictly)


@mutation("subscribed-twice-delivers-twice", "subscribe.idempotent")
def _subscribed_twice_delivers_twice(tools: Tools) -> None:
    add, offer = Room.add, Connection.offer
    doubled: set[tuple[str, str]] = set()

    def add_again(place: Room, connection: Connection) -> None:
        if connection in place.members:
            doubled.add((connection.id, "message.new"))
        add(place, connection)

    def offer_again(connection: Connection, batch: Batch) -> bool:
        packets = [
            packet
            for packet in batch.packets
            for _ in range(2 if (connection.id, packet.event) in doubled else 1)
        ]
        return offer(connection, Batch(packets))

    tools.replace(Room, "add", add_again)
    tools.replace(Connection, "offer", offer_again)


@mutation("unsubscribe-ignored", "unsubscribe.ends", "document.subscriptions", "document.client-unsubscribe")
def _unsubscribe_ignored(tools: Tools) -> None:
    def keep(hub: Hub, connection: Connection, conversation_id: str) -> None:
        hub._typing.release(connection, conversation_id)

    tools.replace(Hub, "unsubscribe", keep)


@mutation("unsubscribe-answered", "unsubscribe.silent")
def _unsubscribe_answered(tools: Tools) -> None:
    follow = Session._follow

    def follow_and_say(session: Session, frame: Any) -> Any:
        effects = follow(session, frame)
        if isinstance(frame, Unsubscribe):
            effects = (*effects, Send(Subscribed(conversation_id=frame.conversation_id.lower())))
        return effects

    tools.replace(Session, "_follow", follow_and_say)


@mutation("subscription-survives-its-socket", "subscribe.per-connection", "document.cleaned-up")
def _subscription_survives_its_socket(tools: Tools) -> None:
    attach, detach = Hub.attach, Hub.detach
    left: dict[str, set[str]] = {}

    def detach_and_remember(hub: Hub, connection: Connection) -> None:
        left.setdefault(connection.user_id, set()).update(connection.subscriptions)
        detach(hub, connection)

    def attach_and_restore(hub: Hub, connection: Connection) -> bool:
        is_in = attach(hub, connection)
        for conversation_id in left.get(connection.user_id, ()):
            hub.subscribe(connection, conversation_id)
        return is_in

    tools.replace(Hub, "attach", attach_and_restore)
    tools.replace(Hub, "detach", detach_and_remember)


# ── Frames that ask for nothing ─────────────────────────────────────────────────────────────────────────


@mutation("pong-dropped", "ping.pong", "document.heartbeat", "document.client-ping")
def _pong_dropped(tools: Tools) -> None:
    follow = Session._follow
    tools.replace(
        Session, "_follow", lambda session, frame: () if isinstance(frame, Ping) else follow(session, frame)
    )


@mutation("pong-says-more", "document.server-pong")
def _pong_says_more(tools: Tools) -> None:
    tools.frames("pong", lambda frame: frame | {"timestamp": 0})


def _close_on(tools: Tools, violation: str) -> None:
    complain = Session.complain

    def complain_or_close(session: Session, problem: Any) -> Any:
        if problem.violation == violation:
            return (Ignore(problem), Close(INTERNAL))
        return complain(session, problem)

    tools.replace(Session, "complain", complain_or_close)


mutation("broken-json-closes", "frames.not-json", "frames.hostile-json", "limit.depth")(
    partial(_close_on, violation="invalid_json")
)
mutation("unknown-event-closes", "frames.unknown-event")(partial(_close_on, violation="unknown_event"))
mutation("binary-closes", "frames.binary")(partial(_close_on, violation="unsupported_data"))
