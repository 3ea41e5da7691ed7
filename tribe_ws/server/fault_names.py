"""Whom the names in a fault mean: users and conversations of this server, found when the fault is added."""

from __future__ import annotations

from tribe_ws.hub.fault_rules import FaultRefused, FaultRule, parse_faults
from tribe_ws.hub.faults import Fault, FaultPlan
from tribe_ws.protocol.ids import canonical_id
from tribe_ws.storage.records import WorldSummary
from tribe_ws.storage.storage import Storage


async def add_faults(text: str, plan: FaultPlan, storage: Storage, world: WorldSummary) -> tuple[Fault, ...]:
    """Read rules, separated by ``;``, and put them in force, all of them or none.

    Raises ``FaultRefused`` for what is not in the grammar, and for a user or conversation that is not there.
    """
    rules = parse_faults(text)
    meant = [await _meant(rule, storage, world) for rule in rules]
    plan.expect_room(len(rules))
    return tuple(
        plan.add(rule, user_id=user_id, conversation_id=conversation_id)
        for rule, (user_id, conversation_id) in zip(rules, meant, strict=True)
    )


async def _meant(rule: FaultRule, storage: Storage, world: WorldSummary) -> tuple[str | None, str | None]:
    user_id = await _user_id(rule.user, storage) if rule.user else None
    return user_id, _conversation_id(rule.conversation, world) if rule.conversation else None


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
