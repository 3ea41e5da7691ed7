"""The client against the real server: restarts, kills, expiring tokens, and nothing lost or doubled."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.client.scripted_server import until
from tribe_ws.client.client import TribeClient
from tribe_ws.client.events import Event, Reconnected, TokenRenewed
from tribe_ws.client.options import StreamOptions
from tribe_ws.demo_accounts import DEMO_PASSWORD, demo_email, fixture_id
from tribe_ws.errors import AuthenticationError, WaitedInVain
from tribe_ws.server.local import LocalServer, local_settings

GENERAL = fixture_id("conversation:general")
DESIGN = fixture_id("conversation:design")
OPTIONS = StreamOptions(first_delay=0.05, longest_delay=0.5)
SERVE = """
import sys
from tribe_ws.server.serve import run_server
from tribe_ws.settings import load_server_settings

port, database, secret = int(sys.argv[1]), sys.argv[2], sys.argv[3]
settings = load_server_settings(port=port, db=database, secret=secret, log_level="error")
sys.exit(run_server(settings, lambda ready: print(ready.server.url, flush=True)))
"""
# A restart takes two seconds on an idle machine and twenty on a busy one.
PATIENCE = 120.0
SECRET = "the same secret before and after a restart"


def user(server_url: str, name: str, **options: Any) -> TribeClient:
    return TribeClient.login(server_url, demo_email(name), DEMO_PASSWORD, **{"options": OPTIONS, **options})


@pytest.fixture
def server() -> Iterator[LocalServer]:
    with LocalServer.in_thread(local_settings()) as running:
        yield running


async def test_the_documented_flow(server: LocalServer) -> None:
    async with user(server.url, "alice") as alice, user(server.url, "bob") as bob:
        await bob.subscribe(GENERAL)
        sent = await alice.send(GENERAL, "Morning!")
        assert (sent.recipients, sent.is_replayed) == (1, False)
        event = await bob.wait_for(lambda event: event.name == "message.new")
        assert event.message_id == sent.message.id
        assert event.complaint == ""
        await alice.typing(GENERAL, True)
        typing = await bob.wait_for(lambda event: event.name == "typing")
        assert typing.data["is_typing"] is True
        assert await bob.ping() < 5.0


async def test_every_rest_call_reads_what_our_server_answers(server: LocalServer) -> None:
    async with user(server.url, "alice") as tribe:
        rest = tribe.rest
        names = {one.name for one in await rest.all_conversations()}
        assert {"general", "design"} <= names
        assert (await rest.conversation(GENERAL)).is_group
        (bob,) = [one for one in await rest.search_users("bob") if one.username == "bob"]
        assert (await rest.user(bob.id)).full_name == bob.full_name
        group = await rest.create_conversation([bob.id], conversation_type="group", name="new")
        assert {one.username for one in group.participants} == {"alice", "bob"}
        await rest.remove_participant(group.id, bob.id)
        assert len((await rest.add_participants(group.id, [bob.id])).participants) == 2
        await rest.mark_read(GENERAL)
        assert (await rest.update_me(bio="here")).bio == "here"
        assert (await rest.me()).email == demo_email("alice")
        assert (await rest.health()).status
        before = rest.tokens
        assert await rest.refresh() != before
        await rest.logout()


async def test_a_key_makes_a_repeated_send_one_message(server: LocalServer) -> None:
    async with user(server.url, "alice") as tribe:
        first = await tribe.send(GENERAL, "once", idempotency_key="k1")
        again = await tribe.send(GENERAL, "once", idempotency_key="k1")
        assert (again.is_replayed, again.message.id) == (True, first.message.id)


async def test_a_foreign_conversation_is_waited_for_in_vain(server: LocalServer) -> None:
    async with user(server.url, "bob") as bob:
        with pytest.raises(WaitedInVain):
            await bob.subscribe(DESIGN, timeout=0.2)
        assert bob.stream.subscriptions == ()


async def test_a_wrong_password_is_told_as_such(server: LocalServer) -> None:
    with pytest.raises(AuthenticationError, match="Incorrect email or password"):
        async with TribeClient.login(server.url, "alice", "wrong"):
            pass


async def test_a_token_is_renewed_on_the_open_socket() -> None:
    with LocalServer.in_thread(local_settings(access_ttl=5.0)) as server:
        async with user(server.url, "alice") as alice, user(server.url, "bob") as bob:
            await bob.subscribe(GENERAL)
            seen: list[str] = []
            async with asyncio.timeout(30):
                async for item in bob.events(notices=True):
                    seen.append(item.name if isinstance(item, Event) else type(item).__name__)
                    if seen.count("authenticated") == 2:
                        break
            assert "Lost" not in seen
            sent = await alice.send(GENERAL, "still there?")
            await bob.wait_for(lambda event: event.message_id == sent.message.id, 20.0)


async def test_a_stream_without_v2_outlives_its_tokens() -> None:
    settings = local_settings(access_ttl=1.0)
    with LocalServer.in_thread(settings) as server:
        plain = StreamOptions(first_delay=0.05, longest_delay=0.5, offers_v2=False)
        async with user(server.url, "alice") as alice, user(server.url, "bob", options=plain) as bob:
            await bob.subscribe(GENERAL)
            renewed = back = False
            async with asyncio.timeout(30):
                async for item in bob.events(notices=True):
                    renewed |= isinstance(item, TokenRenewed)
                    back |= isinstance(item, Reconnected)
                    if renewed and back:
                        break
            sent = await alice.send(GENERAL, "still there?")
            await bob.wait_for(lambda event: event.message_id == sent.message.id, 20.0)


# ── restarts ────────────────────────────────────────────────────────────────────────────────────────────────


class Restartable:
    """A server in a process of its own that can be killed and started again at the same port."""

    def __init__(self, database: Path) -> None:
        self.database = database
        self.port = 0
        self.url = ""
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        command = [sys.executable, "-c", SERVE, str(self.port), str(self.database), SECRET]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=self._environment())
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()
        assert self.url, "the server did not start"
        self.port = int(self.url.rpartition(":")[2])

    def _environment(self) -> dict[str, str]:
        # What a server leaves on a machine while it runs belongs into the test's own folder.
        folder = str(self.database.parent)
        return {**os.environ, "XDG_RUNTIME_DIR": folder, "XDG_CONFIG_HOME": folder, "XDG_DATA_HOME": folder}

    def end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(number)
            process.wait(20)
            assert process.stdout is not None
            process.stdout.close()


@contextmanager
def restartable(folder: Path) -> Iterator[Restartable]:
    server = Restartable(folder / "tribe.db")
    server.start()
    try:
        yield server
    finally:
        server.end(signal.SIGKILL)


async def collect(tribe: TribeClient, wanted: int, into: list[str]) -> None:
    async for event in tribe.events():
        if event.name == "message.new":
            into.append(event.data["content"])
            if len(into) >= wanted:
                return


@asynccontextmanager
async def listening(tribe: TribeClient, wanted: int) -> AsyncIterator[list[str]]:
    """Collect messages until as many as wanted have come, or it has taken far too long."""
    seen: list[str] = []
    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
        group.create_task(collect(tribe, wanted, seen))
        yield seen


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("number", "rounds"), [(signal.SIGKILL, 2), (signal.SIGTERM, 1)], ids=["kill", "stop"]
)
async def test_restarts_during_sends_lose_and_double_nothing(
    tmp_path: Path, number: signal.Signals, rounds: int
) -> None:
    each = 40
    wanted = [f"message {index}" for index in range(rounds * each)]
    with restartable(tmp_path) as server:
        async with user(server.url, "alice") as alice, user(server.url, "bob") as bob:
            await bob.subscribe(GENERAL)
            async with listening(bob, len(wanted)) as seen:
                sending = asyncio.create_task(send_all(alice, wanted))
                for round_number in range(rounds):
                    await until(partial(has_at_least, seen, round_number * each + each // 2), PATIENCE)
                    await asyncio.to_thread(server.end, number)
                    await asyncio.to_thread(server.start)
                await sending
            assert seen == wanted
            stored = await everything(alice, len(wanted))
            assert stored == wanted


def has_at_least(seen: list[str], count: int) -> bool:
    return len(seen) >= count


async def send_all(tribe: TribeClient, contents: list[str]) -> None:
    for content in contents:
        await tribe.send(GENERAL, content, patience=PATIENCE)


async def everything(tribe: TribeClient, count: int) -> list[str]:
    """Read the newest messages back, page by page."""
    found: list[str] = []
    before: str | None = None
    while len(found) < count:
        page = await tribe.history(GENERAL, before=before)
        found = [message.content for message in page.messages] + found
        before = page.messages[0].id
    return found[-count:]


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_many_readers_and_writers_agree_after_restarts(tmp_path: Path) -> None:
    """Concurrent senders: the order is the server's; everybody else's messages come once, in that order."""
    with restartable(tmp_path) as server:
        names = ("alice", "bob", "cara")
        async with (
            user(server.url, "alice") as alice,
            user(server.url, "bob") as bob,
            user(server.url, "cara") as cara,
            user(server.url, "dan") as dan,
        ):
            await dan.subscribe(GENERAL)
            async with listening(dan, 60) as seen:
                senders = [
                    asyncio.create_task(send_all(tribe, [f"{name} {index}" for index in range(20)]))
                    for name, tribe in zip(names, (alice, bob, cara), strict=True)
                ]
                await until(lambda: len(seen) >= 10, PATIENCE)
                await asyncio.to_thread(server.end, signal.SIGKILL)
                await asyncio.to_thread(server.start)
                await asyncio.gather(*senders)
            assert len(set(seen)) == len(seen) == 60
            assert seen == await everything(dan, 60)


async def test_a_stream_that_was_alone_for_long_fetches_everything(server: LocalServer) -> None:
    async with user(server.url, "alice") as alice, user(server.url, "bob") as bob:
        await bob.subscribe(GENERAL)
        first = await alice.send(GENERAL, "first")
        await bob.wait_for(lambda event: event.message_id == first.message.id)
        server.run(close_all_of(server, bob.user.id))
        sent = [(await alice.send(GENERAL, f"{index}")).message.id for index in range(130)]
        seen: list[str | None] = []
        async with asyncio.timeout(30):
            async for event in bob.events():
                if event.name == "message.new":
                    seen.append(event.message_id)
                    if len(seen) == len(sent):
                        break
        assert seen == sent


async def close_all_of(server: LocalServer, user_id: str) -> None:
    from tribe_ws.protocol.close_codes import INTERNAL

    server.services.hub.close_user(user_id, INTERNAL)


@pytest.mark.parametrize("offers_v2", [True, False], ids=["v2", "documented"])
async def test_cut_off_at_any_moment_every_message_comes_once_and_in_order(
    server: LocalServer, offers_v2: bool
) -> None:
    await cut_off_during(server, messages=300, senders=("alice", "cara", "dan"), offers_v2=offers_v2)


@pytest.mark.slow
async def test_cut_off_during_two_thousand_messages_every_one_comes_once_and_in_order(
    server: LocalServer,
) -> None:
    await cut_off_during(server, messages=2000, senders=("alice", "cara", "dan", "alice") * 2, offers_v2=True)


async def cut_off_during(
    server: LocalServer, *, messages: int, senders: tuple[str, ...], offers_v2: bool
) -> None:
    """Send from all sides while one listener loses its connection again and again, at no good moment."""
    options = StreamOptions(first_delay=0.01, longest_delay=0.1, offers_v2=offers_v2)
    rng = random.Random(20260101)
    async with AsyncExitStack() as stack:
        bob = await stack.enter_async_context(user(server.url, "bob", options=options))
        tribes = [await stack.enter_async_context(user(server.url, name)) for name in senders]
        await bob.subscribe(GENERAL)
        sent: list[str] = []
        seen: list[str] = []

        async def send(tribe: TribeClient, count: int) -> None:
            for number in range(count):
                answer = await tribe.send(GENERAL, f"message {number}")
                sent.append(answer.message.id)

        async def cut() -> None:
            while True:
                await asyncio.sleep(rng.uniform(0.0, 0.15))
                bob.stream.reconnect_now()

        share = messages // len(senders)
        sending = [asyncio.create_task(send(tribe, share)) for tribe in tribes]
        cutting = asyncio.create_task(cut())
        async with asyncio.timeout(PATIENCE):
            async for event in bob.events():
                if event.message_id is not None:
                    seen.append(event.message_id)
                if len(seen) > messages // 2 and len(sent) == share * len(senders):
                    cutting.cancel()
                if len(seen) == share * len(senders):
                    break
        await asyncio.gather(*sending)
        cutting.cancel()
        assert len(set(seen)) == len(seen)
        assert set(seen) == set(sent)
        stored: list[str] = []
        while len(stored) < len(seen):
            page = await bob.history(GENERAL, limit=100, before=stored[0] if stored else None)
            stored = [one.id for one in page.messages] + stored
        assert seen == stored[-len(seen) :]
