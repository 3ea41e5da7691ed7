"""The use cases which routes and sockets share, and the parts they are made of; opened and closed as one.

A route or a socket asks here and nowhere deeper. Closing finishes what waits to be committed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from tribe_ws.clock import Clock
from tribe_ws.hub.connection import Connection, OutboxLimits
from tribe_ws.hub.faults import FaultPlan
from tribe_ws.hub.hub import Hub, HubLimits
from tribe_ws.protocol.close_codes import RESTART
from tribe_ws.protocol.frames import PresenceStatus
from tribe_ws.protocol.frames_v2 import MessageNewV2
from tribe_ws.server.accounts import Accounts, Identity
from tribe_ws.server.fault_names import add_faults
from tribe_ws.server.guards import Guard
from tribe_ws.server.logging import Log
from tribe_ws.server.messaging import Messaging, publish
from tribe_ws.server.metrics import Metrics
from tribe_ws.server.passwords import Passwords
from tribe_ws.server.presence import PresenceDesk
from tribe_ws.server.quirks import Quirks
from tribe_ws.server.secrets import load_secret
from tribe_ws.server.seeding import seed_ids
from tribe_ws.server.throttle import LoginThrottle
from tribe_ws.server.tokens import TokenIssuer
from tribe_ws.settings import ServerSettings
from tribe_ws.storage.records import StoredMessage, WorldSummary
from tribe_ws.storage.storage import Storage


@dataclass(frozen=True, slots=True)
class Services:
    """One running server's parts, and what sockets ask of them."""

    settings: ServerSettings
    clock: Clock
    log: Log
    guard: Guard
    metrics: Metrics
    tokens: TokenIssuer
    passwords: Passwords
    storage: Storage
    hub: Hub
    accounts: Accounts
    messaging: Messaging
    presence: PresenceDesk
    quirks: Quirks
    world: WorldSummary

    async def authenticate(self, token: str | None) -> Identity:
        """Tell whose access token that is; raises ``Unauthorised`` with the close code of contract 3.1."""
        return await self.accounts.authenticate(token)

    async def can_subscribe(self, user_id: str, conversation_id: str) -> bool:
        """Tell whether a user is a participant, by the database, each time (contract 3.2)."""
        return await self.messaging.is_participant(user_id, conversation_id)

    async def typing(self, connection: Connection, conversation_id: str, is_typing: bool) -> bool:
        """Pass on that a user types or stopped; ``False`` for one who is not a participant."""
        return await self.messaging.typing(connection, conversation_id, is_typing)

    @property
    def epoch(self) -> str:
        """The history in which message numbers count."""
        return self.storage.epoch

    async def head_seq(self, conversation_id: str) -> int:
        """Tell the number of the newest message of a conversation; 0 for none."""
        return await self.messaging.head_seq(conversation_id)

    async def missed(
        self, connection: Connection, conversation_id: str, above: int, up_to: int, *, echo: bool
    ) -> tuple[MessageNewV2, ...] | None:
        """Read what a connection missed between two numbers; ``None`` if it is too much to send again."""
        return await self.messaging.missed(connection, conversation_id, above, up_to, echo=echo)

    async def online(self, conversation_id: str) -> list[str]:
        """Tell which participants are online, by their ids."""
        return await self.messaging.online(conversation_id)

    async def follow_new_data(self) -> None:
        """Forget what was known of the data before they were replaced; every socket is closed with 1012."""
        await seed_ids(self.settings, self.clock, self.storage)
        self.accounts.forget()
        self.hub.close_all(RESTART)

    async def set_presence(self, user_id: str, status: PresenceStatus) -> None:
        """Note how a user wants to be seen, and pass it on where the profile knows presence."""
        await self.presence.say(user_id, status)


@asynccontextmanager
async def open_services(
    settings: ServerSettings, *, clock: Clock, log: Log, guard: Guard, metrics: Metrics
) -> AsyncIterator[Services]:
    """Open the database, fill it, and put the parts together; on the way out, finish and close everything.

    Raises ``ConfigurationError`` and ``DatabaseRefused`` for what makes a start impossible.
    """
    async with AsyncExitStack() as stack:
        tokens = TokenIssuer(
            load_secret(settings), clock, access_ttl=settings.access_ttl, refresh_ttl=settings.refresh_ttl
        )
        passwords = Passwords()
        stack.callback(passwords.close)
        quirks = Quirks(settings.quirks)
        faults = FaultPlan(clock, seed=settings.fault_seed)
        hub = quirks.hub(clock=clock, limits=_hub_limits(settings), observer=metrics, faults=faults)
        stack.push_async_callback(hub.stop)

        def on_committed(batch: Sequence[StoredMessage]) -> None:
            publish(hub, batch)

        storage = await Storage.open(
            settings.database,
            clock=clock,
            durability=settings.durability,
            on_committed=on_committed,
            observer=metrics,
        )
        stack.push_async_callback(storage.close)
        world = await storage.apply_world(settings.fixtures, passwords.hash_for_demo)
        await seed_ids(settings, clock, storage)
        await add_faults(settings.faults, faults, storage, world)
        presence = PresenceDesk(storage, hub, clock, log)
        presence.start()
        stack.push_async_callback(presence.stop)
        metrics.watch(hub)
        yield Services(
            settings=settings,
            clock=clock,
            log=log,
            guard=guard,
            metrics=metrics,
            tokens=tokens,
            passwords=passwords,
            storage=storage,
            hub=hub,
            accounts=Accounts(storage, tokens, passwords, LoginThrottle(settings.limit_logins, clock), clock),
            messaging=quirks.messaging(storage, hub),
            quirks=quirks,
            presence=presence,
            world=world,
        )


def _hub_limits(settings: ServerSettings) -> HubLimits:
    return HubLimits(
        connections_per_user=settings.limit_connections,
        outbox=OutboxLimits(bytes=settings.limit_outbox_bytes, frames=settings.limit_outbox_frames),
        typing_ttl=settings.typing_ttl,
        presence_delay=settings.presence_delay,
    )
