"""The prompt of ``connect``: history, completion, and lines that arrive above what is being typed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import suppress

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.patch_stdout import patch_stdout

from tribe_ws.protocol.frames import CLIENT_FRAMES
from tribe_ws.running import data_folder
from tribe_ws.typed_lines import NotUnderstood
from tribe_ws_cli.environment import Environment
from tribe_ws_cli.inputs import COMMANDS, read_input
from tribe_ws_cli.lifetime import Interrupted
from tribe_ws_cli.live import Live
from tribe_ws_cli.slash import Conversationalist

_TAKES_CONVERSATION = {"subscribe", "unsubscribe", "conv", "who"}
_CHOICES = {
    "typing": ("on", "off", "5s"),
    "presence": ("online", "away", "offline"),
    "time": ("clock", "rel", "delta"),
    "set": ("strict on", "strict off"),
    "filter": ("off", "event:message.new", "is:violation", "!event:ping,pong", "from:"),
    "record": ("stop",),
    "help": tuple(COMMANDS),
}
_EVENTS = tuple(str(frame.model_fields["event"].default) for frame in CLIENT_FRAMES)
_KEYS = ("event", "channel", "conversation_id", "is_typing", "status")


async def read_terminal(live: Live, person: Conversationalist) -> None:
    """Read and carry out lines until Ctrl+D; raises ``Interrupted`` on Ctrl+C."""
    session: PromptSession[str] = PromptSession(
        history=_history(live.identity.environment),
        completer=LineCompleter(person),
        complete_while_typing=False,
        # Not KeyboardInterrupt: that would tear the loop down before the connection is closed.
        interrupt_exception=Interrupted,
    )
    # Raw, because our lines bring their own colours; the texts in them have been made safe before.
    with patch_stdout(raw=True):
        while True:
            try:
                line = await session.prompt_async(lambda: person.prompt)
            except EOFError:
                return
            await _carry_out(line, live, person)


async def _carry_out(line: str, live: Live, person: Conversationalist) -> None:
    try:
        order = read_input(line)
    except NotUnderstood as problem:
        live.note("error", str(problem), tag="error")
        return
    if order is not None:
        await person.attempt(order)
        # What this caused should stand above the next prompt.
        await asyncio.sleep(0)


def _history(environment: Environment) -> History:
    with suppress(OSError):
        folder = data_folder()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = folder / f"history-{environment.profile.replace(':', '-').replace('/', '-')}"
        path.touch(mode=0o600)
        return FileHistory(str(path))
    return InMemoryHistory()


class LineCompleter(Completer):
    """Completes commands, then what belongs after them: conversations, users, choices; keys inside ``{``."""

    def __init__(self, person: Conversationalist) -> None:
        self._person = person

    def get_completions(
        self,
        document: Document,
        complete_event: CompleteEvent,  # noqa: ARG002 - the caller's signature
    ) -> Iterable[Completion]:
        """Give what could stand at the end of the line."""
        typed, candidates = self.candidates(document.text_before_cursor)
        folded = typed.casefold().lstrip("#@")
        for candidate in candidates:
            if candidate.casefold().lstrip("#@").startswith(folded):
                yield Completion(candidate, start_position=-len(typed))

    def candidates(self, line: str) -> tuple[str, Iterable[str]]:
        """Tell the word that is being typed, and all words that can stand in its place."""
        if line.startswith("{"):
            word = line.rpartition('"')[2]
            return word, self._inside_json(line)
        if line.startswith("/") and not line.startswith("//") and " " not in line:
            return line, [f"/{name}" for name in COMMANDS]
        command, _, rest = line.partition(" ")
        word = rest.rpartition(" ")[2] if line.startswith("/") else line.rpartition(" ")[2]
        if line.startswith("/"):
            return word, self._after(command[1:])
        if word.startswith(("#", "@")):
            return word, [*self._person.live.names.aliases(), *self._people("@")]
        return word, ()

    def _after(self, command: str) -> Iterable[str]:
        if command in _TAKES_CONVERSATION:
            return self._person.live.names.aliases()
        if command == "as":
            return self._people("")
        return _CHOICES.get(command, ())

    def _people(self, mark: str) -> list[str]:
        return [f"{mark}{name}" for name in self._person.live.names.usernames]

    def _inside_json(self, line: str) -> Iterator[str]:
        before = line.rpartition('"')[0].rstrip()
        if before.endswith(":"):
            key = before[:-1].rstrip().removesuffix('"').rpartition('"')[2]
            yield from {
                "event": _EVENTS,
                "channel": ("conversation",),
                "status": ("online", "away", "offline"),
                "conversation_id": tuple(one.id for one in self._person.live.names.conversations),
            }.get(key, ())
        else:
            yield from _KEYS
