"""A capture played to a real server: none where there is none, each where there are some."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.capture.replay.capturing import START, came, evening, went
from tribe_ws.capture.record import Record, compact_json
from tribe_ws.capture.replay.remap import Renaming, map_ids
from tribe_ws.capture.replay.result import ServerReplay, ServerReplayOptions
from tribe_ws.capture.replay.script import ExpectClose, Step
from tribe_ws.capture.replay.to_server import frame_here, replay_to_server
from tribe_ws.client.rest import RestClient
from tribe_ws.demo_accounts import DEMO_PASSWORD, demo_email, fixture_id
from tribe_ws.errors import NotFound
from tribe_ws.protocol.close_codes import RESTART
from tribe_ws.server.local import LocalServer

GENERAL = fixture_id("conversation:general")
QUICK = ServerReplayOptions(speed=0, patience=3.0)
HURRIED = ServerReplayOptions(speed=0, patience=0.2)


@pytest.fixture(scope="module")
def server() -> Iterator[LocalServer]:
    with LocalServer() as running:
        yield running


def play(
    server: LocalServer,
    records: tuple[Record, ...],
    options: ServerReplayOptions = QUICK,
    on_step: Callable[[Step], None] | None = None,
) -> ServerReplay:
    """Play records to a server as its demo users."""

    async def main() -> ServerReplay:
        async with AsyncExitStack() as stack:

            async def log_in(user: str) -> RestClient:
                rest = await stack.enter_async_context(RestClient(server.address))
                await rest.login(demo_email(user), DEMO_PASSWORD)
                return rest

            return await replay_to_server(records, log_in, options, on_step=on_step)

    return asyncio.run(main())


def talking(*more: Record, content: str = "Hello") -> tuple[Record, ...]:
    """Bob subscribes to general and hears a message of alice, whose session was not recorded."""
    frame = {"conversation_id": GENERAL}
    data = {
        "id": "aaaaaaaa-0000-4000-9000-000000000001", "conversation_id": GENERAL,
        "sender": {
            "id": fixture_id("user:alice"), "username": "alice", "full_name": "Alice Ames",
            "profile_image_url": None,
        },
        "content": content, "message_type": "text", "created_at": "2026-11-23T20:00:00.000Z",
    }  # fmt: skip
    told = frame | {"data": data}
    where: dict[str, Any] = {"conversation_id": GENERAL, "conversation": "general"}
    return (
        came("bob", "connected", frame={"message": "WebSocket connection established"}),
        came("bob", "subscribed", frame=frame, **where),
        came("bob", "message.new", at=0.1, frame=told, sender="alice", **where),
        *more,
    )


def lines(result: ServerReplay) -> list[str]:
    return [str(difference) for difference in result.differences]


def test_a_real_capture_of_several_users_replays_on_a_fresh_server_without_a_difference() -> None:
    with LocalServer() as fresh:
        result = play(fresh, evening(), ServerReplayOptions(speed=10, patience=10))
    assert lines(result) == []
    assert result.is_same
    assert (result.frames, result.calls, result.sent) == (18, 10, 9)
    assert result.left_out == {"logins and the like": 2}


def test_ids_of_another_server_are_found_by_names(server: LocalServer) -> None:
    """The capture is of a server with other ids for everything."""
    records = tuple(_elsewhere(record) for record in talking())
    result = play(server, records)
    assert lines(result) == []
    assert result.users == ("bob", "alice")


def test_a_recorded_user_can_be_played_by_another(server: LocalServer) -> None:
    result = play(server, talking(), replace(QUICK, users={"alice": "cara"}))
    assert lines(result) == []
    assert result.users == ("bob", "cara")


def test_what_does_not_come_is_told_with_its_line(server: LocalServer) -> None:
    presence = came(
        "bob", "presence", at=1, sender="bob",
        frame={"data": {"user_id": fixture_id("user:bob"), "is_online": True, "status": "online"}},
    )  # fmt: skip
    result = play(
        server, talking(came("bob", "typing", at=1, frame={"conversation_id": GENERAL}), presence), HURRIED
    )
    assert lines(result) == [
        "line 4: bob: typing did not come",
        "line 5: bob: presence online of bob did not come",
    ]


def test_what_comes_otherwise_is_told_place_by_place_and_at_once(server: LocalServer) -> None:
    connected = came("bob", "connected", frame={"message": "Welcome", "data": 7})
    result = play(server, (connected, *talking()[1:]), replace(QUICK, patience=60.0))
    assert lines(result) == ["line 1: bob: connected differs"]
    assert [str(change) for change in result.differences[0].changes] == [
        'message: recorded "Welcome", got "WebSocket connection established"',
        "data: recorded 7, got nothing",
    ]
    assert result.seconds < 30


def test_what_comes_too_much_is_told(server: LocalServer) -> None:
    greeting, subscribed, message = talking()
    result = play(server, (greeting, subscribed, went("bob", "ping", at=0.05), message))
    assert [one.kind for one in result.differences] == ["extra"]
    assert result.differences[0].line in {3, 4}
    assert result.differences[0].words == 'pong came, which was not recorded: {"event":"pong"}'


def test_what_comes_after_the_end_of_a_session_is_no_difference(server: LocalServer) -> None:
    """Nobody knows whether the pong would have been recorded, had the session gone on."""
    assert lines(play(server, talking(went("bob", "ping", at=1)))) == []


def test_frames_that_come_after_others_recorded_later_are_none_the_worse(server: LocalServer) -> None:
    early = came("bob", "pong", at=0.05)
    ping = went("bob", "ping", at=1)
    greeting, subscribed, message = talking()
    extra = went("bob", "ping", at=0.0)
    result = play(server, (greeting, extra, subscribed, early, message, ping, came("bob", "pong", at=2)))
    assert lines(result) == []
    assert result.late == 0


def test_an_answer_with_another_status_is_told(server: LocalServer) -> None:
    def asked(path: str, status: int, frame: Any) -> Record:
        return Record(
            0, START + timedelta(seconds=1), "rest", "GET x", frame=frame, as_user="bob", method="GET",
            path=f"/api/v1{path}", status=status,
        )  # fmt: skip

    gone = "aaaaaaaa-0000-4000-9000-0000000000ff"
    result = play(
        server,
        (
            *talking(),
            asked("/conversations?page=1&limit=2", 200, {}),
            asked(f"/users/{gone}", 404, {"detail": "User not found"}),
            asked(f"/conversations/{gone}", 200, {}),
        ),
    )
    assert len(result.differences) == 1
    assert lines(result)[0].startswith("line 6: bob: GET x: recorded 200, got 404 (")
    assert result.calls == 4


def test_a_message_that_is_stored_otherwise_is_told(server: LocalServer) -> None:
    body = {"content": "Hello", "client_message_id": "m-1"}
    frame = {"id": "aaaaaaaa-0000-4000-9000-0000000000aa", "sender": {}, "content": "Hullo"}
    call = Record(
        0, START, "rest", "POST message", frame=frame, as_user="bob", method="POST", request=body, status=201,
        path=f"/api/v1/conversations/{GENERAL}/messages",
    )  # fmt: skip
    told = play(server, (call, call)).differences
    assert [one.words for one in told] == ["the answer to POST message differs"] * 2
    assert 'content: recorded "Hullo", got "Hello"' in [str(change) for change in told[0].changes]


def test_a_close_by_the_server_is_compared(server: LocalServer) -> None:
    def restart(step: Step) -> None:
        if isinstance(step, ExpectClose):
            server.call(lambda: server.services.hub.close_all(RESTART))

    same = _closed('1012 "restart", the server stops')
    assert lines(play(server, talking(same), QUICK, restart)) == []
    other = _closed('4401 "token_expired", the token has expired')
    told = lines(play(server, talking(other), QUICK, restart))
    assert told == ['line 4: bob: recorded close 4401 "token_expired", got 1012 "restart"']
    assert lines(play(server, talking(same), HURRIED)) == [
        "line 4: bob: recorded close 1012, the connection stays open"
    ]


def test_what_cannot_be_sent_any_more_is_told_once(server: LocalServer) -> None:
    def restart(step: Step) -> None:
        if step.line == 4:
            server.call(lambda: server.services.hub.close_all(RESTART))

    pings = [went("bob", "ping", at=number) for number in (1, 2, 3)]
    pongs = [came("bob", "pong", at=4)]
    result = play(server, talking(*pings, *pongs), replace(HURRIED, speed=10.0), restart)
    assert sum("cannot send" in line for line in lines(result)) == 1
    assert lines(result)[-1] == "line 7: bob: pong did not come"


def test_it_gives_up_after_so_many_differences(server: LocalServer) -> None:
    pongs = [came("bob", "typing", at=2, frame={"conversation_id": GENERAL}) for _ in range(50)]
    result = play(server, talking(*pongs), replace(HURRIED, patience=0.05, most_differences=3))
    assert result.gave_up
    assert len(result.differences) == 3


def test_a_conversation_that_is_not_there_is_said_before_anything_is_done(server: LocalServer) -> None:
    elsewhere = came(
        "bob", "subscribed", conversation="ops", conversation_id="aaaaaaaa-0000-4000-8000-0000000000ee"
    )
    with pytest.raises(NotFound, match='bob is in no conversation "ops" here'):
        play(server, (elsewhere,))


def test_a_token_that_was_taken_out_is_put_in_again(server: LocalServer) -> None:
    greeting = next(record for record in evening() if record.event == "connected")
    later = replace(went("bob", "auth", frame={"token": "***", "ref": "1"}), connection=greeting.connection)
    data = {"expires_at": "2026-01-01T00:00:00.000Z"}
    answer = came("bob", "authenticated", frame={"data": data, "ref": "1"}, connection=greeting.connection)
    after = timedelta(seconds=0.1)
    later, answer = replace(later, at=greeting.at + after), replace(answer, at=greeting.at + 2 * after)
    told = play(server, (greeting, later, answer)).differences
    assert not told


def test_one_resumes_at_the_number_and_in_the_epoch_of_this_server() -> None:
    renaming = Renaming()
    renaming.bind("epoch:old", "epoch:new")
    renaming.bind_number(GENERAL, 3, 10)
    frame = {"conversation_id": GENERAL, "after_seq": 5, "epoch": "old"}
    record = went("bob", "subscribe", frame=frame, conversation_id=GENERAL)
    said = json.loads(frame_here(record, renaming, ""))
    assert (said["after_seq"], said["epoch"]) == (12, "new")


def _closed(words: str) -> Record:
    return Record(0, START + timedelta(seconds=0.5), "note", "closed", text=words, as_user="bob")


def _elsewhere(record: Record) -> Record:
    """Give a record as a server with other ids would have it."""

    def rename(old: str) -> str:
        return f"b{old[1:]}" if old[0] != "b" else f"c{old[1:]}"

    frame = map_ids(record.frame, rename)
    conversation_id = rename(record.conversation_id) if record.conversation_id else None
    return replace(record, frame=frame, text=compact_json(frame), conversation_id=conversation_id)
