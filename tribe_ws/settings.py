"""All settings of the server as one frozen object.

Flag > ``TRIBE_WS_*`` > ``./tribe-ws.toml`` > the user's ``config.toml`` > default; the files keep them in a
table ``[server]``. Built once at the edge and passed down by argument: nothing below reads the environment.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from platformdirs import user_config_path
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator

from tribe_ws.durations import LONGEST, parse_duration
from tribe_ws.errors import ConfigurationError
from tribe_ws.running import APPLICATION, data_folder
from tribe_ws.steered_clock import parse_mode

PROJECT_FILE = Path("tribe-ws.toml")
USER_FILE = user_config_path(APPLICATION) / "config.toml"


def _seconds(value: Any) -> Any:
    return parse_duration(value) if isinstance(value, str) else value


def _names(value: Any) -> Any:
    return tuple(filter(None, map(str.strip, value.split(",")))) if isinstance(value, str) else value


def _switch(value: Any) -> Any:
    """Read ``--control`` and ``--no-control``, and what stands for them elsewhere."""
    text = str(value).lower()
    return "on" if text in {"true", "1", "yes"} else "off" if text in {"false", "0", "no"} else value


Limit = Annotated[int, Field(ge=0)]
Duration = Annotated[float, BeforeValidator(_seconds), Field(le=LONGEST, allow_inf_nan=False)]
Control = Annotated[Literal["auto", "on", "off"], BeforeValidator(_switch)]
Names = Annotated[tuple[str, ...], BeforeValidator(_names)]
QuirkName = Literal["single-socket", "typing-unchecked", "offset-timestamps", "page-ignored", "http-403"]
QuirkNames = Annotated[tuple[QuirkName, ...], BeforeValidator(_names)]


class ServerSettings(BaseModel):
    """Everything ``tribe-ws serve`` can be told. Durations are seconds; a limit of 0 is off."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on; 0 picks a free one.")
    db: str = Field(
        "", description="Database: a file, a URL, or :memory:. Default: a file in your data folder."
    )
    fixtures: str = Field("demo", description="World to fill the database with: demo, none, or a YAML file.")
    profile: Literal["documented", "app"] = Field(
        "documented", description="Wire profile of clients that ask for none."
    )
    reject: Literal["close", "http"] = Field(
        "close", description="Refuse a bad token by close code, or by HTTP 401."
    )
    on_expiry: Literal["close", "ignore"] = Field(
        "close", description="What happens when a live token expires."
    )
    access_ttl: Duration = Field(3600.0, gt=0, description="Life of an access token.")
    refresh_ttl: Duration = Field(30 * 86400.0, gt=0, description="Life of a refresh token.")
    secret: str = Field("", repr=False, description="Secret that signs tokens; at least 32 bytes.")
    allow_origin: Names = Field((), description="Further origins that may connect; * allows all.")
    allow_host: Names = Field((), description="Further host names a loopback server answers to.")
    cors: bool = Field(True, description="Answer CORS requests of the allowed origins.")
    limit_frames: Limit = Field(300, description="Frames a connection may send in 10 s.")
    limit_subscriptions: Limit = Field(128, description="Conversations one connection may subscribe to.")
    limit_connections: Limit = Field(20, description="Connections one user may hold.")
    limit_outbox_bytes: Limit = Field(1024 * 1024, description="Bytes that may wait for a connection.")
    limit_outbox_frames: Limit = Field(1024, description="Frames that may wait for one connection.")
    limit_logins: Limit = Field(10, description="Failed logins a minute, per account and address.")
    limit_requests: Limit = Field(0, description="REST requests a minute and address.")
    max_frame_bytes: int = Field(64 * 1024, ge=1, description="Largest frame a client may send.")
    max_body_bytes: int = Field(1024 * 1024, ge=1, description="Largest REST body a client may send.")
    heartbeat_timeout: Duration = Field(
        0.0, ge=0, description="Close a client that is silent for so long; 0 never, else at least 75."
    )
    ping_interval: Duration = Field(
        20.0, ge=0, description="Seconds between the transport's own pings; 0 is off."
    )
    ping_timeout: Duration = Field(20.0, gt=0, description="How long the transport waits for a pong.")
    handshake_timeout: Duration = Field(
        10.0, gt=0, description="How long a client may take to ask for its upgrade."
    )
    stop_timeout: Duration = Field(10.0, gt=0, description="How long a stop may take, whatever clients do.")
    presence_delay: Duration = Field(
        3.0, ge=0, description="Delay before a user without sockets counts as offline."
    )
    typing_ttl: Duration = Field(6.0, gt=0, description="When typing:true lapses by itself.")
    fan_out: Literal["fast", "portable"] = Field(
        "fast", description="How frames reach sockets: written at once, or by plain ASGI."
    )
    durability: Literal["full", "normal"] = Field(
        "full", description="SQLite synchronous mode; normal may lose the last commits at a power cut."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="How much the server logs."
    )
    log_format: Literal["auto", "console", "json"] = Field(
        "auto", description="Log lines for people or for machines."
    )
    docs: bool = Field(True, description="Serve the API's documents.")
    control: Control = Field(
        "auto", description="Serve the control API: on, off, or auto, for loopback addresses only."
    )
    clock: str = Field(
        "system", description="Time of tokens, typing, presence and limits: system, frozen or xN."
    )

    seed: int | None = Field(
        None, description="Make ids repeat: the same calls on the same data get the same ids."
    )
    faults: str = Field("", description="Faults to start with, separated by semicolons: drop 5% @bob; ….")
    fault_seed: int = Field(0, description="Seed of the faults' chance: the same seed, the same faults.")
    quirks: QuirkNames = Field((), description="Deviations of the production backend to reproduce.")

    @field_validator("clock")
    @classmethod
    def _know_the_mode(cls, value: str) -> str:
        parse_mode(value)
        return value

    @field_validator("heartbeat_timeout")
    @classmethod
    def _never_time_out_the_app(cls, value: float) -> float:
        if 0 < value < 75:
            raise ValueError("a client pings every 30 s: 75 s is the least")
        return value

    @field_validator("secret")
    @classmethod
    def _refuse_short_secret(cls, value: str) -> str:
        if value and len(value.encode()) < 32:
            raise ValueError("a secret has at least 32 bytes")
        return value

    @property
    def database(self) -> str:
        """The database to open: what was asked for, or the default file in the user's data folder."""
        return self.db or str(data_folder() / "tribe.db")


def environment_variable(setting: str) -> str:
    """Tell which environment variable carries a setting."""
    # TRIBE_WS_PROFILE is taken: it names the profile (address and account) of the command-line tools.
    return "TRIBE_WS_" + ("WIRE_PROFILE" if setting == "profile" else setting.upper())


def load_server_settings(
    *, environ: Mapping[str, str] | None = None, files: Sequence[Path] | None = None, **flags: Any
) -> ServerSettings:
    """Build the server's settings from flags (those that are not ``None``), environment and files.

    ``environ`` and ``files`` (the stronger first) stand in for the real ones. Raises ``ConfigurationError``
    that names the setting, where it was made and what is wrong with it.
    """
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for path in reversed((PROJECT_FILE, USER_FILE) if files is None else files):
        for name, value in _server_table(path).items():
            values[name], origins[name] = value, f"{name!r} in {path}"
    environ = os.environ if environ is None else environ
    for name in ServerSettings.model_fields:
        if (variable := environment_variable(name)) in environ:
            values[name], origins[name] = environ[variable], variable
    for name, value in flags.items():
        if value is not None:
            values[name], origins[name] = value, f"--{name.replace('_', '-')}"
    return _validated(values, origins)


def _validated(values: dict[str, Any], origins: dict[str, str]) -> ServerSettings:
    try:
        return ServerSettings(**values)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = str(first["loc"][0])
        raise ConfigurationError(
            f"setting {origins[name]}: {first['msg'].removeprefix('Value error, ').removeprefix('Input ')}",
            hint="tribe-ws serve --help lists the settings",
        ) from None


def _server_table(path: Path) -> dict[str, Any]:
    """Read the ``[server]`` table of a settings file, which may be absent."""
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"cannot read the settings file {path}: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path} is not TOML: {error}") from None
    table = document.get("server", {})
    if not isinstance(table, dict):
        raise ConfigurationError(f"{path}: 'server' must be a table", hint="begin it with  [server]")
    return {_known(key, path): value for key, value in table.items()}


def _known(key: str, path: Path) -> str:
    """Give the setting's name for a key of a file, where hyphens may stand for underscores."""
    name = key.replace("-", "_")
    if name in ServerSettings.model_fields:
        return name
    close = difflib.get_close_matches(name, ServerSettings.model_fields, n=1)
    raise ConfigurationError(
        f"unknown key {key!r} in the [server] table of {path}",
        hint=f"did you mean {close[0]}?" if close else "tribe-ws serve --help lists the settings",
    )
