from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tribe_ws.client.answers import AnswerBook, Question
from tribe_ws.client.events import Event, read_event

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def event(text: str, at: float) -> Event:
    return read_event(text, received_at=at, at=NOW)


def pong(at: float) -> Event:
    return event('{"event":"pong"}', at)


def subscribed(conversation_id: str, at: float) -> Event:
    return event(f'{{"event":"subscribed","conversation_id":"{conversation_id}"}}', at)


def test_pongs_answer_pings_in_the_order_of_asking() -> None:
    book = AnswerBook()
    book.pinged(Question(1.0))
    book.pinged(Question(2.0, is_heartbeat=True))
    first, second = book.match(pong(3.0)), book.match(pong(3.5))
    assert (first.latency, first.is_heartbeat) == (2.0, False)
    assert (second.latency, second.is_heartbeat) == (1.5, True)
    assert len(book) == 0


def test_a_pong_nobody_asked_for_has_no_latency() -> None:
    assert AnswerBook().match(pong(1.0)).latency is None


def test_subscribed_answers_the_subscribe_of_that_conversation_whatever_its_case() -> None:
    book = AnswerBook()
    book.subscribing("ABC", Question(1.0))
    book.subscribing("abc", Question(2.0))
    book.subscribing("def", Question(3.0))
    assert book.match(subscribed("def", 4.0)).latency == 1.0
    assert book.match(subscribed("abc", 4.0)).latency == 3.0
    assert book.match(subscribed("abc", 4.0)).latency == 2.0
    assert book.match(subscribed("abc", 4.0)).latency is None


def test_whoever_asked_hears_the_latency() -> None:
    heard: list[float] = []
    book = AnswerBook()
    book.pinged(Question(1.0, on_answer=heard.append))
    book.match(pong(1.25))
    assert heard == [0.25]


def test_a_withdrawn_question_takes_no_later_answer() -> None:
    book = AnswerBook()
    ping, subscribe = Question(1.0), Question(1.0)
    book.pinged(ping)
    book.subscribing("abc", subscribe)
    book.subscribing("abc", Question(3.0))
    book.pinged(Question(2.0))
    book.withdraw(ping)
    book.withdraw(subscribe)
    assert book.match(pong(2.5)).latency == 0.5
    assert book.match(subscribed("abc", 4.0)).latency == 1.0
    book.withdraw(ping)
    assert len(book) == 0


def test_withdrawing_the_only_question_about_a_conversation_forgets_it() -> None:
    book = AnswerBook()
    question = Question(1.0)
    book.subscribing("abc", question)
    book.withdraw(question)
    assert len(book) == 0


def test_other_events_are_answers_to_nothing() -> None:
    book = AnswerBook()
    book.pinged(Question(1.0))
    for frame in ('{"event":"subscribed"}', '{"event":"typing","conversation_id":"abc"}', "nonsense"):
        assert book.match(event(frame, 2.0)).latency is None
    assert len(book) == 1


def test_memory_is_bounded_when_nothing_is_ever_answered() -> None:
    book = AnswerBook()
    for number in range(5000):
        book.pinged(Question(0.0))
        book.subscribing(str(number), Question(0.0))
    assert len(book) <= 2 * 1024 + 1


def test_a_clock_that_stood_still_gives_no_negative_latency() -> None:
    book = AnswerBook()
    book.pinged(Question(5.0))
    answered: Any = book.match(pong(4.0))
    assert answered.latency == 0.0
