from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tribe_ws import settings as module
from tribe_ws.errors import ConfigurationError
from tribe_ws.settings import ServerSettings, environment_variable, load_server_settings


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return tmp_path / "tribe-ws.toml"


@pytest.fixture
def user(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def test_without_anything_the_defaults_hold():
    settings = load_server_settings(environ={}, files=())
    assert settings == ServerSettings()
    assert (settings.host, settings.port, settings.profile) == ("127.0.0.1", 8000, "documented")
    assert (settings.access_ttl, settings.refresh_ttl) == (3600.0, 30 * 86400.0)


def test_flag_beats_environment_beats_project_file_beats_user_file(project: Path, user: Path):
    user.write_text("[server]\nport = 1\nhost = 'user'\nlog_level = 'error'\ndb = 'user.db'\n")
    project.write_text("[server]\nport = 2\nhost = 'project'\nlog_level = 'warning'\n")
    environ = {"TRIBE_WS_PORT": "3", "TRIBE_WS_HOST": "environment"}
    settings = load_server_settings(environ=environ, files=(project, user), port=4, host=None)
    assert (settings.port, settings.host, settings.log_level, settings.db) == (
        4,
        "environment",
        "warning",
        "user.db",
    )


def test_the_real_environment_and_files_are_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, project: Path
):
    project.write_text("[server]\nport = 2345\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(module, "USER_FILE", tmp_path / "absent.toml")
    monkeypatch.setenv("TRIBE_WS_HOST", "::1")
    settings = load_server_settings()
    assert (settings.port, settings.host) == (2345, "::1")


def test_durations_are_taken_as_people_write_them(project: Path):
    project.write_text('[server]\nrefresh-ttl = "7d"\nping-interval = 15\n')
    settings = load_server_settings(
        environ={"TRIBE_WS_ACCESS_TTL": "60m"}, files=(project,), handshake_timeout="250ms"
    )
    assert settings.access_ttl == 3600.0
    assert settings.refresh_ttl == 7 * 86400.0
    assert settings.ping_interval == 15.0
    assert settings.handshake_timeout == 0.25


def test_lists_are_taken_with_commas_or_as_arrays(project: Path):
    project.write_text('[server]\nallow-host = ["a.test", "b.test"]\n')
    environ = {"TRIBE_WS_ALLOW_ORIGIN": "http://a.test, http://b.test,"}
    settings = load_server_settings(environ=environ, files=(project,))
    assert settings.allow_host == ("a.test", "b.test")
    assert settings.allow_origin == ("http://a.test", "http://b.test")


def test_the_wire_profile_has_a_variable_that_the_tools_do_not_use():
    environ = {"TRIBE_WS_WIRE_PROFILE": "app", "TRIBE_WS_PROFILE": "staging", "PROFILE": "nonsense"}
    assert environment_variable("profile") == "TRIBE_WS_WIRE_PROFILE"
    assert load_server_settings(environ=environ, files=()).profile == "app"


def test_other_tables_of_a_file_are_somebody_elses(project: Path):
    project.write_text("[profiles.local]\nurl = 'x'\n")
    assert load_server_settings(environ={}, files=(project,)) == ServerSettings()


def test_an_unknown_key_is_named_with_its_file_and_a_guess(project: Path):
    project.write_text("[server]\nacces-ttl = 5\n")
    with pytest.raises(ConfigurationError, match=r"unknown key 'acces-ttl' .*tribe-ws\.toml") as caught:
        load_server_settings(environ={}, files=(project,))
    assert caught.value.hint == "did you mean access_ttl?"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[server", "is not TOML"),
        ("server = 3", "must be a table"),
        ("[server]\nzzzzz = 1", "unknown key 'zzzzz'"),
        ("[server]\nport = 'x'", "setting 'port' in .*should be a valid integer"),
        ("[server]\naccess_ttl = nan", "setting 'access_ttl' in .*should be "),
        ("[server]\nstop_timeout = 'soon'", "not a duration: 'soon'"),
    ],
)
def test_a_broken_file_is_refused_with_a_sentence(project: Path, text: str, complaint: str):
    project.write_text(text)
    with pytest.raises(ConfigurationError, match=complaint):
        load_server_settings(environ={}, files=(project,))


def test_a_file_that_cannot_be_read_is_refused(project: Path):
    project.mkdir()
    with pytest.raises(ConfigurationError, match="cannot read the settings file"):
        load_server_settings(environ={}, files=(project,))
    project.rmdir()
    project.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match="cannot read the settings file"):
        load_server_settings(environ={}, files=(project,))


def test_a_complaint_names_the_flag_or_the_variable():
    with pytest.raises(ConfigurationError, match=r"setting --limit-frames: should be greater"):
        load_server_settings(environ={}, files=(), limit_frames=-1)
    with pytest.raises(ConfigurationError, match="setting TRIBE_WS_PORT: "):
        load_server_settings(environ={"TRIBE_WS_PORT": "70000"}, files=())


def test_a_client_may_not_be_timed_out_before_75_seconds():
    with pytest.raises(ConfigurationError, match="75 s is the least"):
        load_server_settings(environ={}, files=(), heartbeat_timeout="74s")
    assert load_server_settings(environ={}, files=(), heartbeat_timeout="75s").heartbeat_timeout == 75


def test_a_secret_is_long_and_never_shown():
    short, long = "t" * 31, "t" * 32
    with pytest.raises(ConfigurationError, match="at least 32 bytes") as caught:
        load_server_settings(environ={"TRIBE_WS_SECRET": short}, files=())
    assert short not in str(caught.value)
    settings = load_server_settings(environ={"TRIBE_WS_SECRET": long}, files=())
    assert settings.secret == long
    assert long not in repr(settings)


def test_settings_are_frozen_and_know_no_other_names():
    with pytest.raises(ValidationError, match="frozen"):
        ServerSettings().port = 1  # type: ignore[misc]
    with pytest.raises(ValidationError, match="Extra inputs"):
        ServerSettings(prot=1)  # type: ignore[call-arg]


def test_the_default_database_lies_in_the_data_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(module, "data_folder", lambda: tmp_path)
    assert ServerSettings().database == str(tmp_path / "tribe.db")
    assert ServerSettings(db=":memory:").database == ":memory:"


def loaded(**sources: Any) -> ServerSettings | ConfigurationError:
    try:
        return load_server_settings(**sources)
    except ConfigurationError as error:
        return error


@given(st.sampled_from(sorted(ServerSettings.model_fields)), st.text())
def test_any_text_in_the_environment_is_a_setting_or_a_clear_refusal(name: str, text: str):
    variable = environment_variable(name)
    outcome = loaded(environ={variable: text}, files=())
    if isinstance(outcome, ConfigurationError):
        assert str(outcome).startswith(f"setting {variable}: ")


@given(st.binary(max_size=60))
def test_any_file_is_read_or_refused(content: bytes):
    with TemporaryDirectory() as folder:
        path = Path(folder) / "tribe-ws.toml"
        path.write_bytes(b"[server]\n" + content)
        outcome = loaded(environ={}, files=(path,))
        if isinstance(outcome, ConfigurationError):
            assert str(path) in str(outcome)
