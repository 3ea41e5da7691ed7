"""``/auth`` on a real socket (contract 4, 5)."""

from __future__ import annotations

import jwt
import pytest

from tests.server.conftest import PASSWORD
from tribe_ws.clock import ManualClock, new_id

ME = [
    "id", "email", "username", "full_name", "bio", "profile_image_url", "cover_image_url", "goals_achieved",
    "photos_shared", "email_verified", "is_active", "last_seen_at", "created_at",
]  # fmt: skip


def registration(**changes):
    name = f"u{new_id()[-12:]}"
    return {
        "email": f"{name}@x.test",
        "username": name,
        "full_name": "Ana Full",
        "password": PASSWORD,
        "confirm_password": PASSWORD,
    } | changes


def login(backend, name, password=PASSWORD, **more):
    return backend.post("/auth/login", json={"email": name, "password": password} | more)


def test_registering_makes_an_account_and_logs_in(backend):
    body = registration()
    answer = backend.post("/auth/register", json=body)
    assert answer.status_code == 201
    found = answer.json()
    assert list(found) == ["user", "access_token", "refresh_token", "token_type", "expires_in"]
    assert (found["token_type"], found["expires_in"]) == ("bearer", 3600)
    assert list(found["user"]) == ME
    assert found["user"]["email"] == body["email"]
    me = backend.get("/auth/me", headers={"Authorization": f"Bearer {found['access_token']}"})
    assert me.json() == found["user"]


def test_taken_address_and_taken_name_are_refused(backend):
    body = registration()
    backend.post("/auth/register", json=body)
    other = registration()
    again = backend.post("/auth/register", json=other | {"email": body["email"].upper()})
    assert (again.status_code, again.json()) == (400, {"detail": "Email already registered"})
    again = backend.post("/auth/register", json=other | {"username": body["username"].upper()})
    assert (again.status_code, again.json()) == (400, {"detail": "Username already taken"})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("password", "Short-1"), ("password", "nouppercase-1"), ("password", "NOLOWERCASE-1"),
        ("password", "No-digit-here"), ("password", "Aa1" * 43), ("password", None), ("username", "ab"),
        ("username", "a" * 51), ("username", "ana stone"), ("username", "anä"), ("email", "nobody"),
        ("email", 5), ("full_name", ""), ("full_name", "  "), ("full_name", "a\0b"),
        ("confirm_password", "Another-1"),
    ],
)  # fmt: skip
def test_unacceptable_registration_is_422_and_names_the_field(backend, field, value):
    answer = backend.post("/auth/register", json=registration(**{field: value}))
    assert answer.status_code == 422
    problem = answer.json()
    assert list(problem) == ["detail", "errors"]
    assert problem["detail"] == "Validation error"
    assert field in {error["field"] for error in problem["errors"]}
    assert all(list(error) == ["field", "message"] and error["message"] for error in problem["errors"])


def test_no_refusal_repeats_the_password(backend):
    answer = backend.post("/auth/register", json=registration(username="a", password="Secret-word-77"))
    assert "Secret-word-77" not in answer.text
    assert "Secret-word-77" not in backend.log


def test_login_by_address_and_by_name(backend):
    person = backend.person()
    for name in (person.email, person.email.upper(), person.username):
        answer = login(backend, name, device_info={"platform": "android"})
        assert answer.status_code == 200
        assert list(answer.json()) == ["user", "access_token", "refresh_token", "token_type", "expires_in"]
        assert answer.json()["user"]["id"] == person.id


def test_wrong_password_and_unknown_user_are_told_alike(backend):
    person = backend.person()
    wrong, unknown = login(backend, person.email, "Wrong-horse-1"), login(backend, "nobody@x.test")
    assert (wrong.status_code, wrong.json()) == (401, {"detail": "Incorrect email or password"})
    assert (unknown.status_code, unknown.json()) == (wrong.status_code, wrong.json())
    assert wrong.headers["WWW-Authenticate"] == unknown.headers["WWW-Authenticate"] == "Bearer"
    assert set(wrong.headers) == set(unknown.headers)


def test_wrong_password_and_unknown_user_cost_the_same_verifications(start, monkeypatch):
    from pwdlib.hashers.argon2 import Argon2Hasher

    backend = start()
    body = registration()
    assert backend.post("/auth/register", json=body).status_code == 201
    counted = []
    verify = Argon2Hasher.verify

    def count(self, password, password_hash):
        counted.append(password_hash)
        return verify(self, password, password_hash)

    monkeypatch.setattr(Argon2Hasher, "verify", count)
    login(backend, body["email"], "Wrong-horse-1")
    for_somebody = len(counted)
    login(backend, "nobody@x.test", "Wrong-horse-1")
    assert (for_somebody, len(counted) - for_somebody) == (1, 1)


def test_disabled_account_may_not_log_in(backend):
    person = backend.person(is_active=False)
    answer = login(backend, person.email)
    assert (answer.status_code, answer.json()) == (403, {"detail": "account_disabled"})
    assert login(backend, person.email, "Wrong-horse-1").status_code == 401


def test_too_many_failures_have_to_wait(start):
    backend = start(limit_logins=3)
    person, other = backend.person(), backend.person()
    for _ in range(3):
        assert login(backend, person.email, "Wrong-horse-1").status_code == 401
    answer = login(backend, person.email)
    assert answer.status_code == 429
    assert list(answer.json()) == ["detail"]
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    assert login(backend, other.email).status_code == 200


def test_ten_failures_a_minute_are_the_default(backend):
    person = backend.person()
    failures = [login(backend, person.email, "Wrong-horse-1").status_code for _ in range(11)]
    assert failures == [401] * 10 + [429]


def test_refreshing_gives_an_access_token_that_works(backend):
    tokens = login(backend, backend.person().email).json()
    answer = backend.post("/auth/refresh", json={"refresh_token": tokens["refresh_token"]})
    assert answer.status_code == 200
    assert list(answer.json()) == ["access_token", "token_type", "expires_in"]
    token = answer.json()["access_token"]
    assert backend.get("/auth/me", headers={"Authorization": f"Bearer {token}"}).status_code == 200


@pytest.mark.parametrize("kind", ["access", "garbage", "never given out"])
def test_only_our_refresh_tokens_refresh(backend, kind):
    person = backend.person()
    token = {
        "access": person.token,
        "garbage": "x.y.z",
        "never given out": backend.services.tokens.refresh(person).token,
    }[kind]
    answer = backend.post("/auth/refresh", json={"refresh_token": token})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert list(answer.json()) == ["detail"]


def test_disabled_account_may_not_refresh(backend):
    person = backend.person()
    tokens = login(backend, person.email).json()
    backend.server.run(backend.services.storage.users.update(person.id, {"is_active": False}))
    answer = backend.post("/auth/refresh", json={"refresh_token": tokens["refresh_token"]})
    assert answer.status_code == 403


def test_logging_out_revokes_the_refresh_token(backend):
    person = backend.person()
    refresh = {"refresh_token": login(backend, person.email).json()["refresh_token"]}
    for _ in range(2):
        answer = backend.post("/auth/logout", person, json=refresh)
        assert answer.status_code == 200
        assert list(answer.json()) == ["message", "success"]
        assert answer.json()["success"] is True
    answer = backend.post("/auth/refresh", json=refresh)
    assert (answer.status_code, answer.json()) == (401, {"detail": "token_revoked"})


def test_nobody_logs_somebody_else_out(backend):
    person = backend.person()
    refresh = {"refresh_token": login(backend, person.email).json()["refresh_token"]}
    assert backend.post("/auth/logout", backend.person(), json=refresh).status_code == 401
    assert backend.post("/auth/logout", json=refresh).status_code == 401
    assert backend.post("/auth/refresh", json=refresh).status_code == 200


def test_logging_out_with_an_access_token_in_the_body_is_refused(backend):
    person = backend.person()
    answer = backend.post("/auth/logout", person, json={"refresh_token": person.token})
    assert (answer.status_code, answer.json()) == (401, {"detail": "token_type"})


def test_tokens_follow_the_servers_clock(start):
    clock = ManualClock()
    backend = start(clock, access_ttl=60, refresh_ttl=3600)
    person = backend.person()
    tokens = login(backend, person.email).json()
    assert tokens["expires_in"] == 60
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    clock.advance(66)
    answer = backend.get("/auth/me", headers=headers)
    assert (answer.status_code, answer.json()) == (401, {"detail": "token_expired"})
    fresh = backend.post("/auth/refresh", json={"refresh_token": tokens["refresh_token"]}).json()
    headers = {"Authorization": f"Bearer {fresh['access_token']}"}
    assert backend.get("/auth/me", headers=headers).status_code == 200
    clock.advance(3600)
    fresh_token = backend.services.tokens.access(person)
    answer = backend.post(
        "/auth/logout",
        headers={"Authorization": f"Bearer {fresh_token}"},
        json={"refresh_token": tokens["refresh_token"]},
    )
    assert answer.status_code == 200
    answer = backend.post("/auth/refresh", json={"refresh_token": tokens["refresh_token"]})
    assert (answer.status_code, answer.json()) == (401, {"detail": "token_expired"})


@pytest.mark.parametrize(
    ("header", "detail"),
    [
        (None, "token_missing"), ("Bearer", "token_missing"),
        ("Basic abc", "token_invalid"), ("Bearer x.y.z", "token_invalid"), ("x.y.z", "token_invalid"),
    ],
)  # fmt: skip
def test_call_without_a_usable_token_is_401_with_a_challenge(backend, header, detail):
    headers = {} if header is None else {"Authorization": header}
    answer = backend.get("/auth/me", headers=headers)
    assert (answer.status_code, answer.json()) == (401, {"detail": detail})
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_two_authorization_headers_are_refused(backend):
    value = f"Bearer {backend.person().token}"
    answer = backend.http.get("/auth/me", headers=[("Authorization", value), ("Authorization", value)])
    assert (answer.status_code, answer.json()) == (401, {"detail": "token_invalid"})


def test_scheme_is_read_in_any_case(backend):
    token = backend.person().token
    assert backend.get("/auth/me", headers={"Authorization": f"bEARER {token}"}).status_code == 200


def test_refresh_token_gives_no_access(backend):
    refresh = login(backend, backend.person().email).json()["refresh_token"]
    answer = backend.get("/auth/me", headers={"Authorization": f"Bearer {refresh}"})
    assert (answer.status_code, answer.json()) == (401, {"detail": "token_type"})


def test_token_of_an_unknown_user_gives_no_access(backend):
    claims = jwt.decode(backend.person().token, options={"verify_signature": False})
    secret = backend.server.settings.secret
    token = jwt.encode(claims | {"sub": new_id()}, secret, algorithm="HS256")
    answer = backend.get("/auth/me", headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.json()) == (401, {"detail": "user_unknown"})


def test_disabled_account_has_no_access(backend):
    answer = backend.get("/auth/me", backend.person(is_active=False))
    assert (answer.status_code, answer.json()) == (403, {"detail": "account_disabled"})
