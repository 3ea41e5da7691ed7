"""Which token a connection of a scenario shows to the server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

BROKEN_TOKENS = ("expired", "not-yet", "signature", "alg-none", "refresh", "unknown-user", "no-sub")
"""The ways in which the control API breaks a token."""


@dataclass(frozen=True, slots=True)
class TokenPlan:
    """Which token a connection shows: ``own`` (as logged in), ``none``, ``minted``, ``broken`` or ``given``.

    ``minted`` lives for ``ttl`` seconds; ``broken`` names the way in which the control API breaks it
    (``expired``, ``signature``, …); ``given`` is the ``text`` itself.
    """

    kind: Literal["own", "none", "minted", "broken", "given"] = "own"
    ttl: float | None = None
    broken: str = ""
    text: Any = ""

    @property
    def needs_control(self) -> bool:
        """Whether only the control API of a server of ours can make it."""
        return self.kind in {"minted", "broken"}

    @property
    def is_accepted(self) -> bool:
        """Whether ``connected`` is waited for; otherwise an ``expect`` says what is to come."""
        return self.kind in {"own", "minted"}
