"""What the inspector says of a session's state: a glyph, words and a tone, so that no colour is needed.

Pure: a state and the time in, pieces of text out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from rich.cells import cell_len
from textual.content import Content

from tribe_ws.capture.visible import visible_line
from tribe_ws.capture.words import latency_text
from tribe_ws_tui.state import ConversationState, Link, LinkKind, Person, SessionState, Typing

Tone = Literal["", "good", "busy", "warn", "bad", "dim", "accent", "strong"]

STYLES: dict[Tone, str] = {
    "": "",
    "good": "$text-success",
    "busy": "$text-warning",
    "warn": "$text-warning bold",
    "bad": "$text-error bold",
    "dim": "$foreground-muted",
    "accent": "$text-accent",
    "strong": "bold",
}
PRESENCE = {"online": "●", "away": "◐", "offline": "○", "": "?"}
SILENCE = 5.0
"""Seconds after which a silence is explained."""
MANY_WAITING = 1000
"""Frames that wait to be shown, from which on the inspector says that it is slow."""
_BARS = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True, slots=True)
class Piece:
    """Some words with a tone; what has the highest ``rank`` goes first where there is no room."""

    text: str
    tone: Tone = ""
    rank: int = 0


def fit(pieces: Iterable[Piece], width: int, gap: str = "  ") -> Content:
    """Put pieces on a line of that width: those of the highest rank are left out until the others fit."""
    left = [piece for piece in pieces if piece.text]
    while len(left) > 1 and _width(left, gap) > width:
        left.remove(max(reversed(left), key=lambda piece: piece.rank))
    parts: list[Content] = []
    for piece in left:
        parts += [Content(gap)] if parts else []
        parts.append(toned(piece.text, piece.tone))
    return Content("").join(parts).truncate(max(0, width), ellipsis=True)


def toned(text: str, tone: Tone = "") -> Content:
    """Make one line of any text, with nothing in it that a terminal would obey and no markup."""
    return Content.styled(visible_line(text), STYLES[tone])


def _width(pieces: Sequence[Piece], gap: str) -> int:
    return sum(cell_len(piece.text) for piece in pieces) + len(gap) * (len(pieces) - 1)


def count(number: int, word: str) -> str:
    """Say how many: ``1 violation``, ``4,210 events``."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def link_words(state: SessionState, now: float, place: str, fps: int = 4) -> tuple[str, Tone]:
    """Say where a session stands with its server, in the words of the status bar."""
    link = state.link
    if link.kind is LinkKind.REPLAY and link.words:
        return f"▷ {link.words}", "accent"
    if link.kind in _PLAIN:
        return _PLAIN[link.kind]
    passed = max(0.0, now - link.since)
    match link.kind:
        case LinkKind.DIALLING:
            return f"◌ connecting {place} {passed:.1f} s", "busy"
        case LinkKind.HANDSHAKEN:
            return f'◌ handshake done, waiting for "connected" {passed:.0f} s', "busy"
        case LinkKind.OPEN:
            return _open_words(state, passed, fps)
        case LinkKind.RECONNECTING | LinkKind.RESTARTING:
            return _waiting_words(link, now), "busy"
        case LinkKind.RENEWING:
            return f"! {link.words or 'token expired, renewing…'}", "warn"
    return _failure_words(link, place), "bad"


_PLAIN: dict[LinkKind, tuple[str, Tone]] = {
    LinkKind.NEW: ("○ not connected yet", "dim"),
    LinkKind.LOGIN_NEEDED: ("✗ log in again: press L", "bad"),
    LinkKind.DISCONNECTED: ("○ disconnected, Ctrl+R connects", "dim"),
    LinkKind.REPLAY: ("▷ replay, not connected", "accent"),
}


def _failure_words(link: Link, place: str) -> str:
    code = f" ({link.code})" if link.code else ""
    if link.kind is LinkKind.REFUSED:
        return f"✗ refused: {link.words or 'token rejected'}{code}"
    if link.kind is LinkKind.CUT_OFF:
        return f"✗ closed {link.code}: we read too slowly"
    return f"✗ {link.words or f'nothing listens on {place}'}"


def _open_words(state: SessionState, passed: float, fps: int) -> tuple[str, Tone]:
    if state.waiting > MANY_WAITING:
        return f"! slow: {state.waiting:,} frames waiting, view at {fps} fps", "warn"
    if not state.subscribed and passed >= SILENCE:
        return "● open, not subscribed", "warn"
    return "● open", "good"


def _waiting_words(link: Link, now: float) -> str:
    left = max(0.0, link.until - now)
    again = (
        f"again in {left:.0f} s (try {link.attempt})" if left >= 0.5 else f"trying again (try {link.attempt})"
    )
    if link.kind is LinkKind.RESTARTING:
        return f"◌ server restarting… {again}"
    closed = f"closed {link.code}, " if link.code else ""
    return f"◌ {closed}{again}  Ctrl+R now"


@dataclass(frozen=True, slots=True)
class Stream:
    """What a stream shows: how many events, of how many, and whether anybody was heard in it yet."""

    shown: int
    held: int
    has_heard: bool


def advice(state: SessionState, now: float, conversation: str, stream: Stream, other: str) -> str:
    """Explain an empty stream or a silence, in a sentence with the key that helps."""
    shown, held = stream.shown, stream.held
    if held and not shown:
        return f"0 of {held:,} shown. Esc clears the filter."
    link = state.link
    match link.kind:
        case LinkKind.DIALLING | LinkKind.HANDSHAKEN:
            return "• dialling…" if not held else ""
        case LinkKind.REFUSED:
            reason = link.reason or link.words
            return f'The server refused, and said: "{reason}". L logs in again; there is no retry.'
        case LinkKind.LOGIN_NEEDED:
            return "Your login has ended. Press L to log in again; your drafts and the capture are kept."
        case LinkKind.UNREACHABLE:
            words = link.words or "nothing listens there"
            return f"{words[0].upper()}{words[1:]}. S starts the local server, Ctrl+R tries again."
        case LinkKind.OPEN:
            return "" if stream.has_heard else _silence(state, now, conversation, other)
    return ""


def _silence(state: SessionState, now: float, conversation: str, other: str) -> str:
    quiet_since = max(state.link.since, state.heard_at or 0.0)
    if now - quiet_since < SILENCE:
        return ""
    if not state.subscribed:
        return (
            "You are connected but subscribed to nothing, so nothing will arrive. "
            f"Press s for {conversation or '#general'}, or /subscribe NAME."
        )
    labels = " ".join(one.label for one in state.conversations.values() if one.is_subscribed)
    act = f"press t to act as {other}" if other else "nobody else is here"
    here = f"Subscribed to {labels}. Nothing yet. Write below, or {act}:"
    return f"{here} your own messages are not echoed to you."


def rtt_words(state: SessionState) -> str:
    """Say how long the newest round trip took."""
    return f"rtt {latency_text(state.rtt)}" if state.rtt is not None else "rtt –"


def rate_words(state: SessionState, now: float) -> str:
    """Say how many events come in a second."""
    rate = state.rate.per_second(now)
    return f"{rate:.0f}/s" if rate >= 1 or not rate else f"{rate:.1f}/s"


def sparkline(values: Sequence[int]) -> str:
    """Draw values as a row of bars, one character each."""
    highest = max(values, default=0) or 1
    return "".join(_BARS[round(value / highest * (len(_BARS) - 1))] for value in values)


def latency_words(state: SessionState) -> str:
    """Say the middle and the slow end of the measured latencies."""
    middle, slow = state.percentile(0.5), state.percentile(0.95)
    if middle is None or slow is None:
        return ""
    return f"latency p50 {middle * 1000:.0f} p95 {slow * 1000:.0f} ms"


def typing_words(typists: Iterable[Typing], now: float) -> str:
    """Say who types, and for how long: ``bob is typing 3 s``."""
    said = []
    for one in typists:
        if one.is_current(now):
            said.append(f"{one.name} is typing {one.seconds(now)} s")
        elif one.is_fading(now):
            said.append(f"{one.name} was typing")
    return "  ".join(said)


def conversation_note(conversation: ConversationState) -> str:
    """Say what is new in a conversation, or that nothing will be."""
    if not conversation.is_subscribed:
        return "not subs"
    return f"{conversation.unread} new" if conversation.unread else ""


def person_note(person: Person, letter: str) -> str:
    """Say what is known of somebody: typing, which of our sessions, what was seen."""
    typing = f"typing {person.typing_seconds} s" if person.typing_seconds is not None else ""
    mine = letter or ("you" if person.is_me else "")
    if mine or typing:
        return ", ".join(filter(None, (mine, typing)))
    return person.presence or "not known"


def size_words(size: int) -> str:
    """Write a size: ``212 B``, ``1.2 MB``."""
    amount = float(size)
    for unit in ("B", "kB", "MB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} GB"


def clock_words(seconds: float) -> str:
    """Write a position in a capture: ``01:20``."""
    whole = max(0, int(seconds))
    return f"{whole // 60:02d}:{whole % 60:02d}"
