"""Scenario files: what loads, and where exactly what does not is wrong."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tribe_ws.scenario.language.loading import load_scenario, parse_assignment, parse_scenario
from tribe_ws.scenario.language.verbs import ACTOR_VERBS, CLOSE_VERBS, FLOW_VERBS, SERVER_VERBS
from tribe_ws.scenario.linting.linter import lint
from tribe_ws.scenario.model import (
    ConnectionName,
    Expect,
    Include,
    Parallel,
    Ping,
    Repeat,
    Send,
    Wait,
    every_step,
)
from tribe_ws.scenario.place import Place, ScenarioError

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "fixtures" / "scenarios"
GOOD = sorted(path for path in FOLDER.glob("*.yaml") if not path.name.startswith("_"))
BAD = sorted((FOLDER / "bad").glob("*.yaml"))
HEAD = "name: It\nactors: [alice, bob, bob.phone]\nsteps:\n"


def steps_of(text, **options):
    return parse_scenario(HEAD + text, **options).steps


def complaint(text):
    with pytest.raises(ScenarioError) as caught:
        parse_scenario(text)
    return caught.value


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_good_example_loads(path):
    assert load_scenario(path).steps


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_bad_example_is_refused_at_the_place_and_in_the_words_it_says(path, monkeypatch):
    monkeypatch.chdir(ROOT)
    lines = path.read_text("utf-8").splitlines()
    number, said = next(
        (number, found)
        for number, line in enumerate(lines, 1)
        if (found := re.search(r"# (\d+): (.*) \|(.*)$", line))
    )
    path = path.relative_to(ROOT)
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path)
    error = caught.value
    assert error.place == Place(str(path), number, int(said[1]))
    assert error.problem == said[2]
    hint = said[3].strip()
    assert error.hint.startswith(hint) if hint else True
    assert str(error) == f"{path}:{number}:{said[1]}: {said[2]}"


def test_everything_the_language_knows_is_in_the_example_of_everything():
    scenario = load_scenario(FOLDER / "everything.yaml")
    verbs = {(step.verb, type(step)) for step in every_step(scenario.steps)}
    known = {
        (verb.name, verb.step) for verb in (*ACTOR_VERBS, *SERVER_VERBS, *FLOW_VERBS, *CLOSE_VERBS.values())
    }
    assert known - verbs == {("include", Include)}


def test_step_knows_its_place_and_how_it_was_written():
    step = steps_of("  - bob:\n      expect: message.new\n      within: 2s\n    name: bob sees it\n")[0]
    assert isinstance(step, Expect)
    assert (step.place.line, step.place.column) == (4, 5)
    assert step.name == "bob sees it"
    assert step.written == "bob: {expect: message.new, within: 2s}, name: bob sees it"
    assert step.within == 2.0


def test_list_of_deeds_is_a_step_for_each():
    first, second = steps_of("  - alice: [ping, {send: Hello, to: general}]\n")
    assert (first.verb, second.verb) == ("ping", "send")
    assert second.written == "alice: {send: Hello, to: general}"


def test_default_patience_is_that_of_the_file():
    scenario = parse_scenario(f"within: 3s\n{HEAD}  - alice: ping\n")
    (step,) = scenario.steps
    assert isinstance(step, Ping)
    assert step.within == 3.0


def test_connections_are_declared_by_a_dot_or_by_a_list():
    dotted = parse_scenario(HEAD + "  - bob.phone: ping\n").actors["bob"]
    listed = parse_scenario(
        "name: It\nactors: {bob: {user: ben, connections: [phone]}}\nsteps: [{bob: ping}]\n"
    )
    assert (
        dotted.connections
        == listed.actors["bob"].connections
        == (ConnectionName("bob"), ConnectionName("bob", "phone"))
    )
    assert listed.actors["bob"].user == "ben"


def test_connection_is_open_at_once_unless_it_begins_with_connect():
    scenario = parse_scenario(
        f"{HEAD}  - alice: {{send: Hello, to: general}}\n"
        "  - bob: connect\n  - bob.phone: ping\n  - bob.phone: connect\n"
    )
    assert scenario.opened_at_start == (ConnectionName("bob", "phone"),)


def test_path_of_a_rest_call_begins_below_the_api():
    below, root, health = steps_of(
        "  - alice: [rest: GET /auth/me, rest: GET /api/v1/auth/me, rest: GET /health]\n"
    )
    assert below.path == root.path == "/api/v1/auth/me"
    assert health.path == "/health"


def test_included_file_brings_its_steps_and_takes_variables(tmp_path):
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "part.yaml").write_text("variables: {pause: 1s}\nsteps: [{wait: '${{ pause }}'}]\n")
    main = tmp_path / "main.yaml"
    main.write_text(
        HEAD + "  - {include: inner/part.yaml, with: {pause: 2s}}\n  - include: inner/part.yaml\n"
    )
    first, second = load_scenario(main).steps
    assert isinstance(first, Include)
    assert isinstance(second, Include)
    waits = [step for part in (first, second) for step in part.steps if isinstance(step, Wait)]
    assert [wait.seconds for wait in waits] == [2.0, 1.0]
    assert first.steps[0].place.path.endswith("part.yaml")


def test_included_file_refuses_a_variable_it_does_not_have(tmp_path):
    (tmp_path / "part.yaml").write_text("variables: {pause: 1s}\nsteps: [{wait: 1s}]\n")
    (tmp_path / "main.yaml").write_text(HEAD + "  - {include: part.yaml, with: {puase: 2s}}\n")
    with pytest.raises(ScenarioError) as caught:
        load_scenario(tmp_path / "main.yaml")
    assert caught.value.hint == 'did you mean "pause"?'


def test_files_that_include_each_other_are_refused(tmp_path):
    (tmp_path / "one.yaml").write_text(HEAD + "  - include: two.yaml\n")
    (tmp_path / "two.yaml").write_text("steps:\n  - include: one.yaml\n")
    with pytest.raises(ScenarioError, match="includes itself") as caught:
        load_scenario(tmp_path / "one.yaml")
    assert caught.value.hint == "one.yaml → two.yaml → one.yaml"


def test_depth_of_inclusion_is_bounded(tmp_path):
    (tmp_path / "part0.yaml").write_text("steps: [{wait: 1s}]\n")
    for number in range(1, 10):
        (tmp_path / f"part{number}.yaml").write_text(f"steps: [include: part{number - 1}.yaml]\n")
    (tmp_path / "main.yaml").write_text(HEAD + "  - include: part9.yaml\n")
    with pytest.raises(ScenarioError, match="8 deep"):
        load_scenario(tmp_path / "main.yaml")


def test_variable_of_the_caller_takes_the_place_and_the_type_of_the_files():
    head = "variables: {count: 1, word: a, flag: false, items: [1]}\n"
    given = {"count": "3", "word": "4", "flag": "true", "items": "[1, 2]"}
    scenario = parse_scenario(
        f"{head}{HEAD}  - repeat: ${{{{ count }}}}\n    steps: [{{alice: ping}}]\n", variables=given
    )
    assert scenario.variables == {"count": 3, "word": "4", "flag": True, "items": [1, 2]}
    assert isinstance(scenario.steps[0], Repeat)
    assert scenario.steps[0].count == 3


def test_unknown_variable_of_the_caller_is_refused():
    with pytest.raises(ScenarioError, match='no variable "cuont"') as caught:
        parse_scenario(f"variables: {{count: 1}}\n{HEAD}  - alice: ping\n", variables={"cuont": "3"})
    assert caught.value.hint == 'did you mean "count"?'


@pytest.mark.parametrize("text", ["a", "=b", "1a=b", "a b=c"])
def test_assignment_needs_a_name_and_a_value(text):
    with pytest.raises(ValueError, match="write name=value"):
        parse_assignment(text)


def test_assignment_may_hold_anything():
    assert parse_assignment("a=b=c") == ("a", "b=c")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "the file is empty"),
        ("5", "here must stand a scenario"),
        ("name: It\nactors: [alice]\n", 'needs "steps"'),
        ("name: It\nsteps: []\n", 'needs "actors"'),
        ("name: It\nactors: [alice]\nsteps: []\n", "at least one step"),
        ("name: It\nactors: []\nsteps: [{wait: 1s}]\n", "at least one actor"),
        ("name: ''\nactors: [alice]\nsteps: [{wait: 1s}]\n", "a name"),
        ("name: It\nactors: [alice, alice]\nsteps: [{wait: 1s}]\n", "declared twice"),
        ("name: It\nactors: [a.b, a.b]\nsteps: [{wait: 1s}]\n", "declared twice"),
        ("name: It\nactors: [7up]\nsteps: [{wait: 1s}]\n", "nobody can be called"),
        ("name: It\nactors: [a.7]\nsteps: [{wait: 1s}]\n", "name of a connection"),
        ("name: It\nactors: 5\nsteps: [{wait: 1s}]\n", "who takes part"),
        ("name: It\nactors: {a: [b]}\nsteps: [{wait: 1s}]\n", "a user, or"),
        ("name: It\nactors: {a: {connections: b}}\nsteps: [{wait: 1s}]\n", "a list of names"),
        ("name: It\nactors: {a.b: ben}\nsteps: [{wait: 1s}]\n", "has the same user"),
        ("name: It\nactors: [alice]\nvariables: {alice: 1}\nsteps: [{wait: 1s}]\n", "name of an actor"),
        ("name: It\nactors: [alice]\nvariables: {run: 1}\nsteps: [{wait: 1s}]\n", "of every scenario"),
        ("name: It\nactors: [alice]\nvariables: {a-b: 1}\nsteps: [{wait: 1s}]\n", "cannot be a name"),
        ("name: It\nactors: [alice]\nconversations: {t: [bob]}\nsteps: [{wait: 1s}]\n", "no actor"),
        ("name: It\nactors: [alice]\nconversations: {t: {direct: 1}}\nsteps: [{wait: 1s}]\n", "direct"),
        ("name: It\nactors: [alice]\nconversations: {a-b: x}\nsteps: [{wait: 1s}]\n", "cannot be a name"),
        ("name: It\nactors: [alice]\nconversations: {t: ''}\nsteps: [{wait: 1s}]\n", "its members"),
        ("name: It\nactors: [alice]\nconversations: {t: []}\nsteps: [{wait: 1s}]\n", "at least 1"),
        ("name: It\nactors: [alice]\nenv: HOME\nsteps: [{wait: 1s}]\n", "a list of names"),
        ("name: It\nactors: [alice]\nsteps: 5\n", "a list of steps"),
        ("name: It\nactors: [alice]\nsteps: [{name: a}]\n", "somebody who acts"),
        ("name: It\nactors: [alice]\nprofile: v3\nsteps: [{wait: 1s}]\n", "one of documented, app, v2"),
        ("name: [It]\nactors: [alice]\nsteps: [{wait: 1s}]\n", "a single value"),
        ("name: It\nactors: [alice]\nsteps: [{include: x.yaml}]\n", "this text is no file"),
    ],
)  # fmt: skip
def test_scenario_that_is_none_is_refused(text, problem):
    assert problem in complaint(text).problem


@pytest.mark.parametrize(
    ("step", "problem"),
    [
        ("alice: send", "alone says too little"),
        ("alice: {send: , to: general}", "says too little"),
        ("alice: []", "something to do"),
        ("alice: 5", "what is done"),
        ("alice: {}", "what is done"),
        ("alice: {ping: 5}", "takes nothing here"),
        ("alice: {forget: 5}", "takes nothing here"),
        ("alice: {ping: , typing: on}", '"ping" knows no "typing"'),
        ("alice: {send: a, in: general}", '"send" knows no "in"'),
        ("{alice: ping, bob: ping}", "does not belong beside"),
        ("alice: {typing: maybe, in: general}", "on or off"),
        ("alice: {presence: busy}", "online, away or offline"),
        ("alice: {rest: FETCH /x}", "a method and a path"),
        ("alice: {rest: GET auth}", "a method and a path"),
        ("alice: {expect: 5}", "a frame"),
        ("alice: {expect: []}", "a list of at most"),
        ("alice: {expect: {}}", "a frame"),
        ("alice: {expect: pong, count: 0}", "not between"),
        ("alice: {expect: pong, count: many}", "a whole number"),
        ("alice: {expect: pong, in_order: 1}", "true or false"),
        ("alice: {expect: pong, capture: {a-b: x}}", "cannot be a name"),
        ("alice: {expect: pong, capture: {a: '['}}", "not a jmespath"),
        ("alice: {expect: pong, capture: [a]}", "names and where"),
        ("alice: {expect: {closed: x}}", "a whole number"),
        ("alice: {expect: {closed: true}}", "a whole number"),
        ("alice: {expect: {closed: 4401, resaon: x}}", 'knows no "resaon"'),
        ("alice: {never: {closed: 4401}, for: 1s}", "closed alone"),
        ("alice: {never: pong}", 'needs "for"'),
        ("alice: {never: pong, for: 0s}", "too short"),
        ("alice: {never: pong, for: [1]}", "a single value"),
        ("alice: {never: pong, for: true}", "a duration"),
        ("alice: {connect: , token: {ttl: 3s, text: a}}", "either a ttl or a text"),
        ("alice: {connect: , token: {}}", "either a ttl or a text"),
        ("alice: {subscribe: []}", "a conversation, or several"),
        ("alice: {subscribe: ''}", "a name"),
        ("alice: {send: a, to: true}", "a text"),
        ("alice: {disconnect: , code: 99}", "not between"),
        ("server: reboot", 'nobody can "reboot"'),
        ("server: {advance: 1s, code: 5}", 'knows no "code"'),
        ("wait: 1s, 2s", "not a duration"),
        ("parallel: []", "a list of steps"),
        ("{repeat: 2}", 'needs "steps"'),
        ("{repeat: 2, as: 1a, steps: [{wait: 1s}]}", "cannot be a name"),
    ],
)
def test_step_that_is_none_is_refused(step, problem):
    error = complaint(f"{HEAD}  - {step}\n")
    assert problem in error.problem
    assert error.place.line == 4


def test_parallel_branch_is_a_step_or_a_list_of_steps():
    (step,) = steps_of("  - parallel:\n      - alice: ping\n      - - bob: ping\n        - bob.phone: ping\n")
    assert isinstance(step, Parallel)
    assert [len(branch) for branch in step.branches] == [1, 2]


def test_data_narrows_every_expected_frame():
    (step,) = steps_of("  - bob: {expect: [message.new, typing], data: {a: 1}}\n")
    assert all("a: 1" in pattern.describe() for pattern in step.patterns)


def test_content_may_be_anything_that_json_has():
    step = steps_of("  - alice: {send: 5, to: general}\n")[0]
    assert isinstance(step, Send)
    assert step.content == 5


def test_scenario_of_many_actors_is_read_within_a_second_or_two():
    people = [f"u{number}" for number in range(200)]
    rooms = "\n".join(f"  r{n}: [{', '.join(people[4 * n : 4 * n + 4])}]" for n in range(50))
    talk = "\n".join(f"  - {name}: {{subscribe: r{number // 4}}}" for number, name in enumerate(people))
    scenario = parse_scenario(
        f"name: Many\nactors: [{', '.join(people)}]\nconversations:\n{rooms}\nsteps:\n{talk}\n"
    )
    assert len(scenario.steps) == 200


def loads_or_says_where(text):
    found = None
    try:
        lint(parse_scenario(text))
    except ScenarioError as error:
        found = error
    assert found is None or (found.place.line >= 1 and found.place.column >= 1 and found.problem)


@given(st.text())
@settings(max_examples=50)
@example("%YAML 1.9\n---\na")
@example("a: &a [*a]")
@example("[" * 450)
@example('a: "\\U99999999"')
@example("? [a]\n: b")
def test_any_text_loads_or_is_refused_with_a_place(text):
    loads_or_says_where(text)


WORDS = st.sampled_from(
    [
        "alice", "bob", "server", "wait", "repeat", "parallel", "include", "name", "steps", "send",
        "expect", "never", "to", "in", "for", "within", "closed", "capture", "token", "ttl", "ping",
        "connect", "$uuid", "$regex", "$any_of", "$range", "$length", "${{run}}", "${{", "2s",
        "general", "data", "event", "with", "as",
    ]
)  # fmt: skip
LEAVES = st.one_of(
    WORDS, st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=5)
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=12,
)


@given(st.lists(TREES, max_size=3), TREES)
@settings(max_examples=100)
def test_any_tree_loads_or_is_refused_with_a_place(steps, actors):
    for people in (["alice", "bob"], actors):
        loads_or_says_where(json.dumps({"name": "It", "actors": people, "steps": steps}))
