"""Where every setting of a command comes from, and that nothing else reads the surroundings.

Order: flag > environment > ./tribe-ws.toml > ./.env > the user's own > default. Built once, at the edge;
commands get the finished ``Environment`` and never look at ``os.environ`` themselves.
"""

from __future__ import annotations

import os
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tribe_ws.durations import parse_duration
from tribe_ws.errors import ConfigurationError
from tribe_ws.protocol.urls import ServerAddress, parse_address
from tribe_ws_cli.diagnostics import Talk, UsageProblem
from tribe_ws_cli.output import Output
from tribe_ws_cli.profiles import ProfileStore

DEFAULT_URL = "http://127.0.0.1:8000"
DEFAULT_PROFILE = "local"
DEFAULT_TIMEOUT = "10s"
# What the Android emulator calls the machine it runs on; the tools run on that machine.
_EMULATOR_HOST = "10.0.2.2"


@dataclass(frozen=True, slots=True)
class Setting:
    """A value and who said it."""

    value: str
    origin: str


@dataclass(frozen=True)
class Environment:
    """All a command knows of its surroundings."""

    address: ServerAddress
    profile: str
    settings: dict[str, Setting]
    store: ProfileStore
    as_user: str = ""
    token: str = field(default="", repr=False)
    json: bool = False
    quiet: bool = False
    verbose: bool = False
    color: bool = False
    ascii: bool = False
    can_ask: bool = False
    timeout: float = 10.0
    tui: Mapping[str, Any] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def output(self) -> Output:
        """The door to stdout."""
        return Output(color=self.color)

    @property
    def talk(self) -> Talk:
        """The door to stderr."""
        return Talk(quiet=self.quiet, color=self.color and sys.stderr.isatty(), json=self.json)

    def url_flag(self) -> str:
        """Give what a copied command needs to reach the same server: empty for the default one."""
        origin = self.settings["url"].origin
        if origin == "--url" and self.address.base_url != DEFAULT_URL:
            return f" --url {self.address.base_url}"
        return f" -p {self.profile}" if origin.startswith("--profile") else ""


def resolve(flags: Mapping[str, Any], environ: Mapping[str, str] | None = None) -> Environment:
    """Build the environment of one command from its global flags; raises ``ConfigurationError``."""
    variables = dict(os.environ if environ is None else environ)
    config_file = user_config_file(variables)
    store = ProfileStore(config_file.with_name("profiles.json"))
    sources = _Sources(
        flags, variables, _read_toml(Path("tribe-ws.toml")), _read_toml(config_file), config_file
    )
    url, profile = _server(sources, store)
    user = sources.find("as_user", "TRIBE_WS_AS", "as")
    output = _output(sources)
    timeout = sources.find("timeout", "TRIBE_WS_TIMEOUT", "timeout", DEFAULT_TIMEOUT)
    is_seen = sys.stdout is not None and sys.stdout.isatty()
    return Environment(
        address=_address(url),
        profile=profile,
        settings={"url": url, "as": user, "output": output, "timeout": timeout},
        store=store,
        as_user=user.value.removeprefix("@"),
        token=_token(variables),
        json=output.value in {"json", "ndjson"},
        quiet=bool(flags.get("quiet")),
        verbose=bool(flags.get("verbose")),
        color=is_seen and not flags.get("no_color") and _wants_color(variables) and output.value != "plain",
        ascii=not _speaks_unicode(),
        can_ask=sys.stdin is not None and sys.stdin.isatty() and not flags.get("no_input"),
        timeout=_seconds(timeout),
        tui=_tui_table(sources),
        environ=variables,
    )


def _tui_table(sources: _Sources) -> dict[str, Any]:
    """Read the ``[tui]`` tables, the project's before the user's, and key by key what they say of keys."""
    tables = []
    for table in (sources.user.get("tui", {}), sources.project.get("tui", {})):
        if not isinstance(table, dict) or not isinstance(table.get("keys", {}), dict):
            raise ConfigurationError("tui and tui.keys must be tables", hint="begin them with  [tui.keys]")
        tables.append(table)
    below, above = tables
    return {**below, **above, "keys": {**below.get("keys", {}), **above.get("keys", {})}}


def user_config_file(environ: Mapping[str, str]) -> Path:
    """Tell which file holds the user's own settings; ``TRIBE_WS_CONFIG`` names another one."""
    if named := environ.get("TRIBE_WS_CONFIG"):
        return Path(named).expanduser()
    from platformdirs import user_config_path

    from tribe_ws.running import APPLICATION

    return user_config_path(APPLICATION) / "config.toml"


@dataclass(frozen=True, slots=True)
class _Sources:
    flags: Mapping[str, Any]
    variables: Mapping[str, str]
    project: Mapping[str, Any]
    user: Mapping[str, Any]
    user_file: Path

    def find(self, flag: str, variable: str, key: str, default: str = "") -> Setting:
        if (given := self.flags.get(flag)) is not None:
            return Setting(str(given), f"--{key}")
        if given := self.variables.get(variable):
            return Setting(given, variable)
        if key in self.project:
            return Setting(str(self.project[key]), "./tribe-ws.toml")
        if key in self.user:
            return Setting(str(self.user[key]), str(self.user_file))
        return Setting(default, "default")


def _server(sources: _Sources, store: ProfileStore) -> tuple[Setting, str]:
    """Find the server's address and the name it goes by."""
    for setting, is_name in _server_candidates(sources, store):
        if not setting.value:
            continue
        if not is_name:
            return setting, _name_of(setting, store)
        return Setting(_profile_url(setting, store), f"{setting.origin} {setting.value}"), setting.value
    return Setting(DEFAULT_URL, "default"), DEFAULT_PROFILE


def _server_candidates(sources: _Sources, store: ProfileStore) -> list[tuple[Setting, bool]]:
    """List who may name the server, strongest first, and whether they name it by address or by profile."""
    flags, variables = sources.flags, sources.variables
    dotenv = _dotenv_value(Path(".env"), "API_BASE_URL")
    return [
        (Setting(str(flags.get("url") or ""), "--url"), False),
        (Setting(str(flags.get("profile") or ""), "--profile"), True),
        (Setting(variables.get("TRIBE_WS_URL", ""), "TRIBE_WS_URL"), False),
        (Setting(variables.get("TRIBE_WS_PROFILE", ""), "TRIBE_WS_PROFILE"), True),
        (Setting(str(sources.project.get("url", "")), "./tribe-ws.toml"), False),
        (Setting(str(sources.project.get("profile", "")), "./tribe-ws.toml"), True),
        (Setting(_from_emulator(dotenv), "./.env API_BASE_URL"), False),
        (Setting(str(sources.user.get("url", "")), str(sources.user_file)), False),
        (Setting(str(sources.user.get("profile", "")), str(sources.user_file)), True),
        (Setting(store.current, "profile in use"), True),
    ]


def _profile_url(setting: Setting, store: ProfileStore) -> str:
    profiles = store.profiles()
    if setting.value in profiles:
        return profiles[setting.value].url
    if setting.value == DEFAULT_PROFILE:
        return DEFAULT_URL
    known = ", ".join(sorted({*profiles, DEFAULT_PROFILE}))
    raise ConfigurationError(
        f'no profile "{setting.value}" (named by {setting.origin})',
        hint=f"known: {known}        new:  tribe-ws profile add {setting.value} URL",
    )


def _name_of(setting: Setting, store: ProfileStore) -> str:
    """Find the name of a server that was given by its address."""
    address = _address(setting)
    for name, profile in store.profiles().items():
        if profile.url == address.base_url:
            return name
    if address.base_url == DEFAULT_URL:
        return DEFAULT_PROFILE
    return f"{address.host}:{address.port}"


def _address(setting: Setting) -> ServerAddress:
    try:
        return parse_address(setting.value)
    except ConfigurationError as error:
        raise ConfigurationError(f"{error} (from {setting.origin})", hint=error.hint) from None


def _from_emulator(url: str) -> str:
    return url.replace(_EMULATOR_HOST, "127.0.0.1", 1)


def _dotenv_value(path: Path, key: str) -> str:
    """Read one value of the app's ``.env``; whatever else stands there is none of our business."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return ""
    for line in lines:
        name, equals, value = line.strip().removeprefix("export ").partition("=")
        if equals and name.strip() == key:
            return value.strip().strip("\"'")
    return ""


def _output(sources: _Sources) -> Setting:
    if sources.flags.get("json"):
        return Setting("json", "--json")
    setting = sources.find("output", "TRIBE_WS_OUTPUT", "output")
    if setting.value not in {"", "json", "ndjson", "pretty", "plain", "raw"}:
        raise ConfigurationError(
            f"no output {setting.value!r} (from {setting.origin})",
            hint="known: pretty, plain, raw, json, ndjson",
        )
    return setting


def _token(variables: Mapping[str, str]) -> str:
    if token := variables.get("TRIBE_WS_TOKEN"):
        return token.strip()
    if name := variables.get("TRIBE_WS_TOKEN_FILE"):
        try:
            return Path(name).expanduser().read_text("utf-8").strip()
        except OSError as error:
            raise ConfigurationError(f"TRIBE_WS_TOKEN_FILE: {name}: {error.strerror}") from None
    return ""


def _seconds(setting: Setting) -> float:
    try:
        return parse_duration(setting.value)
    except ValueError as error:
        if setting.origin.startswith("--"):
            raise UsageProblem(f"{setting.origin}: {error}") from None
        raise ConfigurationError(f"{error} (from {setting.origin})") from None


def _wants_color(variables: Mapping[str, str]) -> bool:
    return not variables.get("NO_COLOR") and variables.get("TERM") != "dumb"


def _speaks_unicode() -> bool:
    encoding = getattr(sys.stdout, "encoding", None) or "ascii"
    return encoding.lower().replace("-", "") in {"utf8", "utf16", "utf32", "cp65001"}


def _read_toml(path: Path) -> Mapping[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} is not TOML: {error}") from None
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from None
