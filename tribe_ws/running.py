"""Which servers tribe-ws itself has started on this machine: each leaves a record while it runs.

The record is how ``--as alice`` knows that an address is a demo server of ours and may log in by itself. It
is a 0600 file named after the port. It holds no token, but the key of the server's control API: whoever can
read the file may drive the server.
"""

from __future__ import annotations

import json
import os
import warnings
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from platformdirs import user_data_path, user_runtime_path

APPLICATION = "tribe-ws"


def data_folder() -> Path:
    """Tell the folder that keeps the database and the secret; it may not exist yet."""
    return user_data_path(APPLICATION)


def runtime_folder() -> Path:
    """Tell the folder that keeps the records of running servers; it may not exist yet."""
    with warnings.catch_warnings():
        # Where the session has no such folder (a container), another one serves; nobody needs to hear of it.
        warnings.simplefilter("ignore")
        return user_runtime_path(APPLICATION)


@dataclass(frozen=True, slots=True)
class RunningServer:
    """What a running server says of itself; ``world`` is the fixture world it was filled with, or empty.

    ``control_key`` opens its control API; empty where that is off.
    """

    url: str
    ws_url: str
    pid: int
    port: int
    version: str
    database: str
    world: str
    control_key: str = field(default="", repr=False)


def write_private(path: Path, text: str) -> None:
    """Replace a file with ``text`` in one step, readable by its owner only (0600)."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with suppress(FileNotFoundError):
        draft.unlink()
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)


def announce(server: RunningServer) -> Path:
    """Leave the record of a running server and tell where it lies."""
    path = _record_path(server.port)
    write_private(path, json.dumps(asdict(server)) + "\n")
    return path


def withdraw(server: RunningServer) -> None:
    """Remove the record of a server that ends, unless another one has taken the port since."""
    if (found := _read(_record_path(server.port))) is not None and found.pid == server.pid:
        _record_path(server.port).unlink(missing_ok=True)


def running_server(port: int) -> RunningServer | None:
    """Tell which server of ours serves that port now; ``None`` if there is none or its process is gone."""
    found = _read(_record_path(port))
    return found if found is not None and is_alive(found.pid) else None


def is_alive(pid: int) -> bool:
    """Tell whether a process with that number exists."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _record_path(port: int) -> Path:
    return runtime_folder() / f"server-{port}.json"


def _read(path: Path) -> RunningServer | None:
    try:
        return RunningServer(**json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None
