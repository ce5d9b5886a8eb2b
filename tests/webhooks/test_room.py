"""Who may send how much at once, and when sending is given up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from treadle.clock import DAY, SECOND
from treadle.webhooks.bell import Line
from treadle.webhooks.room import Room
from treadle.webhooks.schedule import next_attempt, rejects_nearly_all


def fill(room: Room, client: str, endpoints: int = 1_000) -> int:
    """Take all places that a client gets, over many endpoints; how many they were."""
    taken = 0
    for number in range(endpoints):
        line = Line(client, f"{client} {number}")
        places = room.places(line)
        room.enter(line, places)
        taken += places
    return taken


def test_something_is_left_for_whoever_comes_later() -> None:
    room = Room(256, 32, 2)
    assert [fill(room, client) for client in ("one", "two", "three")] == [128, 64, 32]


def test_an_endpoint_has_its_limit() -> None:
    room, dead = Room(256, 32, 2), Line("one", "dead")
    assert room.places(dead) == 32
    room.enter(dead, 32)
    assert room.places(dead) == 0
    assert room.places(Line("one", "alive")) == 32
    room.leave(dead)
    assert room.places(dead) == 1


def test_a_slow_endpoint_has_a_smaller_one_until_it_answers() -> None:
    room, slow = Room(256, 32, 2), Line("one", "slow")
    room.note(slow, timed_out=True)
    assert room.places(slow) == 2
    # Those of another client may do better.
    assert room.places(Line("two", "slow")) == 32
    room.enter(slow, 2)
    room.note(slow, timed_out=False)
    assert room.places(slow) == 30


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xyz"), st.booleans())))
def test_what_leaves_makes_room(steps: list[tuple[str, str, bool]]) -> None:
    room = Room(8, 3, 1)
    inside: list[Line] = []
    for client, endpoint, leaves in steps:
        line = Line(client, endpoint)
        if leaves and inside:
            room.leave(inside.pop())
        elif room.places(line):
            room.enter(line)
            inside.append(line)
        assert len(inside) <= 8
        assert room.places(line) >= 0
    for line in inside:
        room.leave(line)
    assert fill(room, "a") == 4


def test_the_time_between_attempts_grows_fourfold() -> None:
    at, number = 0, 0
    seconds = []
    while (due := next_attempt(0, number + 1, at)) is not None:
        seconds.append((due - at) // SECOND)
        at, number = due, number + 1
    assert seconds == [30, 120, 480, 1_920, 7_680, 30_720]
    assert at <= DAY


def test_an_attempt_that_came_late_is_the_last() -> None:
    assert next_attempt(0, 1, DAY) is None
    assert next_attempt(0, 1, DAY - 30 * SECOND) == DAY


@pytest.mark.parametrize(
    ("accepted", "rejected", "given_up"),
    [(0, 99, False), (0, 100, True), (10, 90, False), (9, 91, True), (112, 1_000, False)],
)
def test_more_than_nine_in_ten(accepted: int, rejected: int, given_up: bool) -> None:
    assert rejects_nearly_all(accepted, rejected) is given_up
