from __future__ import annotations

import pytest

from tribe_ws.protocol.close_codes import CLOSE_CODES, Advice, advice_for, meaning_of


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


@pytest.mark.parametrize(
    ("code", "reason", "meaning"),
    [
        (4401, "token_type", "a refresh token was given in place of an access token"),
        (4413, "", "the client reads too slowly"),
        (4999, "whatever", ""),
    ],
)
def test_a_close_is_explained_in_a_phrase(code: int, reason: str, meaning: str):
    assert meaning_of(code, reason) == meaning


def test_a_close_that_no_frame_announced_is_explained_too():
    assert meaning_of(1006) != ""
