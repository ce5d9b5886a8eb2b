"""A Change is kept whole or not at all, and says what became of it."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Awaitable, Callable

import pytest

from tests.store.databases import (
    DELETE,
    EVERY,
    INSERT,
    UPDATE,
    chains,
    commit,
    execute,
    facts,
    failing,
    keeping,
    record,
    rows,
    write_many,
)
from treadle.keys import Keys
from treadle.store.change import Change, GuardFailed, Store
from treadle.store.opening import open_store

Work = Callable[[Store], Awaitable[None]]


@pytest.fixture
def run(url: str, keys: Keys) -> Callable[[Work], None]:
    """Runs something on an open store."""

    def run(work: Work) -> None:
        async def main() -> None:
            store = await open_store(url, keys)
            try:
                # A writer that no longer answers must not hold the tests up.
                await asyncio.wait_for(work(store), 20)
            finally:
                await asyncio.wait_for(store.close(), 20)

        asyncio.run(main())

    return run


Run = Callable[[Work], None]


def test_a_change_that_fails_its_guard_leaves_nothing(run: Run, url: str) -> None:
    async def work(store: Store) -> None:
        await store.commit(keeping("before"))
        with pytest.raises(GuardFailed):
            await store.commit(failing("half"))
        assert await facts(store) == {"before": ""}

    run(work)
    assert chains(url) == {"one": 1}


def test_the_others_of_a_batch_are_kept(run: Run, url: str) -> None:
    async def work(store: Store) -> None:
        changes = [failing(f"{n:03}") if n % 2 else keeping(f"{n:03}") for n in range(100)]
        kept = await asyncio.gather(*(commit(store, change) for change in changes))
        assert kept == [n % 2 == 0 for n in range(100)]
        assert list(await facts(store)) == [f"{n:03}" for n in range(0, 100, 2)]

    run(work)
    assert chains(url) == {"one": 50}


def test_a_hundred_changes_at_once(run: Run, url: str) -> None:
    async def work(store: Store) -> None:
        changes = [keeping(f"{n:03}", client=f"client{n % 5}") for n in range(100)]
        await asyncio.gather(*(store.commit(change) for change in changes))
        assert len(await facts(store)) == 100

    run(work)
    assert chains(url) == {f"client{n}": 20 for n in range(5)}


def test_of_changes_that_exclude_each_other_one_is_kept(run: Run) -> None:
    async def work(store: Store) -> None:
        kept = await asyncio.gather(*(commit(store, keeping("same", str(n))) for n in range(30)))
        assert sum(kept) == 1
        assert await facts(store) == {"same": str(kept.index(True))}

    run(work)


def test_a_repeated_key_is_a_failed_guard(run: Run) -> None:
    async def work(store: Store) -> None:
        await store.commit(keeping("a", "first"))
        change = keeping("b")
        change.write(INSERT, name="a", value="second")
        with pytest.raises(GuardFailed):
            await store.commit(change)
        assert await facts(store) == {"a": "first"}

    run(work)


@pytest.mark.parametrize(("rows_wanted", "kept"), [(1, False), (2, True), (3, False), (None, True)])
def test_the_guard_is_the_number_of_rows(run: Run, rows_wanted: int | None, kept: bool) -> None:
    async def work(store: Store) -> None:
        change = Change()
        change.write_many(INSERT, [{"name": name, "value": "old"} for name in "ab"])
        await store.commit(change)
        change = Change()
        change.write(EVERY, rows=rows_wanted, old="old", value="new")
        assert await commit(store, change) is kept
        value = "new" if kept else "old"
        assert await facts(store) == {"a": value, "b": value}

    run(work)


def test_writes_run_in_order(run: Run) -> None:
    async def work(store: Store) -> None:
        change = keeping("a", "1")
        change.write(UPDATE, the_name="a", value="2")
        change.write(DELETE, the_name="a")
        change.write(INSERT, name="a", value="3")
        await store.commit(change)
        assert await facts(store) == {"a": "3"}

    run(work)


def test_what_was_committed_is_read_at_once(run: Run) -> None:
    async def work(store: Store) -> None:
        for number in range(50):
            await store.commit(keeping(f"{number:02}"))
            assert len(await facts(store)) == number + 1

    run(work)


def test_what_was_committed_is_there_after_opening_again(run: Run) -> None:
    async def write(store: Store) -> None:
        await store.commit(keeping("a", "✓ \U0001f600"))

    async def read(store: Store) -> None:
        assert await facts(store) == {"a": "✓ \U0001f600"}

    run(write)
    run(read)


def test_a_change_that_cannot_be_run_fails_alone(run: Run, url: str) -> None:
    """Not by a guard, but because its values are none that a database takes."""
    lacking, unfit = Change(), Change()
    lacking.write(INSERT, name="a")
    unfit.write(INSERT, name="b", value=object())
    unencodable = keeping("c", "\ud800")

    async def work(store: Store) -> None:
        changes = [keeping("d"), lacking, keeping("e"), unfit, keeping("f"), unencodable]
        outcomes = await asyncio.wait_for(
            asyncio.gather(*map(store.commit, changes), return_exceptions=True), 5
        )
        failed = [isinstance(outcome, Exception) for outcome in outcomes]
        assert failed == [False, True, False, True, False, True]
        assert not any(isinstance(outcome, GuardFailed) for outcome in outcomes)
        await store.commit(keeping("g"))
        assert list(await facts(store)) == ["d", "e", "f", "g"]

    run(work)
    assert chains(url) == {"one": 4}


def test_a_change_that_cannot_be_recorded_fails_alone(run: Run, url: str) -> None:
    """The second of its records cannot be stored: the first must not move the chain."""
    unrecordable = keeping("b")
    unrecordable.record(record("\ud800"))

    async def work(store: Store) -> None:
        changes = [keeping("a"), unrecordable, keeping("c")]
        outcomes = await asyncio.wait_for(
            asyncio.gather(*map(store.commit, changes), return_exceptions=True), 5
        )
        assert [isinstance(outcome, Exception) for outcome in outcomes] == [False, True, False]
        await store.commit(keeping("d"))
        assert list(await facts(store)) == ["a", "c", "d"]

    run(work)
    assert chains(url) == {"one": 3}


def test_a_change_whose_caller_left_harms_nobody(run: Run, url: str) -> None:
    async def work(store: Store) -> None:
        task = asyncio.create_task(commit(store, keeping("left")))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await store.commit(keeping("stayed"))
        assert "stayed" in await facts(store)

    run(work)
    chains(url)


def test_a_change_with_records_alone_is_kept(run: Run, url: str) -> None:
    async def work(store: Store) -> None:
        change = Change()
        for number in range(3):
            change.record(record(str(number)))
            change.record(record(str(number), "two"))
        await store.commit(change)

    run(work)
    assert chains(url) == {"one": 3, "two": 3}
    entries = rows(url, "SELECT entry FROM audit WHERE client_id = 'one' ORDER BY sequence")
    assert [f'"text":"{n}"' in row["entry"] for n, row in enumerate(entries)] == [True] * 3


def test_chains_hold_when_two_processes_write(url: str) -> None:
    context = multiprocessing.get_context("spawn")
    started = [context.Process(target=write_many, args=(url, prefix, 150)) for prefix in "ab"]
    for process in started:
        process.start()
    for process in started:
        process.join(60)
    assert [process.exitcode for process in started] == [0, 0]
    assert chains(url) == {"client0": 100, "client1": 100}
    [row] = rows(url, "SELECT count(*) AS number FROM facts WHERE name <> 'key_check'")
    assert row["number"] == 200


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE audit SET entry = replace(entry, 'test', 'tost') WHERE sequence = 3",
        "DELETE FROM audit WHERE sequence = 3",
        "DELETE FROM audit WHERE sequence = 5",
        "UPDATE audit_heads SET sequence = 4",
    ],
)
def test_a_chain_tells_when_it_was_changed(run: Run, url: str, sql: str) -> None:
    async def work(store: Store) -> None:
        for number in range(5):
            await store.commit(keeping(str(number)))

    run(work)
    assert chains(url) == {"one": 5}
    execute(url, sql)
    with pytest.raises(AssertionError):
        chains(url)
