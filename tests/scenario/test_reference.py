"""The reference of the language cannot lie: its examples load, its tables come from the code."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tribe_ws.scenario.language.loading import FRAGMENT_KEYS, SCENARIO_KEYS, load_scenario
from tribe_ws.scenario.language.people import ACTOR_KEYS, BUILT_IN_VARIABLES
from tribe_ws.scenario.linting.linter import lint

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "scenarios.md").read_text("utf-8")
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
HEAD = "name: It\nactors: [alice, bob]\nconversations: {team: [alice, bob]}\nsteps:\n"


def file_of(example, number):
    found = re.match(r"# (\S+\.yaml)\n", example)
    return found[1] if found else f"example{number}.yaml"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Write every example into a file, as a reader would; a list of steps gets the head it lacks."""
    path = tmp_path_factory.mktemp("examples")
    for number, example in enumerate(EXAMPLES):
        steps = "".join(f"  {line}\n" for line in example.splitlines())
        whole = HEAD + steps if example.startswith("- ") else example
        (path / file_of(example, number)).write_text(whole, "utf-8")
    return path


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_example_loads_and_has_no_error(folder, number):
    name = file_of(EXAMPLES[number], number)
    if name.startswith("_") or "run: tribe-ws" in EXAMPLES[number]:
        pytest.skip("is no scenario of its own")
    scenario = load_scenario(folder / name)
    if not EXAMPLES[number].startswith("- "):
        assert [str(one) for one in lint(scenario)] == []


def test_tables_are_those_the_code_makes():
    """Run ``nox -s readme`` when this fails."""
    checked = subprocess.run(
        [sys.executable, "-m", "cogapp", "--check", "--diff", "-I", "docs", "docs/scenarios.md"],
        cwd=ROOT, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("key", SCENARIO_KEYS)
def test_key_of_a_file_is_in_the_page(key):
    assert f"| `{key}` |" in PAGE


@pytest.mark.parametrize("key", [*ACTOR_KEYS, *FRAGMENT_KEYS, *BUILT_IN_VARIABLES])
def test_every_other_key_is_in_the_page(key):
    assert re.search(rf"`{key}[.`]|\b{key}:", PAGE)
