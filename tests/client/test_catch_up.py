"""The bookkeeping alone: by example, then against a model server whose connections end at any moment."""

from __future__ import annotations

from datetime import UTC, datetime
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from tribe_ws.client.catch_up import (
    MOST_HELD,
    MOST_THREADS,
    OVERLAP,
    REMEMBERED,
    CatchUp,
    Fate,
    Position,
)
from tribe_ws.client.events import Event, read_event

HERE = "room"


def message(name: str) -> Event:
    text = f'{{"event":"message.new","conversation_id":"{HERE}","data":{{"id":"{name}"}}}}'
    return read_event(text, received_at=0.0, at=datetime(2026, 1, 1, tzinfo=UTC))


def take(catch_up: CatchUp, name: str) -> Fate:
    fate = catch_up.arrived(HERE, name, message(name))
    if fate is Fate.HAND_OUT:
        catch_up.handed_out(HERE, name)
    return fate


def test_a_new_message_is_handed_out_and_its_repetition_told() -> None:
    catch_up = CatchUp()
    assert [take(catch_up, name) for name in ("a", "b", "a")] == [
        Fate.HAND_OUT,
        Fate.HAND_OUT,
        Fate.REPEATED,
    ]


def test_a_message_delivered_again_by_a_later_connection_is_known_and_no_fault() -> None:
    catch_up = CatchUp()
    take(catch_up, "a")
    catch_up.begin_session(())
    assert take(catch_up, "a") is Fate.KNOWN


def test_nobody_knows_where_to_fetch_from_before_the_first_sign() -> None:
    catch_up = CatchUp()
    assert catch_up.anchor(HERE) is None
    catch_up.is_known(HERE, "a")
    assert catch_up.anchor(HERE) is None
    assert not catch_up.knows_start(HERE)


def test_the_anchor_is_where_the_subscription_began_until_enough_messages_came() -> None:
    catch_up = CatchUp()
    catch_up.begins_at(HERE, "start")
    for number in range(OVERLAP - 1):
        take(catch_up, str(number))
    assert catch_up.anchor(HERE) == "start"
    take(catch_up, "last")
    assert catch_up.anchor(HERE) == "0"


def test_a_subscription_to_an_empty_conversation_begins_at_its_beginning() -> None:
    catch_up = CatchUp()
    catch_up.begins_at(HERE, None)
    assert catch_up.knows_start(HERE)
    assert catch_up.anchor(HERE) == ""


def test_the_start_is_noted_once() -> None:
    catch_up = CatchUp()
    catch_up.begins_at(HERE, "first")
    catch_up.begins_at(HERE, "second")
    assert catch_up.anchor(HERE) == "first"
    other = CatchUp()
    take(other, "seen")
    other.begins_at(HERE, "later")
    assert other.anchor(HERE) == "seen"


def test_ids_of_conversations_are_the_same_in_either_case() -> None:
    catch_up = CatchUp()
    catch_up.begins_at(HERE.upper(), "start")
    assert catch_up.anchor(HERE) == "start"
    catch_up.forget(HERE.upper())
    assert catch_up.anchor(HERE) is None


def test_live_messages_are_held_while_the_missed_ones_are_fetched() -> None:
    catch_up = CatchUp()
    take(catch_up, "a")
    catch_up.begin_session((HERE,))
    assert take(catch_up, "c") is Fate.HOLD
    assert take(catch_up, "b") is Fate.HOLD
    catch_up.handed_out(HERE, "b", is_fetched=True)
    held = catch_up.next_held(HERE)
    assert held is not None
    assert held[0] is Fate.HAND_OUT
    catch_up.handed_out(HERE, "c")
    catch_up.drop_held(HERE)
    held = catch_up.next_held(HERE)
    assert held is not None
    assert held[0] is Fate.KNOWN
    catch_up.drop_held(HERE)
    assert catch_up.next_held(HERE) is None
    catch_up.drop_held(HERE)
    assert catch_up.go_live(HERE)
    assert take(catch_up, "d") is Fate.HAND_OUT


def test_what_was_held_for_a_lost_connection_leaves_no_trace() -> None:
    catch_up = CatchUp()
    take(catch_up, "a")
    catch_up.begin_session((HERE,))
    take(catch_up, "c")
    catch_up.begin_session((HERE,))
    assert not catch_up.is_known(HERE, "c")
    assert catch_up.next_held(HERE) is None


def test_memory_is_bounded() -> None:
    catch_up = CatchUp()
    for number in range(3 * REMEMBERED):
        take(catch_up, str(number))
    assert not catch_up.is_known(HERE, "0")
    assert catch_up.is_known(HERE, str(2 * REMEMBERED))
    for number in range(MOST_THREADS + 10):
        catch_up.begins_at(f"other {number}", "x")
    assert catch_up.anchor(HERE) is None
    assert catch_up.anchor(f"other {MOST_THREADS}") == "x"


def test_live_messages_for_which_there_is_no_room_are_dropped_to_be_fetched() -> None:
    catch_up = CatchUp()
    catch_up.begin_session((HERE,))
    for number in range(MOST_HELD + 5):
        assert take(catch_up, str(number)) is Fate.HOLD
    for number in range(MOST_HELD):
        held = catch_up.next_held(HERE)
        assert held is not None
        assert held[1].message_id == str(number)
        catch_up.drop_held(HERE)
        assert take(catch_up, f"later {number}") is Fate.HOLD
    assert catch_up.next_held(HERE) is None
    assert not catch_up.go_live(HERE)
    assert take(catch_up, "held again") is Fate.HOLD
    assert catch_up.next_held(HERE) is not None
    assert catch_up.go_live(HERE)


class Conversation:
    """A model of a server with one conversation and of a client that follows it through losses."""

    def __init__(self) -> None:
        self.stored: list[str] = []
        self.seen: list[str] = []
        self.catch_up = CatchUp()
        self.catch_up.begins_at(HERE, None)
        self.wire: list[str] | None = []
        self.fetched: list[str] = []
        self.is_fetching = False

    def send(self, count: int) -> None:
        for _ in range(count):
            name = str(len(self.stored))
            self.stored.append(name)
            if self.wire is not None:
                self.wire.append(name)

    def repeat(self, back: int) -> None:
        """The server sends one of its last messages again, or out of order."""
        if self.wire is not None and self.stored:
            self.wire.append(self.stored[-1 - min(back, OVERLAP - 2, len(self.stored) - 1)])

    def receive(self, count: int) -> None:
        for _ in range(count):
            if self.wire:
                name = self.wire.pop(0)
                if self.catch_up.arrived(HERE, name, message(name)) is Fate.HAND_OUT:
                    self.give(name)

    def lose(self) -> None:
        self.wire, self.fetched, self.is_fetching = None, [], False

    def reconnect(self) -> None:
        self.catch_up.begin_session((HERE,))
        self.wire = []
        self.is_fetching = True
        self.page()

    def page(self) -> None:
        anchor = self.catch_up.anchor(HERE)
        assert anchor is not None
        start = self.stored.index(anchor) + 1 if anchor else 0
        self.fetched = self.stored[start:]

    def fetch(self, count: int) -> None:
        """Hand out some of what was fetched; at its end, what was held."""
        if not self.is_fetching:
            return
        for _ in range(count):
            if not self.fetched:
                self.release()
                return
            name = self.fetched.pop(0)
            if not self.catch_up.is_known(HERE, name):
                self.give(name, is_fetched=True)

    def release(self) -> None:
        """As ``Restorer`` does: after an overflow there is another round of fetching."""
        while (held := self.catch_up.next_held(HERE)) is not None:
            fate, event = held
            if fate is Fate.HAND_OUT:
                self.give(str(event.message_id))
            self.catch_up.drop_held(HERE)
        self.is_fetching = not self.catch_up.go_live(HERE)
        if self.is_fetching:
            self.page()

    def give(self, name: str, *, is_fetched: bool = False) -> None:
        self.seen.append(name)
        self.catch_up.handed_out(HERE, name, is_fetched=is_fetched)

    def settle(self) -> None:
        if self.wire is None:
            self.reconnect()
        while self.wire or self.is_fetching:
            self.receive(10_000)
            self.fetch(10_000)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("send"), st.integers(1, 40)),
        st.tuples(st.just("receive"), st.integers(1, 40)),
        st.tuples(st.just("fetch"), st.integers(1, 40)),
        st.tuples(st.just("repeat"), st.integers(0, 20)),
        st.tuples(st.just("lose"), st.just(0)),
    ),
    max_size=60,
)


@settings(max_examples=300, deadline=None)
@given(STEPS, st.sampled_from([1, 5, MOST_HELD]))
def test_whatever_happens_every_message_is_handed_out_once_and_in_order(
    steps: list[tuple[str, int]], room: int
) -> None:
    with patch("tribe_ws.client.catch_up.MOST_HELD", room):
        follow(steps)


def follow(steps: list[tuple[str, int]], conversation: Conversation | None = None) -> None:
    conversation = conversation or Conversation()
    for step, amount in steps:
        if step == "lose":
            conversation.lose()
            conversation.reconnect()
        else:
            getattr(conversation, step)(amount)
    conversation.settle()
    assert conversation.seen == conversation.stored


# ── where the server numbers its messages ───────────────────────────────────────────────────────────────────


def at(seq: int, epoch: str = "one") -> Position:
    return Position(epoch, seq)


def test_the_position_moves_with_what_is_handed_out_and_never_back() -> None:
    catch_up = CatchUp()
    assert catch_up.position(HERE) is None
    catch_up.moved_to(HERE, 3)
    assert catch_up.position(HERE) is None
    assert not catch_up.subscribed_at(HERE, at(5), is_recovered=False)
    catch_up.moved_to(HERE.upper(), 7)
    catch_up.moved_to(HERE, 6)
    assert catch_up.position(HERE) == at(7)
    catch_up.forget_position(HERE)
    assert catch_up.position(HERE) is None


def test_a_replay_ends_the_holding() -> None:
    catch_up = CatchUp()
    catch_up.subscribed_at(HERE, at(5), is_recovered=False)
    catch_up.begin_session((HERE,))
    assert catch_up.subscribed_at(HERE, at(9), is_recovered=True)
    assert catch_up.position(HERE) == at(5)
    assert take(catch_up, "6") is Fate.HAND_OUT
    assert not catch_up.begin_fetching(HERE)


def test_a_new_position_counts_only_once_everything_before_it_was_fetched() -> None:
    catch_up = CatchUp()
    catch_up.subscribed_at(HERE, at(5), is_recovered=False)
    catch_up.begin_session((HERE,))
    assert not catch_up.subscribed_at(HERE, at(2, "two"), is_recovered=False)
    assert catch_up.begin_fetching(HERE)
    catch_up.moved_to(HERE, 3)
    assert catch_up.position(HERE) == at(5)
    catch_up.begin_session((HERE,))
    assert catch_up.position(HERE) == at(5)
    catch_up.subscribed_at(HERE, at(4, "two"), is_recovered=False)
    assert catch_up.go_live(HERE)
    assert catch_up.position(HERE) == at(4, "two")


def test_a_replay_that_comes_after_the_fetching_began_is_held() -> None:
    catch_up = CatchUp()
    catch_up.subscribed_at(HERE, at(5), is_recovered=False)
    catch_up.begin_session((HERE,))
    assert catch_up.begin_fetching(HERE)
    assert not catch_up.subscribed_at(HERE, at(9), is_recovered=True)
    assert take(catch_up, "6") is Fate.HOLD


class NumberedConversation(Conversation):
    """The same where the server numbers: some connections replay what was missed, some do not."""

    def __init__(self) -> None:
        super().__init__()
        self.answer: tuple[Position, bool] | None = (at(0), False)
        self.is_numbered = True
        self.epoch = "one"

    def lose(self) -> None:
        super().lose()
        self.answer = None

    def fresh_epoch(self, _: int) -> None:
        """The database is another one, with the same messages, from the next connection on."""
        self.lose()
        self.epoch += "+"
        self.reconnect()

    def foreign(self, _: int) -> None:
        """The next connection is to a server that knows no numbers."""
        self.lose()
        self.reconnect()
        self.is_numbered, self.answer = False, None
        self.is_fetching = self.catch_up.begin_fetching(HERE)

    def reconnect(self) -> None:
        self.is_numbered = True
        self.catch_up.begin_session((HERE,))
        self.page()
        self.is_fetching, self.wire = False, []
        position = self.catch_up.position(HERE)
        is_recovered = position is not None and position.epoch == self.epoch
        self.answer = at(len(self.stored), self.epoch), is_recovered
        if is_recovered:
            assert position is not None
            self.wire = self.stored[position.seq :]

    def late(self, _: int) -> None:
        """The answer takes so long that the fetching begins before it."""
        if self.wire is not None and self.answer is not None and self.catch_up.begin_fetching(HERE):
            self.page()
            self.is_fetching = True

    def receive(self, count: int) -> None:
        if self.wire is not None and self.answer is not None:
            (where, is_recovered), self.answer = self.answer, None
            if not self.catch_up.subscribed_at(HERE, where, is_recovered=is_recovered):
                was_fetching = self.is_fetching
                self.is_fetching = self.catch_up.begin_fetching(HERE)
                if self.is_fetching and not was_fetching:
                    self.page()
        for _ in range(count):
            if self.wire:
                self.take(self.wire.pop(0))

    def take(self, name: str) -> None:
        fate = self.catch_up.arrived(HERE, name, message(name))
        if fate is Fate.HAND_OUT:
            self.give(name)
        if fate is not Fate.HOLD and self.is_numbered:
            self.catch_up.moved_to(HERE, int(name) + 1)

    def release(self) -> None:
        while (held := self.catch_up.next_held(HERE)) is not None:
            fate, event = held
            if fate is Fate.HAND_OUT:
                self.give(str(event.message_id))
            if self.is_numbered:
                self.catch_up.moved_to(HERE, int(str(event.message_id)) + 1)
            self.catch_up.drop_held(HERE)
        self.is_fetching = not self.catch_up.go_live(HERE)
        if self.is_fetching:
            self.page()

    def settle(self) -> None:
        self.receive(0)
        super().settle()


NUMBERED_STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["send", "receive", "fetch"]), st.integers(1, 40)),
        st.tuples(st.sampled_from(["lose", "late", "fresh_epoch", "foreign"]), st.just(0)),
    ),
    max_size=60,
)


@settings(max_examples=300, deadline=None)
@given(NUMBERED_STEPS, st.sampled_from([1, 5, MOST_HELD]))
def test_replayed_or_fetched_every_message_is_handed_out_once_and_in_order(
    steps: list[tuple[str, int]], room: int
) -> None:
    with patch("tribe_ws.client.catch_up.MOST_HELD", room):
        follow(steps, NumberedConversation())
