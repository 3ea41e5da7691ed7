"""A visit in v2 where its timing matters: slow readers, and removals while the database is read (3.5)."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.typing import Subprotocol

from tests.server.raw_client import TEXT, RawClient
from tests.server.socket_stage import ROOM, MakeStage, Stage, end_of, hear_json, say, until
from tribe_ws.errors import StorageUnavailable
from tribe_ws.protocol.close_codes import SLOW_CONSUMER

BIG = "x" * 5_000
V2 = [Subprotocol("tribe.v2")]


async def dial(stage: Stage, user: str = "ana", **options: Any) -> ClientConnection:
    client = await stage.dial(user, subprotocols=V2, **options)
    assert (await hear_json(client))["event"] == "connected"
    return client


def store(stage: Stage, count: int) -> None:
    for number in range(count):
        stage.publish(f"m{number}", author="ben", content=BIG)


async def resume(client: ClientConnection, after_seq: int = 0, epoch: str = "e-1") -> None:
    await say(client, event="subscribe", conversation_id=ROOM, after_seq=after_seq, epoch=epoch)


async def test_catching_up_makes_nobody_a_slow_consumer(make_stage: MakeStage) -> None:
    """Five megabytes missed, for a client that takes its time: all of it comes, and then what is new."""
    async with make_stage(limit_outbox_bytes=128 * 1024) as stage:
        store(stage, 1000)
        client = await dial(stage, max_queue=1)
        await resume(client)
        assert (await hear_json(client))["data"]["recovered"] is True
        for _ in range(50):
            await asyncio.sleep(0)
        stage.publish("new", author="ben")
        seen = [(await hear_json(client))["data"]["seq"] for _ in range(1001)]
        assert seen == list(range(1, 1002))
        assert stage.connection("ana").ended is None


async def test_who_takes_nothing_of_what_it_missed_is_given_up(
    make_stage: MakeStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tribe_ws.server.visit_v2.PATIENCE", 0.1)
    async with make_stage(limit_outbox_bytes=0) as stage:
        store(stage, 1000)
        client = await RawClient.dial(stage.port)
        stage.stack.callback(client.close)
        await client.ask_for_upgrade("/api/v1/ws?token=ana", stage.port, subprotocol="tribe.v2")
        assert "tribe.v2" in await client.read_head()
        await client.read()
        connection = stage.connection("ana")
        frame = {"event": "subscribe", "conversation_id": ROOM, "after_seq": 0, "epoch": "e-1"}
        await client.send(TEXT, json.dumps(frame).encode())
        await until(lambda: connection.ended is SLOW_CONSUMER)


async def test_a_removal_while_the_missed_messages_are_read_wins(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(stage, 3)
    client = await dial(stage)
    stage.cast.gate = asyncio.Event()
    read, missed = asyncio.Event(), stage.cast.missed

    async def slowly(*arguments: Any, **options: Any) -> Any:
        read.set()
        return await missed(*arguments, **options)

    monkeypatch.setattr(stage.cast, "can_subscribe", _yes)
    monkeypatch.setattr(stage.cast, "head_seq", _three)
    monkeypatch.setattr(stage.cast, "missed", slowly)
    await resume(client)
    await asyncio.wait_for(read.wait(), 10)
    stage.cast.hub.evict("ana", ROOM)
    stage.cast.gate.set()
    assert (await hear_json(client))["data"]["code"] == "not_found"
    await say(client, event="ping")
    assert (await hear_json(client))["event"] == "pong"
    assert stage.cast.hub.recipients(ROOM) == 0


async def test_a_resume_on_a_subscribed_connection_brings_only_what_it_had_not(stage: Stage) -> None:
    store(stage, 3)
    client = await dial(stage)
    await say(client, event="subscribe", conversation_id=ROOM)
    assert (await hear_json(client))["data"]["seq"] == 3
    stage.publish("m4", author="ben")
    assert (await hear_json(client))["data"]["seq"] == 4
    await resume(client, 1)
    assert (await hear_json(client))["data"]["recovered"] is True
    assert [(await hear_json(client))["data"]["seq"] for _ in range(2)] == [2, 3]
    await resume(client, 0)
    assert (await hear_json(client))["data"]["seq"] == 4
    assert (await hear_json(client))["data"]["seq"] == 1
    stage.publish("m5", author="ben")
    assert (await hear_json(client))["data"]["seq"] == 5


async def test_a_bug_ends_the_connection_and_keeps_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await dial(stage)
    monkeypatch.setattr(stage.cast, "head_seq", _bug)
    await say(client, event="subscribe", conversation_id=ROOM)
    assert await end_of(client) == (1011, "internal")
    await until(lambda: not stage.cast.hub.connections)
    stage.cast.clock.advance(10)
    assert stage.cast.hub.is_empty


async def test_a_database_that_fails_leaves_a_new_subscription_undone(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await dial(stage)
    monkeypatch.setattr(stage.cast, "head_seq", _unavailable)
    await say(client, event="subscribe", conversation_id=ROOM, ref="r")
    error = await hear_json(client)
    assert (error["data"]["code"], error["ref"]) == ("internal", "r")
    assert stage.cast.hub.recipients(ROOM) == 0


async def _yes(*_: Any) -> bool:
    return True


async def _three(*_: Any) -> int:
    return 3


async def _bug(*_: Any) -> int:
    raise RuntimeError("a bug")


async def _unavailable(*_: Any) -> int:
    raise StorageUnavailable("the database does not answer", reason="storage_busy")
