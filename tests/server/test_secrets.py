"""Where the secret comes from, and which files are refused."""

from __future__ import annotations

import stat

import pytest

from tribe_ws.errors import ConfigurationError
from tribe_ws.server import secrets
from tribe_ws.settings import ServerSettings


@pytest.fixture
def path(tmp_path, monkeypatch):
    folder = tmp_path / "data"
    monkeypatch.setattr(secrets, "data_folder", lambda: folder)
    return folder / "secret"


@pytest.fixture
def settings(tmp_path):
    return ServerSettings(db=str(tmp_path / "tribe.db"), secret="")


def test_given_secret_is_used_and_no_file_is_made(path):
    assert secrets.load_secret(ServerSettings(secret="x" * 32)) == "x" * 32
    assert not path.exists()


def test_first_start_makes_a_private_file_and_the_next_one_reads_it(path, settings):
    made = secrets.load_secret(settings)
    assert len(made.encode()) >= 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert secrets.load_secret(settings) == made


def test_throw_away_database_gets_a_throw_away_secret(path):
    settings = ServerSettings(db=":memory:", secret="")
    assert secrets.load_secret(settings) != secrets.load_secret(settings)
    assert not path.exists()


def test_file_that_others_can_read_is_refused(path, settings):
    secrets.load_secret(settings)
    path.chmod(0o640)
    with pytest.raises(ConfigurationError, match="readable by others") as caught:
        secrets.load_secret(settings)
    assert "chmod 600" in caught.value.hint


def test_short_secret_in_the_file_is_refused(path, settings):
    secrets.load_secret(settings)
    path.write_text("short\n")
    with pytest.raises(ConfigurationError, match="shorter than 32 bytes"):
        secrets.load_secret(settings)


def test_file_that_cannot_be_read_is_refused_in_a_sentence(path, settings):
    path.mkdir(parents=True, mode=0o700)
    with pytest.raises(ConfigurationError, match="unusable"):
        secrets.load_secret(settings)


def test_file_that_is_no_text_is_refused_in_a_sentence(path, settings):
    secrets.load_secret(settings)
    path.write_bytes(b"\xff" * 40)
    with pytest.raises(ConfigurationError, match="unusable"):
        secrets.load_secret(settings)


def test_no_refusal_quotes_the_secret(path, settings):
    secret = secrets.load_secret(settings)
    path.chmod(0o644)
    with pytest.raises(ConfigurationError) as caught:
        secrets.load_secret(settings)
    assert secret not in f"{caught.value}{caught.value.hint}"
