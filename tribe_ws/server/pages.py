"""The two documents as pages for people: plain HTML made here, with nothing to load from anywhere.

They show what ``openapi.json`` and ``asyncapi.json`` say, so they cannot say anything else. No script runs in
them: what folds and unfolds is the browser's own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import Any

from tribe_ws.protocol.urls import API_PREFIX
from tribe_ws.server.page_style import STYLE

Document = Mapping[str, Any]


def rest_page(document: Document) -> str:
    """Show the REST calls of an OpenAPI document."""
    groups: dict[str, list[tuple[str, str, Document]]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            groups.setdefault(operation.get("tags", ["other"])[0], []).append((method, path, operation))
    explained = {tag["name"]: tag["description"] for tag in document.get("tags", ())}
    parts = [_about(document)]
    menu = []
    for name, calls in groups.items():
        parts.append(_heading(name, explained.get(name, "")))
        menu.append(_menu(name, [(_call_anchor(*it[:2]), _call_label(*it[:2])) for it in calls]))
        parts += [part for method, path, operation in calls for part in _call(method, path, operation)]
    parts += _shapes(document)
    return _page("REST calls", "/docs", document, menu, parts)


def events_page(document: Document) -> str:
    """Show the socket's events of an AsyncAPI document."""
    address = document["channels"]["socket"]["address"]
    server = document["servers"]["here"]
    url = f"{server['protocol']}://{server['host']}{address}?token=…"
    parts = [_about(document), f'<pre class="address">{escape(url)}</pre>']
    menu = []
    for name, operation in document["operations"].items():
        messages = [document["components"]["messages"][_last(it["$ref"])] for it in operation["messages"]]
        title = operation["summary"].rstrip(".")
        parts.append(_heading(name, "", title))
        menu.append(_menu(name, [(f"{name}-{it['title']}", escape(it["name"])) for it in messages], title))
        parts += [part for it in messages for part in _event(name, operation["action"], it, document)]
    parts += _shapes(document)
    return _page("Events", "/docs/events", document, menu, parts)


def _page(title: str, here: str, document: Document, menu: Iterable[str], parts: Iterable[str]) -> str:
    links = (
        ("/docs", "REST calls"),
        ("/docs/events", "Events"),
        ("/api/v1/openapi.json", "openapi.json"),
        ("/api/v1/asyncapi.json", "asyncapi.json"),
    )
    tabs = "".join(
        f'<a href="{address}"{" aria-current=page" if address == here else ""}>{name}</a>'
        for address, name in links
    )
    version = escape(document["info"]["version"])
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Tribe · {title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body>'
        f"<header><h1>Tribe <small>{version}</small></h1><nav>{tabs}</nav></header>"
        f'<div class="columns"><nav class="menu">{"".join(menu)}'
        f'<h3><a href="#shapes">Shapes</a></h3></nav>'
        f"<main><h1>{title}</h1>{''.join(parts)}</main></div></body></html>"
    )


def _about(document: Document) -> str:
    paragraphs = document["info"].get("description", "").strip().split("\n\n")
    return "".join(f'<p class="lead">{_prose(text)}</p>' for text in paragraphs if text)


def _heading(name: str, text: str, title: str | None = None) -> str:
    return f'<h2 id="{escape(name)}">{escape(title or name.capitalize())}</h2><p>{_prose(text)}</p>'


def _menu(name: str, entries: list[tuple[str, str]], title: str | None = None) -> str:
    links = "".join(f'<li><a href="#{escape(anchor)}">{label}</a></li>' for anchor, label in entries)
    heading = f'<a href="#{escape(name)}">{escape(title or name.capitalize())}</a>'
    return f"<h3>{heading}</h3><ul>{links}</ul>"


def _call(method: str, path: str, operation: Document) -> Iterator[str]:
    lock = ' <span class="tag">token</span>' if "security" in operation else ""
    yield f'<section id="{escape(_call_anchor(method, path))}">'
    yield f'<h3 class="signature">{_call_name(method, path)}{lock}</h3>'
    yield f"<p>{_prose(operation.get('description') or operation.get('summary', ''))}</p>"
    rows = [
        (
            parameter["name"],
            " ".join(
                (
                    _type(parameter.get("schema", {})),
                    f'<span class="quiet">{escape(parameter["in"])}</span>',
                    _prose(parameter.get("description", "")),
                )
            ),
        )
        for parameter in operation.get("parameters", ())
    ]
    if "requestBody" in operation:
        rows.append(("body", _content(operation["requestBody"])))
    yield _table(rows)
    yield from _examples("Request", operation.get("requestBody", {}))
    refused = []
    for status, answer in operation["responses"].items():
        row = (status, f"{_prose(answer['description'])} {_content(answer)}")
        if status >= "4":
            refused.append(row)
        else:
            yield _table([row], "good")
            yield from _examples("Answer", answer)
    if refused:
        yield f"<details><summary>Refusals: {', '.join(status for status, _ in refused)}</summary>"
        yield f"{_table(refused, 'bad')}</details>"
    yield "</section>"


def _event(group: str, action: str, message: Document, document: Document) -> Iterator[str]:
    arrow = "client → server" if action == "receive" else "server → client"
    yield f'<section id="{escape(group)}-{escape(message["title"])}"><h3 class="signature">'
    yield f'<b class="{escape(action)}">{arrow}</b> {escape(message["name"])}</h3>'
    yield f"<p>{_prose(message['summary'])}</p>"
    schema = document["components"]["schemas"][_last(message["payload"]["$ref"])]
    yield _fields(schema)
    for example in message.get("examples", ()):
        yield _json(example["payload"])
    yield "</section>"


def _shapes(document: Document) -> Iterator[str]:
    yield _heading("shapes", "What the names above stand for.")
    for name, schema in document.get("components", {}).get("schemas", {}).items():
        yield f'<section id="{escape(name)}"><h3 class="signature">{escape(name)}</h3>'
        yield f"<p>{_prose(schema.get('description', ''))}</p>{_fields(schema)}</section>"


def _fields(schema: Document) -> str:
    required = schema.get("required", ())
    return _table(
        [
            (key, _type(value) + ("" if key in required else ' <span class="quiet">optional</span>'))
            for key, value in schema.get("properties", {}).items()
        ]
    )


def _examples(title: str, part: Document) -> Iterator[str]:
    for media in part.get("content", {}).values():
        if "example" in media:
            yield f"<details open><summary>{title}</summary>{_json(media['example'])}</details>"


def _json(value: Any) -> str:
    return f"<pre>{escape(json.dumps(value, indent=2, ensure_ascii=False))}</pre>"


def _table(rows: list[tuple[str, str]], kind: str = "") -> str:
    cells = (f"<tr><td><code>{escape(name)}</code></td><td>{text}</td></tr>" for name, text in rows)
    return f'<table class="{kind}">{"".join(cells)}</table>' if rows else ""


def _content(part: Document) -> str:
    schemas = (media.get("schema", {}) for media in part.get("content", {}).values())
    return ", ".join(filter(None, map(_type, schemas)))


def _type(schema: Document) -> str:
    """Say the type of a JSON schema in a few words, as HTML."""
    if "$ref" in schema:
        return _link(schema)
    if "const" in schema:
        return f"<code>{escape(json.dumps(schema['const']))}</code>"
    if "enum" in schema:
        return " | ".join(f"<code>{escape(json.dumps(value))}</code>" for value in schema["enum"])
    if "anyOf" in schema or "oneOf" in schema:
        return " | ".join(map(_type, schema.get("anyOf") or schema["oneOf"]))
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return escape(str(schema.get("format") or schema.get("type", "")))


def _prose(text: str) -> str:
    """Turn the little markup of our descriptions into HTML: what stands between backticks is code."""
    return re.sub(r"`{1,2}([^`]+)`{1,2}", r"<code>\1</code>", escape(text))


def _call_name(method: str, path: str) -> str:
    return f'<b class="{escape(method)}">{escape(method.upper())}</b> {escape(path)}'


def _call_label(method: str, path: str) -> str:
    # What all paths begin with tells nothing in a menu; a long one breaks before a slash.
    name = escape(path.removeprefix(API_PREFIX)).replace("/", "<wbr>/").removeprefix("<wbr>")
    return f'<b class="{escape(method)}">{escape(method.upper())}</b> {name}'


def _call_anchor(method: str, path: str) -> str:
    return f"{method}-{path.strip('/').replace('/', '-')}"


def _link(reference: Document) -> str:
    name = escape(_last(reference["$ref"]))
    return f'<a href="#{name}">{name}</a>'


def _last(reference: str) -> str:
    return reference.rsplit("/", 1)[1]
