"""What a scenario is: its people, their connections and the steps they take; plain values, nothing is run.

All durations are seconds. ``Value`` is JSON as it was written, in which a ``Template`` stands for every text
with ``${{ }}``: give it to ``Variables.resolve`` (or ``Variables.text``) before use.

Every connection has an **inbox**: the frames that came and that no step has claimed. ``connect``,
``subscribe``, ``unsubscribe`` (v2 only) and ``ping`` claim the frame that answers them, ``expect`` claims
what it matched; ``never`` claims nothing and looks at everything unclaimed, that which is there already and
that which comes while it lasts. ``forget``, ``connect`` and ``reconnect`` begin with an empty inbox.

A connection opens before the first step, unless the first thing it does is ``connect``: see
``Scenario.opened_at_start``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

from tribe_ws.scenario.limits import DEFAULT_TIMEOUT, DEFAULT_WITHIN
from tribe_ws.scenario.matchers import Capture, Matcher
from tribe_ws.scenario.place import Place as Place
from tribe_ws.scenario.place import ScenarioError as ScenarioError
from tribe_ws.scenario.substitution import Template as Template
from tribe_ws.scenario.tokens import TokenPlan as TokenPlan

Value: TypeAlias = Any
"""JSON with a ``Template`` in place of each text that holds ``${{ }}``."""

Profile = Literal["documented", "app", "v2"]


@dataclass(frozen=True, slots=True, order=True)
class ConnectionName:
    """One connection of one actor: ``alice`` is the first (no ``label``), ``alice.phone`` another."""

    actor: str
    label: str = ""

    def __str__(self) -> str:
        return f"{self.actor}.{self.label}" if self.label else self.actor


@dataclass(frozen=True, slots=True)
class Actor:
    """A person of the scenario: which account of the server acts, and by which connections.

    ``registers``: the run makes a fresh account (``user`` is then the beginning of its username).
    ``password`` is ``None`` where the runner is to know it (demo users, options of the command line).
    ``connections`` holds every declared one, the plain one (no label) only where it was declared.
    """

    place: Place
    name: str
    user: Value
    password: Value | None = None
    registers: bool = False
    connections: tuple[ConnectionName, ...] = ()


@dataclass(frozen=True, slots=True)
class ConversationPlan:
    """A conversation of the scenario: one made before the first step (``members``), or one that is there.

    With members, the first of them creates it: a group, or the direct conversation where ``direct``. Without,
    ``existing`` is the name, alias or id by which the server's conversations are searched.
    """

    place: Place
    name: str
    members: tuple[str, ...] = ()
    direct: bool = False
    existing: Value | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What every step has: its place, its verb, a name if the author gave one, and how it was ``written``.

    ``written`` is one line, for reports.
    """

    place: Place
    verb: str
    name: str = ""
    written: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActorStep(Step):
    """A step taken by a connection; those over REST (``send``, ``read``, ``rest``) need only its actor."""

    connection: ConnectionName


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered(ActorStep):
    """A step that is answered: how long to wait, what the answer must match, what to remember of it.

    ``answer`` is compared with the frame that answers, or with the body of a REST answer.
    """

    within: float = DEFAULT_WITHIN
    answer: Matcher | None = None
    captures: tuple[Capture, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Connect(Answered):
    """Open the connection; waits for ``connected`` where ``token.is_accepted``."""

    token: TokenPlan = field(default_factory=TokenPlan)
    profile: Profile | None = None
    """``v2`` offers tribe.v2, the others offer nothing; ``None`` is as the scenario says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconnect(Connect):
    """Close the connection if open, wait ``after``, open it, and subscribe again where ``resubscribes``.

    ``resumes`` asks a v2 server for what was missed (``after_seq`` and ``epoch`` as last seen).
    """

    after: float = 0.0
    resubscribes: bool = True
    resumes: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Disconnect(ActorStep):
    """Close the connection with a code and a reason, or break it off without a close frame (``abrupt``)."""

    code: int = 1000
    reason: Value = ""
    abrupt: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscribe(Answered):
    """Subscribe to conversations, one after the other; waits for each ``subscribed`` where ``confirmed``.

    ``extra`` holds further keys of the frame (``after_seq``, ``epoch``, ``echo``, ``ref``: v2).
    """

    conversations: tuple[Value, ...]
    confirmed: bool = True
    extra: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsubscribe(Answered):
    """Unsubscribe from conversations; waits for ``unsubscribed`` only where the connection speaks v2."""

    conversations: tuple[Value, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Send(Answered):
    """Send a message by REST. ``status`` is what the answer's must match; ``None`` is any below 400."""

    content: Value
    conversation: Value
    message_type: Value | None = None
    reply_to: Value | None = None
    idempotency_key: Value | None = None
    client_message_id: Value | None = None
    status: Matcher | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Typing(ActorStep):
    """Say that one types, or no longer does."""

    is_typing: Value
    conversation: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence(ActorStep):
    """Tell one's status: online, away or offline."""

    status: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Ping(Answered):
    """Send a ping and wait for its pong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Read(Answered):
    """Mark a conversation as read, by REST."""

    conversation: Value
    status: Matcher | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Raw(ActorStep):
    """Send a frame as it stands: a text to the letter, anything else as compact JSON.

    ``binary`` sends it as a binary frame.
    """

    frame: Value
    binary: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest(Answered):
    """Make any REST call; ``path`` begins at the server's root (the loader has put ``/api/v1`` before it)."""

    method: str
    path: Value
    body: Value | None = None
    has_body: bool = False
    headers: Mapping[str, Value] = field(default_factory=dict)
    with_token: bool = True
    status: Matcher | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Forget(ActorStep):
    """Empty the inbox of the connection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expect(ActorStep):
    """Wait until every pattern is matched by a frame of its own in the inbox, ``count`` times each.

    ``in_order``: the frames came in the order of the patterns (others may have come between).
    ``conversation`` and ``sender`` narrow every pattern; see ``running.narrowing``. Captures look into the
    frame; into the list of frames, in the order of the patterns, where there is more than one.
    """

    patterns: tuple[Matcher, ...]
    within: float = DEFAULT_WITHIN
    in_order: bool = False
    count: int = 1
    conversation: Value | None = None
    sender: str | None = None
    captures: tuple[Capture, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectClose(ActorStep):
    """Wait until the server has closed the connection; an end that has come already counts.

    Captures look into ``{"code": …, "reason": …}``. An end without a close frame has code 1006.
    """

    code: Matcher | None = None
    reason: Matcher | None = None
    within: float = DEFAULT_WITHIN
    captures: tuple[Capture, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Never(ActorStep):
    """Demand that no frame of the inbox matches any of the patterns, now and for ``lasting`` seconds."""

    patterns: tuple[Matcher, ...]
    lasting: float
    conversation: Value | None = None
    sender: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NeverClose(ActorStep):
    """Demand that the connection is open and stays so for ``lasting`` seconds."""

    lasting: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait(Step):
    """Let time pass."""

    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Parallel(Step):
    """Run branches at the same time; done when all are, failed when one is."""

    branches: tuple[tuple[Step, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat(Step):
    """Run steps ``count`` times; ``counter`` names the variable that counts from 1, or is empty."""

    count: int
    steps: tuple[Step, ...]
    counter: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Include(Step):
    """Run the steps of another file, with ``variables`` of its own (``Variables.scoped``)."""

    source: str
    steps: tuple[Step, ...] = ()
    variables: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AdvanceClock(Step):
    """Let the server's time jump (control API)."""

    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseFromServer(Step):
    """Have the server close all connections of an actor (control API)."""

    actor: str
    code: int = 1012
    reason: Value = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddFault(Step):
    """Put faults in force on the server (control API)."""

    text: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearFaults(Step):
    """Take all faults of the server away (control API)."""


ControlStep = (AdvanceClock, CloseFromServer, AddFault, ClearFaults)
"""The steps that need the control API of a server of ours."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One scenario file, read and understood; ``variables`` are the file's own with those of the caller.

    ``environment`` names the variables of the environment which the file may see, as ``${{ env.NAME }}``;
    ``settled_names`` are the variables that durations and counts have used while the file was read.
    """

    name: str
    path: Path | None
    description: str
    actors: Mapping[str, Actor]
    conversations: Mapping[str, ConversationPlan]
    variables: Mapping[str, Value]
    environment: tuple[str, ...]
    steps: tuple[Step, ...]
    place: Place
    profile: Profile = "documented"
    timeout: float = DEFAULT_TIMEOUT
    tags: tuple[str, ...] = ()
    settled_names: frozenset[str] = frozenset()
    variable_places: Mapping[str, Place] = field(default_factory=dict)

    @property
    def needs_control(self) -> bool:
        """Whether it needs a server of ours: it steers the clock, mints tokens or adds faults."""
        return any(
            isinstance(step, ControlStep) or (isinstance(step, Connect) and step.token.needs_control)
            for step in every_step(self.steps)
        )

    @property
    def opened_at_start(self) -> tuple[ConnectionName, ...]:
        """The connections to open before the first step: those whose own first step is no ``connect``."""
        first: dict[ConnectionName, Step] = {}
        for step in every_step(self.steps):
            if isinstance(step, ActorStep) and not isinstance(step, Send | Read | Rest):
                first.setdefault(step.connection, step)
        return tuple(name for name, step in first.items() if step.verb != "connect")


def every_step(steps: tuple[Step, ...]) -> Iterator[Step]:
    """Yield the steps and those inside them, each once, in the order of the file."""
    for step in steps:
        yield step
        match step:
            case Parallel(branches=branches):
                for branch in branches:
                    yield from every_step(branch)
            case Repeat(steps=inner) | Include(steps=inner):
                yield from every_step(inner)
