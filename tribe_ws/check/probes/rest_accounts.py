"""Probes of registering, logging in, renewing and logging out (contract 5, accounts)."""

from __future__ import annotations

from uuid import uuid4

from tribe_ws.check.probe import Need, probe, unjudged
from tribe_ws.check.rest_answers import granted, is_known, log_in, password_of, refused, registration
from tribe_ws.check.stage import Stage
from tribe_ws.check.wire import Answer
from tribe_ws.protocol.models import AccessTokenResponse, AuthResponse, SuccessResponse

_WRONG = "Wrong-password-1"
_WRONG_LOGIN = "Incorrect email or password"
_TRIES = 3
_NOTICEABLE = 0.03
"""Seconds: verifying a password costs more than that, and a network's moods less."""
_FAILURES_A_MINUTE = 10

unjudged({"login.disabled": "no call of the API disables an account, and the check disables nobody's"})


@probe(
    "register.created",
    needs=[Need.REGISTER],
    advice="answer 201 with user, access_token, refresh_token, token_type bearer and expires_in",
)
async def register_answers_201(stage: Stage) -> None:
    """Make an account."""
    body = registration()
    answer = await stage.call(None, "POST", "/auth/register", body=body)
    said = granted(stage, answer, 201, of="register")
    _has_tokens(stage, said, "register")
    user = said["user"] if isinstance(said["user"], dict) else {}
    stage.same("the username of the new user", user.get("username"), body["username"])


@probe(
    "register.email-taken",
    needs=[Need.REGISTER],
    advice="answer 400 with detail Email already registered; letters count alike in either case",
)
async def a_taken_address_gets_400(stage: Stage) -> None:
    """Register the address of the first person once more."""
    for email in (stage.first.email, stage.first.email.upper()):
        answer = await _register(stage, email=email)
        refused(stage, answer, 400, of="a taken e-mail address", detail="Email already registered")


@probe(
    "register.username-taken",
    needs=[Need.REGISTER],
    advice="answer 400 with detail Username already taken",
)
async def a_taken_username_gets_400(stage: Stage) -> None:
    """Register the username of the first person once more."""
    answer = await _register(stage, username=stage.first.username)
    refused(stage, answer, 400, of="a taken username", detail="Username already taken")


@probe(
    "register.weak-password",
    needs=[Need.REGISTER],
    advice="demand 8 to 128 characters with upper case, lower case and a digit, said twice; else 422",
)
async def a_weak_password_gets_422(stage: Stage) -> None:
    """Try to register with passwords that are too weak, and with one that is not confirmed."""
    for password in ("Short-7", "no-upper-case-7", "NO-LOWER-CASE-7", "No-digit-at-all", "Aa1-" * 40):
        answer = await _register(stage, password=password)
        refused(stage, answer, 422, of=f"the password {password!r}")
    answer = await _register(stage, confirm_password=_WRONG)
    refused(stage, answer, 422, of="a password that is not confirmed")


@probe(
    "register.username",
    needs=[Need.REGISTER],
    advice="take usernames of 3 to 50 of the characters a-z, A-Z, 0-9 and _, and answer 422 to others",
)
async def a_bad_username_gets_422(stage: Stage) -> None:
    """Try to register under names that are too short, too long, or hold other characters."""
    for username in ("ab", "a" * 51, "with-hyphen", "with space", "ännchen", "name\n"):
        answer = await _register(stage, username=username)
        refused(stage, answer, 422, of=f"the username {username!r}")


@probe("login.answer", advice="answer 200 with the keys that register answers")
async def login_answers_what_register_does(stage: Stage) -> None:
    """Log in with the e-mail address."""
    answer = await _login(stage, stage.first.email, password_of(stage.first))
    _has_tokens(stage, granted(stage, answer, 200, of="login"), "login")


@probe("login.username", advice="look a login up by username too, where its email field holds no address")
async def login_takes_a_username(stage: Stage) -> None:
    """Log in with the username in place of the address."""
    answer = await _login(stage, stage.first.username, password_of(stage.first))
    user = granted(stage, answer, 200, of="a login by username").get("user")
    stage.same("the user", user.get("id") if isinstance(user, dict) else None, stage.first.id)


@probe("login.wrong", advice=f"answer 401 with detail {_WRONG_LOGIN}, whatever it is that is wrong")
async def a_wrong_login_gets_401(stage: Stage) -> None:
    """Log in with a wrong password, and as somebody who does not exist."""
    for what, name in (("a wrong password", stage.first.email), ("an unknown user", _nobody())):
        answer = await _login(stage, name, _WRONG)
        refused(stage, answer, 401, of=what, detail=_WRONG_LOGIN)


@probe(
    "login.same-time",
    advice="verify a password also for a user who does not exist, so that time tells nothing",
    alone=True,
    takes=2.0,
)
async def a_wrong_login_takes_the_same_time(stage: Stage) -> None:
    """Compare how long a wrong password takes with how long an unknown user takes."""
    # Not the first person: too many failures in a minute would lock out whom all other probes need.
    known = stage.visit.people[-1].email
    times: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(_TRIES):
        for has_account in (True, False):
            answer = await _login(stage, known if has_account else _nobody(), _WRONG)
            stage.require(answer.status in {400, 401, 404, 422}, f"a wrong login was to be refused: {answer}")
            times[has_account].append(answer.seconds)
    # The quickest of each: what a busy machine adds is not the server's doing.
    slow, quick = min(times[True]), min(times[False])
    stage.check(
        slow - quick < _NOTICEABLE or quick > slow / 3,
        f"an unknown user is refused in {quick * 1000:.0f} ms, a known one in {slow * 1000:.0f} ms",
    )


@probe(
    "login.throttled",
    needs=[Need.THOROUGH],
    advice="answer 429 with Retry-After after 10 failures in a minute",
    takes=10.0,
)
async def the_eleventh_failure_gets_429(stage: Stage) -> None:
    """Fail to log in eleven times as somebody who does not exist, so that nobody is locked out."""
    name = _nobody()
    for _ in range(_FAILURES_A_MINUTE):
        answer = await _try(stage, name, _WRONG)
        stage.check(answer.status == 401, f"one of the first {_FAILURES_A_MINUTE} failures got {answer}")
    answer = await _try(stage, name, _WRONG)
    stage.check(answer.status == 429, f"wanted HTTP 429 for failure {_FAILURES_A_MINUTE + 1}, got {answer}")
    after = answer.headers.get("retry-after", "")
    stage.check(
        after.isdigit() and int(after) >= 1, f"wanted Retry-After in seconds, got {after or 'none'!r}"
    )


@probe("refresh.answer", advice="answer 200 with access_token, token_type and expires_in")
async def refresh_answers_a_new_token(stage: Stage) -> None:
    """Renew the access token of a login of the probe's own, and use it."""
    session = await log_in(stage, stage.first)
    said = granted(stage, await _refresh(stage, session.refresh_token), 200, of="refresh")
    stage.same("the keys of refresh", list(said), list(AccessTokenResponse.model_fields))
    stage.same("token_type", said["token_type"], "bearer")
    me = await stage.call(None, "GET", "/auth/me", token=str(said["access_token"]))
    stage.same("whose the new token is", me.object.get("id"), stage.first.id)


@probe("refresh.refused", advice="answer 401 to whatever is no refresh token in force")
async def no_refresh_token_gets_401(stage: Stage) -> None:
    """Try to renew with rubble, with an access token, and with a refresh token that was changed."""
    session = await log_in(stage, stage.first)
    changed = session.refresh_token[:-6] + session.refresh_token[:-7:-1].swapcase()
    for name, token in (
        ("rubble", "rubble"),
        ("an access token", session.access_token),
        ("a changed refresh token", changed),
    ):
        refused(stage, await _refresh(stage, token), 401, of=f"renewing with {name}")


@probe(
    "logout.revokes",
    advice="answer {message, success: true}, and refuse that refresh token from then on, and no other",
)
async def logout_revokes_one_refresh_token(stage: Stage) -> None:
    """Log in twice, log out of the first, and renew with both."""
    first, second = await log_in(stage, stage.first), await log_in(stage, stage.first)
    stage.require(first.refresh_token != second.refresh_token, "two logins share a refresh token")
    body = {"refresh_token": first.refresh_token}
    answer = await stage.call(stage.first, "POST", "/auth/logout", body=body, token=first.access_token)
    said = granted(stage, answer, 200, of="logout")
    stage.same("the keys of logout", list(said), list(SuccessResponse.model_fields))
    stage.same("success", said["success"], True)
    refused(stage, await _refresh(stage, first.refresh_token), 401, of="renewing after the logout")
    granted(stage, await _refresh(stage, second.refresh_token), 200, of="renewing with another login's token")


def _nobody() -> str:
    return f"nobody-{uuid4().hex[:12]}@tribe.test"


async def _register(stage: Stage, **changes: str) -> Answer:
    answer = await stage.call(None, "POST", "/auth/register", body=registration(**changes))
    stage.require(is_known(answer), f"the server does not seem to register anybody: {answer}")
    return answer


async def _login(stage: Stage, name: str, password: str) -> Answer:
    answer = await _try(stage, name, password)
    stage.require(answer.status != 429, f"the server takes no more logins for now: {answer}")
    return answer


async def _try(stage: Stage, name: str, password: str) -> Answer:
    return await stage.call(None, "POST", "/auth/login", body={"email": name, "password": password})


async def _refresh(stage: Stage, token: str) -> Answer:
    return await stage.call(None, "POST", "/auth/refresh", body={"refresh_token": token})


def _has_tokens(stage: Stage, said: dict[str, object], of: str) -> None:
    stage.same(f"the keys of {of}", list(said), list(AuthResponse.model_fields))
    stage.same("token_type", said["token_type"], "bearer")
    stage.check(isinstance(said["access_token"], str) and said["access_token"], "access_token is no text")
    stage.check(isinstance(said["refresh_token"], str) and said["refresh_token"], "refresh_token is no text")
    stage.check(type(said["expires_in"]) is int, f"expires_in: wanted seconds, got {said['expires_in']!r}")
