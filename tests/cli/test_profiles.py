"""Named servers and kept logins, in one file for its owner only."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tribe_ws.errors import ConfigurationError
from tribe_ws_cli.profiles import Login, ProfileStore, ServerProfile

SERVER = "http://127.0.0.1:8000"
ALICE = Login(SERVER, "alice", "u1", "alice@tribe.test", access_token="hush")


@pytest.fixture
def store(tmp_path: Path) -> ProfileStore:
    return ProfileStore(tmp_path / "sub" / "profiles.json")


def test_only_the_owner_can_read_the_file(store: ProfileStore) -> None:
    store.save_login(ALICE)
    assert store.path.stat().st_mode & 0o777 == 0o600


def test_a_login_is_found_by_name_and_address_in_any_case(store: ProfileStore) -> None:
    store.save_login(ALICE)
    assert store.login(SERVER, "Alice") == ALICE
    assert store.login(SERVER, "ALICE@tribe.test") == ALICE
    assert store.login(SERVER, "bob") is None
    assert store.login("http://elsewhere", "alice") is None


def test_no_token_in_its_repr() -> None:
    assert "hush" not in repr(ALICE)


def test_a_login_replaces_the_users_earlier_one(store: ProfileStore) -> None:
    store.save_login(ALICE)
    store.save_login(replace(ALICE, access_token="newer"))
    assert [login.access_token for login in store.logins(SERVER)] == ["newer"]


def test_the_last_who_asked_for_a_login_acts_by_default(store: ProfileStore) -> None:
    assert store.default_login(SERVER) is None
    store.save_login(ALICE)
    store.save_login(replace(ALICE, username="bob"))
    store.save_login(replace(ALICE, username="cara", server_pid=7))
    login = store.default_login(SERVER)
    assert login is not None
    assert login.username == "bob"


def test_forgetting_twice_is_fine(store: ProfileStore) -> None:
    store.save_login(ALICE)
    store.forget_login(SERVER, "alice")
    store.forget_login(SERVER, "alice")
    assert store.logins(SERVER) == ()


def test_a_removed_profile_takes_its_logins_along_unless_shared(store: ProfileStore) -> None:
    store.save_profile("one", ServerProfile(SERVER))
    store.save_profile("two", ServerProfile(SERVER))
    store.use("one")
    store.save_login(ALICE)
    store.remove_profile("one")
    assert store.logins(SERVER) == (ALICE,)
    assert store.current == ""
    store.remove_profile("two")
    assert store.logins(SERVER) == ()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": 99}', '{"version": 1, "logins": 3}', "\\x00"])
def test_a_damaged_file_is_named_and_never_overwritten(store: ProfileStore, text: str) -> None:
    store.path.parent.mkdir()
    store.path.write_text(text)
    with pytest.raises(ConfigurationError, match="is damaged") as caught:
        store.save_login(ALICE)
    assert f"mv {store.path}" in caught.value.hint
    assert store.path.read_text() == text


def test_profile_commands(cli: Cli) -> None:
    assert cli("profile", "add", "staging", "https://api.example.com/x").exit_code == 0
    assert cli("profile", "use", "staging").exit_code == 0
    listed = cli("profile", "list").stdout
    assert "*  staging  https://api.example.com" in listed
    found = {one["name"]: one for one in json.loads(cli("profile", "list", "--json").stdout)}
    assert found["staging"] == {
        "name": "staging",
        "url": "https://api.example.com",
        "logins": [],
        "in_use": True,
    }
    assert cli("profile", "use", "local").exit_code == 0
    assert cli("profile", "remove", "staging").exit_code == 0
    refused = cli("profile", "remove", "staging")
    assert refused.exit_code == 2
    assert 'no profile "staging"' in refused.stderr
    assert cli("profile", "use", "staging").exit_code == 2
