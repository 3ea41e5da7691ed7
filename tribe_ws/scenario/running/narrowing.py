"""Narrows what a step wants: to a conversation, and to whom it is about."""

from __future__ import annotations

from tribe_ws.scenario.matchers import Keys, Literal, Matcher
from tribe_ws.scenario.special_matchers import AllOf, AnyOf


def narrowed(matcher: Matcher, *, conversation_id: str = "", user_id: str = "") -> Matcher:
    """Want a frame of that conversation and about that user as well; empty is any."""
    wanted = [matcher]
    if conversation_id:
        wanted.append(Keys({"conversation_id": Literal(conversation_id)}))
    if user_id:
        who = Literal(user_id)
        # A message names its sender, typing, presence and reads name the user: contract 3.2 to 3.4.
        wanted.append(
            AnyOf(
                (Keys({"data": Keys({"sender": Keys({"id": who})})}), Keys({"data": Keys({"user_id": who})}))
            )
        )
    return wanted[0] if len(wanted) == 1 else AllOf(tuple(wanted))
