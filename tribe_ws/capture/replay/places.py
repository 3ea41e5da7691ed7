"""Finds the conversations and the people of a capture again at another server, by what people call them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tribe_ws.capture.names import Names
from tribe_ws.capture.replay.remap import Renaming
from tribe_ws.capture.replay.world import Talk, World
from tribe_ws.client.results import Conversation
from tribe_ws.errors import NotFound

Present = Mapping[str, tuple[Conversation, ...]]
"""The conversations of everybody who logged in, by the username of the capture."""


def recognise(world: World, present: Present, renaming: Renaming) -> None:
    """Learn what the people and the conversations of a capture are called here."""
    ids = {
        participant.username: participant.user_id
        for theirs in present.values()
        for conversation in theirs
        for participant in conversation.participants
    }
    for person in world.people.values():
        if found := ids.get(renaming.user(person.username)):
            renaming.bind(person.id, found)
    for talk in world.talks.values():
        _recognise_talk(talk, world, present, renaming)


def missing_here(world: World, renaming: Renaming, begun: Iterable[str]) -> NotFound | None:
    """Give the error for the first conversation that has a name in the capture and is not to be found here.

    ``begun`` are the ids of those which the capture itself begins.
    """
    made = set(begun)
    for talk in world.talks.values():
        if talk.labels and talk.id not in made and not renaming.knows(talk.id):
            viewer, label = next(iter(talk.labels.items()))
            user = renaming.user(viewer)
            return NotFound(
                f'{user} is in no conversation "{label}" here, and the capture plays in it',
                hint=f"make it first:  tribe-ws conversations create {label} USER... --as {user}",
            )
    return None


def _recognise_talk(talk: Talk, world: World, present: Present, renaming: Renaming) -> None:
    everything = [conversation for theirs in present.values() for conversation in theirs]
    if any(conversation.id == talk.id for conversation in everything):
        renaming.bind(talk.id, talk.id)
        return
    for viewer, theirs in present.items():
        names = Names(theirs, renaming.user(viewer))
        for conversation in theirs:
            if _is_same(talk, viewer, conversation, names, world, renaming) and renaming.bind(
                talk.id, conversation.id
            ):
                return


def _is_same(
    talk: Talk, viewer: str, conversation: Conversation, names: Names, world: World, renaming: Renaming
) -> bool:
    is_told = bool(talk.raw)
    if is_told and talk.is_group is not conversation.is_group:
        return False
    if label := talk.labels.get(viewer):
        here = names.short(conversation.id)
        return here == label or (not conversation.is_group and here == renaming.user(label))
    if is_told and not conversation.is_group:
        members = {renaming.user(world.people[one].username) for one in talk.members if one in world.people}
        return members == {one.username for one in conversation.participants}
    return bool(talk.name) and talk.name == conversation.name
