"""What probes of REST ask again and again: is this the refusal, are these the keys, is that account new.

Each looks at one thing only. A body with a key too many is still the answer that was asked for, so that the
one clause about keys fails and no other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from pydantic import BaseModel

from tribe_ws.check.accounts import Person
from tribe_ws.check.frames import keys
from tribe_ws.check.stage import Stage
from tribe_ws.check.verdict import CannotTell, Skipped
from tribe_ws.check.wire import Answer

NOBODY = "01890a5d-ac96-774b-bcce-b302099a8057"
"""The id of no user and of no conversation."""


def refused(stage: Stage, answer: Answer, status: int, *, of: str, detail: str = "") -> None:
    """Fail the probe unless the answer refuses with that status, and says ``detail`` if it says anything."""
    stage.check(answer.status == status, f"{of}: wanted HTTP {status}, got {answer}")
    said = answer.object.get("detail")
    if detail and isinstance(said, str):
        stage.same(f"the detail of {of}", said, detail)


def is_known(answer: Answer) -> bool:
    """Tell whether the server seems to have that call at all."""
    return answer.status not in {404, 405, 501}


def granted(stage: Stage, answer: Answer, status: int, *, of: str) -> dict[str, Any]:
    """Fail the probe unless the answer has that status and a JSON object, and give the object."""
    stage.check(answer.status == status, f"{of}: wanted HTTP {status}, got {answer}")
    stage.check(isinstance(answer.value, dict), f"{of}: wanted a JSON object, got {answer}")
    return answer.object


def found(stage: Stage, answer: Answer, *, of: str) -> Any:
    """Give what a call answers that the probe needs, but does not judge."""
    stage.require(answer.status == 200, f"{of} could not be read: {answer}")
    return answer.value


def exact_keys(stage: Stage, value: Any, model: type[BaseModel], *, of: str) -> None:
    """Fail the probe unless an object has exactly the keys of the model, in their order."""
    stage.same(f"the keys of {of}", keys(value), list(model.model_fields))


def objects(value: Any) -> list[dict[str, Any]]:
    """Give the objects in a list; of anything else, none."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def sequence(value: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    """Give the objects in a list that stands under a key."""
    return objects(value.get(key))


@dataclass(frozen=True, slots=True)
class Session:
    """The tokens of a fresh login; not every server gives a refresh token."""

    access_token: str = field(repr=False)
    _refresh_token: str = field(repr=False)

    @property
    def refresh_token(self) -> str:
        """The refresh token; without one the probe cannot tell."""
        if not self._refresh_token:
            raise CannotTell("a login gives no refresh token")
        return self._refresh_token


def password_of(person: Person) -> str:
    """Give a person's password; skips the probe where the check was given a token in its place."""
    if not person.password:
        raise Skipped(f"needs the password of {person.username}, and was given a token")
    return person.password


async def log_in(stage: Stage, person: Person) -> Session:
    """Log a person in once more, as a precondition."""
    body = {"email": person.email, "password": password_of(person)}
    answer = await stage.call(None, "POST", "/auth/login", body=body)
    access, refresh = (answer.object.get(name) for name in ("access_token", "refresh_token"))
    if answer.status != 200 or not isinstance(access, str):
        raise CannotTell(f"{person.username} could not log in once more: {answer}")
    return Session(access, refresh if isinstance(refresh, str) else "")


def registration(**changes: Any) -> dict[str, Any]:
    """Lay out the registration of an account that nobody made yet."""
    name = f"check_{uuid4().hex[:16]}"
    body = {
        "email": f"{name}@tribe.test",
        "username": name,
        "full_name": "Contract Check",
        "password": f"Aa1-{uuid4().hex}",
    }
    return {**body, "confirm_password": changes.get("password", body["password"]), **changes}


async def register(stage: Stage) -> Person:
    """Make an account which the probe may do with as it likes, as a precondition."""
    body = registration()
    answer = await stage.call(None, "POST", "/auth/register", body=body)
    token, user = answer.object.get("access_token"), answer.object.get("user")
    if answer.status not in {200, 201} or not isinstance(token, str) or not isinstance(user, dict):
        raise CannotTell(f"no account could be made: {answer}")
    refresh = answer.object.get("refresh_token")
    return Person(
        id=str(user.get("id", "")),
        username=body["username"],
        full_name=body["full_name"],
        email=body["email"],
        token=token,
        refresh_token=refresh if isinstance(refresh, str) else "",
        password=body["password"],
    )
