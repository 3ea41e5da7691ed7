"""Where conversations meet sockets: the frame of a message, and memberships that change meanwhile."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

from tribe_ws.protocol.codec import encode
from tribe_ws.server.messaging import Messaging, message_new


def test_frame_has_exactly_the_documented_keys_in_their_order(backend):
    ana, ben = backend.person(), backend.person()
    room = backend.group(ana, ben)
    backend.say(ana, room, "hello")
    page = backend.server.run(backend.services.storage.messages.page(room, ana.id, 1))
    frame = json.loads(encode(message_new(page.messages[0])))
    assert list(frame) == ["event", "conversation_id", "data"]
    assert list(frame["data"]) == [
        "id", "conversation_id", "sender", "content", "message_type", "created_at",
    ]  # fmt: skip
    assert list(frame["data"]["sender"]) == ["id", "username", "full_name", "profile_image_url"]


async def test_membership_is_read_again_if_somebody_was_removed_meanwhile():
    hub = SimpleNamespace(evictions=0)
    answers = [True, False]

    async def is_participant(_conversation_id, _user_id):
        hub.evictions += 1
        return answers.pop(0)

    storage = SimpleNamespace(conversations=SimpleNamespace(is_participant=is_participant))
    assert await Messaging(storage, hub).is_participant("user", "room") is False  # type: ignore[arg-type]
    assert answers == []


def test_typing_of_a_stranger_goes_nowhere(backend):
    ana, ben, stranger = backend.person(), backend.person(), backend.person()
    room = backend.group(ana, ben)
    with backend.socket(ben, room) as listening, backend.socket(stranger) as typing:
        typing.send(event="typing", conversation_id=room, is_typing=True)
        typing.events_until_pong()
        assert listening.events_until_pong() == []


def test_reading_is_told_to_the_others_where_the_profile_knows_it(start):
    backend = start(profile="app", presence_delay=0)
    ana, ben = backend.person(), backend.person()
    room = backend.group(ana, ben)
    message = backend.say(ana, room).json()
    with backend.socket(ana, room) as socket, backend.socket(ben, room) as own:
        backend.post(f"/conversations/{room}/read", ben)
        frame = socket.next_event("message.read")
        assert list(frame) == ["event", "conversation_id", "data"]
        assert list(frame["data"]) == ["user_id", "read_at", "last_read_message_id"]
        assert (frame["data"]["user_id"], frame["conversation_id"]) == (ben.id, room)
        assert frame["data"]["last_read_message_id"] == message["id"]
        assert frame["data"]["read_at"].endswith("Z")
        assert "message.read" not in [event["event"] for event in own.events_until_pong()]


def test_reading_is_not_told_in_the_documented_profile(backend):
    ana, ben = backend.person(), backend.person()
    room = backend.group(ana, ben)
    with backend.socket(ana, room) as socket:
        backend.post(f"/conversations/{room}/read", ben)
        assert socket.events_until_pong() == []


def test_nothing_committed_after_a_removal_reaches_the_removed(start, tmp_path):
    backend = start(db=str(tmp_path / "tribe.db"))
    ana, ben = backend.person(), backend.person()
    room = backend.group(ana, ben)
    with backend.socket(ben, room) as socket, ThreadPoolExecutor(9) as pool:
        sends = [pool.submit(backend.say, ana, room, str(number)) for number in range(40)]
        removal = pool.submit(backend.request, "DELETE", f"/conversations/{room}/participants/{ben.id}", ana)
        sends += [pool.submit(backend.say, ana, room, str(number)) for number in range(40)]
        assert removal.result().status_code == 204
        assert {send.result().status_code for send in sends} == {201}
        got = [frame["data"]["id"] for frame in socket.events_until_pong()]
    page = backend.get(f"/conversations/{room}/messages", ana, params={"limit": 200}).json()
    stored = [message["id"] for message in page["messages"]]
    assert got == stored[: len(got)]
    assert len(stored) == 80
