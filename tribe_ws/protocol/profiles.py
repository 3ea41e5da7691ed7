"""Wire profiles: which frames, and which of their keys, a connection may see (contract 2).

A connection has one profile for its whole life. ``documented`` and ``app`` are chosen by the server for
clients that ask for nothing; ``v2`` a client asks for itself, by offering the subprotocol ``tribe.v2``.
"""

from __future__ import annotations

from enum import StrEnum

from tribe_ws.protocol.frames import APP_FRAMES, DOCUMENTED_FRAMES, Frame, MessageNew
from tribe_ws.protocol.frames_v2 import V2_FRAMES, Stamp, widen

SUBPROTOCOL_V2 = "tribe.v2"
"""What a client offers in ``Sec-WebSocket-Protocol`` to get the profile ``v2``."""


class Profile(StrEnum):
    """The wire profiles of contract 2."""

    DOCUMENTED = "documented"
    APP = "app"
    V2 = "v2"


FRAMES_OF: dict[Profile, frozenset[type[Frame]]] = {
    Profile.DOCUMENTED: frozenset(DOCUMENTED_FRAMES),
    Profile.APP: frozenset(APP_FRAMES),
    Profile.V2: frozenset(V2_FRAMES),
}


def carries(profile: Profile, frame: Frame) -> bool:
    """Tell whether a connection of that profile may see that frame at all."""
    return type(frame) in FRAMES_OF[profile]


def spell(profile: Profile, frame: Frame, stamp: Stamp | None = None) -> Frame | None:
    """Give a frame as a connection of that profile sees it; ``None`` if it may not see it at all."""
    if profile is Profile.V2 and stamp is not None and isinstance(frame, MessageNew):
        return widen(frame, stamp)
    return frame if carries(profile, frame) else None
