"""The OpenAPI document made whole: what FastAPI cannot know of our calls is added here.

FastAPI sees parameters and models. It does not see that refusals have bodies of our own, which of them a call
can give, or an example of anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic.json_schema import models_json_schema
from starlette.routing import compile_path

from tribe_ws.protocol.models import ErrorOut, ValidationErrorOut
from tribe_ws.protocol.rest_examples import REST_EXAMPLES
from tribe_ws.protocol.urls import API_PREFIX

Operation = dict[str, Any]

_ABOUT = """\
The REST half of a Tribe backend. Log in with `POST /api/v1/auth/login`, send the `access_token` of its answer
as `Authorization: Bearer …`, and open the socket with the same token: its events are described in
`/api/v1/asyncapi.json` and on `/docs/events`.

Every refusal is `{"detail": …}`; a 422 adds what is wrong, field by field. Ids are hyphenated UUIDs,
timestamps UTC with milliseconds and `Z`.
"""
_TAGS = {
    "auth": "Who somebody is: accounts and tokens.",
    "users": "One's own profile, and the others'.",
    "conversations": "Who talks with whom.",
    "messages": "What was said.",
    "operation": "For whoever watches the server; no token.",
}
_REFUSALS = {
    "401": "No token, or one that is not accepted.",
    "403": "Not allowed: not a participant, no admin, or a disabled account.",
    "404": "There is no such thing.",
    "413": "The body is too large.",
    "422": "The request can be read but not accepted.",
    "429": "Too many requests; `Retry-After` says when to try again.",
    "503": "The database does not answer; nothing was done.",
}
_PARTICULAR = {
    "auth_register": {"400": "Email already registered, or username already taken."},
    "auth_login": {
        "401": "Incorrect email or password.",
        "403": "The account is disabled.",
        "429": "Too many failed logins; `Retry-After` says when to try again.",
    },
    "auth_refresh": {"401": "The refresh token is not accepted.", "403": "The account is disabled."},
    "conversations_create_conversation": {"404": "There is no such user."},
    "messages_read_messages": {"404": "There is no such conversation, or no such message."},
}
"""What the rules for all calls do not say, by the name of the call."""
_HEADERS = {
    "401": {"WWW-Authenticate": "The scheme that is asked for: `Bearer`."},
    "429": {"Retry-After": "Seconds."},
    "503": {"Retry-After": "Seconds."},
}
_ID_PATTERN = "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"


def complete(document: dict[str, Any]) -> None:
    """Add refusals, examples and explanations to the document that FastAPI made, in place."""
    document["info"]["description"] = _ABOUT
    document["tags"] = [{"name": name, "description": text} for name, text in _TAGS.items()]
    _add_schemas(document["components"]["schemas"])
    for path, calls in document["paths"].items():
        for operation in calls.values():
            operation["operationId"] = _name(operation)
            if path.startswith(API_PREFIX):
                _add_refusals(path, operation)
            _type_ids(operation)
            for media in _media(operation):
                _add_example(media)


def allowed_methods(document: dict[str, Any], path: str) -> list[str]:
    """Tell with which methods a path can be asked, all of them; nothing for a path of no call."""
    for template, calls in document["paths"].items():
        if compile_path(template)[0].match(path):
            return sorted(method.upper() for method in calls)
    return []


def _add_schemas(schemas: dict[str, Any]) -> None:
    _, ours = models_json_schema(
        [(ErrorOut, "serialization"), (ValidationErrorOut, "serialization")],
        ref_template="#/components/schemas/{model}",
    )
    schemas.update(ours["$defs"])
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    # What is not sent stays as it is; the model's own default is never used, and no name.
    schemas["UpdateMeBody"]["properties"]["full_name"].pop("default")


def _name(operation: Operation) -> str:
    # "Read Me" is a call of two tags.
    return f"{operation['tags'][0]}_{operation['summary']}".lower().replace(" ", "_")


def _add_refusals(path: str, operation: Operation) -> None:
    answers = operation["responses"]
    particular = _PARTICULAR.get(operation["operationId"], {})
    if "422" in answers:
        answers["422"] = {"description": _REFUSALS["422"]}
    for status in _statuses(path, operation):
        answers.setdefault(status, {"description": particular.get(status, _REFUSALS[status])})
    for status, text in particular.items():
        answers.setdefault(status, {"description": text})
    if "422" not in _statuses(path, operation):
        answers.pop("422", None)
    for status, answer in answers.items():
        if status >= "400":
            model = "ValidationErrorOut" if status == "422" else "ErrorOut"
            answer["content"] = {"application/json": {"schema": {"$ref": f"#/components/schemas/{model}"}}}
            if status in _HEADERS:
                answer["headers"] = {
                    name: {"description": text, "schema": {"type": "string"}}
                    for name, text in _HEADERS[status].items()
                }
    operation["responses"] = dict(sorted(answers.items()))


def _statuses(path: str, operation: Operation) -> Iterator[str]:
    if "security" in operation:
        yield from ("401", "403")
    if "{" in path:
        yield "404"
    has_body = "requestBody" in operation
    if has_body:
        yield "413"
    if has_body or any(parameter["in"] != "path" for parameter in operation.get("parameters", ())):
        yield "422"
    yield from ("429", "503")


def _type_ids(operation: Operation) -> None:
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "path":
            parameter["schema"] |= {"format": "uuid", "pattern": _ID_PATTERN}


def _media(operation: Operation) -> Iterator[dict[str, Any]]:
    for part in (operation.get("requestBody", {}), *operation["responses"].values()):
        yield from part.get("content", {}).values()


def _add_example(media: dict[str, Any]) -> None:
    schema = media.get("schema", {})
    is_list = schema.get("type") == "array"
    name = (schema["items"] if is_list else schema).get("$ref", "").rsplit("/", 1)[-1]
    if name in REST_EXAMPLES:
        example = REST_EXAMPLES[name]
        media["example"] = [example] if is_list else example
