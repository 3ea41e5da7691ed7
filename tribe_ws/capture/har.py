"""A capture as HAR 1.2, which the network panels of browsers read; sockets stand as Chrome writes them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import tribe_ws
from tribe_ws.capture.record import Record, compact_json
from tribe_ws.capture.redaction import redact_record
from tribe_ws.clock import format_timestamp
from tribe_ws.protocol.urls import HIDDEN, SOCKET_PATH, ServerAddress

Json = dict[str, Any]
_TEXT_FRAME = 1
_STATUS_TEXTS = {101: "Switching Protocols", 200: "OK", 201: "Created", 204: "No Content"}
_UNKNOWN_SERVER = ServerAddress("http://tribe.invalid")


def to_har(records: Iterable[Record], address: ServerAddress | None = None) -> Json:
    """Give the records as a HAR document: an entry for each REST call and for each connection.

    A capture does not say which server it is of; ``address`` does. Notes are left out. Secrets are taken out
    whatever the records hold.
    """
    server = address or _UNKNOWN_SERVER
    kept = [redact_record(record) for record in records if record.direction != "note"]
    entries = [_call(record, server) for record in kept if record.direction == "rest"]
    entries += [_socket(group, server) for group in _connections(kept)]
    return {
        "log": {
            "version": "1.2",
            "creator": {"name": "tribe-ws", "version": tribe_ws.__version__},
            "pages": [],
            "entries": sorted(entries, key=lambda entry: str(entry["startedDateTime"])),
        }
    }


def _connections(records: Iterable[Record]) -> list[list[Record]]:
    found: dict[tuple[str, str], list[Record]] = {}
    for record in records:
        if record.direction in {"in", "out"}:
            found.setdefault((record.as_user, record.connection), []).append(record)
    return list(found.values())


def _call(record: Record, server: ServerAddress) -> Json:
    seconds = record.latency or 0.0
    path = record.path or "/"
    return _entry(
        record.at - timedelta(seconds=seconds),
        seconds,
        _request(record.method or "GET", server.base_url + path, "HTTP/1.1", record.request),
        _response(record.status or 0, "" if record.frame is None else compact_json(record.frame)),
        record,
    )


def _socket(frames: list[Record], server: ServerAddress) -> Json:
    first, last = frames[0], frames[-1]
    url = f"{server.socket_url}?token={HIDDEN}"
    spent = max(0.0, (last.at - first.at).total_seconds())
    entry = _entry(first.at, spent, _request("GET", url, "HTTP/1.1", None), _response(101, ""), first)
    entry["_resourceType"] = "websocket"
    entry["_webSocketMessages"] = [
        {
            "type": "send" if frame.direction == "out" else "receive",
            "time": frame.at.timestamp(),
            "opcode": _TEXT_FRAME,
            "data": frame.text or compact_json(frame.frame),
        }
        for frame in frames
    ]
    return entry


def _entry(started: datetime, seconds: float, request: Json, response: Json, record: Record) -> Json:
    milliseconds = round(seconds * 1000, 3)
    return {
        "startedDateTime": format_timestamp(started),
        "time": milliseconds,
        "request": request,
        "response": response,
        "cache": {},
        "timings": {"send": 0, "wait": milliseconds, "receive": 0},
        "comment": f"as {record.as_user or 'nobody'}{f', {record.connection}' if record.connection else ''}",
    }


def _request(method: str, url: str, version: str, body: Any) -> Json:
    is_private = SOCKET_PATH not in url
    headers = {"Authorization": f"Bearer {HIDDEN}"} if is_private else {"Upgrade": "websocket"}
    request: Json = {
        "method": method,
        "url": url,
        "httpVersion": version,
        "cookies": [],
        "headers": _pairs(headers),
        "queryString": _pairs(dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))),
        "headersSize": -1,
        "bodySize": 0,
    }
    if body is not None:
        text = compact_json(body)
        request["bodySize"] = len(text.encode("utf-8", "surrogatepass"))
        request["postData"] = {"mimeType": "application/json", "text": text}
    return request


def _response(status: int, text: str) -> Json:
    size = len(text.encode("utf-8", "surrogatepass"))
    return {
        "status": status,
        "statusText": _STATUS_TEXTS.get(status, ""),
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _pairs({"Content-Type": "application/json"} if text else {}),
        "content": {"size": size, "mimeType": "application/json" if text else "x-unknown", "text": text},
        "redirectURL": "",
        "headersSize": -1,
        "bodySize": size,
    }


def _pairs(values: dict[str, str]) -> list[Json]:
    return [{"name": name, "value": value} for name, value in values.items()]
