from __future__ import annotations

import pytest

from tribe_ws.protocol.close_codes import CLOSE_CODES, Advice, advice_for


def test_every_close_has_its_own_code_and_reason():
    assert len({(entry.code, entry.reason) for entry in CLOSE_CODES}) == len(CLOSE_CODES)


def test_every_reason_fits_into_a_close_frame():
    assert all(len(entry.reason.encode()) <= 123 for entry in CLOSE_CODES)


@pytest.mark.parametrize(
    ("code", "reason", "advice"),
    [
        (1000, "", Advice.STOP),
        (1009, "", Advice.MEND),
        (1012, "restart", Advice.RECONNECT),
        (4401, "token_expired", Advice.REFRESH),
        (4401, "something else", Advice.REFRESH),
        (4403, "", Advice.STOP),
        (4413, "slow_consumer", Advice.CATCH_UP),
        (1006, "", Advice.RECONNECT),
        (4999, "whatever", Advice.RECONNECT),
    ],
)
def test_a_client_is_told_what_to_do(code: int, reason: str, advice: Advice):
    assert advice_for(code, reason) is advice
