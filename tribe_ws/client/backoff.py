"""How long to wait before the next try: full jitter over a delay that doubles; no I/O, no clock.

Full jitter (anything between nothing and the ceiling of this try) spreads the clients of a server that came
back, which equal delays would let stampede (reliability 1, Slack).
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

_MAX_DOUBLINGS = 32


@dataclass(slots=True)
class Backoff:
    """Delays between tries: the n-th lies between 0 and ``first`` doubled n times, at most ``ceiling``."""

    first: float = 0.5
    ceiling: float = 15.0
    rng: random.Random = field(default_factory=random.Random, repr=False)
    tries: int = field(default=0, init=False)

    @property
    def limit(self) -> float:
        """The longest the next delay can be."""
        return min(self.ceiling, self.first * 2.0 ** min(self.tries, _MAX_DOUBLINGS))

    def next_delay(self) -> float:
        """Count one more try and tell how many seconds to wait before it."""
        limit = self.limit
        self.tries += 1
        return self.rng.uniform(0.0, limit)

    def reset(self) -> None:
        """Begin again with short delays: the last try has succeeded for good."""
        self.tries = 0
