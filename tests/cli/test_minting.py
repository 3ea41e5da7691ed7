"""Test tokens, and reading any token."""

from __future__ import annotations

import base64
import json
import time

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cli.conftest import Cli
from tribe_ws.server import minting
from tribe_ws.server.minting import BREAKAGES, TokenUser
from tribe_ws_cli.minting import inspect

SECRET = "s" * 40
ALICE = TokenUser("95d9e76d-d0ad-56b0-bc73-09e0018fc1e6", "alice", "alice@tribe.test")


def mint(*arguments: object) -> str:
    return minting.mint(*arguments, now=time.time())  # type: ignore[arg-type]


def test_a_good_token_would_be_accepted() -> None:
    found = inspect(mint(ALICE, SECRET, 60), SECRET)
    assert (found.refusal, found.signature) == ("", "ours")
    assert found.claims["sub"] == ALICE.id
    assert found.claims["exp"] - found.claims["iat"] == 60


@pytest.mark.parametrize(
    ("broken", "refusal", "why"),
    [
        ("expired", "token_expired", "its time is over"),
        ("not-yet", "token_invalid", "not valid yet"),
        ("signature", "token_invalid", "another secret"),
        ("alg-none", "token_invalid", "'none'"),
        ("refresh", "token_type", "refresh token"),
        ("no-sub", "token_invalid", "lacks sub"),
        ("unknown-user", "", ""),
    ],
)
def test_each_broken_token_is_broken_in_its_own_way(broken: str, refusal: str, why: str) -> None:
    found = inspect(mint(ALICE, SECRET, 60, broken), SECRET)
    assert found.refusal == refusal
    assert why in found.why


def test_an_unknown_user_is_another_one() -> None:
    assert inspect(mint(ALICE, SECRET, 60, "unknown-user"), SECRET).claims["sub"] != ALICE.id


def test_every_breakage_is_known() -> None:
    assert set(BREAKAGES) == {
        "expired",
        "not-yet",
        "signature",
        "alg-none",
        "refresh",
        "unknown-user",
        "no-sub",
    }


def test_without_a_secret_the_signature_stays_open() -> None:
    assert inspect(mint(ALICE, SECRET, 60), None).signature == "not checked"


@pytest.mark.parametrize("claims", [{"exp": "soon"}, {"iat": True}])
def test_times_that_are_no_numbers_are_refused(claims: dict[str, object]) -> None:
    good = {"sub": "x", "type": "access", "iat": int(time.time()), "exp": int(time.time()) + 60}
    parts = [json.dumps(part).encode() for part in ({"alg": "HS256"}, good | claims)]
    token = ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts) + ".x"
    assert inspect(token, None).why == "one of its times is not a number"


@given(st.text() | st.binary().map(lambda data: ".".join([base64.urlsafe_b64encode(data).decode()] * 3)))
def test_any_text_is_read_without_a_fault(text: str) -> None:
    assert inspect(text, SECRET).refusal == "token_invalid"


def test_mint_and_inspect_on_the_command_line(cli: Cli) -> None:
    env = {"TRIBE_WS_SECRET": SECRET}
    token = cli("token", "mint", "--user", "bob", "--ttl", "8h", env=env).stdout.strip()
    assert jwt.decode(token, SECRET, algorithms=["HS256"])["username"] == "bob"
    result = cli("token", "inspect", "-", input=token + "\n", env=env)
    assert result.exit_code == 0
    assert "would be accepted" in result.stdout
    assert token not in result.output
    assert "480 min from now" in result.stdout


def test_inspect_says_why_a_token_would_be_refused(cli: Cli) -> None:
    env = {"TRIBE_WS_SECRET": SECRET}
    token = cli("token", "mint", "--broken", "expired", "--json", env=env).stdout
    result = cli("token", "inspect", env=env | {"TRIBE_WS_TOKEN": json.loads(token)["token"]})
    assert result.exit_code == 4
    assert "would be refused: token_expired, its time is over" in result.stdout
    shown = json.loads(cli("token", "inspect", "--json", json.loads(token)["token"], env=env).stdout)
    assert shown["refusal"] == "token_expired"
    assert shown["header"]["alg"] == "HS256"


def test_the_secret_is_made_at_the_first_mint_and_not_by_reading(cli: Cli, home: object) -> None:
    token = mint(ALICE, SECRET, 60)
    assert "not checked" in cli("token", "inspect", token).stdout
    minted = cli("token", "mint").stdout.strip()
    assert "made with this machine's secret" in cli("token", "inspect", minted).stdout
    assert cli("token", "inspect", token).exit_code == 4


@pytest.mark.parametrize(
    ("args", "code", "what"),
    [
        (("token", "mint", "--user", "zoe"), 2, 'no user "zoe" is known here'),
        (("token", "mint", "--ttl", "long"), 2, "--ttl: not a duration"),
        (("token", "inspect"), 2, 'no token is kept for "local"'),
        (("token", "inspect", "missing.file"), 3, "missing.file: No such file"),
    ],
)
def test_what_cannot_be_minted_or_read(cli: Cli, args: tuple[str, ...], code: int, what: str) -> None:
    result = cli(*args)
    assert result.exit_code == code
    assert what in result.stderr


def test_a_token_from_a_file_and_for_an_id(cli: Cli, tmp_path: object) -> None:
    from pathlib import Path

    Path("token.txt").write_text(cli("token", "mint", "--user", ALICE.id).stdout)
    assert ALICE.id in cli("token", "inspect", "token.txt").stdout
