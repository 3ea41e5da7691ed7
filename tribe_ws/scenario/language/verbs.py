"""What an actor, the server and the scenario itself can do: every verb with its argument and its options.

The loader, the JSON Schema and the page of documentation are all made from these tables.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tribe_ws.scenario import model
from tribe_ws.scenario.language import kinds
from tribe_ws.scenario.language.kinds import Kind
from tribe_ws.scenario.limits import MOST_REPEATS
from tribe_ws.scenario.matchers import Keys, Matcher
from tribe_ws.scenario.special_matchers import AllOf

Given = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Option:
    """One key beside a verb: which field of the step it sets, what may stand there, and what it means."""

    name: str
    field: str
    kind: Kind
    says: str
    required: bool = False


@dataclass(frozen=True, slots=True)
class Verb:
    """One thing that can be done: the step it makes, its argument, its options, and an example.

    ``settle`` has the last word on the fields that were given, before the step is made of them.
    """

    name: str
    step: type[model.Step]
    says: str
    example: str
    argument: Option | None = None
    options: tuple[Option, ...] = ()
    settle: Callable[[Given], Given] = field(default=lambda given: given)

    @property
    def needs_argument(self) -> bool:
        """Whether it means nothing without one."""
        return self.argument is not None and self.argument.required

    def make(self, given: Given) -> model.Step:
        """Make the step of the fields that were given."""
        return self.step(**self.settle(given))


def _argument(name: str, kind: Kind, says: str, *, required: bool = True) -> Option:
    return Option("", name, kind, says, required)


_WITHIN = Option("within", "within", kinds.DURATION, "how long to wait at most")
_CAPTURE = Option("capture", "captures", kinds.CAPTURES, "what to remember, by jmespath: `{id: data.id}`")
_ANSWER = Option("answer", "answer", kinds.PATTERN_KIND, "what the answer must be like")
_ANSWERED = (_ANSWER, _WITHIN, _CAPTURE)
_STATUS = Option(
    "status", "status", kinds.NUMBER_PATTERN, "the status of the answer; any below 400 if not said"
)
_IN = Option("in", "conversation", kinds.CONVERSATION, "the conversation")
_TO = Option("to", "conversation", kinds.CONVERSATION, "the conversation", required=True)
_FROM = Option("from", "sender", kinds.ACTOR, "the actor whom the frame is about: who sent, types, reads")
_DATA = Option("data", "data", kinds.PATTERN_KIND, "what the frame's `data` must be like")
_CONNECT = (
    Option("token", "token", kinds.TOKEN, "another token than one's own: `expired`, `none`, `{ttl: 3s}`, …"),
    Option(
        "profile", "profile", kinds.choice("documented", "app", "v2"), "`v2` offers tribe.v2, no other does"
    ),
    *_ANSWERED,
)
_CODE = Option("code", "code", kinds.CLOSE_CODE, "the close code")
_REASON = Option("reason", "reason", kinds.TEXT, "the reason in the close frame")
_V2_EXTRAS = ("after_seq", "epoch", "echo", "ref")


def _settle_frames(given: Given) -> Given:
    data = given.pop("data", None)
    if data is not None:
        given["patterns"] = tuple(_with_data(pattern, data) for pattern in given["patterns"])
    return given


def _with_data(pattern: Matcher, data: Matcher) -> Matcher:
    return AllOf((pattern, Keys({"data": data})))


def _settle_subscribe(given: Given) -> Given:
    extra = {name: given.pop(name) for name in _V2_EXTRAS if name in given}
    return given | ({"extra": extra} if extra else {})


def _settle_rest(given: Given) -> Given:
    method, path = given.pop("call")
    return given | {"method": method, "path": path, "has_body": "body" in given}


ACTOR_VERBS: tuple[Verb, ...] = (
    Verb(
        "connect",
        model.Connect,
        "Open the connection and wait for `connected`. One that begins with anything else is open at once.",
        "alice: connect",
        options=_CONNECT,
    ),
    Verb(
        "subscribe",
        model.Subscribe,
        "Subscribe to a conversation, or several, and wait for each `subscribed` (`answer`: then a list).",
        "bob: {subscribe: general}",
        _argument("conversations", kinds.CONVERSATIONS, "the conversation, or a list"),
        (
            Option("confirmed", "confirmed", kinds.FLAG, "`false` does not wait for `subscribed`"),
            Option("after_seq", "after_seq", kinds.VALUE, "v2: resume after this message"),
            Option("epoch", "epoch", kinds.VALUE, "v2: the epoch that `after_seq` belongs to"),
            Option("echo", "echo", kinds.FLAG, "v2: get one's own messages too"),
            Option("ref", "ref", kinds.VALUE, "v2: what the answer is to be called"),
            *_ANSWERED,
        ),
        _settle_subscribe,
    ),
    Verb(
        "unsubscribe",
        model.Unsubscribe,
        "Unsubscribe; only a v2 connection gets an answer and waits for it.",
        "bob: {unsubscribe: general}",
        _argument("conversations", kinds.CONVERSATIONS, "the conversation, or a list"),
        _ANSWERED,
    ),
    Verb(
        "send",
        model.Send,
        "Send a message by REST; no connection is needed for it.",
        "alice: {send: Hello, to: general}",
        _argument("content", kinds.VALUE, "the text"),
        (
            _TO,
            Option("type", "message_type", kinds.TEXT, "`text`, `image`, `video`, `audio` or `file`"),
            Option("reply_to", "reply_to", kinds.TEXT, "the id of the message that is answered"),
            Option("key", "idempotency_key", kinds.TEXT, "the header `Idempotency-Key`"),
            Option("client_message_id", "client_message_id", kinds.TEXT, "the id which the client gives it"),
            _STATUS,
            *_ANSWERED,
        ),
    ),
    Verb(
        "typing",
        model.Typing,
        "Say that one types, or no longer does.",
        "alice: {typing: on, in: general}",
        _argument("is_typing", kinds.SWITCH, "`on` or `off`"),
        (Option("in", "conversation", kinds.CONVERSATION, "the conversation", required=True),),
    ),
    Verb(
        "presence",
        model.Presence,
        "Tell one's status.",
        "alice: {presence: away}",
        _argument("status", kinds.STATUS_WORD, "the status"),
    ),
    Verb("ping", model.Ping, "Send a ping and wait for its pong.", "alice: ping", options=_ANSWERED),
    Verb(
        "read",
        model.Read,
        "Mark a conversation as read, by REST.",
        "bob: {read: general}",
        _argument("conversation", kinds.CONVERSATION, "the conversation"),
        (_STATUS, *_ANSWERED),
    ),
    Verb(
        "raw",
        model.Raw,
        "Send a frame as it stands: a text to the letter, anything else as JSON.",
        "alice: {raw: {event: subscribe, conversation_id: not-an-id}}",
        _argument("frame", kinds.VALUE, "the frame"),
        (Option("binary", "binary", kinds.FLAG, "`true` sends it as a binary frame"),),
    ),
    Verb(
        "rest",
        model.Rest,
        "Make any REST call, below `/api/v1`; `answer` and `capture` look into the body of the answer.",
        "alice: {rest: GET /auth/me, status: 200, answer: {username: alice}}",
        _argument("call", kinds.REST_CALL, "method and path: `GET /auth/me`"),
        (
            Option("body", "body", kinds.VALUE, "the JSON to send"),
            Option("headers", "headers", kinds.TEXTS, "further headers"),
            Option("token", "with_token", kinds.FLAG, "`false` sends no token"),
            _STATUS,
            *_ANSWERED,
        ),
        _settle_rest,
    ),
    Verb(
        "disconnect",
        model.Disconnect,
        "Close the connection.",
        "alice: disconnect",
        options=(
            _CODE,
            _REASON,
            Option("abrupt", "abrupt", kinds.FLAG, "`true` breaks off without a close frame"),
        ),
    ),
    Verb(
        "reconnect",
        model.Reconnect,
        "Close the connection if it is open, open it again, and subscribe to what it was subscribed to.",
        "alice: {reconnect: , after: 500ms}",
        options=(
            Option("after", "after", kinds.PAUSE, "how long to stay away"),
            Option("resubscribe", "resubscribes", kinds.FLAG, "`false` does not subscribe again"),
            Option("resume", "resumes", kinds.FLAG, "v2: `true` asks for what was missed"),
            *_CONNECT,
        ),
    ),
    Verb("forget", model.Forget, "Empty the inbox: what has come so far counts no longer.", "bob: forget"),
    Verb(
        "expect",
        model.Expect,
        "Wait until a matching frame is in the inbox, and take it out. Several frames may come in any order.",
        "bob: {expect: message.new, data: {content: Hello}, within: 2s}",
        _argument("patterns", kinds.FRAMES, "an event, a pattern of the frame, or a list of these"),
        (
            _DATA,
            _IN,
            _FROM,
            Option("in_order", "in_order", kinds.FLAG, "`true`: the frames of the list come in its order"),
            Option("count", "count", kinds.integer(1, MOST_REPEATS), "so many frames of each"),
            _WITHIN,
            _CAPTURE,
        ),
        _settle_frames,
    ),
    Verb(
        "never",
        model.Never,
        "Demand that no matching frame is in the inbox, nor comes in the time given.",
        "alice: {never: message.new, for: 500ms}",
        _argument("patterns", kinds.FRAMES, "an event, a pattern of the frame, or a list of these"),
        (
            Option("for", "lasting", kinds.DURATION, "how long to watch", required=True),
            _DATA,
            _IN,
            _FROM,
        ),
        _settle_frames,
    ),
)

CLOSE_VERBS: Mapping[str, Verb] = {
    "expect": Verb(
        "expect",
        model.ExpectClose,
        "Wait until the server has closed the connection.",
        "alice: {expect: {closed: 4401, reason: token_expired}}",
        _argument("end", kinds.CLOSED, "the end: its code and its reason"),
        (_WITHIN, _CAPTURE),
        lambda given: given | given.pop("end"),
    ),
    "never": Verb(
        "never",
        model.NeverClose,
        "Demand that the connection is open and stays so.",
        "alice: {never: closed, for: 2s}",
        _argument("end", kinds.CLOSED_AT_ALL, "`closed`"),
        (Option("for", "lasting", kinds.DURATION, "how long to watch", required=True),),
        lambda given: {name: value for name, value in given.items() if name != "end"},
    ),
}
"""What ``expect`` and ``never`` are where they speak of the end of a connection."""

SERVER_VERBS: tuple[Verb, ...] = (
    Verb(
        "advance",
        model.AdvanceClock,
        "Let the server's time jump: tokens end, typing lapses.",
        "server: {advance: 61m}",
        _argument("seconds", kinds.LONG_DURATION, "by how much"),
    ),
    Verb(
        "disconnect",
        model.CloseFromServer,
        "Have the server close every connection of an actor.",
        "server: {disconnect: bob, code: 1012}",
        _argument("actor", kinds.ACTOR, "whose connections"),
        (_CODE, _REASON),
    ),
    Verb(
        "fault",
        model.AddFault,
        "Put a fault in force, as `tribe-ws fault add` takes it.",
        'server: {fault: "delay 250ms @bob"}',
        _argument("text", kinds.TEXT, "the fault"),
    ),
    Verb("clear_faults", model.ClearFaults, "Take all faults away.", "server: clear_faults"),
)

FLOW_VERBS: tuple[Verb, ...] = (
    Verb(
        "wait",
        model.Wait,
        "Let time pass. Rather expect something: then nothing waits longer than it must.",
        "wait: 500ms",
        _argument("seconds", kinds.DURATION, "how long"),
    ),
    Verb(
        "parallel",
        model.Parallel,
        "Do several things at the same time: each entry is a step, or a list of steps in their order.",
        "parallel: [{alice: {send: Hi, to: general}}, {bob: {send: Hi, to: general}}]",
        _argument("branches", kinds.BRANCHES, "the branches"),
    ),
    Verb(
        "repeat",
        model.Repeat,
        "Do the steps several times.",
        "{repeat: 3, as: n, steps: [{alice: {send: 'No. ${{ n }}', to: general}}]}",
        _argument("count", kinds.integer(1, MOST_REPEATS), "how often"),
        (
            Option("steps", "steps", kinds.STEPS, "the steps", required=True),
            Option("as", "counter", kinds.NAME, "the variable that counts from 1"),
        ),
    ),
    Verb(
        "include",
        model.Include,
        "Take the steps of another file; its path is seen from this one.",
        "{include: greeting.yaml, with: {greeting: Ahoy}}",
        _argument("source", kinds.FIXED_TEXT, "the file"),
        (Option("with", "variables", kinds.VARIABLES, "variables for it"),),
    ),
)
