"""All settings of the server as one frozen object: flag > ``TRIBE_WS_*`` > ``./tribe-ws.toml`` > user file > default.

Built once at the edge and passed down by argument; nothing below reads the environment.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from platformdirs import user_config_path
from pydantic import AliasChoices, Field, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from tribe_ws.durations import parse_duration
from tribe_ws.errors import ConfigurationError
from tribe_ws.running import APPLICATION, data_folder

PROJECT_FILE = Path("tribe-ws.toml")
USER_FILE = user_config_path(APPLICATION) / "config.toml"

Names = Annotated[tuple[str, ...], NoDecode]
Limit = Annotated[int, Field(ge=0)]


class ServerSettings(BaseSettings):
    """Everything ``tribe-ws serve`` can be told. Durations are seconds; a limit of 0 is off."""

    model_config = SettingsConfigDict(env_prefix="TRIBE_WS_", frozen=True, extra="ignore")

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on; 0 picks a free one.")
    db: str = Field(
        "", description="Database: a file, a URL, or :memory:. Default: a file in your data folder."
    )
    fixtures: str = Field("demo", description="World to fill the database with: demo or none.")
    # Not TRIBE_WS_PROFILE: that names the tools' server profile (experience 3).
    profile: Literal["documented", "app"] = Field(
        "documented",
        validation_alias=AliasChoices("profile", "TRIBE_WS_WIRE_PROFILE"),
        description="Wire profile of clients that ask for none.",
    )
    reject: Literal["close", "http"] = Field(
        "close", description="Refuse a bad token by close code, or by HTTP 401."
    )
    on_expiry: Literal["close", "ignore"] = Field(
        "close", description="What happens when a live token expires."
    )
    access_ttl: float = Field(3600.0, gt=0, description="Life of an access token.")
    refresh_ttl: float = Field(30 * 86400.0, gt=0, description="Life of a refresh token.")
    secret: str = Field("", repr=False, description="Secret that signs tokens; at least 32 bytes.")
    allow_origin: Names = Field((), description="Further origins that may connect; * allows all.")
    allow_host: Names = Field((), description="Further host names a loopback server answers to.")
    cors: bool = Field(True, description="Answer CORS requests of the allowed origins.")
    limit_frames: Limit = Field(300, description="Frames a connection may send in 10 s.")
    limit_subscriptions: Limit = Field(128, description="Conversations one connection may subscribe to.")
    limit_connections: Limit = Field(20, description="Connections one user may hold.")
    limit_outbox_bytes: Limit = Field(1024 * 1024, description="Bytes that may wait for one connection.")
    limit_outbox_frames: Limit = Field(1024, description="Frames that may wait for one connection.")
    limit_logins: Limit = Field(10, description="Failed logins a minute, per account and address.")
    limit_requests: Limit = Field(0, description="REST requests a minute and address.")
    max_frame_bytes: int = Field(64 * 1024, ge=1, description="Largest frame a client may send.")
    max_body_bytes: int = Field(1024 * 1024, ge=1, description="Largest REST body a client may send.")
    heartbeat_timeout: float = Field(
        0.0, ge=0, description="Close a client that is silent for so long; 0 never, else at least 75."
    )
    ping_interval: float = Field(
        20.0, ge=0, description="Seconds between the transport's own pings; 0 is off."
    )
    ping_timeout: float = Field(20.0, gt=0, description="How long the transport waits for a pong.")
    handshake_timeout: float = Field(
        10.0, gt=0, description="How long a client may take to ask for its upgrade."
    )
    stop_timeout: float = Field(10.0, gt=0, description="How long a stop may take, whatever clients do.")
    presence_delay: float = Field(
        3.0, ge=0, description="Delay before a user without sockets counts as offline."
    )
    typing_ttl: float = Field(6.0, gt=0, description="When typing:true lapses by itself.")
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

    @field_validator("allow_origin", "allow_host", mode="before")
    @classmethod
    def _split_names(cls, value: Any) -> Any:
        return (
            tuple(name.strip() for name in value.split(",") if name.strip())
            if isinstance(value, str)
            else value
        )

    @field_validator(
        "access_ttl", "refresh_ttl", "heartbeat_timeout", "ping_interval", "ping_timeout", "handshake_timeout",
        "stop_timeout", "presence_delay", "typing_ttl", mode="before",
    )  # fmt: skip
    @classmethod
    def _read_duration(cls, value: Any) -> Any:
        return parse_duration(value) if isinstance(value, str) else value

    @field_validator("heartbeat_timeout")
    @classmethod
    def _never_time_out_the_app(cls, value: float) -> float:
        if 0 < value < 75:  # noqa: PLR2004 - the number of contract 1
            raise ValueError("a client pings every 30 s: 75 s is the least")
        return value

    @field_validator("secret")
    @classmethod
    def _refuse_short_secret(cls, value: str) -> str:
        if value and len(value.encode()) < 32:  # noqa: PLR2004 - the number of contract 4
            raise ValueError("a secret has at least 32 bytes")
        return value

    @property
    def database(self) -> str:
        """The database to open: what was asked for, or the default file in the user's data folder."""
        return self.db or str(data_folder() / "tribe.db")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Order the sources: argument, environment, project file, user file."""
        files = (_server_table(settings_cls, path) for path in (PROJECT_FILE, USER_FILE))
        return (init_settings, env_settings, *files)


def load_server_settings(**flags: Any) -> ServerSettings:
    """Build the server's settings from flags (those that are not ``None``), environment and files.

    Raises ``ConfigurationError`` that names the setting and what is wrong with it.
    """
    try:
        return ServerSettings(**{name: value for name, value in flags.items() if value is not None})
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = ".".join(str(part) for part in first["loc"])
        raise ConfigurationError(
            f"setting {name!r}: {first['msg']}", hint="tribe-ws serve --help lists the settings"
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"a settings file is not TOML: {error}") from None


def _server_table(settings_cls: type[BaseSettings], path: Path) -> TomlConfigSettingsSource:
    """Read the ``[server]`` table of a settings file that may not exist."""
    source = TomlConfigSettingsSource(settings_cls, path)
    table = source.toml_data.get("server", {})
    source.init_kwargs = table if isinstance(table, dict) else {}
    return source
