"""The built-in scenarios with the installed program: on a server it starts, and on one that runs."""

from __future__ import annotations

import json

import pytest


def test_the_built_in_scenarios_are_installed(person):
    listed = person.run("scenario", "list", "--json")
    assert listed.returncode == 0, listed.stderr
    assert {"smoke", "typing", "presence", "multi-device", "reconnect", "expiry"} <= {
        row["name"] for row in json.loads(listed.stdout)
    }


@pytest.mark.parametrize("name", ["smoke", "typing", "presence", "multi-device", "reconnect"])
def test_scenario_passes_against_a_server_that_runs(server, person, name):
    ran = person.run("scenario", "run", name)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_scenario_passes_against_a_server_of_its_own(person):
    ran = person.run("scenario", "run", "expiry", "presence-app", "--serve", "--parallel", "2")
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_a_wrong_expectation_is_told_with_its_line_and_exit_code(server, person):
    wrong = "name: Wrong\nactors: [alice]\nsteps:\n  - alice: {expect: pong, within: 200ms}\n"
    (person.home / "wrong.yaml").write_text(wrong)
    failed = person.run("scenario", "run", "wrong.yaml", "--junit", "report.xml")
    assert failed.returncode == 9, failed.stdout + failed.stderr
    assert "wrong.yaml:4:5" in failed.stdout
    assert 'failures="1"' in (person.home / "report.xml").read_text()
