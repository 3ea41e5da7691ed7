"""What the end of a connection means for the state of a session: nobody there, refused, log in again."""

from __future__ import annotations

from tribe_ws.errors import ApiError, AuthenticationError, CannotConnect, ConnectionLost, TribeError
from tribe_ws.protocol.close_codes import SLOW_CONSUMER
from tribe_ws_tui.state import Link, LinkKind

TOO_SLOW = frozenset({1008, 1013, SLOW_CONSUMER.code})
"""Close codes with which a server cuts off a client that does not read."""
_RUN_OUT = frozenset({"token_expired", "no_refresh_token", "not_logged_in", "token_missing"})
UNAUTHORIZED, FORBIDDEN = 401, 403


def link_of(error: TribeError, now: float) -> Link:
    """Tell where a session stands after an error that ended it."""
    match error:
        case CannotConnect():
            return Link(LinkKind.UNREACHABLE, since=now, reason=error.reason, words=str(error))
        case AuthenticationError(close_code=None, reason=reason) if not reason.startswith("http_"):
            return Link(LinkKind.LOGIN_NEEDED, since=now, reason=reason, words=str(error))
        case AuthenticationError(close_code=code, reason=reason) if reason in _RUN_OUT:
            return Link(LinkKind.LOGIN_NEEDED, since=now, code=code, reason=reason, words=str(error))
        case AuthenticationError(close_code=code, reason=reason):
            status = int(reason[5:]) if reason.startswith("http_") and reason[5:].isdecimal() else code
            return Link(
                LinkKind.REFUSED, since=now, code=status, reason=reason, words=_refusal(status, str(error))
            )
        case ConnectionLost(close_code=code, reason=reason) if code in TOO_SLOW:
            return Link(LinkKind.CUT_OFF, since=now, code=code, reason=reason)
        case ConnectionLost(close_code=code, reason=reason):
            return Link(LinkKind.REFUSED, since=now, code=code, reason=reason or str(error), words="closed")
        case ApiError(status=status) if status in (UNAUTHORIZED, FORBIDDEN):
            return Link(LinkKind.REFUSED, since=now, code=status, reason=str(error.detail), words=str(error))
    return Link(LinkKind.UNREACHABLE, since=now, words=str(error))


def _refusal(code: int | None, said: str) -> str:
    if code == 4401:
        return "token rejected"
    return "account refused" if code == 4403 else said
