"""tribe-ws: a complete local backend, an event-stream toolkit and a test kit for the Tribe chat app.

The names below are the public library. They are imported on first use (PEP 562), so that
``import tribe_ws`` costs a command line nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from tribe_ws.errors import TribeError

_EXPORTS = {
    "TribeError": "tribe_ws.errors",
}

__all__ = ["TribeError", "__version__"]


def __getattr__(name: str) -> Any:
    """Import a public name from its module the first time it is asked for."""
    if name not in _EXPORTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_EXPORTS[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
