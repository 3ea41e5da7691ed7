"""``tui`` and ``demo --tui``: without a terminal, how one comes in, and what the inspector is told."""

from __future__ import annotations

import builtins
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Cli
from tribe_ws.client.client import TribeClient
from tribe_ws.demo_accounts import DEMO_PASSWORD, demo_email
from tribe_ws.errors import AuthenticationError, ConfigurationError
from tribe_ws.server.local import LocalServer
from tribe_ws_cli.chatter import GENERAL, chatting
from tribe_ws_cli.commands.tui import _without_web
from tribe_ws_cli.environment import Environment, resolve
from tribe_ws_cli.exit_codes import ExitCode
from tribe_ws_cli.inspecting import (
    Wishes,
    _server_starter,
    _setup,
    log_file,
    looks,
    must_have_terminal,
    web_command,
)


def environment(**flags: Any) -> Environment:
    return resolve(flags)


@pytest.mark.parametrize("arguments", [("tui",), ("demo", "--tui"), ("tui", "--as", "alice", "--tap")])
def test_without_a_terminal_it_says_what_to_use_instead(cli: Cli, arguments: tuple[str, ...]) -> None:
    result = cli(*arguments)
    assert result.exit_code == ExitCode.USAGE
    assert "error: the inspector needs a terminal (stdin goes to a file or pipe)" in result.stderr
    assert "In scripts use:  tribe-ws watch --json" in result.stderr
    assert "--log-file x.log" in result.stderr


def test_a_browser_is_a_terminal_too() -> None:
    must_have_terminal(resolve({}, {"TEXTUAL_DRIVER": "web", "HOME": "/nowhere"}))


def test_a_capture_that_is_not_there_is_told(cli: Cli) -> None:
    result = cli("tui", "--replay", "none.ndjson")
    assert result.exit_code == ExitCode.CONFIGURATION
    assert "there is no capture none.ndjson" in result.stderr


def test_the_browser_needs_its_extra(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    genuine = builtins.__import__

    def missing(name: str, *args: Any, **keywords: Any) -> Any:
        if name.startswith("textual_serve"):
            raise ImportError(name)
        return genuine(name, *args, **keywords)

    monkeypatch.setattr(builtins, "__import__", missing)
    result = cli("tui", "--web")
    assert result.exit_code == ExitCode.CONFIGURATION
    assert 'pip install "tribe-ws[web]"' in result.stderr


def test_the_browsers_terminal_runs_the_same_command_but_for_the_browser() -> None:
    given = ["tui", "--as", "alice", "--web", "--web-port", "9000", "--tap", "--web-port=9001"]
    assert _without_web(given) == ["tui", "--as", "alice", "--tap"]
    assert web_command(["tui", "--as", "a b"]).endswith("-m tribe_ws_cli tui --as 'a b'")


# ── what the inspector is told ────────────────────────────────────────────────────────────────────────────


async def test_on_a_demo_server_one_is_alice_and_may_be_the_others(server: LocalServer) -> None:
    setup = await _setup(environment(), Wishes(also=("bob",), subscribe=("general",)), None)
    assert setup.users == ("alice", "bob")
    assert setup.known_users[:4] == ("alice", "bob", "cara", "dan")
    assert setup.subscribe == ("general",)
    rest = await setup.log_in("alice", None)
    async with rest:
        assert (await rest.me()).username == "alice"


async def test_a_password_logs_in_and_the_login_is_kept(server: LocalServer) -> None:
    env = environment()
    setup = await _setup(env, Wishes(), None)
    async with await setup.log_in("bob", DEMO_PASSWORD) as rest:
        assert (await rest.me()).username == "bob"
    assert env.store.login(server.url, "bob") is not None
    with pytest.raises(AuthenticationError):
        await setup.log_in("bob", "wrong")


async def test_a_named_user_comes_before_a_kept_login(server: LocalServer) -> None:
    setup = await _setup(environment(as_user="cara"), Wishes(), None)
    assert setup.users == ("cara",)


async def test_a_token_from_the_environment_says_who_one_is(
    server: LocalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with TribeClient.login(server.url, demo_email("dan"), DEMO_PASSWORD) as client:
        assert client.rest.tokens is not None
        monkeypatch.setenv("TRIBE_WS_TOKEN", client.rest.tokens.access_token)
    setup = await _setup(environment(), Wishes(), None)
    assert setup.users == ("dan",)
    async with await setup.log_in("dan", None) as rest:
        assert (await rest.me()).username == "dan"


async def test_where_nothing_listens_there_is_nobody_and_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIBE_WS_URL", "http://127.0.0.1:9")
    setup = await _setup(environment(), Wishes(), None)
    assert setup.users == ()
    assert "127.0.0.1:9" in setup.why_nobody
    with pytest.raises(ConfigurationError, match="no server of yours to tap"):
        await _setup(environment(), Wishes(is_tapping=True), None)


def test_keys_theme_and_editor_come_from_the_settings(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = home / "config" / "tribe-ws" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text('[tui]\ntheme = "nord"\n[tui.keys]\n"app.help" = "f11"\n"app.quit" = "z"\n', "utf-8")
    Path("tribe-ws.toml").write_text('[tui.keys]\n"app.quit" = "f10"\n', "utf-8")
    monkeypatch.setenv("EDITOR", "vi -n")
    monkeypatch.delenv("VISUAL", raising=False)
    found = looks(environment())
    assert found == {
        "keymap": {"app.help": "f11", "app.quit": "f10"},
        "theme": "nord",
        "editor": "vi -n",
    }


@pytest.mark.parametrize("text", ["tui = 3\n", "[tui]\nkeys = 3\n"])
def test_settings_that_are_no_tables_are_told(text: str) -> None:
    Path("tribe-ws.toml").write_text(text, "utf-8")
    with pytest.raises(ConfigurationError, match="must be tables"):
        environment()


def test_the_log_lies_where_one_says_or_in_the_users_own_folder(tmp_path: Path) -> None:
    assert log_file(Wishes(log_file=tmp_path / "x.log")) == tmp_path / "x.log"
    assert log_file(Wishes()).name == "tui.log"


# ── servers and people of its own ─────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
async def test_the_inspector_starts_a_server_and_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    monkeypatch.setenv("TRIBE_WS_URL", f"http://127.0.0.1:{port}")
    env = environment()
    async with _server_starter(env) as start_server:
        control = await start_server()
        assert control is not None
        assert (await control.info())["world"]["name"] == "demo"
        await control.close()
    from tribe_ws.running import running_server

    assert running_server(port) is None


async def test_bob_and_cara_talk(server: LocalServer) -> None:
    async with TribeClient.login(server.url, demo_email("alice"), DEMO_PASSWORD) as alice:
        await alice.subscribe(GENERAL)
        async with chatting(server.address, pace=0.02):
            await alice.send(GENERAL, "Hello")
            await alice.wait_for(lambda event: event.data.get("content") == "Got it, alice!", 20)
            await alice.wait_for(lambda event: event.name == "typing", 20)
