"""Makes ready what a scenario needs before its first step, and takes it down after the last.

That is: everybody logged in, the conversations made or found, the connections open.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any, TypeVar

from tribe_ws.clock import Clock
from tribe_ws.errors import AuthenticationError, ConfigurationError, NotFound, TribeError
from tribe_ws.protocol.ids import canonical_id
from tribe_ws.scenario.language.beginning import ACTOR_FACTS, account_variables, first_variables
from tribe_ws.scenario.model import Actor, ConnectionName, ConversationPlan, Scenario
from tribe_ws.scenario.place import Place, ScenarioError
from tribe_ws.scenario.result import Log
from tribe_ws.scenario.running.accounts import Account, Target, register
from tribe_ws.scenario.running.actor import Player
from tribe_ws.scenario.running.diary import Labels
from tribe_ws.scenario.substitution import Variables

AT_ONCE = 16
"""So many people get ready at the same time."""

TIDYING = 5.0
"""Seconds that taking down may take, for each of its two parts."""

LOG_LENGTH = 8

T = TypeVar("T")


class Stage:
    """The people and the conversations of one run, by the names that the scenario gives them."""

    def __init__(
        self, scenario: Scenario, target: Target, clock: Clock, environ: Mapping[str, str] | None = None
    ) -> None:
        self.scenario = scenario
        self.target = target
        self.players: dict[str, Player] = {}
        self.conversations: dict[str, str] = {}
        self.labels = Labels({}, {})
        self.variables = Variables()
        self._clock = clock
        self._environ = environ or {}
        self._made: list[tuple[str, tuple[str, ...]]] = []
        self._has_faults = False

    async def make_ready(self) -> None:
        """Log everybody in and make or find the conversations; raises what keeps it from that."""
        run = secrets.token_hex(4)
        self.variables = account_variables(self.scenario, run=run, environment=self._environ)
        await in_batches(self.scenario.actors.values(), self._admit)
        await in_batches(self.scenario.conversations.values(), self._provide)
        self.labels = Labels(
            {one: name for name, one in self.conversations.items()},
            {player.user.id: name for name, player in self.players.items()},
        )
        self.variables = first_variables(
            self.scenario,
            run=run,
            environment=self._environ,
            actors={name: facts_of(player) for name, player in self.players.items()},
            conversations=self.conversations,
            now=self._clock.now,
        )

    async def take_down(self) -> None:
        """Close everything, and leave the conversations that were made; never raises, never takes long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(TIDYING):
                await self._tidy_up()
        with suppress(TimeoutError):
            async with asyncio.timeout(TIDYING):
                await asyncio.gather(*(one.leave() for one in self.players.values()), return_exceptions=True)

    def player(self, connection: ConnectionName) -> Player:
        """Give the person behind a connection."""
        return self.players[connection.actor]

    async def conversation_id(self, name: str, player: Player, place: Place) -> str:
        """Tell the id of a conversation: by its name in the scenario, its id, or a name the person has."""
        found = self.conversations.get(name) or canonical_id(name)
        if found is not None:
            return found
        try:
            return await player.find_conversation(name)
        except NotFound:
            known = ", ".join(self.conversations) or "none of its own"
            raise ScenarioError(
                place,
                f'{player.name} has no conversation "{name}"',
                hint=f"the scenario has: {known}        tribe-ws conversations list",
            ) from None

    def note_faults(self) -> None:
        """Remember that the server is left with faults, which are to be taken away at the end."""
        self._has_faults = True

    def logs(self) -> tuple[Log, ...]:
        """Give the last things that everybody sent and got."""
        present = (self.players[name] for name in self.scenario.actors if name in self.players)
        found = (player.log(self.labels, LOG_LENGTH) for player in present)
        return tuple(log for log in found if log.count)

    async def _admit(self, actor: Actor) -> None:
        username = self.variables.text(actor.user)
        account = await self._account_of(actor, username)
        self.players[actor.name] = Player(actor.name, account, self._clock)

    async def _account_of(self, actor: Actor, username: str) -> Account:
        if actor.registers:
            return await register(self.target.address, username, patience=self.target.patience)
        password = None if actor.password is None else self.variables.text(actor.password)
        try:
            return await self.target.log_in(username, password)
        except AuthenticationError as error:
            error.message = f"{actor.place}: {actor.name} cannot log in as {username}: {error.message}"
            raise

    async def _provide(self, plan: ConversationPlan) -> None:
        if plan.members:
            self.conversations[plan.name] = await self._create(plan)
        else:
            self.conversations[plan.name] = await self._find(plan)

    async def _create(self, plan: ConversationPlan) -> str:
        creator = self.players[plan.members[0]]
        others = [self.players[name].user.id for name in plan.members[1:]]
        made = await creator.rest.create_conversation(
            others,
            conversation_type="direct" if plan.direct else "group",
            name=None if plan.direct else f"{self.scenario.name}: {plan.name}"[:100],
        )
        if not plan.direct:
            self._made.append((made.id, plan.members))
        return made.id

    async def _find(self, plan: ConversationPlan) -> str:
        wanted = self.variables.text(plan.existing)
        if (known := canonical_id(wanted)) is not None:
            return known
        hint = ""
        for player in self.players.values():
            try:
                return await player.find_conversation(wanted)
            except NotFound as error:
                hint = hint or error.hint
        raise ConfigurationError(f'{plan.place}: none of the actors has a conversation "{wanted}"', hint=hint)

    async def _tidy_up(self) -> None:
        """Leave a server of somebody else's as it was, as far as a user can."""
        if self._has_faults and self.target.control is not None:
            with suppress(TribeError):
                await self.target.control.clear_faults()
        if self.target.is_throw_away:
            return
        await in_batches(self._made, self._abandon)

    async def _abandon(self, made: tuple[str, tuple[str, ...]]) -> None:
        conversation_id, members = made
        # The creator is its admin and goes last.
        for name in (*members[1:], members[0]):
            player = self.players[name]
            with suppress(TribeError):
                await player.rest.remove_participant(conversation_id, player.user.id)


def facts_of(player: Player) -> dict[str, Any]:
    """Give what a scenario may know of a person, as in ``${{ alice.id }}``."""
    return {name: getattr(player.user, name) for name in ACTOR_FACTS}


async def in_batches(items: Iterable[T], act: Callable[[T], Awaitable[None]]) -> None:
    """Do something with every item, a few at a time; the first failure ends it and is raised."""
    waiting = iter(tuple(items))

    async def work() -> None:
        for item in waiting:
            await act(item)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(work())
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
