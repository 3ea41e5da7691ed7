"""What the inspector is told when it starts: everything it needs from outside, and nothing that draws."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tribe_ws.client.control import ControlClient
from tribe_ws.client.rest import RestClient
from tribe_ws.protocol.urls import ServerAddress

LogIn = Callable[[str, str | None], Awaitable[RestClient]]
"""Log a user in by username, with a password or without one where that is enough; raises ``TribeError``."""

DEFAULT_KEEP = 100_000
"""How many events are held; older ones remain in the file that ``--record`` writes."""


@dataclass(frozen=True)
class InspectorSetup:
    """Where the inspector works, as whom, and with which files.

    ``users`` are those it opens a session for at once, the first of them in the place of ``A``; each
    subscribes to what ``subscribe`` names when it is open. ``known_users`` are offered to act as. ``control``
    is there for a local server of ours only; ``start_server`` starts one where none runs. ``keymap`` holds
    other keys by their ids, ``editor`` the command of the user's editor; ``why_nobody`` is what is said where
    there is nobody to act as.
    """

    address: ServerAddress
    log_in: LogIn
    known_users: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    subscribe: tuple[str, ...] = ()
    control: ControlClient | None = None
    profile: str = "local"
    is_embedded: bool = False
    is_tapping: bool = False
    record: Path | None = None
    replay: Path | None = None
    keep: int = DEFAULT_KEEP
    log_file: Path | None = None
    start_server: Callable[[], Awaitable[ControlClient | None]] | None = None
    keymap: Mapping[str, str] = field(default_factory=dict)
    theme: str = "textual-dark"
    editor: str = ""
    why_nobody: str = ""
