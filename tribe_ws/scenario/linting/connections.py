"""Checks who is connected and subscribed when: a frame that cannot come, a step that nobody can take."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from tribe_ws.scenario.linting.contents import inner_steps
from tribe_ws.scenario.linting.finding import Finding
from tribe_ws.scenario.linting.frames import at_path, wanted_event
from tribe_ws.scenario.matchers import Literal, Matcher
from tribe_ws.scenario.model import (
    ActorStep,
    CloseFromServer,
    Connect,
    ConnectionName,
    Disconnect,
    Expect,
    ExpectClose,
    Forget,
    Never,
    Raw,
    Read,
    Reconnect,
    Rest,
    Scenario,
    Send,
    Step,
    Subscribe,
    Typing,
    Unsubscribe,
)
from tribe_ws.scenario.place import Place
from tribe_ws.scenario.substitution import Template

_NEED_SUBSCRIPTION = frozenset({"message.new", "typing"})
_CLAIMED_BY = {"connected": "connect", "subscribed": "subscribe", "pong": "ping"}
_ANYWHERE = "*"


@dataclass(frozen=True)
class _Said:
    """Something that an actor let the others know: a message (``content``, if it is known) or a typing."""

    event: str
    actor: str
    content: Any = None


@dataclass
class _State:
    """What is known of the connections at one point of a scenario."""

    open: frozenset[ConnectionName] = frozenset()
    closed_at: dict[ConnectionName, Place] = field(default_factory=dict)
    subscribed: dict[ConnectionName, frozenset[str]] = field(default_factory=dict)
    said: tuple[_Said, ...] = ()
    is_sure: bool = True
    """False where something happened that no linter can follow, such as a faulty server."""

    def copy(self) -> _State:
        return replace(self, closed_at=dict(self.closed_at), subscribed=dict(self.subscribed))


def check(scenario: Scenario) -> Iterator[Finding]:
    """Yield what is wrong with the order of connecting, subscribing, sending and expecting."""
    state = _State(open=frozenset(scenario.opened_at_start))
    walk = _Walk(scenario)
    walk.steps(scenario.steps, state)
    yield from walk.found


@dataclass
class _Walk:
    """Goes through the steps in their order and keeps the state of every connection."""

    scenario: Scenario
    found: list[Finding] = field(default_factory=list)

    def steps(self, steps: tuple[Step, ...], state: _State) -> None:
        for step in steps:
            self.step(step, state)

    def step(self, step: Step, state: _State) -> None:
        branches = inner_steps(step)
        if len(branches) > 1:
            self.parallel(branches, state)
        elif branches:
            self.steps(branches[0], state)
        elif isinstance(step, CloseFromServer):
            for name in state.open:
                if name.actor == step.actor:
                    state.closed_at[name] = step.place
        elif isinstance(step, ActorStep):
            self.act(step, state)
        elif step.verb == "fault":
            state.is_sure = False

    def parallel(self, branches: tuple[tuple[Step, ...], ...], state: _State) -> None:
        """Check every branch as if all the others were done: what may be is not wrong."""
        everything = state.copy()
        quiet = _Walk(self.scenario)
        for branch in branches:
            quiet.steps(branch, everything)
        for branch in branches:
            seen = replace(state.copy(), said=everything.said, is_sure=False)
            seen.subscribed = dict(everything.subscribed)
            self.steps(branch, seen)
        state.__dict__.update(everything.__dict__)

    def act(self, step: ActorStep, state: _State) -> None:
        match step:
            case Send() | Rest() | Read():
                self.rest(step, state)
            case Connect():
                self.connect(step, state)
            case _:
                self.connected(step, state)
                self.on_socket(step, state)

    def rest(self, step: Send | Rest | Read, state: _State) -> None:
        actor = step.connection.actor
        if isinstance(step, Send):
            state.said = (*state.said, _Said("message.new", actor, step.content))
            if step.status is None:
                self.member(step, step.conversation)
        elif isinstance(step, Rest) and step.method == "POST" and "/messages" in str(step.path):
            state.said = (*state.said, _Said("message.new", actor, None))

    def connect(self, step: Connect, state: _State) -> None:
        name = step.connection
        if isinstance(step, Reconnect):
            if not step.resubscribes:
                state.subscribed[name] = frozenset()
        else:
            if name in state.open and name not in state.closed_at:
                self.say(step, "connected-twice", f'"{name}" is connected already', f"{name}: reconnect")
            state.subscribed.pop(name, None)
            state.is_sure = state.is_sure and step.token.is_accepted
        state.open |= {name}
        state.closed_at.pop(name, None)

    def connected(self, step: ActorStep, state: _State) -> None:
        """Check that the connection of a step is open."""
        name = step.connection
        if isinstance(step, ExpectClose | Expect | Never | Forget):
            return
        if name in state.closed_at:
            line = state.closed_at[name].line
            self.say(step, "not-connected", f'"{name}" was closed in line {line}', f"{name}: reconnect")

    def on_socket(self, step: ActorStep, state: _State) -> None:
        name = step.connection
        match step:
            case Subscribe():
                state.is_sure = state.is_sure and step.confirmed
                for given in step.conversations:
                    if step.confirmed and step.answer is None:
                        self.member(step, given)
                    state.subscribed[name] = state.subscribed.get(name, frozenset()) | {_key(given)}
            case Unsubscribe():
                left = state.subscribed.get(name, frozenset()) - {_key(given) for given in step.conversations}
                state.subscribed[name] = left
            case Raw():
                state.subscribed[name] = frozenset({_ANYWHERE})
                state.is_sure = False
            case Disconnect() | ExpectClose():
                # What it was subscribed to is kept: a reconnect subscribes to that again.
                state.closed_at[name] = step.place
            case Typing():
                state.said = (*state.said, _Said("typing", name.actor))
            case Expect() | Never():
                for pattern in step.patterns:
                    self.arrives(step, pattern, state)

    def arrives(self, step: Expect | Never, pattern: Matcher, state: _State) -> None:
        """Check that an expected frame can come at all."""
        event = wanted_event(pattern)
        if event in _CLAIMED_BY and isinstance(step, Expect) and state.is_sure:
            verb = _CLAIMED_BY[event]
            message = f'the step "{verb}" waits for its "{event}" itself and claims it'
            hint = f"look at it there:  {step.connection}: {{{verb}: …, answer: {{event: {event}}}}}"
            self.say(step, "claimed", message, hint)
        if event not in _NEED_SUBSCRIPTION:
            return
        if not state.subscribed.get(step.connection) and step.connection not in state.closed_at:
            self.unsubscribed(step, event, state)
        elif isinstance(step, Expect) and state.is_sure and self.scenario.profile != "v2":
            self.own(step, event, pattern, state)

    def unsubscribed(self, step: Expect | Never, event: str, state: _State) -> None:
        room = next(iter(self.scenario.conversations), "general")
        hint = f"before it:  {step.connection}: {{subscribe: {room}}}"
        if isinstance(step, Expect):
            message = f'"{step.connection}" has not subscribed to anything, so no "{event}" comes'
            self.say(step, "not-subscribed", message, hint)
        elif step.connection not in state.subscribed and any(
            said.actor == step.connection.actor and said.event == event for said in state.said
        ):
            message = f'"{step.connection}" has never subscribed, so their own "{event}" cannot come anyway'
            self.say(step, "never-subscribed", message, hint)

    def own(self, step: Expect, event: str, pattern: Matcher, state: _State) -> None:
        actor = step.connection.actor
        if step.sender == actor or _is_literal(at_path(pattern, "data", "sender", "username"), actor):
            self.say(step, "own-message", f'"{actor}" gets none of their own {_PLURAL[event]}', _OTHERS)
            return
        content = at_path(pattern, "data", "content")
        candidates = [said for said in state.said if said.event == event and _may_be(said.content, content)]
        if candidates and all(said.actor == actor for said in candidates):
            message = f'only "{actor}" has sent that, and nobody gets their own {_PLURAL[event]}'
            self.say(step, "own-message", message, _OTHERS)

    def member(self, step: ActorStep, conversation: Any) -> None:
        plan = self.scenario.conversations.get(conversation) if isinstance(conversation, str) else None
        if plan is not None and plan.members and step.connection.actor not in plan.members:
            message = f'"{step.connection.actor}" is not in "{plan.name}"'
            self.say(step, "not-a-member", message, f"its members: {', '.join(plan.members)}")

    def say(self, step: Step, rule: str, message: str, hint: str = "") -> None:
        self.found.append(Finding(step.place, rule, message, hint))


_PLURAL = {"message.new": "messages", "typing": "typing"}
_OTHERS = "let somebody else expect it; to prove that it does not come:  never: …"


def _key(conversation: Any) -> str:
    return str(conversation).lstrip("#@")


def _is_literal(matcher: Matcher | None, value: str) -> bool:
    return isinstance(matcher, Literal) and matcher.value == value


def _may_be(content: Any, wanted: Matcher | None) -> bool:
    """Tell whether a message that was sent may be the one that is wanted."""
    if content is None or isinstance(content, Template) or not isinstance(wanted, Literal):
        return True
    return isinstance(wanted.value, Template) or bool(wanted.value == content)
