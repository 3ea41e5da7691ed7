"""Decides what of a replay is a difference: what is missing, what is too much, what came in another order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tribe_ws.capture.replay.difference import Change, Difference, Kind, what
from tribe_ws.capture.replay.evening import ANSWERS
from tribe_ws.capture.replay.line import Line
from tribe_ws.capture.replay.remap import Renaming
from tribe_ws.capture.replay.script import Expect, Key, Open, Script, Step
from tribe_ws.capture.replay.world import World
from tribe_ws.protocol.urls import redact

_LONGEST_QUOTE = 120


class GaveUp(Exception):
    """There are more differences than anybody reads."""


class Judge:
    """The differences of one replay; ``late`` counts frames which came after others recorded later."""

    def __init__(self, script: Script, world: World, renaming: Renaming, most_differences: int) -> None:
        self.differences: list[Difference] = []
        self.late = 0
        self._world = world
        self._renaming = renaming
        self._most = most_differences
        self._missing: list[tuple[Line, Expect]] = []
        self._finished: set[Key] = set()
        # The first time that each one connects, by the name in the capture.
        self._opened = {one.user: one.line for one in reversed(script.steps) if isinstance(one, Open)}

    def differs(self, kind: Kind, step: Step, words: str, changes: tuple[Change, ...] = ()) -> None:
        """Note a difference; raises ``GaveUp`` when it is one too many."""
        record = getattr(step, "record", None)
        event = record.event if record is not None else ""
        self._add(Difference(kind, step.line, self._renaming.user(step.user), event, words, changes))

    def missed(self, line: Line, step: Expect) -> None:
        """Note what has not come in time: it may still come."""
        self._missing.append((line, step))
        if len(self._missing) + len(self.differences) >= self._most:
            self.reconcile()

    def check_order(self, line: Line, step: Expect, number: int) -> None:
        """Note a message that came before one which was sent earlier."""
        if step.record.event != "message.new" or not step.record.conversation_id:
            return
        newest = line.newest.get(step.record.conversation_id, 0)
        if number < newest:
            self.differs("order", step, f"{what(step.record)} came before a message that was sent earlier")
        line.newest[step.record.conversation_id] = max(number, newest)

    def finish(self, step: Expect) -> None:
        """Note that a record is the last of its connection, where it is."""
        if step.is_last:
            self._finished.add(step.connection)

    def judge_finished(self, lines: Mapping[Key, Line]) -> None:
        """Report what came too much over connections of which no more is recorded.

        That is before something is done which may bring more: nobody knows whether they were open then.
        """
        for key in self._finished:
            if (line := lines.get(key)) is not None and line.is_judged:
                self.judge(line)
                line.is_judged = False
        self._finished.clear()

    def judge_rest(self, lines: Iterable[Line]) -> None:
        """Report everything that is still open when all is played."""
        self.reconcile()
        for line in lines:
            if line.is_judged:
                self._report_extra(line)

    def judge(self, line: Line) -> None:
        """Report everything that is still open on one connection."""
        self._take_late(line)
        self._report_extra(line)

    def reconcile(self) -> None:
        """Settle what was missed with what came after all, and report the rest."""
        for line in {id(line): line for line, _ in self._missing}.values():
            self._take_late(line)

    def _take_late(self, line: Line) -> None:
        missed = [step for other, step in self._missing if other is line]
        self._missing = [(other, step) for other, step in self._missing if other is not line]
        still = []
        for step in missed:
            if (arrival := line.take(step.record, self._renaming)) is not None:
                self.late += 1
                self.check_order(line, step, arrival.number)
            else:
                still.append(step)
        for step in still:
            if (found := line.take_like(step.record, self._renaming)) is not None:
                self.differs("changed", step, f"{what(step.record)} differs", found[1])
            else:
                self.differs("missing", step, f"{what(step.record)} did not come")

    def _report_extra(self, line: Line) -> None:
        for arrival in line.waiting:
            event = arrival.event
            if event.name == "presence" and not self._is_ours(event.data.get("user_id"), arrival.after_line):
                continue
            if event.name in ANSWERS and arrival.number > line.newest_explained:
                # The session that was recorded may have ended before the answer came.
                continue
            said = redact(event.text)[:_LONGEST_QUOTE]
            words = f"{event.name or 'a frame'} came, which was not recorded: {said}"
            self._add(Difference("extra", arrival.after_line, line.user, event.name, words))
        line.waiting.clear()

    def _is_ours(self, user_id: object, line: int) -> bool:
        """Tell whether somebody comes and goes by what is played, and not by what others do here."""
        person = self._world.people.get(self._renaming.old_name(str(user_id)))
        return person is not None and line >= self._opened.get(person.username, line + 1)

    def _add(self, difference: Difference) -> None:
        self.differences.append(difference)
        if len(self.differences) >= self._most:
            raise GaveUp
