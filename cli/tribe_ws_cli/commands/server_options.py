"""The options of ``serve`` that are settings of the server, by the settings' names, as plain data."""

from __future__ import annotations

from tribe_ws_cli.registry import CommandOption

_BASIC = (
    ("host", "HOST", "Address to listen on (127.0.0.1)."),
    ("port", "PORT", "Port to listen on (8000); 0 picks a free one."),
    ("db", "FILE|URL|:memory:", "Database (a file in your data folder)."),
    ("fixtures", "demo|none|FILE", "World to fill the database with (demo)."),
    ("profile", "documented|app", "Wire profile of clients that ask for none (documented)."),
    ("reject", "close|http", "Refuse a bad token by close code 4401, or by HTTP 401 (close)."),
    ("on_expiry", "close|ignore", "What happens when a live token ends (close)."),
    ("access_ttl", "DURATION", "Life of an access token (60m)."),
    ("refresh_ttl", "DURATION", "Life of a refresh token (30d)."),
    ("allow_origin", "A,B", "Further origins that may connect; * allows all."),
    ("allow_host", "A,B", "Further host names a loopback server answers to."),
)
_LIMITS = (
    ("limit_frames", "N", "Frames a connection may send in 10 s (300); 0 is off, as for all limits."),
    ("limit_subscriptions", "N", "Conversations a connection may subscribe to (128)."),
    ("limit_connections", "N", "Connections a user may hold (20)."),
    ("limit_outbox_bytes", "N", "Bytes that may wait for a connection (1 MiB)."),
    ("limit_outbox_frames", "N", "Frames that may wait for a connection (1024)."),
    ("limit_logins", "N", "Failed logins a minute, per account and address (10)."),
    ("limit_requests", "N", "REST requests a minute and address (0)."),
    ("max_frame_bytes", "N", "Largest frame a client may send (64 KiB)."),
    ("max_body_bytes", "N", "Largest REST body a client may send (1 MiB)."),
)
_TIMES = (
    ("heartbeat_timeout", "DURATION", "Close a client that is silent for so long (0, never; at least 75s)."),
    ("ping_interval", "DURATION", "Time between the transport's own pings (20s)."),
    ("ping_timeout", "DURATION", "How long the transport waits for their answer (20s)."),
    ("handshake_timeout", "DURATION", "How long a client may take to ask for its upgrade (10s)."),
    ("stop_timeout", "DURATION", "How long a stop may take, whatever clients do (10s)."),
    ("presence_delay", "DURATION", "Delay before a user without sockets counts as offline (3s)."),
    ("typing_ttl", "DURATION", "When typing:true lapses by itself (6s)."),
)
_WORKINGS = (
    ("fan_out", "fast|portable", "How frames reach sockets (fast)."),
    ("durability", "full|normal", "SQLite synchronous mode; normal may lose commits at a power cut (full)."),
    ("log_level", "LEVEL", "debug, info, warning or error (info)."),
    ("log_format", "auto|console|json", "Log lines for people or for machines (auto)."),
    ("faults", "SPEC", "Faults to start with, separated by semicolons: drop 5% @bob; delay 1s out."),
    ("fault_seed", "N", "Seed of the faults' chance: the same seed, the same faults (0)."),
    ("seed", "N", "Make ids repeat: the same calls on the same data get the same ids."),
    ("clock", "system|frozen|xN", "Time of tokens, typing, presence and limits (system)."),
)
_SWITCHES = (
    ("cors", "Answer CORS requests of the allowed origins (yes)."),
    ("docs", "Serve the API's documents (yes)."),
    ("control", "Serve the control API (on loopback addresses only)."),
)
_QUIRKS = (
    "A deviation of production to reproduce, repeatable: "
    "single-socket, typing-unchecked, offset-timestamps, page-ignored, http-403."
)


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


SERVER_OPTIONS: tuple[CommandOption, ...] = (
    *(
        CommandOption(name, (_flag(name),), metavar, text)
        for name, metavar, text in (*_BASIC, *_LIMITS, *_TIMES, *_WORKINGS)
    ),
    *(CommandOption(name, (f"{_flag(name)}/--no-{name}",), "", text) for name, text in _SWITCHES),
    CommandOption("quirks", ("--quirk",), "NAME", _QUIRKS, is_repeatable=True),
)
