"""Runs the probes of a level against a server and gives the report.

Probes that do not disturb each other run side by side. What did not pass is tried again later, when it is
quieter and with more patience: *failed* is said only of what was seen twice. No check lasts longer than its
budget, whatever the server does, and everything that it made is left at its end.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from tribe_ws.check.accounts import Account, log_in_all
from tribe_ws.check.evidence import Entry
from tribe_ws.check.habits import Pace
from tribe_ws.check.learning import learn
from tribe_ws.check.leaving import leave_rooms
from tribe_ws.check.probe import Need, Probe, choose, matches, reason_not_to_judge
from tribe_ws.check.report import Report
from tribe_ws.check.stage import Stage
from tribe_ws.check.verdict import CannotTell, Failed, Result, Said, Skipped, Verdict
from tribe_ws.check.visit import Consent, Visit
from tribe_ws.check.wire import Rest
from tribe_ws.client.control import ControlClient
from tribe_ws.errors import AuthenticationError, ConfigurationError, TribeError
from tribe_ws.protocol.clause import Clause, Level
from tribe_ws.protocol.contract import CLAUSES
from tribe_ws.protocol.redaction import redact_text
from tribe_ws.protocol.urls import ServerAddress

_SIDE_BY_SIDE = 6
"""So many probes at a time; more would come near the connections that a server grants one user."""
_AGAIN_SIDE_BY_SIDE = 3
_MOST_ATTEMPTS = 3
_UNHEARD_OF = frozenset({Need.SEVERAL, Need.TIME})
"""What the server itself lacks, not the caller: then the check cannot tell, rather than it was not to."""


@dataclass(frozen=True, slots=True)
class CheckRequest:
    """What to check: which server, as whom, which clauses, and how patiently.

    ``patience`` scales every wait; ``budget`` is the longest that the probes may take together, in seconds.
    """

    address: ServerAddress
    accounts: Sequence[Account]
    level: Level = "documented"
    only: Sequence[str] = ()
    consent: Consent = field(default_factory=Consent)
    patience: float = 1.0
    budget: float = 300.0
    control: ControlClient | None = None


async def check_server(
    request: CheckRequest, *, on_results: Callable[[Sequence[Result]], None] | None = None
) -> Report:
    """Check a server and give the report; ``on_results`` hears of the results as they come.

    Raises ``CannotConnect`` where nothing answers, ``AuthenticationError`` where an account is refused,
    ``ConfigurationError`` where there is nothing to check.
    """
    probes = choose(request.level, request.only)
    began = time.monotonic()
    rest = Rest(request.address, max(5.0, 5.0 * request.patience))
    try:
        if not request.accounts:
            raise AuthenticationError(
                "a check needs accounts to log in with", hint="two at least, better three"
            )
        people = await log_in_all(rest, request.accounts)
        visit = Visit(
            request.address,
            request.level,
            rest,
            people,
            request.consent,
            request.control,
            patience=request.patience,
        )
        runner = Runner(visit, began + request.budget, on_results)
        left_behind = 0
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(request.budget):
                    await learn(visit)
            await runner.run(probes)
        finally:
            left_behind = await leave_rooms(visit)
    finally:
        await rest.close()
    judged = (one for one in runner.results if _is_asked_for(one.clause, request))
    results = in_order((*judged, *_unjudged(request)))
    if not results:
        raise ConfigurationError(
            f"no clause of the level {request.level} is named {' or '.join(request.only)}",
            hint="tribe-ws check --list",
        )
    seconds = time.monotonic() - began
    names = [one.username for one in people]
    url = request.address.base_url
    return Report(url, request.level, results, names, seconds, left_behind, visit.shapes)


class Runner:
    """Runs probes on one visit and collects their results."""

    def __init__(
        self, visit: Visit, ends_at: float, on_results: Callable[[Sequence[Result]], None] | None = None
    ) -> None:
        self.results: list[Result] = []
        self._visit = visit
        self._ends_at = ends_at
        self._on_results = on_results

    async def run(self, probes: Iterable[Probe]) -> None:
        """Run all probes, each as often as it takes to be sure."""
        trials = [Trial(one) for one in probes]
        ready = [one for one in trials if not self._is_hopeless(one)]
        together = sorted((one for one in ready if not one.probe.alone), key=lambda one: -one.probe.takes)
        alone = [one for one in ready if one.probe.alone]
        side_by_side = _SIDE_BY_SIDE if self._visit.habits.keeps_several else 1
        await self._round(together, side_by_side)
        await self._round(alone, 1)
        while open_trials := [one for one in ready if one.is_open]:
            crowd = min(side_by_side, _AGAIN_SIDE_BY_SIDE)
            await self._round([one for one in open_trials if not one.probe.alone], crowd)
            await self._round([one for one in open_trials if one.probe.alone], 1)

    async def _round(self, trials: Sequence[Trial], side_by_side: int) -> None:
        """Try each once more, so many at a time."""
        gate = asyncio.Semaphore(side_by_side)

        async def go(trial: Trial) -> None:
            async with gate:
                await self._attempt(trial)
            if not trial.is_open:
                self._keep(trial)

        async with asyncio.TaskGroup() as group:
            for trial in trials:
                group.create_task(go(trial))

    async def _attempt(self, trial: Trial) -> None:
        left = self._ends_at - time.monotonic()
        if left <= 0:
            trial.give_up("the time that the check may take was used up before")
            return
        stage = Stage(self._visit, Pace(self._visit.patience, len(trial.said) + 1))
        longest = (trial.probe.takes * 2 + 30.0) * self._visit.patience
        try:
            async with asyncio.timeout(min(left, longest)):
                await trial.probe.function(stage)
            said: Said | None = None
        except Said as ending:
            said = ending
        except TimeoutError:
            said = CannotTell("the probe did not come to an end in time; more patience may help")
        except TribeError as error:
            said = CannotTell(str(error))
        except Exception as error:  # noqa: BLE001 - what a foreign server sends may break any expectation
            said = CannotTell(f"the probe could not read what came ({type(error).__name__}: {error})")
        trial.heard(said, stage)
        await stage.close(is_spoilt=said is not None)

    def _is_hopeless(self, trial: Trial) -> bool:
        """Give a verdict at once on what need not be tried."""
        lacking = self._visit.lacks(trial.probe.needs)
        if lacking is None:
            return False
        kind = CannotTell if lacking in _UNHEARD_OF else Skipped
        trial.said.append(kind(f"needs {lacking.value}"))
        trial.is_open = False
        self._keep(trial)
        return True

    def _keep(self, trial: Trial) -> None:
        results = trial.results()
        self.results += results
        if self._on_results is not None:
            self._on_results(results)


class Trial:
    """One probe and what came of its attempts; a verdict is reached when two of them agree.

    One that passes at once, or is not to run, needs no second. One that cannot tell twice is not tried
    again.
    """

    def __init__(self, probe: Probe) -> None:
        self.probe = probe
        self.is_open = True
        self.said: list[Said | None] = []
        self.seconds = 0.0
        self._seen: list[Sequence[Entry]] = []

    def heard(self, said: Said | None, stage: Stage) -> None:
        """Take note of how an attempt ended: with nothing to say is to pass."""
        self.said.append(said)
        self._seen.append(stage.evidence.entries())
        self.seconds += stage.evidence.seconds
        kinds = self._kinds()
        is_agreed = any(kinds.count(kind) > 1 for kind in set(kinds))
        at_once = len(kinds) == 1 and kinds[0] in {Verdict.PASS, Verdict.SKIPPED}
        after_doubt = kinds[-1] is Verdict.PASS and Verdict.FAIL not in kinds
        self.is_open = not (is_agreed or at_once or after_doubt or len(kinds) >= _MOST_ATTEMPTS)

    def give_up(self, reason: str) -> None:
        """End without a verdict."""
        self.said.append(CannotTell(reason))
        self.is_open = False

    def results(self) -> list[Result]:
        """Give the results, one for each clause of the probe."""
        kinds = self._kinds()
        agreed = [kind for kind in Verdict if kinds.count(kind) > 1]
        verdict = agreed[0] if agreed else kinds[-1]
        if not agreed and Verdict.FAIL in kinds:
            verdict = Verdict.CANNOT_TELL
        number = len(kinds) - 1 - kinds[::-1].index(verdict) if verdict in kinds else len(kinds) - 1
        entries = self._seen[number] if number < len(self._seen) else ()
        said = self.said[number]
        reason = redact_text(said.reason) if said else ""
        if verdict is not Verdict.FAIL and Verdict.FAIL in kinds:
            seen = next(one for one in self.said if isinstance(one, Failed))
            reason = (
                f"{reason + '; ' if reason else ''}once in {len(kinds)} attempts: {redact_text(seen.reason)}"
            )
        advice = self.probe.advice if verdict is Verdict.FAIL else ""
        evidence = () if verdict is Verdict.PASS else entries
        return [
            Result(one, verdict, reason, evidence, advice, self.seconds, len(self._seen))
            for one in self.probe.clauses
        ]

    def _kinds(self) -> list[Verdict]:
        return [one.verdict if one else Verdict.PASS for one in self.said]


def in_order(results: Iterable[Result]) -> tuple[Result, ...]:
    """Sort results as the contract has their clauses."""
    order = {one.id: number for number, one in enumerate(CLAUSES)}
    return tuple(sorted(results, key=lambda one: order[one.clause.id]))


def _unjudged(request: CheckRequest) -> list[Result]:
    """Name the clauses of the level that nobody outside can judge, each with the reason."""
    return [
        Result(one, Verdict.CANNOT_TELL, reason)
        for one in CLAUSES
        if _is_asked_for(one, request) and (reason := reason_not_to_judge(one.id))
    ]


def _is_asked_for(clause: Clause, request: CheckRequest) -> bool:
    of_level = clause.level in {"documented", request.level}
    return of_level and (not request.only or matches(clause.id, request.only))
