"""Where settings come from, and which one wins."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tribe_ws.errors import ConfigurationError
from tribe_ws_cli.diagnostics import UsageProblem
from tribe_ws_cli.environment import resolve
from tribe_ws_cli.profiles import ProfileStore, ServerProfile


def user_file(home: Path) -> Path:
    folder = home / "config" / "tribe-ws"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / "config.toml"


def test_the_order_is_flag_environment_project_dotenv_user_default(home: Path) -> None:
    store = ProfileStore(user_file(home).with_name("profiles.json"))
    assert resolve({}, {}).address.base_url == "http://127.0.0.1:8000"
    store.save_profile("used", ServerProfile("http://used:1"))
    store.use("used")
    assert resolve({}, {}).address.base_url == "http://used:1"
    user_file(home).write_text('url = "user:2"\n')
    assert resolve({}, {}).address.base_url == "http://user:2"
    Path(".env").write_text("OTHER=1\nexport API_BASE_URL='http://dotenv:3'\n")
    assert resolve({}, {}).address.base_url == "http://dotenv:3"
    Path("tribe-ws.toml").write_text('url = "project:4"\n')
    assert resolve({}, {}).address.base_url == "http://project:4"
    assert resolve({}, {"TRIBE_WS_URL": "variable:5"}).address.base_url == "http://variable:5"
    assert resolve({"url": "flag:6"}, {"TRIBE_WS_URL": "variable:5"}).address.base_url == "http://flag:6"


def test_a_named_profile_beats_an_address_from_the_environment() -> None:
    environment = resolve({"profile": "local"}, {"TRIBE_WS_URL": "elsewhere:1"})
    assert environment.address.base_url == "http://127.0.0.1:8000"
    assert environment.url_flag() == " -p local"


def test_an_unknown_profile_names_the_known_ones(home: Path) -> None:
    with pytest.raises(ConfigurationError, match='no profile "nowhere"') as caught:
        resolve({"profile": "nowhere"}, {})
    assert "known: local" in caught.value.hint


def test_the_emulators_name_for_this_machine_means_this_machine() -> None:
    Path(".env").write_text("API_BASE_URL=http://10.0.2.2:8000\n")
    assert resolve({}, {}).address.base_url == "http://127.0.0.1:8000"


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("localhost:8000", "http://localhost:8000"),
        ("https://api.example.com", "https://api.example.com"),
        ("ws://127.0.0.1:9/api/v1/ws?token=secret", "http://127.0.0.1:9"),
        ("wss://api.example.com/api/v1/ws", "https://api.example.com"),
    ],
)
def test_addresses_as_people_write_them(url: str, base: str) -> None:
    assert resolve({"url": url}, {}).address.base_url == base


def test_a_bad_address_names_who_gave_it() -> None:
    with pytest.raises(ConfigurationError, match="from TRIBE_WS_URL"):
        resolve({}, {"TRIBE_WS_URL": "ftp://x"})


def test_other_settings_follow_the_same_order() -> None:
    Path("tribe-ws.toml").write_text('as = "cara"\ntimeout = "3s"\n')
    assert resolve({}, {}).as_user == "cara"
    assert resolve({}, {"TRIBE_WS_AS": "bob"}).as_user == "bob"
    assert resolve({"as_user": "@alice"}, {"TRIBE_WS_AS": "bob"}).as_user == "alice"
    assert resolve({}, {}).timeout == 3.0
    assert resolve({"timeout": "250ms"}, {}).timeout == 0.25


def test_output_can_be_chosen_by_variable_and_flag() -> None:
    assert resolve({}, {"TRIBE_WS_OUTPUT": "json"}).json
    assert resolve({"json": True}, {}).json
    with pytest.raises(ConfigurationError, match="no output 'loud'"):
        resolve({}, {"TRIBE_WS_OUTPUT": "loud"})


def test_a_bad_timeout_is_usage_or_configuration_by_its_origin() -> None:
    with pytest.raises(UsageProblem):
        resolve({"timeout": "soon"}, {})
    with pytest.raises(ConfigurationError, match="from TRIBE_WS_TIMEOUT"):
        resolve({}, {"TRIBE_WS_TIMEOUT": "soon"})


def test_a_token_comes_from_a_variable_or_a_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from-file\n")
    assert resolve({}, {"TRIBE_WS_TOKEN": " direct "}).token == "direct"
    assert resolve({}, {"TRIBE_WS_TOKEN_FILE": str(tmp_path / "token")}).token == "from-file"
    with pytest.raises(ConfigurationError, match="No such file"):
        resolve({}, {"TRIBE_WS_TOKEN_FILE": "missing"})


def test_no_token_in_its_repr() -> None:
    assert "hush" not in repr(resolve({}, {"TRIBE_WS_TOKEN": "hush"}))


@pytest.mark.parametrize("text", ["url = ", "\xff\xfe"])
def test_a_broken_settings_file_is_named(text: str) -> None:
    Path("tribe-ws.toml").write_text(text, encoding="latin-1")
    with pytest.raises(ConfigurationError, match=r"tribe-ws\.toml is not TOML"):
        resolve({}, {})


def test_an_unreadable_settings_file_is_named() -> None:
    Path("tribe-ws.toml").mkdir()
    with pytest.raises(ConfigurationError, match=r"tribe-ws.toml: Is a directory"):
        resolve({}, {})


def test_another_user_file_can_be_named(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('url = "mine:1"\n')
    environment = resolve({}, {"TRIBE_WS_CONFIG": str(tmp_path / "mine.toml")})
    assert environment.address.base_url == "http://mine:1"
    assert environment.store.path == tmp_path / "profiles.json"


def test_config_show_tells_values_and_origins(cli: Cli) -> None:
    text = cli("config", "show", "--origin", "--as", "bob", env={"TRIBE_WS_URL": "there:1"}).stdout
    assert "there:1" in text
    assert "TRIBE_WS_URL" in text
    assert "--as" in text
    shown = json.loads(cli("config", "show", "--json", env={"TRIBE_WS_TOKEN": "hush"}).stdout)
    assert shown["token"] == {"value": "***", "origin": "TRIBE_WS_TOKEN or TRIBE_WS_TOKEN_FILE"}
    assert "hush" not in cli("config", "show", env={"TRIBE_WS_TOKEN": "hush"}).output


def test_config_path_names_the_file_even_where_there_is_none(cli: Cli, home: Path) -> None:
    assert cli("config", "path").stdout.strip() == str(home / "config" / "tribe-ws" / "config.toml")
