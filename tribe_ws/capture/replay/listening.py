"""Opens the address on which a replay listens, or says why that cannot be."""

from __future__ import annotations

import errno
import socket

from tribe_ws.errors import ConfigurationError

_BACKLOG = 100


def listen(host: str, port: int) -> tuple[socket.socket, str]:
    """Listen there, port 0 for a free one; give the listener and the base address a client takes.

    Raises ``ConfigurationError``.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError as error:
        raise ConfigurationError(
            f"cannot listen on {host}: {error.strerror or error}",
            hint="give an address of this machine:  --host",
        ) from None
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        raise _cannot(host, port, error) from None
    shown = "127.0.0.1" if host in {"0.0.0.0", ""} else "[::1]" if host == "::" else host  # noqa: S104
    shown = f"[{shown}]" if ":" in shown and not shown.startswith("[") else shown
    return listener, f"http://{shown}:{listener.getsockname()[1]}"


def _cannot(host: str, port: int, error: OSError) -> ConfigurationError:
    if error.errno == errno.EADDRINUSE:
        return ConfigurationError(
            f"port {port} on {host} is taken", hint="another one:  --port 8001        any free one:  --port 0"
        )
    return ConfigurationError(f"cannot listen on {host}:{port}: {error.strerror}")
