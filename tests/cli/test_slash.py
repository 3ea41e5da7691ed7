"""The slash commands of ``connect``, each typed into a real session."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tribe_ws.demo_accounts import fixture_id

pytestmark = pytest.mark.usefixtures("server")

GENERAL = fixture_id("conversation:general")


def typed(cli: Cli, *lines: str, user: str = "alice", code: int = 0) -> str:
    result = cli("connect", "--plain", "--as", user, input="".join(f"{line}\n" for line in lines))
    assert result.exit_code == code, result.output
    return result.stdout


def refused(cli: Cli, *lines: str) -> str:
    result = cli("connect", "--plain", "--as", "alice", input="".join(f"{line}\n" for line in lines))
    assert result.exit_code != 0
    return result.stderr


def test_subscribe_and_unsubscribe(cli: Cli) -> None:
    shown = typed(cli, "/subscribe general design", "/list", "/unsubscribe general")
    assert re.search(r"> +subscribe    #general\n", shown)
    assert re.search(r"> +subscribe    #design\n", shown)
    assert re.search(r"> +unsubscribe  #general\n", shown)


def test_list_tells_what_is_subscribed(cli: Cli) -> None:
    result = cli("connect", "--plain", "--as", "alice", "-s", "general", input="/list\n")
    assert re.search(r"#general +alice bob cara dan +subscribed +" + GENERAL, result.stdout)
    assert re.search(r"#design +alice cara +4e09", result.stdout)


def test_text_goes_to_the_current_conversation(cli: Cli) -> None:
    shown = typed(cli, "/conv general", "Hello", "/msg it's  me", "//not a command")
    assert "You send to #general now, but get nothing of it before /subscribe #general" in shown
    assert 'POST message #general  "Hello"' in shown
    assert '"it\'s  me"' in shown
    assert '"/not a command"' in shown
    assert shown.count("does not echo your own message") == 1


def test_a_raw_subscribe_chooses_the_conversation_too(cli: Cli) -> None:
    shown = typed(cli, f'{{"event":"subscribe","conversation_id":"{GENERAL}"}}', "Hello")
    assert 'POST message #general  "Hello"' in shown


def test_who(cli: Cli) -> None:
    assert re.search(r"  bob +Bob Stone +(online|offline)", typed(cli, "/who general"))
    assert "Cara Diaz" in typed(cli, "/conv design", "/who")


def test_typing_and_presence(cli: Cli) -> None:
    shown = typed(cli, "/conv general", "/typing", "/typing off", "/typing on design", "/presence away")
    assert re.search(r"> +typing       #general  on\n", shown)
    assert re.search(r"> +typing       #general  off\n", shown)
    assert re.search(r"> +typing       #design   on\n", shown)
    assert re.search(r"> +presence +away\n", shown)


def test_typing_for_a_while_stops_by_itself_or_with_the_session(cli: Cli) -> None:
    assert re.search(r"> +typing +#general +on\n", typed(cli, "/conv general", "/typing 20s"))


def test_ping(cli: Cli) -> None:
    assert re.search(r"> +ping\n.*< +pong +[\d.]+ ms\n", typed(cli, "/ping"))
    assert "2 pings, 2 pongs" in typed(cli, "/ping 2")


def test_raw_and_file(cli: Cli) -> None:
    Path("note.txt").write_text("from a file\n")
    shown = typed(cli, "/raw {broken", "/conv general", "/file note.txt")
    assert re.search(r"> ! raw +\{broken\n", shown)
    assert '"from a file"' in shown


def test_show_gives_the_whole_record(cli: Cli) -> None:
    shown = typed(cli, "/show 1")
    assert json.loads(shown[shown.index("{\n") : shown.rindex("}") + 1])["event"] == "connected"


def test_violations(cli: Cli) -> None:
    assert "Nothing broke the contract so far." in typed(cli, "/violations")


def test_filter(cli: Cli) -> None:
    shown = typed(cli, "/filter event:nothing", "/filter off")
    assert "event:nothing   (/filter off shows everything)" in shown
    assert "off, everything is shown" in shown
    hidden = typed(cli, "/filter !event:pong", "/ping 2")
    assert not re.search(r"< +pong", hidden)


def test_save_and_record(cli: Cli) -> None:
    shown = typed(cli, "/record r.ndjson", "/ping 2", "/record stop", "/save s.ndjson")
    assert "everything goes to r.ndjson too" in shown
    assert re.search(r"\d+ lines to s.ndjson", shown)
    recorded = [json.loads(line)["event"] for line in Path("r.ndjson").read_text().splitlines()]
    assert recorded.count("ping") == 2
    saved = [json.loads(line)["event"] for line in Path("s.ndjson").read_text().splitlines()]
    assert next(name for name in saved if not name.startswith(("POST", "GET"))) == "connected"
    assert Path("s.ndjson").stat().st_mode & 0o077 == 0


def test_token_shows_claims_and_never_the_token(cli: Cli) -> None:
    shown = typed(cli, "/token")
    assert re.search(r"username +alice", shown)
    assert re.search(r"exp +\d+ +\d\d:\d\d:\d\d, in 60 min", shown)
    assert "eyJ" not in shown


def test_time(cli: Cli) -> None:
    shown = typed(cli, "/time rel", "/ping", "/time delta", "/ping", "/time clock")
    assert re.search(r"^ +\+\d+\.\d{3} > +ping", shown, re.MULTILINE)


def test_as_goes_on_as_another_user(cli: Cli) -> None:
    shown = typed(cli, "/as bob", "/token")
    assert "as alice … open in" in shown
    assert "as bob … open in" in shown


def test_close_with_a_code(cli: Cli) -> None:
    typed(cli, "/close 4000 bye now", "/ping")
    typed(cli, "/quit", "/ping")


def test_reconnect(cli: Cli) -> None:
    result = cli(
        "connect", "--plain", "--as", "alice", "-s", "general", "--linger", "3s", input="/reconnect\n/ping\n"
    )
    assert "Trying again" in result.stdout or "closed" in result.stdout or result.exit_code in {0, 6}


def test_strict_makes_violations_count(cli: Cli) -> None:
    typed(cli, "/set strict on", "/set strict off")


def test_help(cli: Cli) -> None:
    shown = typed(cli, "/help", "/help ping")
    assert shown.count("/ping [N]") == 2
    assert "/quit" in shown


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("Hello", "no conversation is chosen yet\n  /subscribe general   or   /conv general"),
        ("/msg", "/msg TEXT"),
        ("/subscribe", "/subscribe NAME…"),
        ("/unsubscribe", "/unsubscribe NAME…"),
        ("/subscribe generl", "did you mean #general?"),
        ("/conv", "/conv NAME"),
        ("/typing", "no conversation is chosen yet"),
        ("/typing slowly general", "/typing on|off|5s"),
        ("/presence", "/presence online|away|offline"),
        ("/ping 0", "/ping N, from 1 to 1000"),
        ("/ping x", "/ping N, from 1 to 1000"),
        ("/raw", "/raw TEXT"),
        ("/show x", "there is no line x"),
        ("/show 99", "there is no line 99"),
        ("/filter form:x", 'unknown field "form"'),
        ("/time never", "/time clock|rel|delta"),
        ("/file missing.txt", "missing.txt: No such file"),
        ("/close 1006", "/close CODE REASON"),
        ("/set", "/set strict on|off"),
        ("/help jump", "No /jump."),
        ("/as", "/as USER"),
        ("/as mallory", "not logged in"),
    ],
)
def test_what_cannot_be_done_is_told(cli: Cli, line: str, said: str) -> None:
    assert said in refused(cli, line)
