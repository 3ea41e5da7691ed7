"""A socket in a probe's hands: what fails a probe, and what only keeps it from telling."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve

from tribe_ws.check.evidence import Evidence
from tribe_ws.check.frames import message
from tribe_ws.check.habits import Habits, Pace
from tribe_ws.check.socket import Close, Socket
from tribe_ws.check.verdict import CannotTell, Failed

HOME = "6f1c2d3e-0000-4000-8000-000000000001"
QUICK = Pace(patience=0.05)
Talk = Callable[[ServerConnection], Awaitable[None]]


@asynccontextmanager
async def socket_to(talk: Talk, habits: Habits | None = None, pace: Pace = QUICK) -> AsyncIterator[Socket]:
    """Open a socket to a server that talks like that."""
    async with serve(talk, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with connect(f"ws://127.0.0.1:{port}", proxy=None, close_timeout=1) as connection:
            socket = Socket(connection, "ana", Evidence(), habits or Habits(), pace, HOME)
            yield socket
            await socket.stop()


def answering(**answers: Any) -> Talk:
    """Answer each event with these frames, in this order."""

    async def talk(server: ServerConnection) -> None:
        async for text in server:
            for frame in answers.get(json.loads(text)["event"], ()):
                await server.send(json.dumps(frame) if isinstance(frame, dict) else frame)

    return talk


PONG = {"event": "pong"}
SUBSCRIBED = {"event": "subscribed", "conversation_id": HOME}
NEWS = {"event": "message.new", "data": {"content": "news"}}


async def test_what_is_expected_is_found_wherever_it_stands() -> None:
    async with socket_to(answering(go=[NEWS, {"event": "typing"}])) as socket:
        await socket.say("go")
        assert (await socket.expect("typing")).event == "typing"
        assert (await socket.expect(message("news"))).inner == {"content": "news"}


async def test_a_frame_is_given_once() -> None:
    async with socket_to(answering(go=[NEWS], ping=[PONG])) as socket:
        await socket.say("go")
        await socket.expect("message.new")
        with pytest.raises(Failed, match=r'ana was to get "message\.new", and got'):
            await socket.expect("message.new")


async def test_a_frame_that_never_comes_from_a_lively_server_is_a_failure() -> None:
    async with socket_to(answering(ping=[PONG])) as socket:
        with pytest.raises(Failed, match="ana was to get the news, and got nothing"):
            await socket.expect(message("news"), what="the news")


async def test_a_frame_that_never_comes_from_a_dead_server_proves_nothing() -> None:
    async with socket_to(answering()) as socket:
        with pytest.raises(CannotTell, match="did not answer ana in time; more patience"):
            await socket.expect(message("news"))


@pytest.mark.parametrize("lateness", [1.05, 1.2, 1.5, 1.9, 3.0])
async def test_a_slow_answer_is_not_taken_for_that_of_the_marker(lateness: float) -> None:
    async def slow(server: ServerConnection) -> None:
        async for _ in server:
            await asyncio.sleep(QUICK.deadline * lateness)
            await server.send(json.dumps(PONG))

    async with socket_to(slow) as socket:
        await socket.say("ping")
        with suppress(CannotTell):
            await socket.expect("pong")


async def test_what_a_probe_only_needs_does_not_fail_it() -> None:
    async with socket_to(answering(ping=[PONG])) as socket:
        with pytest.raises(CannotTell, match="ana got no the news, and got nothing: without it"):
            await socket.need(message("news"), what="the news")


async def test_silence_is_proved_by_a_marker() -> None:
    async with socket_to(answering(ping=[PONG])) as socket:
        await socket.silence()


async def test_silence_of_a_server_that_answers_nothing_proves_nothing() -> None:
    async with socket_to(answering()) as socket:
        with pytest.raises(CannotTell):
            await socket.silence()


async def test_silence_without_any_marker_proves_nothing() -> None:
    async with socket_to(answering(), Habits(marker="none")) as socket:
        with pytest.raises(CannotTell, match="its silence proves nothing"):
            await socket.silence()


async def test_silence_is_broken_by_what_comes_before_the_marker_is_answered() -> None:
    async with socket_to(answering(ping=[NEWS, PONG])) as socket:
        with pytest.raises(Failed, match=r"ana was to get no news, and got .*message\.new"):
            await socket.silence("message.new", what="no news")


async def test_silence_takes_no_notice_of_chatter_and_of_what_is_not_meant() -> None:
    async with socket_to(answering(ping=[{"event": "presence"}, NEWS, PONG])) as socket:
        await socket.silence("typing")
        with pytest.raises(Failed):
            await socket.silence()


async def test_the_answer_to_a_subscribe_is_a_marker_too() -> None:
    async with socket_to(answering(subscribe=[SUBSCRIBED]), Habits(marker="subscribed")) as socket:
        await socket.silence()


async def test_a_probe_about_pings_marks_by_another_answer() -> None:
    async with socket_to(answering(ping=[PONG], subscribe=[SUBSCRIBED])) as socket:
        socket.mark_without_pings()
        await socket.say("ping")
        await socket.marker()
        assert [frame.event for frame in socket.unread()] == ["pong"]


async def test_there_may_be_no_other_answer_to_mark_by() -> None:
    async with socket_to(answering(), Habits(acknowledges=False)) as socket:
        with pytest.raises(CannotTell, match="a pong would prove nothing"):
            socket.mark_without_pings()


async def test_settling_gives_all_that_came_before_the_marker() -> None:
    async with socket_to(answering(go=[NEWS, NEWS], ping=[PONG])) as socket:
        await socket.say("go")
        assert [frame.event for frame in await socket.settle()] == ["message.new"] * 2
        assert await socket.settle() == []


async def closing(server: ServerConnection) -> None:
    await server.recv()
    await server.close(4401, "token_expired")


async def test_the_end_of_a_connection_is_told_with_its_code_and_reason() -> None:
    async with socket_to(closing) as socket:
        await socket.say("go")
        assert await socket.end() == Close(4401, "token_expired")
        assert str(socket.close_seen) == "4401 token_expired"


async def test_a_connection_that_lives_has_no_end() -> None:
    async with socket_to(answering()) as socket:
        assert await socket.end(within=0.02) is None


async def test_a_connection_that_ended_fails_only_who_asks_whether_it_lives() -> None:
    async with socket_to(closing) as socket:
        await socket.say("go")
        await socket.end()
        with pytest.raises(CannotTell, match="had ended: 4401"):
            await socket.say("ping")
        with pytest.raises(CannotTell, match="ended: 4401 token_expired"):
            await socket.marker()
        with pytest.raises(Failed, match="ended: 4401 token_expired"):
            await socket.lives_on()
        with pytest.raises(CannotTell, match="the close 4401"):
            await socket.need("pong")


async def test_a_connection_without_a_close_frame_ended_with_1006() -> None:
    async def cutting(server: ServerConnection) -> None:
        await server.recv()
        server.transport.abort()

    async with socket_to(cutting) as socket:
        await socket.say("go")
        assert await socket.end() == Close(1006, "")


async def test_a_subscription_needs_its_acknowledgement_if_the_server_gives_any() -> None:
    async with socket_to(answering(ping=[PONG])) as socket:
        with pytest.raises(CannotTell, match=f'no "subscribed" for {HOME}'):
            await socket.subscribe(HOME)
    async with socket_to(answering(ping=[PONG]), Habits(acknowledges=False)) as socket:
        await socket.subscribe(HOME)


async def test_binary_frames_are_kept_as_such_and_shown_as_such() -> None:
    async with socket_to(answering(go=[b"\x01\x02"], ping=[PONG])) as socket:
        await socket.say("go")
        with pytest.raises(Failed, match="got a binary frame of 2 bytes"):
            await socket.silence()
        assert socket.frames[0].data == b"\x01\x02"


async def test_a_cut_connection_leaves_a_note() -> None:
    async with socket_to(answering()) as socket:
        await socket.cut()
        with pytest.raises(CannotTell):
            await socket.say("ping")


async def test_a_server_that_does_not_read_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*_: Any, **__: Any) -> None:
        await asyncio.Event().wait()

    async with socket_to(answering()) as socket:
        monkeypatch.setattr(socket.connection, "send", never)
        with pytest.raises(CannotTell, match="did not read what ana sent"):
            await socket.say("ping")


async def test_a_flood_of_frames_ends_the_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tribe_ws.check.socket._MOST_FRAMES", 10)
    async with socket_to(answering(go=[NEWS] * 20)) as socket:
        await socket.say("go")
        close = await socket.end(within=5)
        assert close is not None
        assert close.reason == "more than 10 frames came; we stopped reading"
