"""What a client gets that asks for ``tribe.v2`` (contract 3.5), over sockets and both ways of sending."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from websockets.typing import Subprotocol

from tests.contract.harness import Person, RunningServer, Socket, running_server, until
from tribe_ws import __version__
from tribe_ws.clock import format_timestamp
from tribe_ws.errors import StorageUnavailable
from tribe_ws.protocol.frames_v2 import MAX_MISSED
from tribe_ws.storage.records import NewMessage

pytestmark = pytest.mark.asyncio(loop_scope="module")

V2 = [Subprotocol("tribe.v2")]
UNKNOWN = "01890a5d-ac96-774b-bcce-b302099a8057"


def connect(server: RunningServer, person: Person) -> AbstractAsyncContextManager[Socket]:
    return server.connect(person, subprotocols=V2)


@asynccontextmanager
async def welcomed(server: RunningServer, person: Person) -> AsyncIterator[tuple[Socket, dict[str, Any]]]:
    """Open a connection and give what ``connected`` said."""
    async with server.dial(person.token, subprotocols=V2) as socket:
        yield socket, (await socket.hear("connected"))["data"]


async def subscribe(socket: Socket, room: str, **more: Any) -> dict[str, Any]:
    await socket.say("subscribe", conversation_id=room, **more)
    return dict((await _answer(socket))["data"])


async def _answer(socket: Socket) -> dict[str, Any]:
    """Give the next frame, ``subscribed``; only news of who came and went may be on their way before it."""
    while (frame := await socket.hear())["event"] == "presence":
        pass
    assert frame["event"] == "subscribed", frame
    return frame


async def store(server: RunningServer, person: Person, room: str, count: int) -> None:
    """Send many messages past REST."""
    for number in range(count):
        await server.services.storage.messages.send(NewMessage(room, person.id, f"{number}"))


async def error(socket: Socket, ref: str | None = None) -> tuple[str, str | None, bool]:
    """Give the next frame, an error, as its code, its conversation, and whether it is worth another try."""
    frame = await socket.hear("error")
    assert frame.get("ref") == ref
    assert frame["data"]["message"]
    return frame["data"]["code"], frame["conversation_id"], frame["data"]["retryable"]


# ── Who gets it ──────────────────────────────────────────────────────────────


@pytest.mark.clause("v2.negotiated", "v2.others-untouched")
async def test_each_connection_gets_what_it_asked_for(server: RunningServer):
    ana, ben = await server.people("ana", "ben")
    room = await server.group(ana, ben)
    async with connect(server, ben) as socket, server.connect(ben) as plain:
        assert socket.connection.subprotocol == "tribe.v2"
        assert plain.connection.subprotocol is None
        await subscribe(socket, room)
        await plain.subscribe(room)
        await server.post(ana, room, "hi")
        assert list((await socket.hear("message.new"))["data"])[-2:] == ["seq", "client_message_id"]
        assert list((await plain.hear("message.new"))["data"])[-1] == "created_at"


@pytest.mark.clause("v2.negotiated")
@pytest.mark.parametrize("offered", [["tribe.v3"], ["tribe.v2.json", "v2"]], ids=str)
async def test_another_subprotocol_is_not_selected(server: RunningServer, offered: list[Subprotocol]):
    ana = await server.person()
    async with server.dial(ana.token, subprotocols=offered) as socket:
        assert socket.connection.subprotocol is None
        assert list(await socket.hear("connected")) == ["event", "message"]


@pytest.mark.clause("v2.negotiated")
async def test_it_is_found_among_others(server: RunningServer):
    ana = await server.person()
    async with server.dial(ana.token, subprotocols=[Subprotocol("chat"), *V2]) as socket:
        assert socket.connection.subprotocol == "tribe.v2"


@pytest.mark.clause("v2.turned-away")
async def test_who_is_turned_away_learns_why(server: RunningServer):
    async with server.dial("rubble", subprotocols=V2) as socket:
        assert socket.connection.subprotocol == "tribe.v2"
        assert await socket.end() == (4401, "token_invalid")


@pytest.mark.clause("v2.others-untouched")
@pytest.mark.parametrize("settings", [{}, {"limit_frames": 0, "presence_delay": 0.0, "on_expiry": "ignore"}])
async def test_a_documented_session_is_the_golden_one(fan_out: str, settings: dict[str, Any]):
    """Whatever the settings, and with a client in v2 beside it: the bytes of the file, key for key."""
    golden = Path(__file__).with_name("golden_documented.txt").read_text("utf-8").rstrip("\n").split("\n")
    async with running_server(fan_out=fan_out, **settings) as server:
        assert await documented_session(server) == golden


async def documented_session(server: RunningServer) -> list[str]:
    """Play a session with everything a documented client can do; give its frames with the ids by name."""
    ana, ben = await server.people("ana", "ben")
    room = await server.group(ana, ben)
    names = {ana.id: "ANA", ben.id: "BEN", room: "ROOM", ana.username: "ana", ben.username: "ben"}
    heard: list[str] = []

    async def hear() -> None:
        heard.append(await socket.hear_text())

    async with connect(server, ana) as beside, server.dial(ben.token) as socket:
        await hear()
        await socket.say("ping", ref="r")
        await hear()
        await socket.say("subscribe", conversation_id=room, after_seq=0, epoch="e", echo=True, ref="r")
        await hear()
        for text in ("{", "[]", '{"event":"dance"}', '{"event":"auth","token":"t"}', '{"event":"typing"}'):
            await socket.send(text)
        await socket.send(b"\x00")
        await socket.say("subscribe", conversation_id=UNKNOWN)
        await subscribe(beside, room, echo=True)
        await beside.say("presence", status="away")
        await beside.say("typing", conversation_id=room, is_typing=True)
        await hear()
        for content in ("Hello", 'ünï 👍 "quoted" \u2028', "x"):
            message = await server.post(ana, room, content, client_message_id=content[:1] + "-1")
            names[message["id"]] = f"MESSAGE-{len(names) - 4}"
            if content == "Hello":
                await hear()
            await hear()
        await server.request(ana, "POST", f"/conversations/{room}/read")
        await server.post(ben, room, "one's own")
        await socket.say("presence", status="online")
        await socket.say("unsubscribe", conversation_id=room)
        await socket.say("ping")
        await hear()
        await server.post(ana, room, "unheard")
        await socket.say("ping")
        await hear()
    return [_named(text, names) for text in heard]


def _named(text: str, names: dict[str, str]) -> str:
    for found, name in names.items():
        text = text.replace(found, name)
    return text


# ── Answers ──────────────────────────────────────────────────────────────────


@pytest.mark.clause("v2.connected")
async def test_connected_tells_what_a_client_should_know(server: RunningServer):
    ana = await server.person()
    async with server.dial(ana.token, subprotocols=V2) as socket:
        frame = await socket.hear("connected")
        assert list(frame) == ["event", "message", "data"]
        (connection,) = (one for one in server.hub.connections if one.user_id == ana.id)
        claims = (await server.services.authenticate(ana.token)).claims
        assert frame["data"] == {
            "connection_id": connection.id,
            "user": {
                "id": ana.id,
                "username": ana.username,
                "full_name": ana.full_name,
                "profile_image_url": None,
            },
            "server": f"tribe-ws/{__version__}",
            "epoch": server.services.storage.epoch,
            "heartbeat_interval": 30,
            "expires_at": format_timestamp(datetime.fromtimestamp(claims.expires_at, UTC)),
        }


@pytest.mark.clause("v2.ref", "v2.ref-absent")
async def test_an_answer_carries_the_ref_of_its_frame(server: RunningServer):
    ana, ben = await server.people("ana", "ben")
    room = await server.group(ana, ben)
    async with connect(server, ana) as socket:
        ref = "é" * 64
        for event, answer in (("subscribe", "subscribed"), ("unsubscribe", "unsubscribed")):
            await socket.say(event, conversation_id=room, ref=ref)
            assert (await socket.hear(answer))["ref"] == ref
            await socket.say(event, conversation_id=room)
            assert "ref" not in await socket.hear(answer)
        await socket.say("ping", ref="1")
        assert await socket.hear_text() == '{"event":"pong","ref":"1"}'
        await socket.say("ping")
        assert await socket.hear_text() == '{"event":"pong"}'
        await socket.say("auth", token=ana.token, ref="2")
        assert (await socket.hear("authenticated"))["ref"] == "2"
        await socket.say("ping", ref=ref + "x")
        assert (await error(socket))[0] == "invalid_payload"


@pytest.mark.clause("v2.subscribed")
async def test_subscribed_tells_where_it_begins_and_who_is_online(server: RunningServer):
    ana, ben, cara = await server.people("ana", "ben", "cara")
    room = await server.group(ana, ben, cara)
    async with connect(server, ben) as socket, server.connect(ana):
        data = await subscribe(socket, room)
        assert list(data) == ["seq", "epoch", "online"]
        assert (data["seq"], data["epoch"]) == (0, server.services.storage.epoch)
        assert sorted(data["online"]) == sorted([ana.id, ben.id])
        await server.post(ana, room, "one")
        await socket.skip_to("message.new")
        assert (await subscribe(socket, room))["seq"] == 1
    async with connect(server, ben) as socket:
        assert (await subscribe(socket, room))["seq"] == 1


@pytest.mark.clause("v2.message")
async def test_messages_are_numbered_and_carry_the_clients_id(server: RunningServer):
    ana, ben = await server.people("ana", "ben")
    room = await server.group(ana, ben)
    async with connect(server, ben) as socket:
        await subscribe(socket, room)
        await server.post(ana, room, "one")
        await server.post(ana, room, "two", client_message_id="mine")
        frames = [await socket.hear("message.new") for _ in range(2)]
    assert [frame["data"]["seq"] for frame in frames] == [1, 2]
    assert [frame["data"]["client_message_id"] for frame in frames] == [None, "mine"]
    assert list(frames[0]) == ["event", "conversation_id", "data"]


@pytest.mark.clause("v2.unsubscribed-requested")
async def test_unsubscribing_is_confirmed(server: RunningServer):
    ana, ben = await server.people("ana", "ben")
    room = await server.group(ana, ben)
    async with connect(server, ben) as socket:
        await subscribe(socket, room)
        await socket.say("unsubscribe", conversation_id=room)
        frame = await socket.hear("unsubscribed")
        assert (frame["conversation_id"], frame["data"]) == (room, {"reason": "requested"})
        await server.post(ana, room, "unheard")
        assert await socket.hears_nothing()


@pytest.mark.clause("v2.unsubscribed-removed")
async def test_a_removal_is_told(server: RunningServer):
    ana, ben = await server.people("ana", "ben")
    room = await server.group(ana, ben)
    async with connect(server, ben) as socket, connect(server, ben) as elsewhere:
        await subscribe(socket, room)
        await server.post(ana, room, "before")
        await server.request(ana, "DELETE", f"/conversations/{room}/participants/{ben.id}")
        await server.post(ana, room, "after")
        assert (await socket.hear("message.new"))["data"]["content"] == "before"
        assert (await socket.hear("unsubscribed"))["data"] == {"reason": "removed"}
        assert await socket.hears_nothing()
        assert await elsewhere.hears_nothing()


# ── Resume ───────────────────────────────────────────────────────────────────


@pytest.mark.clause("v2.resume")
async def test_what_was_missed_comes_in_order_and_then_what_is_new(server: RunningServer):
    ana, ben = await server.people("ana", "ben")
    room = await server.group(ana, ben)
    async with connect(server, ben) as socket:
        epoch = (await subscribe(socket, room))["epoch"]
        await server.post(ana, room, "heard")
        assert (await socket.hear("message.new"))["data"]["seq"] == 1
    for content in ("two", "three"):
        await server.post(ana, room, content)
    async with connect(server, ben) as socket:
        data = await subscribe(socket, room, after_seq=1, epoch=epoch)
        assert (data["recovered"], data["seq"]) == (True, 3)
        await server.post(ana, room, "four")
        seen = [(await socket.hear("message.new"))["data"] for _ in range(3)]
        assert [(one["seq"], one["content"]) for one in seen] == [(2, "two"), (3, "three"), (4, "four")]
        assert (await subscribe(socket, room, after_seq=4, epoch=epoch))["recovered"] is True
        assert await socket.hears_nothing()


@pytest.mark.clause("v2.resume-seam")
async def test_nothing_is_lost_and_nothing_doubled_among_cuts_while_eight_send(server: RunningServer):
    reader, *senders = await server.people("ana", *(f"s{number}" for number in range(8)))
    room, total, cut = await server.group(reader, *senders), 2000, random.Random(5)
    epoch, seen = server.services.storage.epoch, list[int]()

    async def send_all(person: Person) -> None:
        for number in range(total // len(senders)):
            await server.services.storage.messages.send(NewMessage(room, person.id, f"{number}"))

    sending = asyncio.gather(*map(send_all, senders))
    while len(seen) < total:
        async with connect(server, reader) as socket:
            data = await subscribe(socket, room, after_seq=len(seen), epoch=epoch)
            # It came too late for all of it: a client would fetch the rest by REST.
            assert data["recovered"] is (data["seq"] - len(seen) <= MAX_MISSED)
            wanted = cut.randint(0, 150) if data["recovered"] else 0
            for _ in range(min(wanted, total - len(seen))):
                seen.append((await socket.skip_to("message.new"))["data"]["seq"])
            # Cut off with whatever is on its way.
            socket.connection.transport.abort()
        if not data["recovered"]:
            page = await server.services.storage.messages.after_seq(room, len(seen), total, up_to=data["seq"])
            seen += [message.seq for message in page]
    await sending
    assert seen == list(range(1, total + 1))


@pytest.mark.clause("v2.resume-limit")
async def test_too_much_is_not_sent_again(server: RunningServer):
    ana, ben = await server.people("ana", "ben")
    room = await server.group(ana, ben)
    await store(server, ana, room, MAX_MISSED + 1)
    epoch = server.services.storage.epoch
    async with connect(server, ben) as socket:
        data = await subscribe(socket, room, after_seq=0, epoch=epoch)
        assert (data["recovered"], data["seq"]) == (False, MAX_MISSED + 1)
        assert await socket.hears_nothing()
    async with connect(server, ben) as socket:
        assert (await subscribe(socket, room, after_seq=1, epoch=epoch))["recovered"] is True
        frames = [await socket.hear("message.new") for _ in range(MAX_MISSED)]
        assert [frame["data"]["seq"] for frame in frames] == list(range(2, MAX_MISSED + 2))
        assert await socket.hears_nothing()


@pytest.mark.clause("v2.resume-epoch")
@pytest.mark.parametrize(
    "position", [{"after_seq": 0, "epoch": "another"}, {"after_seq": 0}, {"after_seq": 9}]
)
async def test_a_position_that_means_nothing_here_is_not_recovered(
    server: RunningServer, position: dict[str, Any]
):
    ana, ben = await server.people("ana", "ben")
    room = await server.group(ana, ben)
    await server.post(ana, room, "one")
    if position["after_seq"]:
        position = position | {"epoch": server.services.storage.epoch}
    async with connect(server, ben) as socket:
        assert (await subscribe(socket, room, **position))["recovered"] is False
        assert await socket.hears_nothing()
        await server.post(ana, room, "two")
        assert (await socket.hear("message.new"))["data"]["seq"] == 2


@pytest.mark.clause("v2.epoch")
async def test_a_database_keeps_its_epoch_and_a_fresh_one_has_another(tmp_path: Path):
    epochs = []
    for name in ("one.db", "one.db", "two.db"):
        async with running_server(db=str(tmp_path / name)) as server:
            ana = await server.person()
            async with welcomed(server, ana) as (_, data):
                epochs.append(data["epoch"])
    assert epochs[0] == epochs[1] != epochs[2]


@pytest.mark.clause("v2.epoch")
async def test_an_epoch_can_be_begun_anew(tmp_path: Path):
    async with running_server(db=str(tmp_path / "tribe.db")) as server:
        before = server.services.storage.epoch
        assert await server.services.storage.renew_epoch() == server.services.storage.epoch != before
        kept = server.services.storage.epoch
    async with running_server(db=str(tmp_path / "tribe.db")) as server:
        assert server.services.storage.epoch == kept


# ── Echo ─────────────────────────────────────────────────────────────────────


@pytest.mark.clause("v2.echo", "v2.no-echo")
async def test_an_echo_goes_to_ones_other_connections(server: RunningServer):
    ana, ben = await server.people("ana", "ben")
    room = await server.group(ana, ben)
    async with (
        welcomed(server, ana) as (phone, said),
        connect(server, ana) as laptop,
        connect(server, ana) as silent,
    ):
        await subscribe(phone, room, echo=True)
        await subscribe(laptop, room, echo=True)
        await subscribe(silent, room)
        headers = {"X-Connection-Id": said["connection_id"]}
        answer = await server.request(
            ana, "POST", f"/conversations/{room}/messages", json={"content": "one"}, headers=headers
        )
        assert answer.headers["Tribe-Recipients"] == "1"
        await server.post(ana, room, "two")
        await server.post(ben, room, "three")
        assert [frame["data"]["seq"] for frame in await phone.settle()] == [2, 3]
        assert [frame["data"]["seq"] for frame in await laptop.settle()] == [1, 2, 3]
        assert [frame["data"]["seq"] for frame in await silent.settle()] == [3]
        # The last word wins.
        await subscribe(laptop, room)
        await server.post(ana, room, "four")
        assert await laptop.hears_nothing()


@pytest.mark.clause("v2.echo", "v2.no-echo")
async def test_an_echo_holds_for_what_was_missed_too(server: RunningServer):
    ana, ben = await server.people("ana", "ben")
    room, epoch = await server.group(ana, ben), server.services.storage.epoch
    await server.post(ben, room, "one")
    async with welcomed(server, ana) as (socket, said):
        headers = {"X-Connection-Id": said["connection_id"].upper()}
        await server.request(
            ana, "POST", f"/conversations/{room}/messages", json={"content": "two"}, headers=headers
        )
        await server.post(ana, room, "three")
        await subscribe(socket, room, echo=True, after_seq=0, epoch=epoch)
        assert [frame["data"]["seq"] for frame in await socket.settle()] == [1, 3]
    async with connect(server, ana) as socket:
        await subscribe(socket, room, after_seq=0, epoch=epoch)
        assert [frame["data"]["seq"] for frame in await socket.settle()] == [1]


# ── Errors ───────────────────────────────────────────────────────────────────


@pytest.mark.clause("v2.error")
@pytest.mark.parametrize(
    ("data", "code"),
    [
        ("{", "invalid_json"),
        ("[]", "invalid_frame"),
        ('{"event":"dance"}', "unknown_event"),
        ('{"event":"subscribe"}', "invalid_payload"),
        ('{"event":"subscribe","conversation_id":"general"}', "invalid_payload"),
        (b"\x00", "unsupported_data"),
    ],
)
async def test_what_cannot_be_followed_is_told(server: RunningServer, data: str | bytes, code: str):
    ana = await server.person()
    async with connect(server, ana) as socket:
        await socket.send(data)
        assert await error(socket) == (code, None, False)
        assert await socket.hears_nothing()


@pytest.mark.clause("v2.error-not-found")
@pytest.mark.parametrize("frame", [{"event": "subscribe"}, {"event": "typing", "is_typing": True}], ids=str)
async def test_unknown_and_foreign_conversations_are_answered_alike(
    server: RunningServer, frame: dict[str, Any]
):
    ana, ben, eve = await server.people("ana", "ben", "eve")
    foreign = await server.group(ana, ben)
    answers = []
    async with connect(server, eve) as socket:
        for room in (foreign, UNKNOWN):
            await socket.send(json.dumps({**frame, "conversation_id": room, "ref": "r"}))
            answers.append((await socket.hear_text()).replace(room, "ROOM"))
    assert answers[0] == answers[1]
    assert json.loads(answers[0])["data"]["code"] == "not_found"


@pytest.mark.clause("v2.error-rate-limited", "v2.error-subscriptions")
async def test_limits_are_told(fan_out: str):
    async with running_server(fan_out=fan_out, limit_frames=4, limit_subscriptions=1) as server:
        ana, ben = await server.people("ana", "ben")
        room, another = await server.group(ana, ben), await server.group(ana, ben)
        async with connect(server, ana) as socket:
            await subscribe(socket, room)
            await socket.say("subscribe", conversation_id=another, ref="r")
            assert await error(socket, "r") == ("too_many_subscriptions", another, False)
            await socket.say("unsubscribe", conversation_id=room)
            await socket.hear("unsubscribed")
            await subscribe(socket, another)
            await socket.say("ping", ref="late")
            assert await error(socket, "late") == ("rate_limited", None, True)
            server.clock.advance(10)
            await socket.say("ping")
            await socket.hear("pong")


@pytest.mark.clause("v2.error-internal")
async def test_a_database_that_does_not_answer_is_told(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch
):
    ana, ben = await server.people("ana", "ben")
    room = await server.group(ana, ben)

    async def fail(*_: Any) -> Any:
        raise StorageUnavailable("the database does not answer", reason="storage_busy")

    async with connect(server, ana) as socket:
        for name in ("is_participant", "participant_ids"):
            with monkeypatch.context() as patched:
                patched.setattr(server.services.storage.conversations, name, fail)
                await socket.say("subscribe", conversation_id=room, ref="r")
                assert await error(socket, "r") == ("internal", room, True)
        await subscribe(socket, room)
        with monkeypatch.context() as patched:
            patched.setattr(server.services.storage.conversations, "participant_ids", fail)
            await socket.say("subscribe", conversation_id=room)
            assert (await error(socket))[0] == "internal"
        await server.post(ben, room, "still subscribed")
        await socket.hear("message.new")


# ── The token ────────────────────────────────────────────────────────────────


def token(server: RunningServer, person: Person, ttl: float) -> str:
    owner = type("Owner", (), {"id": person.id, "username": person.username, "email": "x@tribe.test"})()
    return server.services.tokens.access(owner, ttl=ttl)


@pytest.mark.clause("v2.auth", "v2.token-expiring")
async def test_a_token_of_5_seconds_is_renewed_in_band(server: RunningServer):
    ana = await server.person()
    async with server.dial(token(server, ana, 5), subprotocols=V2) as socket:
        ends = (await socket.hear("connected"))["data"]["expires_at"]
        assert (await socket.hear("token.expiring"))["data"] == {"expires_at": ends}
        server.clock.advance(4)
        await socket.say("auth", token=token(server, ana, 300), ref="r")
        frame = await socket.hear("authenticated")
        assert frame["ref"] == "r"
        assert frame["data"]["expires_at"] > ends
        server.clock.advance(200)
        assert await socket.hears_nothing()
        server.clock.advance(40)
        assert (await socket.hear("token.expiring"))["data"] == frame["data"]
        server.clock.advance(58)
        assert await socket.hears_nothing()
        server.clock.advance(2)
        assert await socket.end() == (4401, "token_expired")


@pytest.mark.clause("v2.token-expires")
async def test_a_token_of_5_seconds_that_is_not_renewed_ends_the_connection(server: RunningServer):
    ana = await server.person()
    async with server.dial(token(server, ana, 5), subprotocols=V2) as socket:
        await socket.hear("connected")
        await socket.hear("token.expiring")
        server.clock.advance(3.9)
        assert await socket.hears_nothing()
        server.clock.advance(1.2)
        assert await socket.end() == (4401, "token_expired")


@pytest.mark.clause("v2.auth-refused")
async def test_a_token_that_does_not_fit_changes_nothing(server: RunningServer):
    ana, ben = await server.people("ana", "ben")
    async with server.dial(token(server, ana, 50), subprotocols=V2) as socket:
        await socket.hear("connected")
        await socket.hear("token.expiring")
        for bad in (ben.token, "rubble", ""):
            await socket.say("auth", token=bad, ref="r")
            assert await error(socket, "r") == ("invalid_payload", None, False)
        server.clock.advance(51)
        assert await socket.end() == (4401, "token_expired")


@pytest.mark.clause("v2.auth-refused")
async def test_a_disabled_account_is_not_renewed(server: RunningServer):
    ana = await server.person()
    async with connect(server, ana) as socket:
        await server.services.storage.users.update(ana.id, {"is_active": False})
        await socket.say("auth", token=ana.token)
        assert await socket.end() == (4403, "account_disabled")


# ── Presence and reads ───────────────────────────────────────────────────────


@pytest.mark.clause("v2.presence", "v2.read")
async def test_presence_and_reads_reach_v2_and_no_documented_client(server: RunningServer):
    ana, ben = await server.people("ana", "ben")
    room = await server.group(ana, ben)
    await server.post(ben, room, "hi")
    async with connect(server, ben) as socket, server.connect(ben) as plain:
        await subscribe(socket, room)
        await plain.subscribe(room)
        async with server.connect(ana):
            data = (await socket.hear("presence"))["data"]
            assert (data["user_id"], data["is_online"]) == (ana.id, True)
            await server.request(ana, "POST", f"/conversations/{room}/read")
            assert (await socket.hear("message.read"))["data"]["user_id"] == ana.id
        await until(lambda: all(one.user_id != ana.id for one in server.hub.connections))
        server.clock.advance(3)
        assert (await socket.hear("presence"))["data"]["is_online"] is False
        assert await plain.hears_nothing()
