"""The steps that watch what comes: ``expect`` and ``never``, of frames and of a connection's end.

Each ends in the time it states: at the latest then, and as soon as nothing can change its verdict any more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from tribe_ws.client.events import Event
from tribe_ws.durations import format_duration
from tribe_ws.scenario.matchers import Difference, Matcher
from tribe_ws.scenario.model import ActorStep, Expect, ExpectClose, Never, NeverClose
from tribe_ws.scenario.result import StepFailed
from tribe_ws.scenario.running.differing import difference_lines
from tribe_ws.scenario.running.inbox import Ending, Inbox, Search
from tribe_ws.scenario.running.link import Link
from tribe_ws.scenario.running.moment import Moment, value_of
from tribe_ws.scenario.running.narrowing import narrowed
from tribe_ws.scenario.running.nearest import came_instead, described, nearest_to

T = TypeVar("T")


async def expect(step: Expect, moment: Moment) -> None:
    """Wait until every pattern has its frames, and claim them."""
    link = moment.link(step.connection)
    patterns = await _narrowed(step, moment)
    watch = _Watch(step, moment, patterns, link.inbox)
    began = asyncio.get_running_loop().time()
    found = await until(link.inbox, step.within, watch.look, or_end=True)
    if found is None:
        waited = asyncio.get_running_loop().time() - began
        raise _in_vain(step, moment, link, watch, waited)
    frames = [value_of(event) for event in link.inbox.claim(found, by=str(step.place))]
    moment.remember(step, step.captures, frames[0] if len(frames) == 1 else frames)


async def expect_close(step: ExpectClose, moment: Moment) -> None:
    """Wait until the server has closed the connection, with the code and the reason wanted."""
    link = moment.link(step.connection)
    _must_have_been_opened(step, moment, link)
    ending = await until(link.inbox, step.within, lambda: link.inbox.ending, or_end=True)
    wanted = "" if step.code is None else f" with {step.code.describe(moment.variables)}"
    if ending is None:
        raise moment.failure(
            step,
            f"the server did not close the connection of {step.connection}{wanted} within "
            f"{format_duration(step.within)}: it is still open",
            waited=step.within,
        )
    if ending.is_ours:
        raise moment.failure(step, f"the server did not close the connection: an earlier step did ({ending})")
    found: list[Difference] = []
    for matcher, value, path in ((step.code, ending.code, "code"), (step.reason, ending.reason, "reason")):
        if matcher is not None:
            found += matcher.differences(value, moment.variables, path)
    if found:
        raise moment.failure(step, f"the connection ended with {ending}", details=difference_lines(found))
    moment.remember(step, step.captures, ending.as_json())


async def never(step: Never, moment: Moment) -> None:
    """Make sure that no frame matches, neither those that are there nor those that come meanwhile."""
    link = moment.link(step.connection)
    patterns = await _narrowed(step, moment)
    position = 0

    def look() -> Event | None:
        nonlocal position
        for number, event in link.inbox.unclaimed(position):
            position = number + 1
            value = value_of(event)
            if any(not pattern.differences(value, moment.variables) for pattern in patterns):
                return event
        return None

    found = await until(link.inbox, step.lasting, look, or_end=True)
    if found is not None:
        wanted = " or ".join(described(pattern, moment.variables) for pattern in step.patterns)
        raise moment.failure(step, f"{step.connection} was not to get {wanted}, and got it", nearest=found)
    _must_not_have_lost(step, moment, link)
    if (ending := link.inbox.ending) is not None and not ending.is_ours:
        raise moment.failure(
            step,
            f"the connection of {step.connection} ended ({ending}), so that nothing came proves nothing",
            hint=_hint_of(ending),
        )


async def never_close(step: NeverClose, moment: Moment) -> None:
    """Make sure that the connection is open and stays so."""
    link = moment.link(step.connection)
    _must_have_been_opened(step, moment, link)
    ending = await until(link.inbox, step.lasting, lambda: link.inbox.ending, or_end=True)
    if ending is not None:
        raise moment.failure(
            step,
            f"the connection of {step.connection} was to stay open, and ended with {ending}",
            hint=_hint_of(ending),
        )


async def until(inbox: Inbox, seconds: float, look: Callable[[], T | None], *, or_end: bool) -> T | None:
    """Look, whenever something has come, until there is something to see or the time is over.

    ``or_end``: the end of the connection ends the wait too. What came before the time was over counts, also
    where a busy machine gets to it a little later.
    """
    ends_at = asyncio.get_running_loop().time() + seconds
    while (found := look()) is None:
        if or_end and inbox.ending is not None:
            return None
        try:
            async with asyncio.timeout_at(ends_at):
                await inbox.news()
        except TimeoutError:
            return look()
    return found


class _Watch:
    """One search over an inbox, begun anew where another step has claimed what it had found."""

    def __init__(self, step: Expect, moment: Moment, patterns: tuple[Matcher, ...], inbox: Inbox) -> None:
        self.patterns = patterns
        self._step = step
        self._moment = moment
        self._inbox = inbox
        self._position = 0
        self.search = self._new_search()

    def look(self) -> list[int] | None:
        """Look at what has come since the last look; gives the frames that serve when all are there."""
        for number, event in self._inbox.unclaimed(self._position):
            self._position = number + 1
            if self.search.offer(number, value_of(event)):
                break
        if not self.search.is_done:
            return None
        if all(map(self._inbox.holds, self.search.found)):
            return self.search.found
        self._position, self.search = 0, self._new_search()
        return self.look()

    def _new_search(self) -> Search:
        return Search(
            [self._fits(pattern) for pattern in self.patterns],
            count=self._step.count,
            in_order=self._step.in_order,
        )

    def _fits(self, pattern: Matcher) -> Callable[[object], bool]:
        return lambda value: not pattern.differences(value, self._moment.variables)


def _in_vain(step: Expect, moment: Moment, link: Link, watch: _Watch, waited: float) -> StepFailed:
    """Say what was waited for, what came instead, and which frame was nearest to it."""
    _must_not_have_lost(step, moment, link)
    place = next(iter(watch.search.missing))
    pattern = watch.patterns[place]
    wanted = _wanted(step, watch, place, moment)
    ending = link.inbox.ending
    if ending is None:
        problem = f"{step.connection} did not get {wanted} within {format_duration(step.within)}"
    else:
        problem = f"{step.connection} did not get {wanted}: the connection ended with {ending}"
    near = nearest_to(pattern, link.inbox, moment.variables, taken=watch.search.found)
    details = list(near.details) if near else []
    return moment.failure(
        step,
        f"{problem}; {came_instead(link.inbox)}",
        details=details,
        nearest=near.event if near else None,
        hint=(near.hint if near else "") or (_hint_of(ending) if ending else ""),
        waited=waited,
    )


def _wanted(step: Expect, watch: _Watch, place: int, moment: Moment) -> str:
    wanted = described(step.patterns[place], moment.variables)
    if step.conversation is not None:
        wanted += f" in {moment.variables.text(step.conversation)}"
    if step.sender is not None:
        wanted += f" from {step.sender}"
    if step.count > 1:
        missing = watch.search.missing_count(place)
        wanted += f" {step.count} times ({step.count - missing} came)"
    if len(step.patterns) > 1:
        missing_ones = len(list(watch.search.missing))
        wanted += f" (frame {place + 1} of {len(step.patterns)}; {missing_ones} missing)"
    return wanted


async def _narrowed(step: Expect | Never, moment: Moment) -> tuple[Matcher, ...]:
    conversation_id = (
        "" if step.conversation is None else await moment.conversation_id(step.conversation, step)
    )
    user_id = "" if step.sender is None else moment.stage.players[step.sender].user.id
    return tuple(
        narrowed(pattern, conversation_id=conversation_id, user_id=user_id) for pattern in step.patterns
    )


def _must_have_been_opened(step: ActorStep, moment: Moment, link: Link) -> None:
    if not link.was_opened:
        raise moment.failure(step, f"{step.connection} has never been connected")


def _must_not_have_lost(step: ActorStep, moment: Moment, link: Link) -> None:
    if link.inbox.lost:
        raise moment.failure(
            step,
            f"so many frames came that {link.inbox.lost} unclaimed ones were thrown away",
            hint="claim what comes by expect, or empty the inbox by forget",
        )


def _hint_of(ending: Ending) -> str:
    return ending.error.hint if ending.error is not None else ""
