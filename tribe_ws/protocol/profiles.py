"""Wire profiles: which frames, and which of their keys, a connection may see (contract 2).

A connection has one profile for its whole life. ``documented`` and ``app`` are chosen by the server for
clients that ask for nothing; a profile that a client must ask for is a further member here, with the
subprotocol that asks for it.
"""

from __future__ import annotations

from enum import StrEnum

from tribe_ws.protocol.frames import APP_FRAMES, DOCUMENTED_FRAMES, Frame


class Profile(StrEnum):
    """The wire profiles of contract 2."""

    DOCUMENTED = "documented"
    APP = "app"


FRAMES_OF: dict[Profile, frozenset[type[Frame]]] = {
    Profile.DOCUMENTED: frozenset(DOCUMENTED_FRAMES),
    Profile.APP: frozenset(APP_FRAMES),
}


def carries(profile: Profile, frame: Frame) -> bool:
    """Tell whether a connection of that profile may see that frame at all."""
    return type(frame) in FRAMES_OF[profile]
