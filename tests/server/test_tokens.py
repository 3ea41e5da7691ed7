"""What is a token of ours, and with which word every other is refused (contract 3.1, 4)."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass

import jwt
import pytest

from tribe_ws.clock import ManualClock, new_id
from tribe_ws.server import tokens
from tribe_ws.server.tokens import TokenIssuer, TokenKind, TokenRefused, token_hash

SECRET = "s" * 40


@dataclass
class Owner:
    id: str
    username: str = "ana"
    email: str = "ana@x.test"


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def issuer(clock):
    return TokenIssuer(SECRET, clock, access_ttl=3600, refresh_ttl=86400)


@pytest.fixture
def owner():
    return Owner(new_id())


def refused(issuer, token, kind=TokenKind.ACCESS):
    with pytest.raises(TokenRefused) as caught:
        issuer.verify(token, kind)
    assert caught.value.close_code.code == 4401
    return caught.value.close_code.reason


def forged(clock, secret=SECRET, algorithm="HS256", headers=None, without=(), **claims):
    now = int(clock.now().timestamp())
    payload = {"sub": new_id(), "type": "access", "iat": now, "exp": now + 60, "jti": "x"} | claims
    for name in without:
        del payload[name]
    return jwt.encode(payload, secret, algorithm=algorithm, headers=headers)


def part(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def test_access_token_says_what_contract_4_lists(issuer, owner, clock):
    claims = jwt.decode(issuer.access(owner), options={"verify_signature": False})
    now = int(clock.now().timestamp())
    assert list(claims) == ["sub", "type", "iat", "exp", "jti", "username", "email"]
    assert (claims["sub"], claims["type"], claims["username"]) == (owner.id, "access", "ana")
    assert (claims["iat"], claims["exp"]) == (now, now + 3600)


def test_refresh_token_is_kept_as_a_hash_only(issuer, owner):
    refresh = issuer.refresh(owner)
    claims = jwt.decode(refresh.token, options={"verify_signature": False})
    assert list(claims) == ["sub", "type", "token_id", "iat", "exp"]
    assert claims["token_id"] == refresh.token_id
    assert refresh.token_hash == token_hash(refresh.token)
    assert refresh.token not in refresh.token_hash


def test_two_tokens_of_one_second_differ(issuer, owner):
    assert issuer.access(owner) != issuer.access(owner)


def test_own_token_is_verified(issuer, owner, clock):
    claims = issuer.verify(issuer.access(owner), TokenKind.ACCESS)
    assert claims.user_id == owner.id
    assert claims.expires_at == clock.now().timestamp() + 3600


def test_access_token_may_be_given_another_life(issuer, owner, clock):
    claims = issuer.verify(issuer.access(owner, ttl=60), TokenKind.ACCESS)
    assert claims.expires_at == clock.now().timestamp() + 60


@pytest.mark.parametrize("nothing", [None, ""])
def test_no_token_is_missing(issuer, nothing):
    assert refused(issuer, nothing) == "token_missing"


def test_kinds_cannot_be_swapped(issuer, owner):
    assert refused(issuer, issuer.refresh(owner).token) == "token_type"
    assert refused(issuer, issuer.access(owner), TokenKind.REFRESH) == "token_type"


def test_token_lives_five_seconds_longer_than_it_says(issuer, owner, clock):
    token = issuer.access(owner)
    clock.advance(3604.9)
    issuer.verify(token, TokenKind.ACCESS)
    clock.advance(0.2)
    assert refused(issuer, token) == "token_expired"
    assert refused(issuer, token) == "token_expired"


def test_token_that_was_verified_before_still_expires(issuer, owner, clock):
    token = issuer.access(owner)
    issuer.verify(token, TokenKind.ACCESS)
    clock.advance(4000)
    assert refused(issuer, token) == "token_expired"


@pytest.mark.parametrize("claim", ["iat", "nbf"])
def test_token_of_the_future_is_invalid_beyond_the_leeway(issuer, clock, claim):
    now = int(clock.now().timestamp())
    issuer.verify(forged(clock, **{claim: now + 4}), TokenKind.ACCESS)
    assert refused(issuer, forged(clock, **{claim: now + 60})) == "token_invalid"


@pytest.mark.parametrize("claim", ["exp", "iat", "sub", "type"])
def test_token_without_a_required_claim_is_invalid(issuer, clock, claim):
    assert refused(issuer, forged(clock, without=[claim])) == "token_invalid"


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("exp", "tomorrow"), ("exp", True), ("exp", None), ("exp", 1e300), ("exp", -1), ("exp", [1]),
        ("iat", "now"), ("iat", {}), ("nbf", "x"), ("sub", 7), ("sub", None), ("type", "other"),
        ("type", 1), ("type", None), ("jti", 5), ("aud", "somebody"),
    ],
)  # fmt: skip
def test_token_with_a_claim_of_the_wrong_kind_is_invalid(issuer, clock, claim, value):
    token = forged(clock, **{claim: value})
    assert refused(issuer, token) == "token_invalid"


@pytest.mark.parametrize(
    "number", ["1e999", "NaN", "-Infinity", "9" * 400], ids=["1e999", "NaN", "-Infinity", "400 digits"]
)
def test_times_that_are_no_times_are_invalid(issuer, number):
    head = part({"alg": "HS256", "typ": "JWT"})
    payload = f'{{"sub":"x","type":"access","iat":1,"exp":{number}}}'.encode()
    body = base64.urlsafe_b64encode(payload).rstrip(b"=").decode()
    key = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
    signature = key.sign(f"{head}.{body}".encode(), SECRET.encode())
    token = f"{head}.{body}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"
    assert refused(issuer, token) == "token_invalid"


def test_wrong_signature_is_invalid(issuer, clock):
    assert refused(issuer, forged(clock, secret="x" * 40)) == "token_invalid"


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
def test_other_algorithms_are_invalid_even_with_our_secret(issuer, clock, algorithm):
    secret = "s" * 64
    ours = TokenIssuer(secret, clock, access_ttl=60, refresh_ttl=60)
    assert refused(ours, forged(clock, secret=secret, algorithm=algorithm)) == "token_invalid"


@pytest.mark.parametrize("algorithm", ["none", "None", "nOnE", "RS256", "", None, 5])
def test_unsigned_token_is_invalid(issuer, clock, algorithm):
    payload = part({"sub": new_id(), "type": "access", "iat": 0, "exp": 2_000_000_000})
    assert refused(issuer, f"{part({'alg': algorithm, 'typ': 'JWT'})}.{payload}.") == "token_invalid"


def test_critical_extensions_are_invalid(issuer, clock):
    assert refused(issuer, forged(clock, headers={"crit": ["x"], "x": 1})) == "token_invalid"


@pytest.mark.parametrize("field", ["kid", "jku", "jwk", "x5u"])
def test_key_hints_in_the_header_are_not_followed(issuer, clock, field):
    token = forged(clock, secret="x" * 40, headers={field: "/etc/passwd"})
    assert refused(issuer, token) == "token_invalid"


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "..",
        "a.b.c",
        "é" * 10,
        "�",
        "\x00",
        ".".join(["e30"] * 3),
        "e30.e30",
        "a" * 5000,
        "[" * 3000 + ".x.y",
        base64.urlsafe_b64encode(b"[" * 2500).decode() + ".e30.e30",
    ],
    ids=repr,
)
def test_what_is_no_token_is_invalid(issuer, text):
    assert refused(issuer, text) == "token_invalid"


def test_truncated_token_is_invalid(issuer, owner):
    token = issuer.access(owner)
    assert refused(issuer, token[:-2]) == "token_invalid"


def test_subject_that_is_no_id_is_nobody(issuer, clock):
    assert issuer.verify(forged(clock, sub="root"), TokenKind.ACCESS).user_id == ""


def test_subject_is_read_in_lower_case(issuer, clock):
    user_id = new_id()
    assert issuer.verify(forged(clock, sub=user_id.upper()), TokenKind.ACCESS).user_id == user_id


def test_token_is_decoded_once(issuer, owner, monkeypatch):
    token = issuer.access(owner)
    first = issuer.verify(token, TokenKind.ACCESS)
    monkeypatch.setattr(jwt, "decode", lambda *_, **__: pytest.fail("decoded again"))
    assert issuer.verify(token, TokenKind.ACCESS) is first


def test_remembered_tokens_are_bounded(issuer, owner, monkeypatch):
    monkeypatch.setattr(tokens, "CACHE_SIZE", 3)
    issued = [issuer.access(owner) for _ in range(5)]
    for token in issued:
        issuer.verify(token, TokenKind.ACCESS)
    assert list(issuer._verified) == issued[2:]


def test_refusal_never_quotes_the_token(issuer, owner):
    token = issuer.refresh(owner).token
    with pytest.raises(TokenRefused) as caught:
        issuer.verify(token, TokenKind.ACCESS)
    assert token not in str(caught.value)
    assert token not in repr(caught.value)
