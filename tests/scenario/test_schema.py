"""The schema for editors says what the loader says: no less than is right, no more than it can know."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tribe_ws.scenario.language.document import plain, read_document
from tribe_ws.scenario.language.loading import parse_scenario
from tribe_ws.scenario.language.matcher_forms import FORMS, WORDS
from tribe_ws.scenario.language.schema import scenario_schema
from tribe_ws.scenario.language.verbs import ACTOR_VERBS, CLOSE_VERBS, FLOW_VERBS, SERVER_VERBS
from tribe_ws.scenario.library import builtin_scenarios
from tribe_ws.scenario.place import ScenarioError

FOLDER = Path(__file__).parents[2] / "fixtures" / "scenarios"
SCHEMA = scenario_schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
WHOLE = [
    *(path for path in FOLDER.glob("*.yaml") if not path.name.startswith("_")),
    *(path for path in FOLDER.glob("linted/*.yaml") if path.stem != "broken"),
    *builtin_scenarios().values(),
]
VERBS = [*ACTOR_VERBS, *SERVER_VERBS, *FLOW_VERBS, *CLOSE_VERBS.values()]
REFUSED_BY_BOTH = (
    "misspelt-verb", "misspelt-option", "misspelt-matcher", "misspelt-key", "missing-option", "duration",
    "options-outside", "token", "too-many",
)  # fmt: skip


def accepts(text):
    return VALIDATOR.is_valid(plain(read_document(text, "it")))


def loads(text):
    try:
        parse_scenario(text)
    except ScenarioError:
        return False
    return True


def test_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA


@pytest.mark.parametrize("path", WHOLE, ids=lambda path: path.stem)
def test_what_loads_is_valid(path):
    VALIDATOR.validate(plain(read_document(path.read_text("utf-8"), str(path))))


@pytest.mark.parametrize("name", REFUSED_BY_BOTH)
def test_what_is_wrong_in_its_structure_is_invalid(name):
    assert not accepts((FOLDER / "bad" / f"{name}.yaml").read_text("utf-8"))


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: f"{verb.name}-{verb.step.__name__}")
def test_example_of_a_verb_is_valid_and_loads(verb):
    text = f"name: It\nactors: [alice, bob]\nsteps:\n  - {verb.example}\n"
    assert accepts(text)
    assert verb.name == "include" or loads(text)


@pytest.mark.parametrize("form", [*(form.example for form in FORMS.values()), *WORDS])
def test_example_of_a_matcher_is_valid_and_loads(form):
    text = f"name: It\nactors: [alice]\nsteps:\n  - alice: {{expect: {{event: {form}}}}}\n"
    assert accepts(text)
    assert loads(text)


KEYS = st.sampled_from(
    [
        "send", "to", "expect", "never", "for", "within", "in", "ping", "capture", "answer", "status",
        "closed", "token", "event", "data", "$uuid", "$regex", "$range", "$any_of", "$exact", "$length",
        "name", "from", "count", "nonsense",
    ]
)  # fmt: skip
LEAVES = st.sampled_from(
    [
        "alice", "general", "2s", "$uuid", "$nonsense", "closed", "message.new", "on", "${{ run }}", "",
    ]
)  # fmt: skip
VALUES = st.recursive(
    LEAVES | st.none() | st.booleans() | st.integers(-5, 5000),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(KEYS, VALUES, max_size=4) | VALUES)
@settings(max_examples=150)
def test_what_the_schema_refuses_the_loader_refuses(deed):
    text = json.dumps({"name": "It", "actors": ["alice"], "steps": [{"alice": deed}]})
    if loads(text):
        assert accepts(text)
