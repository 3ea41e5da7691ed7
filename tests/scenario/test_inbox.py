"""What has come and nobody has claimed, and which frames serve which patterns; no socket, no time."""

from __future__ import annotations

import asyncio
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.scenario.staging import event
from tribe_ws.scenario.running.inbox import Ending, Inbox, Search
from tribe_ws.scenario.running.watching import until


def fill(inbox, *names):
    for name in names:
        inbox.take(event({"event": name}))


def names(inbox, since=0):
    return [one.name for _, one in inbox.unclaimed(since)]


def search(*wanted, count=1, in_order=False):
    """Look for letters: a pattern is the letters that fit it."""
    return Search([letters.__contains__ for letters in wanted], count=count, in_order=in_order)


def in_vain() -> str | None:
    return None


def offer(looking, frames):
    return [looking.offer(number, frame) for number, frame in enumerate(frames, 1)]


def test_frames_stay_until_they_are_claimed():
    inbox = Inbox()
    fill(inbox, "connected", "typing", "pong")
    (number, _), *_ = inbox.unclaimed(2)
    assert [one.name for one in inbox.claim([number], by="here")] == ["typing"]
    assert names(inbox) == ["connected", "pong"]
    assert [(one.name, by) for one, by in inbox.claimed] == [("typing", "here")]
    assert not inbox.holds(number)


def test_only_what_came_since_is_given():
    inbox = Inbox()
    fill(inbox, "connected")
    since = inbox.next_number
    assert names(inbox, since) == []
    fill(inbox, "pong")
    assert names(inbox, since) == ["pong"]


def test_forgetting_empties_it_and_opening_anew_revives_it():
    inbox = Inbox()
    fill(inbox, "connected")
    inbox.forget()
    assert len(inbox) == 0
    inbox.end(Ending(4401, "token_expired"))
    inbox.end(Ending(1006))
    assert str(inbox.ending) == '4401 "token_expired"', "the first word counts"
    inbox.open_anew()
    assert inbox.ending is None


def test_it_is_bounded_and_says_what_it_lost():
    inbox = Inbox(most=3)
    fill(inbox, *"abcde")
    assert (names(inbox), inbox.lost) == ([*"cde"], 2)
    inbox.forget()
    assert inbox.lost == 0


async def test_news_wakes_everybody_who_waits():
    inbox = Inbox()
    waiting = [asyncio.ensure_future(inbox.news()) for _ in range(3)]
    await asyncio.sleep(0)
    fill(inbox, "pong")
    async with asyncio.timeout(10):
        await asyncio.gather(*waiting)


async def test_what_is_there_already_is_found_without_waiting():
    inbox = Inbox()
    fill(inbox, "pong")
    assert await until(inbox, 0.0, lambda: inbox.unclaimed() or None, or_end=True)


async def test_waiting_ends_when_the_connection_does():
    inbox = Inbox()
    asyncio.get_running_loop().call_soon(inbox.end, Ending(1012))
    async with asyncio.timeout(10):
        assert await until(inbox, 600.0, in_vain, or_end=True) is None


async def test_waiting_in_vain_ends_in_its_time_and_not_before():
    loop, began = asyncio.get_running_loop(), asyncio.get_running_loop().time()
    assert await until(Inbox(), 0.1, in_vain, or_end=True) is None
    assert loop.time() - began >= 0.1


async def test_a_flood_of_other_frames_does_not_prolong_the_wait():
    inbox = Inbox(most=10)

    async def flood():
        while True:
            fill(inbox, "typing")
            await asyncio.sleep(0)

    flooding = asyncio.ensure_future(flood())
    async with asyncio.timeout(30):
        assert await until(inbox, 0.1, in_vain, or_end=True) is None
    flooding.cancel()


@pytest.mark.parametrize(
    ("wanted", "frames", "found"),
    [
        pytest.param(["a"], "xya", [3], id="anywhere"),
        pytest.param(["a", "b"], "ba", [2, 1], id="in any order"),
        pytest.param(["ab", "a"], "ab", [2, 1], id="the general pattern leaves the frame to the particular"),
        pytest.param(["abc", "ab", "a"], "abc", [3, 2, 1], id="moved twice"),
        pytest.param(["a"], "aa", [1], id="the earlier one is preferred"),
        pytest.param(["a", "a"], "aa", [1, 2], id="each pattern a frame of its own"),
    ],
)
def test_every_pattern_gets_a_frame_of_its_own(wanted, frames, found):
    looking = search(*wanted)
    offer(looking, frames)
    assert looking.is_done
    assert looking.found == found


def test_in_order_others_may_come_between():
    looking = search("a", "b", in_order=True)
    assert offer(looking, "bxaxb") == [False, False, False, False, True]
    assert looking.found == [3, 5]


def test_in_order_is_not_the_other_way_round():
    looking = search("a", "b", in_order=True)
    offer(looking, "ba")
    assert not looking.is_done
    assert list(looking.missing) == [1]


def test_count_wants_so_many_of_each():
    looking = search("a", "b", count=2)
    offer(looking, "aab")
    assert (list(looking.missing), looking.missing_count(1)) == ([1], 1)
    assert looking.offer(4, "b")
    assert looking.found == [1, 2, 3, 4]


def test_many_patterns_do_not_exhaust_the_stack():
    letters = [chr(0x4E00 + number) for number in range(500)]
    looking = search(*("".join(letters[: number + 1]) for number in reversed(range(500))))
    offer(looking, letters)
    assert looking.is_done


@given(
    st.lists(st.sets(st.sampled_from("abcd"), min_size=1), min_size=1, max_size=4),
    st.text("abcdx", max_size=6),
)
def test_it_finds_an_assignment_whenever_there_is_one(wanted, frames):
    looking = search(*wanted)
    offer(looking, frames)
    is_possible = any(
        all(frame in letters for frame, letters in zip(chosen, wanted, strict=True))
        for chosen in itertools.permutations(frames, len(wanted))
    )
    assert looking.is_done == is_possible
    if is_possible:
        found = [frames[number - 1] for number in looking.found]
        assert all(frame in letters for frame, letters in zip(found, wanted, strict=True))
        assert len(set(looking.found)) == len(wanted)
