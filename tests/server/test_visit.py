"""A visit from its first frame to its end, clause by clause, with either way of sending (contract 3.2 on)."""

from __future__ import annotations

import asyncio
import json
from functools import partial
from typing import Any

import pytest

from tests.server.socket_stage import (
    CONNECTED,
    HALL,
    PONG,
    ROOM,
    MakeStage,
    Stage,
    end_of,
    hear,
    hear_json,
    hears_nothing,
    say,
    until,
)
from tribe_ws.errors import StorageUnavailable
from tribe_ws.protocol import close_codes
from tribe_ws.protocol.frames import Presence, PresenceChanged

# ── 3.2 Client → server ───────────────────────────────────────────────────────


async def test_subscribing_is_acknowledged_as_often_as_it_comes(stage: Stage) -> None:
    ana = await stage.join("ana", ROOM, ROOM, ROOM)
    stage.publish("m1", author="ben")
    assert (await hear_json(ana))["data"]["id"] == "m1"
    await hears_nothing(ana)


async def test_an_id_in_upper_case_is_the_same_conversation(stage: Stage) -> None:
    ana = await stage.join("ana")
    await say(ana, event="subscribe", conversation_id=ROOM.upper())
    assert await hear_json(ana) == {"event": "subscribed", "conversation_id": ROOM}
    stage.publish("m1", author="ben")
    assert (await hear_json(ana))["conversation_id"] == ROOM


async def test_a_stranger_gets_no_subscription_and_no_word(stage: Stage) -> None:
    stage.cast.strangers.add("eve")
    eve = await stage.join("eve")
    await say(eve, event="subscribe", conversation_id=ROOM)
    await hears_nothing(eve)
    stage.publish("m1")
    await hears_nothing(eve)
    assert stage.cast.counts.reasons == ["not_found"]


async def test_who_subscribes_again_after_being_removed_loses_the_old_subscription(stage: Stage) -> None:
    eve = await stage.join("eve", ROOM)
    stage.cast.strangers.add("eve")
    await say(eve, event="subscribe", conversation_id=ROOM)
    await hears_nothing(eve)
    assert stage.cast.hub.recipients(ROOM) == 0


async def test_a_removed_participant_hears_nothing_more_and_may_come_back(stage: Stage) -> None:
    eve = await stage.join("eve", ROOM)
    stage.cast.hub.evict("eve", ROOM)
    stage.publish("m1")
    await hears_nothing(eve)
    await say(eve, event="subscribe", conversation_id=ROOM)
    assert (await hear_json(eve))["event"] == "subscribed"


async def test_unsubscribing_ends_it_without_an_answer(stage: Stage) -> None:
    ana = await stage.join("ana", ROOM, HALL)
    await say(ana, event="unsubscribe", channel="conversation", conversation_id=ROOM)
    await hears_nothing(ana)
    stage.publish("m1", author="ben")
    stage.publish("m2", author="ben", room=HALL)
    assert (await hear_json(ana))["data"]["id"] == "m2"


async def test_typing_reaches_the_others_with_the_full_name_and_ends_by_itself(stage: Stage) -> None:
    ana, ben, ben_too = await stage.join("ana", ROOM), await stage.join("ben", ROOM), await stage.join("ben")
    await say(ben_too, event="typing", conversation_id=ROOM, is_typing=True)
    typing = {
        "event": "typing",
        "conversation_id": ROOM,
        "data": {"user_id": "ben", "user_name": "Full Ben", "is_typing": True},
    }
    assert await hear_json(ana) == typing
    stage.cast.clock.advance(6)
    assert (await hear_json(ana))["data"]["is_typing"] is False
    await hears_nothing(ben)
    await hears_nothing(ben_too)


async def test_a_typist_who_disconnects_has_stopped_typing(stage: Stage) -> None:
    ana, ben = await stage.join("ana", ROOM), await stage.join("ben")
    await say(ben, event="typing", conversation_id=ROOM, is_typing=True)
    assert (await hear_json(ana))["data"]["is_typing"] is True
    ben.transport.abort()
    assert (await hear_json(ana))["data"]["is_typing"] is False


async def test_a_stranger_types_in_vain(stage: Stage) -> None:
    stage.cast.strangers.add("eve")
    ana, eve = await stage.join("ana", ROOM), await stage.join("eve")
    await say(eve, event="typing", conversation_id=ROOM, is_typing=True)
    await hears_nothing(eve)
    await hears_nothing(ana)
    assert stage.cast.counts.reasons == ["not_found"]


async def test_presence_is_handed_to_the_services(stage: Stage) -> None:
    ana = await stage.join("ana")
    for status in ("online", "away", "offline"):
        await say(ana, event="presence", status=status)
    await hears_nothing(ana)
    assert stage.cast.statuses == [("ana", "online"), ("ana", "away"), ("ana", "offline")]


async def test_every_ping_gets_its_pong(stage: Stage) -> None:
    ana = await stage.join("ana")
    for _ in range(3):
        await say(ana, event="ping")
    assert [await hear(ana) for _ in range(3)] == [PONG] * 3


async def test_a_pong_overtakes_what_is_queued_later(stage: Stage) -> None:
    ana = await stage.join("ana", ROOM)
    connection = stage.connection("ana")
    await say(ana, event="ping")
    await until(lambda: "ping" in stage.cast.counts.frames_in)
    for number in range(50):
        stage.publish(f"m{number}", author="ben")
    assert await hear(ana) == PONG
    assert (await hear_json(ana))["data"]["id"] == "m0"
    assert connection.ended is None


BAD_FRAMES = {
    "not JSON": "{",
    "nothing": "",
    "an array": "[]",
    "a number": "1",
    "no event": "{}",
    "unknown event": '{"event":"dance"}',
    "event of another type": '{"event":1}',
    "no id": '{"event":"subscribe"}',
    "an id of another type": '{"event":"subscribe","conversation_id":1}',
    "not a UUID": '{"event":"subscribe","conversation_id":"conv-1"}',
    "a UUID without hyphens": json.dumps({"event": "subscribe", "conversation_id": ROOM.replace("-", "")}),
    "another channel": json.dumps({"event": "subscribe", "channel": "x", "conversation_id": ROOM}),
    "is_typing as a number": json.dumps({"event": "typing", "conversation_id": ROOM, "is_typing": 1}),
    "no is_typing": json.dumps({"event": "typing", "conversation_id": ROOM}),
    "unknown status": '{"event":"presence","status":"gone"}',
    "a lone surrogate": '{"event":"presence","status":"\\ud800"}',
    "NaN": '{"event":"ping","x":NaN}',
    "deep nesting": "[" * 60_000,
    "a long number": '{"event":"ping","x":%s}' % ("9" * 5000),
    "binary": b'{"event":"ping"}',
    "empty binary": b"",
}


@pytest.mark.parametrize("frame", BAD_FRAMES.values(), ids=BAD_FRAMES)
async def test_what_makes_no_sense_is_ignored_and_the_connection_lives_on(stage: Stage, frame) -> None:
    ana = await stage.join("ana")
    await ana.send(frame)
    await hears_nothing(ana)
    assert len(stage.cast.counts.reasons) == 1
    assert "exception" not in stage.cast.log_lines.getvalue()


async def test_only_the_first_violations_of_a_connection_are_logged_but_all_are_counted(stage: Stage) -> None:
    ana = await stage.join("ana")
    for _ in range(25):
        await ana.send("{")
    await hears_nothing(ana)
    assert len([line for line in stage.log if line["event"] == "socket.ignored"]) == 10
    assert stage.cast.counts.reasons == ["invalid_json"] * 25


async def test_frames_are_counted_by_their_event(stage: Stage) -> None:
    ana = await stage.join("ana", ROOM)
    await say(ana, event="typing", conversation_id=ROOM, is_typing=True)
    await say(ana, event="presence", status="away")
    await say(ana, event="unsubscribe", conversation_id=ROOM)
    await hears_nothing(ana)
    assert stage.cast.counts.frames_in == ["subscribe", "typing", "presence", "unsubscribe", "ping"]


# ── 3.3, 3.4 ──────────────────────────────────────────────────────────────────


async def test_two_sockets_of_one_user_both_get_a_message_and_the_senders_other_socket_does_not(
    stage: Stage,
) -> None:
    ben, ben_too = await stage.join("ben", ROOM), await stage.join("ben", ROOM)
    ana = await stage.join("ana", ROOM)
    stage.publish("m1", author="ana")
    assert (await hear_json(ben))["data"]["id"] == "m1"
    assert (await hear_json(ben_too))["data"]["id"] == "m1"
    await hears_nothing(ana)


async def test_messages_arrive_once_and_in_order(stage: Stage) -> None:
    ben = await stage.join("ben", ROOM)
    for number in range(500):
        stage.publish(f"m{number}", content="ä😀" * 20)
        if number % 7 == 0:
            await asyncio.sleep(0)
    names = [(await hear_json(ben))["data"]["id"] for _ in range(500)]
    assert names == [f"m{number}" for number in range(500)]


@pytest.mark.parametrize(("profile", "sees"), [("documented", False), ("app", True)])
async def test_a_profile_sees_what_it_carries(make_stage: MakeStage, profile: str, sees: bool) -> None:
    async with make_stage(profile=profile) as stage:
        ben = await stage.join("ben")
        data = Presence(user_id="ana", is_online=True, status="online", last_seen_at=None)
        stage.cast.hub.send_to_users(["ben"], PresenceChanged(data=data))
        if sees:
            assert (await hear_json(ben))["event"] == "presence"
        await hears_nothing(ben)


# ── 3.6 The end of a connection ───────────────────────────────────────────────


async def test_a_client_that_closes_is_forgotten(stage: Stage) -> None:
    ana = await stage.join("ana", ROOM)
    await ana.close()
    assert await end_of(ana) == (1000, "")
    await until(lambda: not stage.cast.hub.connection_count)
    stage.cast.clock.advance(3)
    assert stage.cast.hub.is_empty
    assert stage.log[-1]["event"] == "socket.closed"
    assert stage.log[-1]["code"] == 1000


@pytest.mark.parametrize("way", ["abort", "eof"])
async def test_a_client_that_just_vanishes_is_forgotten(stage: Stage, way: str) -> None:
    ana = await stage.join("ana", ROOM)
    if way == "abort":
        ana.transport.abort()
    else:
        ana.transport.write_eof()
    await until(lambda: not stage.cast.hub.connection_count)
    await until(lambda: not stage.server.server_state.connections)


async def test_a_token_that_expires_closes_its_connection(stage: Stage) -> None:
    ana = await stage.join("ana")
    stage.cast.clock.advance(3599)
    await hears_nothing(ana)
    stage.cast.clock.advance(1)
    assert await end_of(ana) == (4401, "token_expired")
    assert stage.cast.counts.reasons[-1:] in ([], ["token_expired"])


async def test_a_token_in_its_last_seconds_still_gets_its_connected(stage: Stage) -> None:
    stage.cast.expires_at = stage.cast.clock.now().timestamp() - 3
    ana = await stage.dial("ana")
    assert await hear(ana) == CONNECTED
    stage.cast.clock.advance(0)
    assert await end_of(ana) == (4401, "token_expired")


async def test_a_server_can_be_told_to_ignore_expiry(make_stage: MakeStage) -> None:
    async with make_stage(on_expiry="ignore") as stage:
        ana = await stage.join("ana")
        stage.cast.clock.advance(10 * 3600)
        await hears_nothing(ana)


async def test_a_silent_client_is_closed_where_a_heartbeat_is_asked_for(make_stage: MakeStage) -> None:
    async with make_stage(heartbeat_timeout=75) as stage:
        silent, lively = await stage.join("ana"), await stage.join("ben")
        for _ in range(3):
            stage.cast.clock.advance(24)
            await hears_nothing(lively)
        stage.cast.clock.advance(3)
        assert await end_of(silent) == (4408, "heartbeat_timeout")
        await hears_nothing(lively)
        stage.cast.clock.advance(75)
        assert await end_of(lively) == (4408, "heartbeat_timeout")


async def test_without_a_heartbeat_a_silent_client_stays(stage: Stage) -> None:
    ana = await stage.join("ana")
    stage.cast.clock.advance(3000)
    await hears_nothing(ana)


async def test_one_connection_too_many_is_the_one_that_is_closed(make_stage: MakeStage) -> None:
    async with make_stage(limit_connections=2) as stage:
        first, second = await stage.join("ana"), await stage.join("ana")
        third = await stage.dial("ana")
        assert await end_of(third) == (4409, "too_many_connections")
        await hears_nothing(first)
        await hears_nothing(second)
        await stage.join("ben")
        await first.close()
        await until(lambda: stage.cast.hub.connection_count == 2)
        await stage.join("ana")


async def test_a_flood_in_three_windows_in_a_row_is_closed(make_stage: MakeStage) -> None:
    async with make_stage(limit_frames=5) as stage:
        ana = await stage.join("ana")
        for window in range(3):
            before = len(stage.cast.counts.reasons)
            for _ in range(8):
                await say(ana, event="ping")
            if window < 2:
                await until(partial(has_reasons, stage, before + 3))
                stage.cast.clock.advance(10)
        assert await end_of(ana) == (4429, "rate_limited")


async def test_more_subscriptions_than_allowed_are_not_acknowledged(make_stage: MakeStage) -> None:
    async with make_stage(limit_subscriptions=1) as stage:
        ana = await stage.join("ana", ROOM)
        await say(ana, event="subscribe", conversation_id=HALL)
        await hears_nothing(ana)
        assert stage.cast.counts.reasons == ["too_many_subscriptions"]


async def test_a_bug_of_ours_closes_with_internal_and_leaves_a_traceback(stage: Stage) -> None:
    ana = await stage.join("ana", ROOM)
    stage.cast.failure = RuntimeError("boom")
    await say(ana, event="subscribe", conversation_id=HALL)
    assert await end_of(ana) == (1011, "internal")
    await until(lambda: not stage.cast.hub.connection_count)
    (line,) = (line for line in stage.log if line["event"] == "socket.failed")
    assert "RuntimeError: boom" in line["exception"]


async def test_a_database_that_cannot_be_asked_closes_with_internal_and_no_traceback(stage: Stage) -> None:
    ana = await stage.join("ana")
    stage.cast.failure = StorageUnavailable("busy", reason="storage_busy")
    await say(ana, event="subscribe", conversation_id=ROOM)
    assert await end_of(ana) == (1011, "internal")
    (line,) = (line for line in stage.log if line["event"] == "socket.failed")
    assert line["reason"] == "storage_busy"
    assert "exception" not in line


async def test_a_stopping_server_says_restart_to_every_socket(stage: Stage) -> None:
    clients = [await stage.join(user, ROOM) for user in ("ana", "ben", "cara")]
    stopping = asyncio.create_task(stage.stop())
    for client in clients:
        assert await end_of(client) == (1012, "restart")
    await stopping
    assert stage.cast.hub.connection_count == 0


async def test_a_stop_waits_for_no_client_that_stalls(make_stage: MakeStage) -> None:
    async with make_stage(stop_timeout=2) as stage:
        ana = await stage.join("ana", max_queue=1)
        ana.transport.pause_reading()
        stage.cast.gate = asyncio.Event()
        await say(ana, event="subscribe", conversation_id=ROOM)
        started = asyncio.get_running_loop().time()
        await stage.stop()
        assert asyncio.get_running_loop().time() - started < 4
        assert stage.cast.hub.connection_count == 0


async def test_a_cancelled_connection_is_told_restart(stage: Stage) -> None:
    ana = await stage.join("ana", ROOM)
    for task in stage.server.server_state.tasks:
        task.cancel()
    assert await end_of(ana) == (1012, "restart")
    assert stage.cast.hub.connection_count == 0


async def test_what_a_closed_client_still_says_is_not_heard(stage: Stage) -> None:
    ana = await stage.join("ana")
    stage.cast.gate = asyncio.Event()
    await say(ana, event="presence", status="away")
    await say(ana, event="presence", status="offline")
    connection = stage.connection("ana")
    await until(lambda: len(stage.cast.counts.frames_in) == 1)
    connection.close(close_codes.TOKEN_REVOKED)
    stage.cast.gate.set()
    assert await end_of(ana) == (4401, "token_revoked")
    await until(lambda: not stage.cast.hub.connection_count)
    assert len(stage.cast.statuses) <= 1


async def test_500_sockets_that_come_and_go_leave_nothing(make_stage: MakeStage) -> None:
    async with make_stage(limit_connections=0) as stage:
        for _ in range(10):
            clients = await asyncio.gather(*(stage.join(f"user{number % 9}", ROOM) for number in range(50)))
            await say(clients[0], event="typing", conversation_id=ROOM, is_typing=True)
            for client in clients[::2]:
                client.transport.abort()
            await asyncio.gather(*(client.close() for client in clients[1::2]))
        await until(lambda: not stage.cast.hub.connection_count)
        await until(lambda: not stage.server.server_state.tasks)
        await until(lambda: not stage.server.server_state.connections)
        stage.cast.clock.advance(10)
        assert stage.cast.hub.is_empty, stage.cast.hub.footprint()


async def test_no_log_line_ever_holds_a_token(make_stage: MakeStage, caplog: Any) -> None:
    caplog.set_level("DEBUG")
    async with make_stage(log_level="debug") as stage:
        secret = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2VjcmV0"
        client = await stage.dial(secret)
        assert await end_of(client) == (4401, "token_invalid")
        ana = await stage.join("ana")
        await ana.send(json.dumps({"event": secret}))
        await hears_nothing(ana)
        server_side = [record for record in caplog.records if record.name.startswith("uvicorn")]
        everything = stage.cast.log_lines.getvalue() + "".join(
            record.getMessage() for record in server_side if record.levelname != "DEBUG"
        )
        assert secret not in everything


def has_reasons(stage: Stage, count: int) -> bool:
    return len(stage.cast.counts.reasons) == count
