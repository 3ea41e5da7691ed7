"""What each end of a connection means for where a session stands."""

from __future__ import annotations

import pytest

from tribe_ws.client.failures import explain_close, explain_handshake_status
from tribe_ws.errors import ApiError, AuthenticationError, CannotConnect, ProtocolViolation, TribeError
from tribe_ws.protocol.urls import ServerAddress
from tribe_ws_tui.endings import link_of
from tribe_ws_tui.state import LinkKind

ADDRESS = ServerAddress("http://127.0.0.1:8000")


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        (CannotConnect("nothing is listening on x", reason="refused"), LinkKind.UNREACHABLE, None),
        (explain_close(4401, "token_invalid"), LinkKind.REFUSED, 4401),
        (explain_close(4401, "token_expired"), LinkKind.LOGIN_NEEDED, 4401),
        (explain_close(4403, "account_disabled"), LinkKind.REFUSED, 4403),
        (explain_handshake_status(ADDRESS, 403, "Forbidden"), LinkKind.REFUSED, 403),
        (explain_handshake_status(ADDRESS, 404), LinkKind.UNREACHABLE, None),
        (AuthenticationError("not logged in", reason="not_logged_in"), LinkKind.LOGIN_NEEDED, None),
        (explain_close(4413, "slow_consumer"), LinkKind.CUT_OFF, 4413),
        (explain_close(1008, ""), LinkKind.CUT_OFF, 1008),
        (explain_close(1009, ""), LinkKind.REFUSED, 1009),
        (ApiError(403, "Access denied"), LinkKind.REFUSED, 403),
        (ApiError(500, "oh"), LinkKind.UNREACHABLE, None),
        (ProtocolViolation("invalid_payload", "no list"), LinkKind.UNREACHABLE, None),
    ],
    ids=str,
)
def test_an_ending_says_where_the_session_stands(error: TribeError, kind: LinkKind, code: int | None) -> None:
    link = link_of(error, 7.0)
    assert (link.kind, link.code, link.since) == (kind, code, 7.0)
    assert link.words or kind is LinkKind.CUT_OFF


def test_the_servers_own_reason_is_kept() -> None:
    assert link_of(explain_close(4401, "token_invalid"), 0).reason == "token_invalid"
    assert link_of(ApiError(403, "Access denied"), 0).reason == "Access denied"
