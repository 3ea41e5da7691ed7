"""The one command that measures.

python -m benchmarks [--only fan-out,sends,…] [--passes 3] [--report benchmarks/REPORT.md]
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import uvloop

from benchmarks.contestants import Stable
from benchmarks.figures import Figure, Figures
from benchmarks.machine import DRIVER_CORE, describe_load, pin
from benchmarks.report import draw_report, draw_targets, missed
from benchmarks.scenarios import broadcast, crowd, fan_out, inspector, memory, sends, stalled, start
from benchmarks.sockets import DriverError

SCENARIOS: dict[str, Callable[[Stable, int], Coroutine[Any, Any, list[Figure]]]] = {
    "fan-out": fan_out.measure,
    "sends": sends.measure,
    "broadcast": broadcast.measure,
    "stalled": stalled.measure,
    "memory": memory.measure,
    "start": start.measure,
    "crowd": crowd.measure,
    "inspector": inspector.measure,
}


def main() -> int:
    """Measure what was asked for; exit code 1 if a target was missed, 2 if a measurement failed."""
    options = _read_options()
    load, started = describe_load(), time.monotonic()
    pin(0, DRIVER_CORE)
    figures, failures = _measure(options.only, options.passes)
    minutes = (time.monotonic() - started) / 60
    print(draw_targets(figures))
    if options.report is not None:
        report = draw_report(figures, passes=options.passes, load=load, minutes=minutes)
        options.report.write_text(report, "utf-8")
        _say(f"wrote {options.report}")
    for failure in failures:
        _say(f"not measured: {failure}")
    return 2 if failures else 1 if missed(figures) else 0


def _measure(scenarios: list[str], passes: int) -> tuple[Figures, list[str]]:
    """Measure everything, pass by pass; what fails is told, and does not take the rest with it."""
    figures, failures = Figures(), []
    with tempfile.TemporaryDirectory(prefix="tribe-ws-benchmarks-") as folder:
        stable = Stable(Path(folder))
        for number in range(passes):
            for name in scenarios:
                began = time.monotonic()
                try:
                    figures.add(_measure_once(name, stable, number))
                except (DriverError, OSError) as error:
                    failures.append(f"{name} in pass {number + 1}: {str(error) or type(error).__name__}")
                seconds = time.monotonic() - began
                _say(f"pass {number + 1} of {passes}: {name} ({seconds:.0f} s)")
    return figures, failures


def _say(line: str) -> None:
    print(line, file=sys.stderr)


def _measure_once(name: str, stable: Stable, number: int) -> list[Figure]:
    """Run one scenario in a loop of its own, without the garbage of the one before."""
    gc.collect()
    gc.freeze()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_awaited(SCENARIOS[name](stable, number)))


async def _awaited(measuring: Coroutine[Any, Any, list[Figure]]) -> list[Figure]:
    """Measure, and let nothing that fails inside a callback go unnoticed."""
    task = asyncio.ensure_future(measuring)
    mishaps: list[str] = []

    def give_up(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        mishaps.append(f"{context['message']}: {context.get('exception')!r}")
        task.cancel()

    asyncio.get_running_loop().set_exception_handler(give_up)
    try:
        return await task
    except asyncio.CancelledError:
        if mishaps:
            raise DriverError(mishaps[0]) from None
        raise


def _read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", type=_scenario_names, default=list(SCENARIOS), help=",".join(SCENARIOS))
    parser.add_argument("--passes", type=int, default=3, help="how often everything is measured (3)")
    parser.add_argument("--report", type=Path, help="the Markdown file to write")
    return parser.parse_args()


def _scenario_names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    if unknown := set(names) - set(SCENARIOS):
        raise argparse.ArgumentTypeError(f"no such scenario: {', '.join(sorted(unknown))}")
    return names


if __name__ == "__main__":
    sys.exit(main())
