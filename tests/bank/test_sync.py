"""Replaying the pages of `/transactions/sync` rebuilds what the bank shows, whatever happens."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.bank.scripted import START, Booking, World, open_world
from treadle.app import open_services
from treadle.bank.pages import read_page
from treadle.bank.updates import UPDATE_OF_ITEM
from treadle.call import ClientCall
from treadle.clients import CLIENT
from treadle.settings import Settings
from treadle.store.change import GuardFailed

MUTATED = "TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION"

# What a bank does, and a reader between: `place` picks one of the bookings there are.
PLACES = st.integers(0, 1_000)
EVENTS = st.one_of(
    st.tuples(st.just("book"), PLACES, st.booleans()),
    st.tuples(st.just("change"), PLACES, st.integers(1, 99)),
    st.tuples(st.just("remove"), PLACES, st.none()),
    st.tuples(st.just("post"), PLACES, st.none()),
    st.tuples(st.just("day"), st.none(), st.none()),
    st.tuples(st.just("refresh"), st.none(), st.none()),
    st.tuples(st.just("page"), st.integers(1, 6), st.none()),
)
HISTORIES = st.lists(EVENTS, max_size=40)


class Reader:
    """An integrator's own copy, kept as the documentation of the loop says."""

    def __init__(self, world: World, account_id: str | None) -> None:
        self._world = world
        self._options = {"account_id": account_id} if account_id else {}
        self.copy: dict[str, dict[str, Any]] = {}
        # What the pages of an unfinished loop have made of the copy, and where it began.
        self._draft: dict[str, dict[str, Any]] | None = None
        self._cursor = self._loop_start = ""

    async def read_page(self, count: int) -> bool:
        """Read a page; answers whether there is more."""
        page = await self._world.post(
            "/transactions/sync",
            access_token=self._world.access_token,
            cursor=self._cursor,
            count=count,
            options=self._options,
        )
        if page.get("error_code") == MUTATED:
            self._draft, self._cursor = None, self._loop_start
            return True
        assert "error_code" not in page, page
        self._check(page, count)
        draft = dict(self.copy) if self._draft is None else self._draft
        for one in page["added"]:
            assert one["transaction_id"] not in draft
            draft[one["transaction_id"]] = one
        for one in page["modified"]:
            assert one["transaction_id"] in draft
            draft[one["transaction_id"]] = one
        for one in page["removed"]:
            del draft[one["transaction_id"]]
        self._draft, self._cursor = draft, page["next_cursor"]
        if not page["has_more"]:
            self.copy, self._draft, self._loop_start = draft, None, self._cursor
        return bool(page["has_more"])

    def _check(self, page: dict[str, Any], count: int) -> None:
        told = len(page["added"]) + len(page["modified"]) + len(page["removed"])
        assert told == count if page["has_more"] else told <= count

    async def read_all(self, count: int) -> None:
        """End the loop that is under way, and go through another."""
        for _ in range(2):
            while await self.read_page(count):
                pass


def happen(world: World, event: str, place: int | None, detail: Any, number: int) -> None:
    """Let the bank do something to a booking that it may still change."""
    books = world.bank.books
    recent = [key for key, one in books.items() if one.date > world.today - dt.timedelta(days=10)]
    if event == "book":
        assert place is not None
        day = world.today - dt.timedelta(days=place % 8)
        books[f"b{number}"] = Booking(f"b{number}", place % 3, day, float(number), pending=detail)
    elif event == "day":
        world.next_day()
    elif recent and place is not None:
        key = recent[place % len(recent)]
        one = books[key]
        if event == "change":
            one.amount += detail
        elif event == "remove":
            del books[key]
        elif event == "post" and one.pending:
            del books[key]
            books[f"p{key}"] = Booking(f"p{key}", one.account, world.today, one.amount, False, key)


async def live_through(world: World, history: list[tuple[str, Any, Any]]) -> None:
    await world.link()
    readers = [Reader(world, None), Reader(world, world.account_ids[0])]
    for number, (event, place, detail) in enumerate(history):
        if event == "refresh":
            await refresh(world)
        elif event == "page":
            for reader in readers:
                await reader.read_page(place)
        else:
            happen(world, event, place, detail, number)
    await refresh(world)
    for reader, accounts in zip(readers, [None, world.account_ids[:1]], strict=True):
        await reader.read_all(3)
        expect_truth(world, reader.copy, accounts)
        # A reader that begins now is told the same.
        fresh = Reader(world, accounts[0] if accounts else None)
        await fresh.read_all(5)
        assert fresh.copy == reader.copy


async def refresh(world: World) -> None:
    answer = await world.post("/transactions/refresh", access_token=world.access_token)
    assert "error_code" not in answer, answer


async def sync(world: World, **fields: Any) -> dict[str, Any]:
    page = await world.post("/transactions/sync", access_token=world.access_token, **fields)
    assert "error_code" not in page, page
    return page


def expect_truth(world: World, copy: dict[str, Any], accounts: list[str] | None) -> None:
    ids = world.account_ids
    truth = {
        one.key: (ids[one.account], one.amount, str(one.date), one.pending)
        for one in world.bank.books.values()
        if accounts is None or ids[one.account] in accounts
    }
    rebuilt = {
        one["name"]: (one["account_id"], one["amount"], one["date"], one["pending"])
        for one in copy.values()
    }
    assert rebuilt == truth


@pytest.fixture(scope="module")
def run(
    store_kind: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[Any], Any]]:
    """A function that runs `action(world)`, on the world that all tests here share."""
    database = request.getfixturevalue("postgres_url")() if store_kind == "postgres" else None
    data: Path = tmp_path_factory.mktemp(f"world-{store_kind}")
    with asyncio.Runner() as runner:
        world = runner.run(open_world(data, database))
        yield lambda action: runner.run(action(world))


def test_random_histories_are_rebuilt(run: Callable[[Any], Any], store_kind: str) -> None:
    @settings(
        max_examples=1_000 if store_kind == "sqlite" else 100,
        suppress_health_check=list(HealthCheck),
    )
    @given(HISTORIES)
    def histories(history: list[tuple[str, Any, Any]]) -> None:
        run(lambda world: live_through(world, history))

    histories()


def test_posted_entry_names_the_pending_one(run: Callable[[Any], Any]) -> None:
    async def post(world: World) -> None:
        await world.link()
        books = world.bank.books
        books["held"] = Booking("held", 0, world.today, 5, pending=True)
        first = await sync(world)
        pending_id = first["added"][0]["transaction_id"]
        del books["held"]
        books["posted"] = Booking("posted", 0, world.today, 5, False, "held")
        await refresh(world)
        second = await sync(world, cursor=first["next_cursor"])
        assert [one["transaction_id"] for one in second["removed"]] == [pending_id]
        assert [one["pending_transaction_id"] for one in second["added"]] == [pending_id]
        books["posted"].amount = 6
        await refresh(world)
        third = await sync(world, cursor=second["next_cursor"])
        assert [one["pending_transaction_id"] for one in third["modified"]] == [pending_id]

    run(post)


def test_pages_tell_in_the_order_of_the_changes(run: Callable[[Any], Any]) -> None:
    async def read(world: World) -> None:
        await world.link()
        for number in range(12):
            happen(world, "book", number, False, number)
        whole = (await sync(world))["added"]
        assert [one["date"] for one in whole] == sorted(one["date"] for one in whole)
        found: list[dict[str, Any]] = []
        page: dict[str, Any] = {"next_cursor": "", "has_more": True}
        while page["has_more"]:
            page = await sync(world, cursor=page["next_cursor"], count=5)
            found += page["added"]
        assert found == whole
        assert len(found) == 12

    run(read)


def test_page_is_refused_when_its_entries_changed_meanwhile(tmp_path: Path) -> None:
    async def read() -> None:
        world = await open_world(tmp_path)
        await world.link()
        happen(world, "book", 0, False, 1)
        await sync(world)
        item = await world.post("/item/get", access_token=world.access_token)
        services = await open_services(Settings(data=tmp_path, clock=START))
        client = await services.store.first(CLIENT, client_id="client_sandbox")
        assert client is not None
        call = ClientCall(services, "", START, client)
        seen = await call.first(
            UPDATE_OF_ITEM,
            item_id=item["item"]["item_id"],
            client_id="client_sandbox",
            product="transactions",
        )
        assert seen is not None
        happen(world, "change", 0, 1, 2)
        await refresh(world)
        with pytest.raises(GuardFailed):
            await read_page(call, seen, None, "", 100)
        await services.store.close()

    asyncio.run(read())
