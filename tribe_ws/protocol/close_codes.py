"""Why a connection ends: code, reason, and what the client should do about it (contract 3.6)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Advice(Enum):
    """What a client should do after a close."""

    STOP = "stop"
    MEND = "mend the client"
    RECONNECT = "reconnect with back-off"
    REFRESH = "refresh the token, then reconnect"
    CATCH_UP = "reconnect, then catch up"


@dataclass(frozen=True, slots=True)
class CloseCode:
    """One row of the table in contract 3.6."""

    code: int
    reason: str
    meaning: str
    advice: Advice


NORMAL = CloseCode(1000, "", "the client closed", Advice.STOP)
INVALID_UTF8 = CloseCode(1007, "", "a text frame was not valid UTF-8", Advice.MEND)
TOO_BIG = CloseCode(1009, "", "a frame was larger than 64 KiB", Advice.MEND)
INTERNAL = CloseCode(1011, "internal", "a bug of the server", Advice.RECONNECT)
RESTART = CloseCode(1012, "restart", "the server stops", Advice.RECONNECT)
TOKEN_MISSING = CloseCode(4401, "token_missing", "no token was given", Advice.REFRESH)
TOKEN_INVALID = CloseCode(
    4401, "token_invalid", "the token is malformed, forged or not for now", Advice.REFRESH
)
TOKEN_EXPIRED = CloseCode(4401, "token_expired", "the token's time is over", Advice.REFRESH)
TOKEN_TYPE = CloseCode(
    4401, "token_type", "a refresh token was given in place of an access token", Advice.REFRESH
)
TOKEN_REVOKED = CloseCode(4401, "token_revoked", "the token was revoked", Advice.REFRESH)
USER_UNKNOWN = CloseCode(4401, "user_unknown", "the token names nobody this server knows", Advice.REFRESH)
ACCOUNT_DISABLED = CloseCode(4403, "account_disabled", "the account is disabled", Advice.STOP)
HEARTBEAT_TIMEOUT = CloseCode(4408, "heartbeat_timeout", "the client fell silent", Advice.RECONNECT)
TOO_MANY_CONNECTIONS = CloseCode(
    4409, "too_many_connections", "the user has as many connections as are allowed", Advice.RECONNECT
)
SLOW_CONSUMER = CloseCode(4413, "slow_consumer", "the client reads too slowly", Advice.CATCH_UP)
RATE_LIMITED = CloseCode(4429, "rate_limited", "the client sends too many frames", Advice.RECONNECT)

CLOSE_CODES: tuple[CloseCode, ...] = (
    NORMAL, INVALID_UTF8, TOO_BIG, INTERNAL, RESTART, TOKEN_MISSING, TOKEN_INVALID, TOKEN_EXPIRED, TOKEN_TYPE,
    TOKEN_REVOKED, USER_UNKNOWN, ACCOUNT_DISABLED, HEARTBEAT_TIMEOUT, TOO_MANY_CONNECTIONS, SLOW_CONSUMER,
    RATE_LIMITED,
)  # fmt: skip


ELSEWHERE = {1001: "the server goes away", 1006: "no close frame (the server process ended?)"}
"""Closes that are none of the contract's, because no server of ours sends them."""


def entry_for(code: int, reason: str = "") -> CloseCode | None:
    """Find the row of a close: by code and reason, or by code alone; ``None`` where the contract has none."""
    same_code = [entry for entry in CLOSE_CODES if entry.code == code]
    exact = [entry for entry in same_code if entry.reason == reason]
    return next(iter(exact or same_code), None)


def meaning_of(code: int, reason: str = "") -> str:
    """Say in a phrase what a close means; empty for a code that the contract does not know."""
    entry = entry_for(code, reason)
    return entry.meaning if entry is not None else ELSEWHERE.get(code, "")


def advice_for(code: int, reason: str = "") -> Advice:
    """Tell what a client should do after this close; an unknown code is worth a reconnect."""
    return (entry_for(code, reason) or INTERNAL).advice
