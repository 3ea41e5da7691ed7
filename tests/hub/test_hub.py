"""Who gets what, when, and what is left of those who go."""

from __future__ import annotations

import asyncio
import gc
import weakref

import pytest

from tribe_ws.clock import ManualClock
from tribe_ws.hub.hub import Hub, HubLimits
from tribe_ws.protocol.close_codes import ACCOUNT_DISABLED, RESTART, SLOW_CONSUMER
from tribe_ws.protocol.frames import MessageNew, NewMessage, Pong, Presence, PresenceChanged, Sender
from tribe_ws.protocol.profiles import Profile


def message(name: str, author: str = "ana") -> MessageNew:
    sender = Sender(id=author, username=author, full_name=author.title(), profile_image_url=None)
    data = NewMessage(
        id=name, conversation_id="room", sender=sender, content=name, message_type="text", created_at="t"
    )
    return MessageNew(conversation_id="room", data=data)


PRESENCE = PresenceChanged(data=Presence(user_id="ana", is_online=True, status="online", last_seen_at=None))


def ids(frames) -> list[str]:
    return [frame["data"]["id"] for frame in frames if frame["event"] == "message.new"]


# ── Who gets it ─────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_message_reaches_every_subscribed_connection_but_the_senders_own(world, seen) -> None:
    ana, ana_too = world.connect("ana", "room"), world.connect("ana", "room")
    ben, ben_too = world.connect("ben", "room"), world.connect("ben", "room")
    elsewhere, nowhere = world.connect("cara", "hall"), world.connect("dan")
    world.hub.publish("room", message("m1"), exclude_user="ana")
    await world.settle()
    assert ids(seen(ben)) == ids(seen(ben_too)) == ["m1"]
    assert not any(map(seen, (ana, ana_too, elsewhere, nowhere)))


async def test_subscriptions_belong_to_a_connection_not_to_its_user(world, seen) -> None:
    phone, laptop = world.connect("ben", "room"), world.connect("ben")
    world.hub.publish("room", message("m1"), exclude_user="ana")
    await world.settle()
    assert ids(seen(phone)) == ["m1"]
    assert seen(laptop) == []


async def test_a_subscription_dies_with_its_socket_and_leaves_the_others(world, seen) -> None:
    phone, laptop = world.connect("ben", "room"), world.connect("ben", "room")
    world.hub.detach(phone)
    world.hub.publish("room", message("m1"), exclude_user="ana")
    await world.settle()
    assert seen(phone) == []
    assert ids(seen(laptop)) == ["m1"]


async def test_subscribing_again_changes_nothing(world, seen) -> None:
    ben = world.connect("ben", "room", "room")
    world.hub.publish("room", message("m1"), exclude_user="ana")
    await world.settle()
    assert ids(seen(ben)) == ["m1"]
    world.hub.unsubscribe(ben, "room")
    assert world.hub.recipients("room") == 0


async def test_recipients_counts_the_connections_that_would_get_it(world) -> None:
    world.connect("ana", "room")
    world.connect("ben", "room")
    world.connect("ben", "room")
    assert world.hub.recipients("room", "ana") == 2
    assert world.hub.recipients("room") == 3
    assert world.hub.recipients("nowhere", "ana") == 0


async def test_a_frame_to_one_connection_goes_out_at_once_past_what_is_corked(world, seen) -> None:
    ben = world.connect("ben", "room")
    world.hub.publish("room", message("m1"), exclude_user="ana")
    world.hub.send(ben, Pong())
    assert [frame["event"] for frame in seen(ben)] == ["pong"]
    await world.settle()
    assert [frame["event"] for frame in seen(ben)] == ["pong", "message.new"]


async def test_a_frame_that_a_profile_does_not_carry_is_not_sent_to_it(world, seen) -> None:
    plain = world.connect("ben")
    app = world.connect("ben", profile=Profile.APP)
    stranger = world.connect("cara", profile=Profile.APP)
    world.hub.send_to_users(["ben", "nobody"], PRESENCE)
    world.hub.send(plain, PRESENCE)
    assert seen(plain) == seen(stranger) == []
    assert [frame["event"] for frame in seen(app)] == ["presence"]
    assert world.observer.frames_out == {"presence": 1}


# ── In which order, and in how many writes ──────────────────────────────────────────────────────────────────


async def test_what_one_turn_of_the_loop_publishes_leaves_in_one_write_in_order(world, seen, written) -> None:
    ben = world.connect("ben", "room")
    for number in range(16):
        world.hub.publish("room", message(f"m{number}"), exclude_user="ana")
    assert seen(ben) == []
    await world.settle()
    assert len(written(ben)) == 1
    assert ids(seen(ben)) == [f"m{number}" for number in range(16)]
    assert world.observer.frames_out == {"message.new": 16}
    assert len(world.observer.fan_outs) == 1


async def test_publishing_from_a_flush_is_not_lost(world, seen) -> None:
    ben, cara = world.connect("ben", "room"), world.connect("cara", "hall")
    world.hub.publish("room", message("m1"))
    world.hub.publish("hall", message("m2"))
    world.hub.flush()
    assert (ids(seen(ben)), ids(seen(cara))) == (["m1"], ["m2"])
    world.hub.publish("room", message("m3"))
    await world.settle()
    assert ids(seen(ben)) == ["m1", "m3"]


async def test_who_subscribes_gets_nothing_from_before(world, seen) -> None:
    ben = world.connect("ben", "room")
    world.hub.publish("room", message("m1"))
    cara = world.connect("cara", "room")
    world.hub.publish("room", message("m2"))
    await world.settle()
    assert ids(seen(ben)) == ["m1", "m2"]
    assert ids(seen(cara)) == ["m2"]


async def test_who_leaves_still_gets_what_was_published_before(world, seen) -> None:
    ben = world.connect("ben", "room")
    world.hub.publish("room", message("m1"))
    world.hub.unsubscribe(ben, "room")
    world.hub.publish("room", message("m2"))
    await world.settle()
    assert ids(seen(ben)) == ["m1"]
    assert world.hub.footprint()["corked"] == 0


# ── Taken out ───────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_removed_participant_gets_nothing_more_on_any_connection(world, seen) -> None:
    phone, laptop, other = (world.connect("ben", "room") for _ in range(3))
    world.hub.unsubscribe(other, "room")
    cara = world.connect("cara", "room")
    told: list[str] = []
    phone.on_evicted = told.append
    other.on_evicted = told.append
    world.hub.publish("room", message("m1"))
    world.hub.evict("ben", "room")
    world.hub.publish("room", message("m2"))
    await world.settle()
    assert ids(seen(phone)) == ids(seen(laptop)) == ["m1"]
    assert ids(seen(cara)) == ["m1", "m2"]
    assert told == ["room"]
    assert phone.subscriptions == set()


async def test_a_removed_participant_stops_typing(world, typing_seen) -> None:
    ben, cara = world.connect("ben", "room"), world.connect("cara", "room")
    world.hub.typing(ben, "room", True)
    world.hub.evict("ben", "room")
    await world.settle()
    assert typing_seen(cara) == [("ben", True), ("ben", False)]
    assert typing_seen(ben) == []


async def test_evictions_are_counted_so_that_a_check_can_notice_one(world) -> None:
    before = world.hub.evictions
    world.hub.evict("nobody", "nowhere")
    assert world.hub.evictions == before + 1


# ── Typing ──────────────────────────────────────────────────────────────────────────────────────────────────


async def test_typing_goes_to_everybody_subscribed_but_the_typist(world, seen, typing_seen) -> None:
    typist, own = world.connect("ben"), world.connect("ben", "room")
    cara = world.connect("cara", "room")
    world.hub.typing(typist, "room", True)
    await world.settle()
    assert seen(cara) == [
        {
            "event": "typing",
            "conversation_id": "room",
            "data": {"user_id": "ben", "user_name": "Ben", "is_typing": True},
        }
    ]
    assert seen(own) == seen(typist) == []


@pytest.mark.parametrize("end", ["lapse", "unsubscribe", "disconnect", "message"])
async def test_each_way_to_stop_typing_is_told_once(world, typing_seen, end: str) -> None:
    ben, cara = world.connect("ben", "room"), world.connect("cara", "room")
    world.hub.typing(ben, "room", True)
    if end == "lapse":
        world.clock.advance(6)
    elif end == "unsubscribe":
        world.hub.unsubscribe(ben, "room")
    elif end == "disconnect":
        world.hub.detach(ben)
    else:
        world.hub.stop_typing("ben", "room")
    await world.settle()
    assert typing_seen(cara) == [("ben", True), ("ben", False)]
    world.clock.advance(60)
    await world.settle()
    assert typing_seen(cara) == [("ben", True), ("ben", False)]
    assert world.hub.footprint()["typing"] == 0


async def test_an_unsubscribe_without_a_subscription_ends_typing_too(world, typing_seen) -> None:
    ben, cara = world.connect("ben"), world.connect("cara", "room")
    world.hub.typing(ben, "room", True)
    world.hub.unsubscribe(ben, "room")
    await world.settle()
    assert typing_seen(cara) == [("ben", True), ("ben", False)]


async def test_a_connection_that_is_gone_cannot_type(world, seen) -> None:
    ben, cara = world.connect("ben", "room"), world.connect("cara", "room")
    gone = world.connect("ben")
    world.hub.detach(gone)
    world.hub.typing(gone, "room", True)
    ben.close(RESTART)
    world.hub.typing(ben, "room", True)
    await world.settle()
    assert seen(cara) == []


# ── Presence ────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_user_is_online_from_the_first_socket_until_after_the_last(world) -> None:
    first, second = world.connect("ana"), world.connect("ana")
    world.hub.detach(first)
    world.clock.advance(10)
    assert world.hub.is_online("ana")
    world.hub.detach(second)
    world.clock.advance(2.9)
    assert world.hub.is_online("ana")
    world.clock.advance(0.1)
    assert not world.hub.is_online("ana")
    assert world.presence == [("ana", True), ("ana", False)]


async def test_a_hub_that_nobody_listens_to_keeps_presence_to_itself() -> None:
    hub = Hub(clock=ManualClock(), limits=HubLimits(presence_delay=0))
    assert not hub.is_online("ana")
    assert hub.is_empty


# ── Slow ones ───────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_slow_consumer_is_closed_and_the_others_get_everything(world, seen) -> None:
    slow, ben = world.connect("cara", "room"), world.connect("ben", "room")
    world.hub.publish("room", message("m1"))
    await world.settle()
    slow.transport.backlog = (2 * 1024 * 1024, 10)
    for number in range(2, 5):
        world.hub.publish("room", message(f"m{number}"))
        await world.settle()
    assert slow.transport.closed_with is SLOW_CONSUMER
    assert ids(seen(slow)) == ["m1", "m2"]
    assert ids(seen(ben)) == ["m1", "m2", "m3", "m4"]
    assert world.hub.outbox == (2 * 1024 * 1024, 10)
    world.hub.detach(slow)
    assert world.observer.reasons == ["slow_consumer"]


async def test_a_slow_consumer_is_given_up_for_direct_frames_too(world) -> None:
    slow = world.connect("cara")
    slow.transport.backlog = (0, 2000)
    world.hub.send(slow, Pong())
    assert slow.ended is SLOW_CONSUMER
    world.hub.send(slow, Pong())
    assert len(slow.transport.writes) == 1


# ── Ends ────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_user_may_have_only_so_many_connections(make_world) -> None:
    world = make_world(connections_per_user=2)
    first, second = world.connect("ana"), world.connect("ana")
    newest = world.connection("ana")
    assert not world.hub.attach(newest)
    assert world.observer.reasons == ["too_many_connections"]
    assert world.hub.connections == (first, second)
    world.hub.detach(newest)
    world.hub.detach(first)
    assert world.hub.attach(newest)
    assert world.connect("ben")


async def test_a_limit_of_zero_allows_any_number(make_world) -> None:
    world = make_world(connections_per_user=0)
    for _ in range(30):
        world.connect("ana")
    assert world.hub.connection_count == 30


async def test_an_ended_or_unknown_connection_cannot_subscribe(world) -> None:
    ended, unknown = world.connect("ana"), world.connection("ben")
    ended.close(RESTART)
    assert not world.hub.subscribe(ended, "room")
    assert not world.hub.subscribe(unknown, "room")
    assert world.hub.subscription_count == 0


async def test_closing_a_user_closes_all_their_connections_and_no_others(world) -> None:
    first, second, ben = world.connect("ana"), world.connect("ana"), world.connect("ben")
    world.hub.close_user("ana", ACCOUNT_DISABLED)
    world.hub.close_user("nobody", ACCOUNT_DISABLED)
    assert (first.ended, second.ended, ben.ended) == (ACCOUNT_DISABLED, ACCOUNT_DISABLED, None)


async def test_closing_all_sends_what_is_pending_first(world, seen) -> None:
    ben = world.connect("ben", "room")
    world.hub.publish("room", message("m1"))
    world.hub.close_all(RESTART)
    assert ids(seen(ben)) == ["m1"]
    assert ben.transport.closed_with is RESTART


async def test_500_sockets_that_come_and_go_leave_nothing(world) -> None:
    cara = world.connect("cara", "room")
    gone: list[weakref.ref[object]] = []
    connection = None
    for number in range(500):
        connection = world.connect(f"user{number % 100}", "room", f"room{number}")
        connection.on_evicted = connection.subscriptions.discard
        world.hub.typing(connection, "room", True)
        world.hub.publish(f"room{number}", message("m"))
        gone.append(weakref.ref(connection.transport))
        world.hub.detach(connection)
        world.hub.detach(connection)
    connection = None
    await world.settle()
    world.hub.detach(cara)
    world.clock.advance(10)
    assert world.hub.footprint() == dict.fromkeys(world.hub.footprint(), 0)
    assert world.hub.is_empty
    gc.collect()
    assert [reference for reference in gone if reference() is not None] == []


async def test_a_stopped_hub_keeps_no_timers_and_delivers_nothing(world, seen) -> None:
    ben, cara = world.connect("ben", "room"), world.connect("cara", "room")
    world.hub.typing(ben, "room", True)
    world.hub.publish("room", message("m1"))
    await world.hub.stop()
    world.hub.publish("room", message("m2"))
    world.clock.advance(60)
    await world.settle()
    assert ids(seen(cara)) == ["m1"]
    world.hub.detach(ben)
    world.hub.detach(cara)
    world.clock.advance(60)
    assert world.presence == [("ben", True), ("cara", True)]
    assert world.hub.is_empty


async def test_nothing_is_kept_for_a_conversation_nobody_listens_to(world) -> None:
    for number in range(100):
        world.hub.publish(f"room{number}", message("m"))
    await world.settle()
    assert world.hub.is_empty


async def test_a_frame_that_cannot_be_written_spoils_no_other(world, seen, caplog) -> None:
    ben, cara = world.connect("ben", "room"), world.connect("cara", "hall")

    world.hub.publish("room", message("\ud800"))
    world.hub.publish("hall", message("m2"))
    errors: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: errors.append(context))
    await world.settle()
    await world.settle()
    assert ids(seen(cara)) == ["m2"]
    assert seen(ben) == []
    assert len(errors) == 1
