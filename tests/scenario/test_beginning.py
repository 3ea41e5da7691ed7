"""With which variables a run begins."""

from __future__ import annotations

import pytest

from tribe_ws.scenario.language.beginning import account_variables, first_variables
from tribe_ws.scenario.language.loading import parse_scenario
from tribe_ws.scenario.place import ScenarioError

SCENARIO = parse_scenario(
    """
name: It
env: [WHO]
variables:
  user: "${{ env.WHO }}_${{ run }}"
  greeting: Hello ${{ alice.full_name }}
  room: ${{ conversations.team }}
actors: {alice: "${{ user }}"}
conversations: {team: [alice]}
steps: [{alice: ping}]
"""
)


def test_accounts_see_what_is_known_before_anybody_is_logged_in():
    variables = account_variables(SCENARIO, run="r1", environment={"WHO": "ana", "SECRET": "s"})
    assert variables.text(SCENARIO.actors["alice"].user) == "ana_r1"
    assert "greeting" not in variables.names
    with pytest.raises(ScenarioError):
        variables.resolve(SCENARIO.variables["greeting"])


def test_steps_see_people_conversations_and_only_the_declared_environment():
    variables = first_variables(
        SCENARIO,
        run="r1",
        environment={"WHO": "ana", "SECRET": "s"},
        actors={"alice": {"id": "u1", "full_name": "Alice Stone"}},
        conversations={"team": "c1"},
    )
    assert variables.values["greeting"] == "Hello Alice Stone"
    assert variables.values["room"] == "c1"
    assert variables.values["env"] == {"WHO": "ana"}


def test_declared_variable_that_the_environment_does_not_have_is_told():
    with pytest.raises(ScenarioError, match="no variable WHO") as caught:
        account_variables(SCENARIO, run="r1", environment={})
    assert caught.value.hint == "WHO=… tribe-ws scenario run …"
