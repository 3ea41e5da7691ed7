"""Following messages to every subscriber."""

from __future__ import annotations

import random

from benchmarks.progress import Progress


def test_message_is_complete_when_the_last_subscriber_has_it():
    progress = Progress(3)
    assert not progress.advance(0, 1)
    assert not progress.advance(0, 1)
    assert progress.complete == 0
    assert progress.advance(0, 1)
    assert progress.complete == 1


def test_one_late_read_may_complete_several_messages():
    progress = Progress(2)
    progress.advance(0, 5)
    assert progress.advance(0, 3)
    assert progress.complete == 3
    assert progress.furthest == 5
    assert progress.frames == 8


def test_progress_agrees_with_counting_each_subscriber():
    chance = random.Random(7)
    counts = [0] * 20
    progress = Progress(len(counts))
    for _ in range(2000):
        subscriber, frames = chance.randrange(len(counts)), chance.randint(1, 4)
        progress.advance(counts[subscriber], frames)
        counts[subscriber] += frames
        assert progress.complete == min(counts)
        assert progress.furthest == max(counts)
    assert progress.frames == sum(counts)
