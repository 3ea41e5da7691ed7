"""How long a scenario of 200 people in 50 conversations takes, with a throw-away server beside it."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.contestants import Stable
from benchmarks.crowd import Crowd
from benchmarks.figures import Figure
from benchmarks.metrics import OURS
from benchmarks.sockets import DriverError

_PROGRAM = Path(sys.executable).with_name("tribe-ws")
_DEADLINE = 300.0


async def measure(_stable: Stable, number: int) -> list[Figure]:
    """Measure one pass."""
    return [Figure("crowd/scenario", OURS, number, _seconds(Crowd()))]


def _seconds(crowd: Crowd) -> float:
    with tempfile.TemporaryDirectory(prefix="tribe-ws-crowd-") as folder:
        scenario, world = Path(folder, "crowd.yaml"), Path(folder, "world.yaml")
        scenario.write_text(crowd.scenario(), "utf-8")
        world.write_text(crowd.world(), "utf-8")
        ran = subprocess.run(
            [str(_PROGRAM), "scenario", "run", str(scenario), "--serve", "--fixtures", str(world), "--json"],
            capture_output=True,
            text=True,
            timeout=_DEADLINE,
        )
    if ran.returncode:
        raise DriverError(f"the crowd's scenario failed: {ran.stdout[-500:]}{ran.stderr[-500:]}")
    return float(json.loads(ran.stdout)["results"][0]["seconds"])
