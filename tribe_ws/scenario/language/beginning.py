"""The variables with which a run of a scenario begins."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from tribe_ws.scenario.language.loading import settled
from tribe_ws.scenario.model import Scenario
from tribe_ws.scenario.place import ScenarioError
from tribe_ws.scenario.substitution import Variables

ACTOR_FACTS = ("id", "username", "full_name", "email")
"""What ``${{ alice.… }}`` knows of an actor."""


def account_variables(scenario: Scenario, *, run: str, environment: Mapping[str, str]) -> Variables:
    """Give what may be used before anybody is logged in, for the users and passwords of the actors.

    Of the environment only what the scenario declares is seen; raises ``ScenarioError`` where it is missing.
    """
    return settled(scenario.variables, Variables({"run": run, "env": _declared(scenario, environment)}))


def first_variables(
    scenario: Scenario,
    *,
    run: str,
    environment: Mapping[str, str],
    actors: Mapping[str, Mapping[str, Any]],
    conversations: Mapping[str, str],
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Variables:
    """Give what every step may use: the file's variables, ``run``, ``env``, each actor, ``conversations``.

    ``actors`` tells of each what ``ACTOR_FACTS`` names, ``conversations`` the ids of the declared ones. The
    file's variables are resolved here, one built on those before it.
    """
    known: dict[str, Any] = {name: dict(facts) for name, facts in actors.items()}
    known |= {"run": run, "env": _declared(scenario, environment), "conversations": dict(conversations)}
    for name, value in scenario.variables.items():
        known[name] = Variables(known).resolve(value)
    return Variables(known, now)


def _declared(scenario: Scenario, environment: Mapping[str, str]) -> dict[str, str]:
    for name in scenario.environment:
        if name not in environment:
            raise ScenarioError(
                scenario.place,
                f"the environment has no variable {name}, which this scenario declares under env",
                hint=f"{name}=… tribe-ws scenario run …",
            )
    return {name: environment[name] for name in scenario.environment}
