"""What to do when a connection ends or an attempt fails: give up, renew the token, or try again. No I/O.

The advice of each close code is the contract's (3.6). A refusal is never answered by a retry loop: one
renewed token that is refused as well ends it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tribe_ws.client.backoff import Backoff
from tribe_ws.client.failures import ACCOUNT_CLOSED
from tribe_ws.errors import AuthenticationError, ConnectionLost, TribeError
from tribe_ws.protocol.close_codes import Advice, advice_for

NORMAL_CLOSE = 1000


@dataclass(frozen=True, slots=True)
class GiveUp:
    """The stream ends, with ``error`` or, after a normal close, without one."""

    error: TribeError | None


@dataclass(frozen=True, slots=True)
class Renew:
    """Get another token, then connect after ``delay`` seconds; ``error`` is the refusal."""

    delay: float
    error: TribeError


@dataclass(frozen=True, slots=True)
class TryAgain:
    """Connect again after ``delay`` seconds; ``error`` is why the last connection or attempt ended."""

    delay: float
    error: TribeError


Verdict = GiveUp | Renew | TryAgain


@dataclass(slots=True)
class ReconnectPolicy:
    """The state between connections; ``steady_after`` seconds of being open make trouble forgotten."""

    is_enabled: bool = True
    max_tries: int | None = None
    backoff: Backoff = field(default_factory=Backoff)
    steady_after: float = 10.0
    tries: int = field(default=0, init=False)
    _is_renewed: bool = field(default=False, init=False)

    def opened(self) -> None:
        """Note that ``connected`` was seen: the token is good."""
        self._is_renewed = False
        self.tries = 0

    def renewed(self) -> None:
        """Note that another token was got: if that is refused as well, there is no use in a third."""
        self._is_renewed = True

    def ended(self, error: TribeError, *, open_for: float) -> Verdict:
        """Decide after an open connection has ended."""
        if open_for >= self.steady_after:
            self.backoff.reset()
        if isinstance(error, ConnectionLost) and error.close_code == NORMAL_CLOSE:
            return GiveUp(None)
        return self._decide(error) if self.is_enabled else GiveUp(error)

    def failed(self, error: TribeError) -> Verdict:
        """Decide after an attempt to connect, or to renew the token, has failed."""
        return self._decide(error)

    def _decide(self, error: TribeError) -> Verdict:
        if isinstance(error, AuthenticationError):
            return self._renew(error)
        if isinstance(error, ConnectionLost):
            advice = advice_for(error.close_code, error.reason)
            if advice in (Advice.STOP, Advice.MEND):
                return GiveUp(error)
        if self.max_tries is not None and self.tries >= self.max_tries:
            return GiveUp(error)
        self.tries += 1
        return TryAgain(self.backoff.next_delay(), error)

    def _renew(self, error: AuthenticationError) -> Verdict:
        if error.close_code == ACCOUNT_CLOSED or self._is_renewed:
            return GiveUp(error)
        self.tries += 1
        # A token that ended in its time is replaced at once; a server that refuses each new one soon after
        # has to wait for us ever longer.
        delay = 0.0 if self.backoff.tries == 0 else self.backoff.next_delay()
        self.backoff.tries = max(1, self.backoff.tries)
        return Renew(delay, error)
