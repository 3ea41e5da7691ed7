"""The steps that steer the server itself, which only a server of ours allows; and the one that only waits."""

from __future__ import annotations

import asyncio

from tribe_ws.client.control import ControlClient
from tribe_ws.scenario.model import AddFault, AdvanceClock, ClearFaults, CloseFromServer, Step, Wait
from tribe_ws.scenario.running.moment import Moment


async def wait(step: Wait, _moment: Moment) -> None:
    """Let time pass."""
    await asyncio.sleep(step.seconds)


async def advance_clock(step: AdvanceClock, moment: Moment) -> None:
    """Let the server's time jump."""
    await control_of(step, moment).clock(advance=step.seconds)


async def close_from_server(step: CloseFromServer, moment: Moment) -> None:
    """Have the server close the connections of an actor."""
    username = moment.stage.players[step.actor].user.username
    reason = moment.variables.text(step.reason)
    await control_of(step, moment).disconnect(username, code=step.code, reason=reason)


async def add_fault(step: AddFault, moment: Moment) -> None:
    """Put faults in force."""
    control = control_of(step, moment)
    moment.stage.note_faults()
    await control.add_faults(moment.variables.text(step.text))


async def clear_faults(step: ClearFaults, moment: Moment) -> None:
    """Take all faults away."""
    await control_of(step, moment).clear_faults()


def control_of(step: Step, moment: Moment) -> ControlClient:
    """Give the control API; raises ``StepFailed`` where the server has none for us."""
    control = moment.stage.target.control
    if control is None:
        raise moment.failure(
            step,
            f"{step.verb} needs the control API of a server that tribe-ws runs",
            hint="tribe-ws scenario run --serve FILE",
        )
    return control
