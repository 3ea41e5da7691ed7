"""Probes of how REST says no (contract 5, errors)."""

from __future__ import annotations

from tribe_ws.check.probe import probe
from tribe_ws.check.rest_answers import NOBODY, is_known, sequence
from tribe_ws.check.stage import Stage
from tribe_ws.check.verdict import CannotTell, Skipped
from tribe_ws.check.wire import Answer
from tribe_ws.protocol.urls import is_loopback_host

_GUARDED = (
    "/auth/me",
    "/users/me",
    f"/users/{NOBODY}",
    "/conversations",
    f"/conversations/{NOBODY}/messages",
)
_HOSTILE = {
    "half an object": b'{"email":"x@tribe.test","password":"x"',
    "no JSON": b"email=x",
    "nothing": b"",
    "invalid UTF-8": b'{"email":"\xff","password":"x"}',
    "an array nested 2,000 deep": b'{"email":' + b"[" * 2000 + b"]" * 2000 + b',"password":"x"}',
    "a number of 5,000 digits": b'{"email":' + b"1" * 5000 + b',"password":"x"}',
    "NaN": b'{"email":NaN,"password":"x"}',
}


@probe("rest.detail", advice='answer each error with {"detail": …}: a text, or a list of texts')
async def errors_have_a_detail(stage: Stage) -> None:
    """Ask for what is not there, and ask without a token."""
    for path, who in (
        ("/auth/me", None),
        (f"/conversations/{NOBODY}", stage.first),
        (f"/users/{NOBODY}", stage.first),
        ("/nowhere", stage.first),
    ):
        answer = await stage.call(who, "GET", path)
        stage.require(400 <= answer.status < 500, f"GET {path} was to be refused: {answer}")
        stage.check(list(answer.object) == ["detail"], f"wanted the key detail alone, got {answer}")
        said = answer.object["detail"]
        is_text = isinstance(said, str) or (
            isinstance(said, list) and all(isinstance(one, str) for one in said)
        )
        stage.check(is_text, f"wanted detail to be text, got {answer}")


@probe(
    "rest.validation",
    advice='answer 422 with {"detail":"Validation error","errors":[{"field":…,"message":…}]}',
)
async def a_422_names_the_fields(stage: Stage) -> None:
    """Log in without saying as whom, and send a message without saying what."""
    _names_fields(stage, await stage.call(None, "POST", "/auth/login", body={}), {"email", "password"})
    if stage.visit.consent.write and len(stage.visit.people) > 1:
        room = await stage.room()
        answer = await stage.call(stage.first, "POST", f"/conversations/{room}/messages", body={})
        _names_fields(stage, answer, {"content"})


def _names_fields(stage: Stage, answer: Answer, fields: set[str]) -> None:
    stage.require(answer.status == 422, f"a body without its fields was to get 422: {answer}")
    stage.same("the keys of a 422", list(answer.object), ["detail", "errors"])
    stage.same("the detail of a 422", answer.object["detail"], "Validation error")
    errors = sequence(answer.object, "errors")
    stage.check(errors, f"wanted a list of errors, got {answer}")
    for error in errors:
        stage.same("the keys of an error", list(error), ["field", "message"])
    stage.same("the fields that are named", {str(error["field"]) for error in errors}, fields)


@probe(
    "rest.unauthorised",
    advice="answer 401 with the header WWW-Authenticate: Bearer where a token is missing or bad",
)
async def a_call_without_a_good_token_gets_401(stage: Stage) -> None:
    """Read things with no token, with rubble for a token, and with another scheme."""
    paths = [path for path in _GUARDED if await _is_there(stage, path)]
    stage.require(paths, "the server knows none of the calls that are tried")
    for path in paths:
        for header in (None, "Bearer rubble", "Basic YTpi"):
            headers = {} if header is None else {"Authorization": header}
            answer = await stage.call(None, "GET", path, headers=headers)
            said = f"GET {path} with {'no token' if header is None else header.split()[0]}"
            stage.check(answer.status == 401, f"{said}: wanted HTTP 401, got {answer}")
            challenge = answer.headers.get("www-authenticate", "")
            stage.check(
                challenge.lower().split(" ")[0].rstrip(",") == "bearer",
                f"{said}: wanted the header WWW-Authenticate: Bearer, got {challenge or 'none'!r}",
            )


async def _is_there(stage: Stage, path: str) -> bool:
    """Tell whether a call seems to exist: with a token, or else without one."""
    for who in (stage.first, None):
        if is_known(await stage.call(who, "GET", path)):
            return True
    return False


@probe("rest.hostile-json", advice="parse bodies strictly, and answer 422 to whatever is no JSON")
async def hostile_json_gets_422(stage: Stage) -> None:
    """Send bodies that parsers disagree about or break on, to a call that changes nothing."""
    for name, content in _HOSTILE.items():
        answer = await stage.call(None, "POST", "/auth/login", content=content)
        stage.check(answer.status == 422, f"{name}: wanted HTTP 422, got {answer}")


@probe("rest.host-foreign", advice="compare the Host header of a loopback server with loopback names: 421")
async def a_foreign_host_gets_421(stage: Stage) -> None:
    """Ask a loopback server under the name of somebody else, as a rebound page would."""
    if not stage.address.is_loopback:
        raise Skipped("holds for a server that is bound to loopback, and this address is none")
    if stage.visit.control is not None:
        settings = (await stage.visit.control.info()).get("settings", {})
        if not is_loopback_host(str(settings.get("host", ""))):
            raise Skipped("holds for a server that is bound to loopback, and this one is not")
    answer = await stage.call(None, "GET", "/health", headers={"Host": "evil.example"}, prefix="")
    if answer.status != 421 and stage.visit.control is None:
        raise CannotTell(
            f"it answers a foreign Host with {answer.status}, and whether it is bound to loopback alone "
            "cannot be seen from outside"
        )
    stage.check(answer.status == 421, f"wanted HTTP 421 for a foreign Host, got {answer}")
    stage.check(
        (await stage.call(None, "GET", "/health", prefix="")).status != 421, "its own Host got 421 too"
    )
