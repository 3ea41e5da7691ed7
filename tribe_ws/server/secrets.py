"""The secret that signs tokens: from the settings, from a 0600 file made at first start, or a random one.

There is no default secret in the code. Whoever can read the secret can be anybody, so a file that others
can read is refused, not repaired in silence.
"""

from __future__ import annotations

import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from tribe_ws.errors import ConfigurationError
from tribe_ws.running import data_folder
from tribe_ws.settings import ServerSettings

MIN_BYTES = 32
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def load_secret(settings: ServerSettings) -> str:
    """Find or make the secret; a server whose database is thrown away gets one that is thrown away too.

    Raises ``ConfigurationError`` for a file that is too short, readable by others, or cannot be made.
    """
    if settings.secret:
        return settings.secret
    if settings.database == ":memory:":
        return random_secret()
    path = secret_file()
    try:
        with suppress(FileExistsError):
            _create(path)
        return _read(path)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"the secret file {path} is unusable: {error}",
            hint="set TRIBE_WS_SECRET to a text of at least 32 bytes",
        ) from None


def secret_file() -> Path:
    """Tell where the secret lies that was made at the first start."""
    return data_folder() / "secret"


def random_secret() -> str:
    """Make a secret that nobody has seen."""
    return secrets.token_urlsafe(48)


def _create(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(random_secret() + "\n")


def _read(path: Path) -> str:
    if os.name == "posix" and path.stat().st_mode & _OTHERS:
        raise ConfigurationError(
            f"the secret file {path} is readable by others", hint=f"chmod 600 {path}   or delete it"
        )
    secret = path.read_text("utf-8").strip()
    if len(secret.encode()) < MIN_BYTES:
        raise ConfigurationError(
            f"the secret in {path} is shorter than {MIN_BYTES} bytes",
            hint="delete the file: the next start makes a new one, and everybody logs in again",
        )
    return secret
