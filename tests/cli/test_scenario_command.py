"""``tribe-ws scenario``: what it prints, what it writes, and the exit codes that build servers go by."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET

import pytest

from tests.cli.conftest import run
from tribe_ws.server.local import LocalServer, local_settings
from tribe_ws_cli.environment import user_config_file
from tribe_ws_cli.profiles import Login, ProfileStore

FINE = """\
name: Fine
tags: [quick]
variables: {words: Hello}
actors: [alice, bob]
steps:
  - bob: {subscribe: general}
  - alice: {send: "${{ words }}", to: general, answer: {content: "${{ words }}"}}
  - bob: {expect: message.new, data: {content: "${{ words }}"}}
"""
WRONG = """\
name: Wrong
actors: [alice, bob]
steps:
  - bob: {subscribe: general}
  - alice: {send: Helo, to: general}
  - bob: {expect: message.new, data: {content: Hello}, within: 200ms}
"""
STEERED = "name: Steered\nactors: [alice]\nsteps: [{server: {advance: 1m}}, {alice: ping}]\n"


@pytest.fixture
def written(home):
    """Write scenarios into the working folder, by name."""

    def write(**texts):
        for name, text in texts.items():
            (home / "work" / f"{name}.yaml").write_text(text, "utf-8")

    return write


def test_a_run_that_passes_says_so_in_a_line_each(cli, server, written):
    written(fine=FINE)
    result = cli("scenario", "run", "fine.yaml", "fine.yaml", "smoke")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0].startswith("✓ Fine: 3 steps in ")
    assert lines[1].startswith("✓ The documented flow: ")
    assert lines[2].startswith("2 passed in ")


def test_a_failure_is_told_so_that_it_can_be_mended(cli, server, written):
    written(wrong=WRONG)
    result = cli("scenario", "run", "wrong.yaml")
    assert result.exit_code == 9
    for told in (
        "✗ Wrong: failed after",
        "wrong.yaml:6:5",
        "bob: {expect: message.new, data: {content: Hello}, within: 200ms}",
        "within 200 ms",
        "the nearest frame that came:",
        'data.content  wanted "Hello"',
        'got "Helo"',
        "alice, the last 1:",
        "bob, the last 4:",
    ):
        assert told in result.stdout, result.stdout


def test_json_is_one_object(cli, server, written):
    written(fine=FINE, wrong=WRONG)
    result = cli("scenario", "run", ".", "--json")
    assert result.exit_code == 9
    form = json.loads(result.stdout)
    assert [one["status"] for one in form["results"]] == ["passed", "failed"]
    assert form["results"][1]["failure"]["nearest"]["data"]["content"] == "Helo"


def test_junit_is_written_beside_what_is_printed(cli, server, written, home):
    written(fine=FINE, wrong=WRONG)
    assert cli("scenario", "run", ".", "--junit", "out.xml", "-q").exit_code == 9
    root = ET.parse(home / "work" / "out.xml").getroot()
    assert (root.get("tests"), root.get("failures")) == ("2", "1")


@pytest.mark.parametrize(("flags", "env"), [(["--github"], {}), ([], {"GITHUB_ACTIONS": "true"})])
def test_github_is_told_the_line(cli, server, written, flags, env):
    written(wrong=WRONG)
    result = cli("scenario", "run", "wrong.yaml", *flags, env=env)
    assert "::error file=wrong.yaml,line=6,col=5,title=Wrong::" in result.stderr
    assert "::error" not in cli("scenario", "run", "wrong.yaml").stderr


def test_variables_repeats_and_choices_are_taken(cli, server, written):
    written(fine=FINE, other=FINE.replace("Fine", "Other").replace("quick", "slow"))
    result = cli(
        "scenario", "run", ".", "--only", "QUI*", "--var", "words=Hi", "--repeat", "3", "--parallel", "2"
    )
    assert result.exit_code == 0, result.output
    assert result.stdout.count("✓ Fine") == 3
    assert "Other" not in result.stdout
    assert "3 passed" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([], 2, "no scenario was named"),
        (["smok"], 3, 'did you mean "smoke"?'),
        (["fine.yaml", "--var", "words"], 2, "not an assignment"),
        (["fine.yaml", "--var", "word=x"], 2, 'did you mean "words"?'),
        (["fine.yaml", "--only", "nothing"], 2, "--only leaves no scenario"),
        (["fine.yaml", "--account", "alice"], 2, "--account"),
        (["fine.yaml", "--parallel", "0"], 2, "--parallel"),
        (["broken.yaml"], 3, "broken.yaml:3:10"),
        (["fine.yaml", "--junit", "no/such/folder.xml"], 3, "no/such/folder.xml"),
    ],
)
def test_wrong_use_is_refused_with_what_helps(cli, server, written, arguments, code, said):
    written(fine=FINE, broken="name: Broken\nactors: [alice]\nsteps: [{alce: ping}]\n")
    result = cli("scenario", "run", *arguments)
    assert result.exit_code == code, result.output
    assert said in result.stderr


def test_exit_codes_tell_who_is_to_blame(cli, server, written, unused_tcp_port):
    written(fine=FINE, steered=STEERED, nora=FINE.replace("bob", "nora"))
    nobody = cli("scenario", "run", "fine.yaml", "--url", f"http://127.0.0.1:{unused_tcp_port}")
    assert nobody.exit_code in {4, 5}, nobody.output
    assert cli("scenario", "run", "nora.yaml").exit_code == 4
    foreign = cli("scenario", "run", "steered.yaml")
    assert foreign.exit_code == 2, foreign.output
    assert "--serve" in foreign.stderr
    both = cli("scenario", "run", "fine.yaml", "steered.yaml")
    assert both.exit_code == 0
    assert "• Steered: left out" in both.stdout


def test_serve_needs_no_server_and_leaves_none(written):
    written(fine=FINE, steered=STEERED, app=FINE.replace("tags", "profile: app\ntags"))
    ran = run("scenario", "run", ".", "expiry", "--serve", "--parallel", "4")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "4 passed" in ran.stdout


def test_a_world_of_ones_own_is_served(cli, written, home):
    (home / "work" / "world.yml").write_text(
        "users:\n- {username: ana, full_name: Ana}\n- {username: ben, full_name: Ben}\n"
        "conversations:\n- {alias: den, name: den, participants: [ana, ben]}\n"
    )
    written(den=FINE.replace("alice", "ana").replace("bob", "ben").replace("general", "den"))
    result = cli("scenario", "run", "den.yaml", "--serve", "--fixtures", "world.yml")
    assert result.exit_code == 0, result.output


def test_a_foreign_server_is_entered_by_kept_logins_and_by_passwords(cli, written, home):
    with LocalServer(local_settings(limit_logins=0)) as foreign:
        written(fine=FINE)
        refused = cli("scenario", "run", "fine.yaml", "--url", foreign.url)
        assert refused.exit_code == 4, "the demo users' password is for servers of ours"
        assert "tribe-ws login" in refused.stdout
        accounts = "cara@tribe.test:Tribe-demo-1\nbob:Tribe-demo-1"
        casting = ["--account", "alice=cara@tribe.test"]
        env = {"TRIBE_WS_ACCOUNTS": accounts}
        result = cli("scenario", "run", "fine.yaml", "--url", foreign.url, *casting, env=env)
        assert result.exit_code == 0, result.output
        for name in ("alice", "bob"):
            login = cli("login", name, "--password-stdin", "--url", foreign.url, input="Tribe-demo-1\n")
            assert login.exit_code == 0, login.output
        result = cli("scenario", "run", "fine.yaml", "--url", foreign.url)
        assert result.exit_code == 0, result.output
        store = ProfileStore(user_config_file({}).with_name("profiles.json"))
        store.save_login(Login(foreign.url, "bob", "x", access_token="eyJ.broken.token"))
        ended = cli("scenario", "run", "fine.yaml", "--url", foreign.url)
        assert (ended.exit_code, "tribe-ws login bob" in ended.stdout) == (4, True), ended.output


def test_list_tells_what_is_built_in(cli):
    result = cli("scenario", "list")
    assert result.exit_code == 0
    for name in ("smoke", "typing", "presence", "multi-device", "reconnect", "expiry"):
        assert f"\n{name} " in result.stdout
    rows = json.loads(cli("scenario", "list", "--json").stdout)
    assert {row["name"]: row["needs_control"] for row in rows}["expiry"]
    assert all(row["description"] and row["steps"] for row in rows)


def test_lint_tells_line_and_column(cli, written):
    written(broken="name: Broken\nactors: [alice]\nsteps:\n  - alice: {expect: message.new}\n", fine=FINE)
    result = cli("scenario", "lint", ".")
    assert result.exit_code == 3
    assert "broken.yaml:4:5: error: " in result.stdout
    assert "[not-subscribed]" in result.stdout
    assert "fine.yaml" not in result.stdout
    found = json.loads(cli("scenario", "lint", ".", "--json").stdout)
    assert (found[0]["line"], found[0]["column"], found[0]["severity"]) == (4, 5, "error")


def test_lint_is_content_with_what_is_right(cli, written):
    written(fine=FINE)
    result = cli("scenario", "lint", "fine.yaml")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "1 scenario: 0 errors, 0 warnings" in result.stderr
    assert cli("scenario", "lint").exit_code == 2


def test_schema_is_a_json_schema(cli):
    schema = json.loads(cli("scenario", "schema").stdout)
    assert schema["$schema"].startswith("https://json-schema.org/")
    assert "steps" in schema["required"]


def test_a_capture_becomes_a_scenario_that_passes(cli, written, home):
    with LocalServer(local_settings()) as source:
        login = cli("login", "bob", "--password-stdin", "--url", source.url, input="Tribe-demo-1\n")
        assert login.exit_code == 0, login.output
        recorded = run(
            "connect", "--as", "bob", "--url", source.url, "--output", "ndjson", "--record", "evening.ndjson",
            input="/subscribe general\nHello from the record\n/ping\n",
        )  # fmt: skip
        assert recorded.returncode == 0, recorded.stdout + recorded.stderr
    made = cli("scenario", "new", "evening.ndjson", "-o", "evening.yaml", "--name", "Evening")
    assert made.exit_code == 0, made.output
    text = (home / "work" / "evening.yaml").read_text("utf-8")
    assert "Hello from the record" in text
    assert cli("scenario", "new", "evening.ndjson").stdout.strip().endswith(text.strip().splitlines()[-1])
    again = cli("scenario", "new", "evening.ndjson", "-o", "evening.yaml")
    assert (again.exit_code, "is there already" in again.stderr) == (3, True)
    result = cli("scenario", "run", "evening.yaml", "--serve")
    assert result.exit_code == 0, result.output + text


def test_the_group_alone_prints_its_help(cli):
    result = cli("scenario")
    assert result.exit_code == 0
    for name in ("run", "list", "lint", "new", "schema"):
        assert f"  {name} " in result.stdout
