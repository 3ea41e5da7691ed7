"""Whom the names in a fault mean: users and conversations of this server, found when the fault is added."""

from __future__ import annotations

from tribe_ws.hub.fault_rules import FaultRefused, FaultRule, parse_fault, parse_faults
from tribe_ws.hub.faults import Fault, FaultPlan
from tribe_ws.protocol.ids import canonical_id
from tribe_ws.storage.records import WorldSummary
from tribe_ws.storage.storage import Storage


async def add_fault(text: str, plan: FaultPlan, storage: Storage, world: WorldSummary) -> Fault:
    """Read one rule and put it in force.

    Raises ``FaultRefused`` for what is not in the grammar, and for a user or conversation that is not there.
    """
    return await _add(parse_fault(text), plan, storage, world)


async def add_faults(text: str, plan: FaultPlan, storage: Storage, world: WorldSummary) -> None:
    """Put the rules in force with which a server starts, separated by ``;``; raises ``FaultRefused``."""
    for rule in parse_faults(text):
        await _add(rule, plan, storage, world)


async def _add(rule: FaultRule, plan: FaultPlan, storage: Storage, world: WorldSummary) -> Fault:
    user_id = await _user_id(rule.user, storage) if rule.user else None
    conversation_id = _conversation_id(rule.conversation, world) if rule.conversation else None
    return plan.add(rule, user_id=user_id, conversation_id=conversation_id)


async def _user_id(name: str, storage: Storage) -> str:
    user_id = canonical_id(name)
    user = await (storage.users.by_login(name) if user_id is None else storage.users.by_id(user_id))
    if user is None:
        raise FaultRefused(f"there is no user @{name[:100]}", hint="tribe-ws users list")
    return user.id


def _conversation_id(name: str, world: WorldSummary) -> str:
    if (conversation_id := canonical_id(name)) is not None:
        return conversation_id
    for one in world.conversations:
        if name in (one.alias, one.label.removeprefix("#")):
            return one.id
    known = " ".join(f"#{one.alias}" for one in world.conversations)
    raise FaultRefused(
        f"there is no conversation #{name[:100]}",
        hint=f"an id, or one of {known}" if known else "write its id",
    )
