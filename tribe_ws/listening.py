"""The socket a server listens on: bound before anything else is opened, so a taken port is the first news."""

from __future__ import annotations

import errno
import socket
from contextlib import suppress
from pathlib import Path

from tribe_ws.errors import ConfigurationError

_LISTENING = "0A"
BACKLOG = 2048


class CannotListen(ConfigurationError):
    """The address cannot be listened on; ``holder`` names who has the port, where that can be found out."""

    code = "cannot_listen"

    def __init__(self, message: str, *, port: int, holder: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.port = port
        self.holder = holder


def listen(host: str, port: int, *, command: str = "tribe-ws serve") -> socket.socket:
    """Bind and listen on an address; port 0 picks a free one.

    Raises ``CannotListen``, which advises to call ``command`` with another port.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        # Only where the protocol is named does asyncio turn off the delay of small writes (40 ms an answer).
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    except OSError as error:
        raise CannotListen(f"cannot listen on {host}: {error.strerror or error}", port=port) from None
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        raise _explain(error, host, port, command) from None
    return listener


def bound_port(listener: socket.socket) -> int:
    """Tell the port that a listener really has."""
    return int(listener.getsockname()[1])


def base_url(host: str, port: int) -> str:
    """Tell the address at which clients on this machine reach a server; a wildcard is reached by loopback."""
    shown = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "[::1]"}.get(host)  # noqa: S104 - the case, not the use
    return f"http://{shown or (f'[{host}]' if ':' in host else host)}:{port}"


def port_holder(port: int) -> str:
    """Name the process that listens on a port, as ``python3 (pid 4711)``; empty if nobody can tell."""
    inodes = _listening_inodes(port)
    if inodes:
        for process in Path("/proc").iterdir():
            if process.name.isdigit() and _holds(process, inodes):
                with suppress(OSError):
                    return f"{(process / 'comm').read_text().strip()} (pid {process.name})"
    return ""


def _explain(error: OSError, host: str, port: int, command: str) -> CannotListen:
    if error.errno == errno.EADDRINUSE:
        holder = port_holder(port)
        return CannotListen(
            f"port {port} is in use" + (f" by {holder}" if holder else ""),
            port=port,
            holder=holder,
            hint=f"{command} --port 0 picks a free one",
        )
    return CannotListen(f"cannot listen on {host}:{port}: {error.strerror or error}", port=port)


def _listening_inodes(port: int) -> frozenset[str]:
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with suppress(OSError):
            for line in Path(table).read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == _LISTENING and int(fields[1].rpartition(":")[2], 16) == port:
                    found.add(fields[9])
    return frozenset(found)


def _holds(process: Path, inodes: frozenset[str]) -> bool:
    wanted = {f"socket:[{inode}]" for inode in inodes}
    with suppress(OSError):
        return any(_target(handle) in wanted for handle in (process / "fd").iterdir())
    return False


def _target(handle: Path) -> str:
    with suppress(OSError):
        return str(handle.readlink())
    return ""
