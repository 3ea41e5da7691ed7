"""The two documents as pages for people: plain HTML made here, with nothing to load from anywhere.

They show what ``openapi.json`` and ``asyncapi.json`` say, so they cannot say anything else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

Document = Mapping[str, Any]

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 62rem; padding: 0 1rem; }
code, .signature { font-family: ui-monospace, monospace; }
.signature { border-left: .25rem solid #37c; margin: 1.8rem 0 .3rem; padding: .2rem .6rem; font-size: 1rem; }
table { border-collapse: collapse; margin: .3rem 0 1rem; } .quiet { opacity: .65; }
td { padding: .1rem .8rem .1rem 0; text-align: left; vertical-align: top; } nav a { margin-right: 1rem; }
@media (prefers-color-scheme: dark) { body { background: #15171c; color: #dde; } a { color: #8bf; } }
"""


def rest_page(document: Document) -> str:
    """Show the REST calls of an OpenAPI document."""
    calls = (
        part
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        for part in _call(method, path, operation)
    )
    return _page("Tribe REST calls", document, "openapi.json", (*calls, *_schemas(document)))


def events_page(document: Document) -> str:
    """Show the socket's events of an AsyncAPI document."""
    channel = document["channels"]["socket"]
    parts = [f'<p class="signature">GET {escape(channel["address"])}?token=…</p>']
    for operation in document["operations"].values():
        parts.append(f"<h2>{escape(operation['summary'])}</h2>")
        for reference in operation["messages"]:
            message = document["components"]["messages"][_last(reference["$ref"])]
            parts.append(f'<p class="signature">{escape(message["name"])}</p>')
            parts.append(f"<p>{escape(message['summary'])} {_link(message['payload'])}</p>")
    return _page("Tribe events", document, "asyncapi.json", (*parts, *_schemas(document)))


def _page(title: str, document: Document, source: str, parts: tuple[str, ...]) -> str:
    links = (("/docs", "REST calls"), ("/docs/events", "Events"), (f"/api/v1/{source}", source))
    navigation = "".join(f'<a href="{address}">{name}</a>' for address, name in links)
    version = escape(document["info"]["version"])
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body>'
        f'<h1>{title} <small class="quiet">{version}</small></h1><nav>{navigation}</nav>'
        f"{''.join(parts)}</body></html>"
    )


def _call(method: str, path: str, operation: Document) -> Iterator[str]:
    yield f'<p class="signature"><b>{method.upper()}</b> {escape(path)}</p>'
    yield f"<p>{escape(operation.get('description') or operation.get('summary', ''))}</p>"
    rows = [
        (parameter["name"], f"{parameter['in']}, {_type(parameter.get('schema', {}))}")
        for parameter in operation.get("parameters", ())
    ]
    if "requestBody" in operation:
        rows.append(("body", _content(operation["requestBody"])))
    rows += [
        (status, f"{escape(answer['description'])} {_content(answer)}")
        for status, answer in operation["responses"].items()
    ]
    yield _table(rows)


def _schemas(document: Document) -> Iterator[str]:
    yield "<h2>Shapes</h2>"
    for name, schema in document.get("components", {}).get("schemas", {}).items():
        yield f'<p class="signature" id="{escape(name)}">{escape(name)}</p>'
        yield f"<p>{escape(schema.get('description', ''))}</p>"
        required = schema.get("required", ())
        yield _table(
            [
                (key, _type(value) + ("" if key in required else ' <span class="quiet">optional</span>'))
                for key, value in schema.get("properties", {}).items()
            ]
        )


def _table(rows: list[tuple[str, str]]) -> str:
    cells = (f"<tr><td><code>{escape(name)}</code></td><td>{text}</td></tr>" for name, text in rows)
    return f"<table>{''.join(cells)}</table>"


def _content(part: Document) -> str:
    schemas = (media.get("schema", {}) for media in part.get("content", {}).values())
    return ", ".join(filter(None, map(_type, schemas)))


def _type(schema: Document) -> str:
    """Say the type of a JSON schema in a few words, as HTML."""
    if "$ref" in schema:
        return _link(schema)
    if "const" in schema:
        return f"<code>{escape(str(schema['const']))}</code>"
    if "enum" in schema:
        return " | ".join(f"<code>{escape(str(value))}</code>" for value in schema["enum"])
    if "anyOf" in schema or "oneOf" in schema:
        return " | ".join(map(_type, schema.get("anyOf") or schema["oneOf"]))
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return escape(str(schema.get("type", "")))


def _link(reference: Document) -> str:
    name = escape(_last(reference["$ref"]))
    return f'<a href="#{name}">{name}</a>'


def _last(reference: str) -> str:
    return reference.rsplit("/", 1)[1]
