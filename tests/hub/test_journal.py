"""What the journal says of each frame, and that it holds nobody up."""

from __future__ import annotations

import asyncio

import pytest

from tribe_ws.clock import ManualClock
from tribe_ws.hub.connection import OutboxLimits
from tribe_ws.hub.hub import HubLimits
from tribe_ws.hub.journal import Journal, Verdict
from tribe_ws.hub.packet import make_packet
from tribe_ws.protocol.close_codes import RESTART
from tribe_ws.protocol.frames import MessageRead, Pong, Presence, PresenceChanged, ReadMark
from tribe_ws.protocol.profiles import Profile

ROOM = "room"
READ = MessageRead(conversation_id=ROOM, data=ReadMark(user_id="ana", read_at="t", last_read_message_id=None))


@pytest.fixture
def watcher(world):
    watching = world.hub.journal.watch()
    yield watching
    watching.close()


async def records_of(watcher):
    return (await asyncio.wait_for(watcher.take(), 5))[1]


def verdicts(record):
    return {ruling.user_id: ruling.verdict.value for ruling in record.rulings}


async def test_each_connection_of_a_publish_has_its_verdict(world, watcher):
    ana, ben, cem, dan, eva = (
        world.connect("ana", ROOM, profile=Profile.APP),
        world.connect("ben", ROOM, profile=Profile.APP),
        world.connect("cem", ROOM),
        world.connect("dan"),
        world.connect("eva", ROOM, profile=Profile.APP, limits=OutboxLimits(bytes=1)),
    )
    eva.transport.backlog = (100, 1)
    await records_of(watcher)
    world.hub.publish(ROOM, READ, exclude_user="ana")
    await world.settle()
    (record,) = await records_of(watcher)
    assert verdicts(record) == {
        "ana": "own_message",
        "ben": "delivered",
        "cem": "profile",
        "dan": "not_subscribed",
        "eva": "outbox_full",
    }
    assert (record.direction, record.event, record.conversation_id) == ("out", "message.read", ROOM)
    assert record.user_id == "ana"
    assert {one.connection_id for one in record.rulings} == {one.id for one in (ana, ben, cem, dan, eva)}


async def test_who_may_not_listen_is_told_from_who_does_not(world, watcher):
    world.connect("ben")
    world.connect("dan")
    await records_of(watcher)
    world.hub.publish(ROOM, READ)
    (record,) = await records_of(watcher)
    assert verdicts(record.with_participants(frozenset({"ben"}))) == {
        "ben": "not_subscribed",
        "dan": "not_participant",
    }


async def test_a_transport_overrules_the_verdict_of_a_packet(world, watcher):
    ben, cem, _ = (world.connect(user, ROOM, profile=Profile.APP) for user in ("ben", "cem", "dan"))
    await records_of(watcher)
    for connection, verdict in ((ben, Verdict.FAULT_DROPPED), (cem, Verdict.FAULT_DELAYED)):

        def send(batch, connection=connection, verdict=verdict):
            for packet in batch.packets:
                world.hub.journal.overrule(connection.id, packet, verdict)
            return False

        connection.transport.send = send
    world.hub.publish(ROOM, READ)
    await world.settle()
    (record,) = await records_of(watcher)
    assert verdicts(record) == {"ben": "fault_dropped", "cem": "fault_delayed", "dan": "delivered"}


async def test_answers_presence_and_pushes_are_written_down_too(world, watcher):
    ben = world.connect("ben", profile=Profile.APP)
    dan = world.connect("dan")
    assert [record.event for record in await records_of(watcher)] == ["opened", "opened"]
    world.hub.send(ben, Pong())
    presence = Presence(user_id="ana", is_online=True, status="online", last_seen_at=None)
    world.hub.send_to_users(["ben", "dan"], PresenceChanged(data=presence))
    assert world.hub.push([ben, dan], make_packet(b'{"event":"odd"}', "odd")) == 2
    pong, news, odd = await records_of(watcher)
    assert (pong.event, pong.connection_id, verdicts(pong)) == ("pong", ben.id, {"ben": "delivered"})
    assert verdicts(news) == {"ben": "delivered", "dan": "profile"}
    assert (odd.event, odd.frame) == ("odd", {"event": "odd"})


async def test_an_ended_connection_gets_nothing_and_its_end_is_noted(world, watcher):
    ben = world.connect("ben", ROOM)
    ben.close(RESTART)
    world.hub.send(ben, Pong())
    world.hub.detach(ben)
    _, pong, closed = await records_of(watcher)
    assert verdicts(pong) == {"ben": "closed"}
    assert (closed.event, closed.frame) == ("closed", {"code": 1012, "reason": "restart"})


@pytest.mark.parametrize(
    ("data", "event", "frame"),
    [
        ('{"event":"ping"}', "ping", {"event": "ping"}),
        (
            '{"event":"auth","token":"eyJabcdef.x.y"}',
            "auth",
            {"event": "auth", "token": "***"},
        ),
        ("hello", "", "hello"),
        ("\ud800", "", "?"),
        (b"\xff", "", "\ufffd"),
        ("[1]", "", [1]),
        ('{"event":1}', "", {"event": 1}),
        ('{"token":"eyJabcdef.x.y"', "", '{"token":"***"'),
    ],
)
async def test_what_a_client_sent_is_kept_without_its_token(world, watcher, data, event, frame):
    connection = world.connection("ana")
    world.hub.journal.received(connection, data)
    (record,) = await records_of(watcher)
    shown = record.as_json({"ana": "Ana"}.__getitem__)
    assert (shown["dir"], shown["event"], shown["frame"], shown["user"]) == ("in", event, frame, "Ana")


async def test_nothing_is_recorded_while_nobody_watches(world):
    world.connect("ben", ROOM)
    world.hub.publish(ROOM, READ)
    await world.settle()
    world.hub.journal.overrule("x", make_packet(b"{}"), Verdict.FAULT_DROPPED)
    journal = world.hub.journal
    assert (journal.is_watched, journal._count, journal._overruled) == (False, 0, {})


async def test_the_last_watcher_turns_it_off_again(world):
    journal = world.hub.journal
    first, second = journal.watch(), journal.watch()
    assert journal.watchers == 2
    first.close()
    first.close()
    assert journal.is_watched
    second.close()
    assert not journal.is_watched


async def test_a_watcher_that_does_not_read_loses_the_oldest_and_hears_how_many():
    journal = Journal(ManualClock())
    slow = journal.watch(size=3)
    for number in range(5):
        journal.called({"number": number}, user_id="ana", conversation_id=ROOM)
    missed, records = await slow.take()
    assert (missed, [record.frame["number"] for record in records]) == (2, [2, 3, 4])
    journal.called({"number": 5}, user_id="ana", conversation_id=ROOM)
    assert (await slow.take())[0] == 0


async def test_a_late_watcher_gets_what_is_kept():
    journal = Journal(ManualClock(), kept=3)
    early = journal.watch()
    for number in range(5):
        journal.called({"number": number}, user_id="ana", conversation_id=ROOM)
    assert [record.n for record in await records_of(journal.watch(after=0))] == [3, 4, 5]
    assert [record.n for record in await records_of(journal.watch(after=4))] == [5]
    assert len(await records_of(early)) == 5


async def test_the_end_of_the_journal_wakes_its_watchers(world):
    waiting = asyncio.create_task(world.hub.journal.watch().take())
    await asyncio.sleep(0)
    world.hub.journal.close()
    assert await asyncio.wait_for(waiting, 5) == (0, [])


async def test_a_hub_that_is_watched_delivers_as_one_that_is_not(make_world):
    plain, watched = make_world(), make_world()
    watched.hub.journal.watch()
    frames = []
    for world in (plain, watched):
        ben = world.connect("ben", ROOM, profile=Profile.APP)
        world.hub.publish(ROOM, READ, exclude_user="ana")
        world.hub.send(ben, Pong())
        await world.settle()
        frames.append([packet.payload for batch in ben.transport.writes for packet in batch.packets])
    assert frames[0] == frames[1]
    assert isinstance(plain.hub.limits, HubLimits)
