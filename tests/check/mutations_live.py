"""Ways to break what is passed on from one person to the others: messages, typing, and their order."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import replace
from functools import partial
from typing import Any

from tests.check.breaking import Tools, mutation, swap
from tribe_ws.hub import room
from tribe_ws.hub.connection import Connection
from tribe_ws.hub.hub import Hub
from tribe_ws.hub.typing_state import TypingState
from tribe_ws.protocol.frames import MessageNew
from tribe_ws.protocol.profiles import FRAMES_OF, Profile
from tribe_ws.server import messaging, services
from tribe_ws.server.messaging import Messaging
from tribe_ws.storage.messages import MessageStore

# ── Messages ────────────────────────────────────────────────────────────────────────────────────────────


@mutation("sender-not-excluded", "document.sender-excluded", "message.not-to-sender")
def _sender_not_excluded(tools: Tools) -> None:
    publish = Hub.publish

    def publish_to_all(hub: Hub, conversation_id: str, frame: Any, **options: Any) -> None:
        if isinstance(frame, MessageNew):
            options["exclude_user"] = None
        publish(hub, conversation_id, frame, **options)

    tools.replace(Hub, "publish", publish_to_all)


@mutation("keys-of-message-swapped", "document.server-message-new", "message.keys")
def _keys_of_message_swapped(tools: Tools) -> None:
    tools.frames("message.new", lambda frame: frame | {"data": swap(frame["data"], tools.chance)})


@mutation("message-without-conversation", "document.server-message-new", "message.keys")
def _message_without_conversation(tools: Tools) -> None:
    tools.frames("message.new", lambda frame: {"event": frame["event"], "data": frame["data"]})


@mutation("message-with-another-key", "document.server-message-new", "message.keys")
def _message_with_another_key(tools: Tools) -> None:
    tools.frames("message.new", lambda frame: frame | {"data": frame["data"] | {"is_edited": False}})


@mutation("moments-without-z", "message.timestamp")
def _moments_without_z(tools: Tools) -> None:
    def cut(frame: dict[str, Any]) -> None:
        frame["data"]["created_at"] = frame["data"]["created_at"].removesuffix("Z")

    tools.frames("message.new", cut)


@mutation("moments-of-whole-seconds", "message.increasing")
def _moments_of_whole_seconds(tools: Tools) -> None:
    def cut(frame: dict[str, Any]) -> None:
        frame["data"]["created_at"] = frame["data"]["created_at"][:19] + ".000Z"

    tools.frames("message.new", cut)


@mutation("json-with-spaces", "socket.text-frames")
def _json_with_spaces(tools: Tools) -> None:
    inner = vars(room)["encode"]
    tools.replace(room, "encode", lambda frame: json.dumps(json.loads(inner(frame))).encode())


@mutation("removed-but-subscribed", "participants.at-once", "message.participants-only")
def _removed_but_subscribed(tools: Tools) -> None:
    def evict(hub: Hub, _user_id: str, _conversation_id: str) -> None:
        hub.evictions += 1

    tools.replace(Hub, "evict", evict)


@mutation("documented-hear-presence", "profile.documented")
def _documented_hear_presence(tools: Tools) -> None:
    tools.put(FRAMES_OF, Profile.DOCUMENTED, FRAMES_OF[Profile.APP])


@mutation("message-twice", "message.once")
def _message_twice(tools: Tools) -> None:
    publish = Hub.publish

    def publish_twice(hub: Hub, conversation_id: str, frame: Any, **options: Any) -> None:
        publish(hub, conversation_id, frame, **options)
        if isinstance(frame, MessageNew):
            publish(hub, conversation_id, frame, **options)

    tools.replace(Hub, "publish", publish_twice)


@mutation("messages-out-of-order", "message.in-order")
def _messages_out_of_order(tools: Tools) -> None:
    publish = Hub.publish
    turn = iter(range(10**9))

    def publish_late(hub: Hub, conversation_id: str, frame: Any, **options: Any) -> None:
        if isinstance(frame, MessageNew) and next(turn) % 2 == 0:
            later = partial(publish, hub, conversation_id, frame, **options)
            asyncio.get_running_loop().call_later(0.15, later)
        else:
            publish(hub, conversation_id, frame, **options)

    tools.replace(Hub, "publish", publish_late)


@mutation("message-before-commit", "message.after-commit")
def _message_before_commit(tools: Tools) -> None:
    send, page, publish = MessageStore.send, MessageStore.page, messaging.publish
    committed_at: dict[str, float] = {}

    def publish_early(hub: Hub, batch: Any) -> None:
        committed_at.update({message.id: time.monotonic() + 0.7 for message in batch})
        publish(hub, batch)

    async def send_slowly(store: MessageStore, new: Any) -> Any:
        stored = await send(store, new)
        await asyncio.sleep(0.8)
        return stored

    async def page_of_committed(store: MessageStore, *place: Any) -> Any:
        found = await page(store, *place)
        now = time.monotonic()
        return replace(
            found, messages=tuple(one for one in found.messages if committed_at.get(one.id, 0.0) <= now)
        )

    tools.replace(services, "publish", publish_early)
    tools.replace(MessageStore, "send", send_slowly)
    tools.replace(MessageStore, "page", page_of_committed)


# ── Typing ──────────────────────────────────────────────────────────────────────────────────────────────


@mutation("typing-echoed", "typing.not-to-oneself")
def _typing_echoed(tools: Tools) -> None:
    publish = Hub.publish

    def publish_to_all(hub: Hub, conversation_id: str, frame: Any, **options: Any) -> None:
        if frame.event == "typing":
            options["exclude_user"] = None
        publish(hub, conversation_id, frame, **options)

    tools.replace(Hub, "publish", publish_to_all)


@mutation("typing-of-strangers", "typing.participants-only")
def _typing_of_strangers(tools: Tools) -> None:
    async def typing(desk: Messaging, connection: Connection, conversation_id: str, is_typing: bool) -> bool:
        desk._hub.typing(connection, conversation_id, is_typing)
        return True

    tools.replace(Messaging, "typing", typing)


@mutation("is-typing-as-text", "document.server-typing")
def _is_typing_as_text(tools: Tools) -> None:
    def as_text(frame: dict[str, Any]) -> None:
        frame["data"]["is_typing"] = json.dumps(frame["data"]["is_typing"])

    tools.frames("typing", as_text)


@mutation("typing-under-username", "typing.full-name")
def _typing_under_username(tools: Tools) -> None:
    tools.frames("typing", lambda frame: frame["data"].update(user_name="someone"))


@mutation("typing-never-lapses", "typing.lapse")
def _typing_never_lapses(tools: Tools) -> None:
    make = TypingState.__init__

    def make_patient(state: TypingState, clock: Any, **options: Any) -> None:
        make(state, clock, **options | {"ttl": 3600.0})

    tools.replace(TypingState, "__init__", make_patient)


@mutation("typing-not-coalesced", "typing.coalesced")
def _typing_not_coalesced(tools: Tools) -> None:
    make = TypingState.__init__

    def make_eager(state: TypingState, clock: Any, **options: Any) -> None:
        make(state, clock, **options, repeat=0.0)

    tools.replace(TypingState, "__init__", make_eager)


@mutation("message-leaves-typing", "typing.ends-on-message")
def _message_leaves_typing(tools: Tools) -> None:
    tools.replace(Hub, "stop_typing", lambda *_: None)


@mutation("disconnect-leaves-typing", "typing.ends-on-disconnect")
def _disconnect_leaves_typing(tools: Tools) -> None:
    tools.replace(TypingState, "release_all", lambda *_: None)
