"""What every code of tribe-ws means: close codes, error codes, HTTP statuses and exit codes, by one look-up.

The texts that the code itself holds (close codes, exit codes, the classes of ``errors``) are taken from
there; only what has no other home is written here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from difflib import get_close_matches

from tribe_ws import errors
from tribe_ws.errors import ConnectionLost, TribeError
from tribe_ws.protocol.close_codes import CLOSE_CODES, ELSEWHERE, advice_for
from tribe_ws_cli.diagnostics import exit_code
from tribe_ws_cli.exit_codes import MEANINGS


@dataclass(frozen=True, slots=True)
class Explanation:
    """What one code means: the kind of code, its name, and what to do about it (which may be empty)."""

    kind: str
    code: str
    meaning: str
    advice: str = ""

    def as_json(self) -> dict[str, str]:
        """Give the form for ``--json``."""
        return asdict(self)


SOCKET_ERRORS = {
    "invalid_json": ("the frame is no JSON, or repeats a key", "mend the client"),
    "invalid_frame": ("the frame is JSON, but not an object with an event", "mend the client"),
    "unknown_event": ("the server knows no client event of that name", "tribe-ws spec events"),
    "invalid_payload": ("a field of the frame is missing or malformed", "tribe-ws spec events"),
    "not_found": ("there is no such conversation, or it is not yours: the answers are alike", ""),
    "not_participant": ("you take no part in that conversation", "ask an admin of it to add you"),
    "rate_limited": ("the connection sends too many frames; this one was dropped", "send less, then again"),
    "too_many_subscriptions": ("the connection has all the subscriptions it may have", "unsubscribe first"),
    "unsupported_data": ("a binary frame came; the contract has text frames only", "mend the client"),
    "internal": ("a bug of the server", "try again; the server's log knows more"),
}
"""The codes of the ``error`` event, which clients of the profile v2 get."""

_UNAVAILABLE = {
    "storage_full": ("the server's disk is full; nothing was stored", "make room there, then send again"),
    "storage_busy": ("another program holds the server's database", "send again in a moment"),
    "storage_io": ("the server cannot read or write its database", "look at its disk and its log"),
    "storage_stopped": ("the server is stopping; nothing was stored", "send again once it is back"),
}
_REFUSED = {
    "corrupt": ("the database file is damaged, or no SQLite database", "move it away, or restore a backup"),
    "foreign": ("the database belongs to another program", "name another one with --db"),
    "newer": ("the database was made by a newer tribe-ws", "use that version, or another file with --db"),
    "read_only": ("the database, or its folder, cannot be written", "change its permissions"),
    "in_use": ("the database is already served", "stop that server, or name another file with --db"),
    "unreachable": ("the database cannot be opened", "check its address, user and password"),
}
_STATUSES = {
    "400": ("the request cannot be granted as it is; detail says why", "mend the request"),
    "401": ("no token, or one that is not accepted", "refresh the token once and repeat, else log in"),
    "403": ("you may not do that, the account is disabled, or the Origin is not allowed", ""),
    "404": ("there is no such call, user, conversation or message", ""),
    "409": ("the same Idempotency-Key came with another body", "take a fresh key for a fresh message"),
    "413": ("the body is larger than --max-body-bytes", "send less"),
    "421": ("a loopback server was called by a foreign host name", "serve --allow-host NAME"),
    "422": ("a field is missing or malformed; errors names each", "mend the request"),
    "429": ("too many failed logins, or requests", "wait as long as Retry-After says"),
    "500": ("a bug of the server", "its log knows more"),
    "503": ("the database does not answer, or cannot store at the moment", "try again in a moment"),
}
_HAND_WRITTEN = (
    ("socket error", SOCKET_ERRORS),
    ("storage error", _UNAVAILABLE),
    ("database refused", _REFUSED),
    ("HTTP status", _STATUSES),
)

FILTER = """\
A filter picks events by what they are. A space means and, | means or, ! means not, ( ) group; ! binds
closest, then the space, then |. The same language everywhere: --filter, --until, /filter, replay, tui.

{fields}

  data.content~deploy            a field of the frame holds the text, in any case
  data.message_type=image        it is exactly that; != it is not
  data.content~/re/i             it holds a match of the regular expression
  latency>50ms   size<=1kb       compared: > >= < <= =
  deploy   "two words"           anywhere in the raw frame, in any case
  /re/   /re/i                   the regular expression matches in the raw frame; i: in any case

event, from, conv and as take * for any text; a comma between values means or; quotes hold a value together
(conv:"two words", with \\" for a quote in it). conv takes #general, @bob and the beginning of an id. A number
in a path is a place in a list: data.tags.0=b.

is:violation   breaks the contract            is:own      sent by the session's own user
is:control     connected, subscribed, pong…   is:gap      missed, and fetched or replayed later
is:marked      marked in the inspector        is:error    an error event, or a refused call

A regular expression that would take too long is refused, or given up with a word about it.

Examples:
{examples}"""
FILTER_EXAMPLES = (
    "event:message.new from:bob",
    "event:message.* !from:alice",
    "event:typing,presence | is:violation",
    "conv:general data.content~deploy",
    "(dir:in | dir:rest) latency>50ms",
    "from:bob since:5m has:data.sender.profile_image_url",
    "at:01:22..01:25 size>1kb !is:control",
    "event:message.new data.content~/deploy(ed)?/i | is:error",
)


def all_explanations() -> Iterator[Explanation]:
    """Tell everything there is to explain."""
    yield from _close_codes()
    yield from _exit_codes()
    for kind, texts in _HAND_WRITTEN:
        for code, (meaning, advice) in texts.items():
            yield Explanation(kind, code, meaning, advice)
    yield from _errors()


def explain(code: str) -> tuple[Explanation, ...]:
    """Find what a code means: a number, a close reason, or a word; several kinds of code may share it."""
    asked = code.strip().lower().replace("-", "_")
    return tuple(one for one in all_explanations() if asked in one.code.lower().split())


def of_kind(kind: str) -> tuple[Explanation, ...]:
    """Tell all codes of one kind."""
    return tuple(one for one in all_explanations() if one.kind == kind)


def similar(code: str) -> str:
    """Name the code that was probably meant; empty if none is near."""
    known = sorted({word for one in all_explanations() for word in one.code.split()})
    return next(iter(get_close_matches(code.lower().replace("-", "_"), known, n=1)), "")


def filter_text() -> str:
    """Explain the filter language."""
    from tribe_ws.capture.filter import FIELDS

    width = max(map(len, FIELDS)) + 2
    fields = "\n".join(f"  {name:<{width}}{text}" for name, text in FIELDS.items())
    return FILTER.format(fields=fields, examples="\n".join(f"  {one}" for one in FILTER_EXAMPLES))


def _close_codes() -> Iterator[Explanation]:
    rows = [(entry.code, entry.reason, entry.meaning) for entry in CLOSE_CODES]
    rows += [(code, "", meaning) for code, meaning in ELSEWHERE.items()]
    for code, reason, meaning in sorted(rows):
        advice = f"the client should: {advice_for(code, reason).value}"
        if code != 1000:
            advice += f"; our commands end with exit code {int(exit_code(ConnectionLost(code, reason)))}"
        yield Explanation("close code", f"{code} {reason}".strip(), meaning, advice)


def _exit_codes() -> Iterator[Explanation]:
    for code, meaning in MEANINGS.items():
        yield Explanation("exit code", str(int(code)), meaning)


def _errors() -> Iterator[Explanation]:
    """Tell what the codes of ``{"error": {"code": …}}`` mean, which ``--json`` prints."""
    for kind in vars(errors).values():
        if isinstance(kind, type) and issubclass(kind, TribeError) and kind is not TribeError:
            meaning = (kind.__doc__ or "").strip().splitlines()[0].rstrip(".")
            meaning = meaning.split(" (contract")[0]
            yield Explanation("error", kind.code, meaning[:1].lower() + meaning[1:])
    yield Explanation("error", "usage", MEANINGS[exit_code(errors.NotFound(""))])
    yield Explanation("error", "bad_filter", "a filter cannot be read", "tribe-ws explain filter")
    capture = "a capture cannot be read or written; the message names the line"
    yield Explanation("error", "capture", capture, "tribe-ws record --help")
    yield Explanation("error", "file", "a file cannot be read or written")
    yield Explanation("error", "bug", "a bug in tribe-ws; the message names the log")
