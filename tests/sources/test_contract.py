"""What every source promises, on both stores."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.ingest.pushing import BANK, PASSWORD, Record, account, lines
from tests.ingest.pushing import transaction as brought
from tests.ingest.test_lines import EVERYTHING
from tests.support.effort import tries
from treadle.app import open_services
from treadle.bank.model import Institution
from treadle.call import Services
from treadle.clock import parse_instant
from treadle.http.errors import ApiError
from treadle.ingest.intake import Intake
from treadle.settings import SANDBOX_CLIENT_ID, Settings
from treadle.sources.source import KnownAccount, Login, MalformedPassword, Reading, Source
from treadle.sources.sources import Catalogue

NOW = parse_instant("2026-03-01T12:00:00Z")
TODAY = dt.date(2026, 3, 1)
# The institution and the user that a source is tried with.
TRIED = {
    "sandbox": ("ins_109508", "user_good", "pass_good"),
    "stored": (BANK, "ada", PASSWORD),
}


class Bench(NamedTuple):
    """A source in use, on one kind of store."""

    run: Callable[[Any], Any]
    services: Services
    catalogue: Catalogue
    source: Source
    institution: Institution
    login: Login


async def bring(services: Services, *records: Record) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield lines(records)

    intake = Intake(services.store, services.keys, SANDBOX_CLIENT_ID, NOW)
    await intake.take_lines(body())
    assert intake.summary.problems == []


@pytest.fixture(scope="module", params=TRIED)
def bench(
    request: pytest.FixtureRequest, store_kind: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Bench]:
    data: Path = tmp_path_factory.mktemp("contract")
    database = None
    if store_kind == "postgres":
        database = request.getfixturevalue("postgres_server").create_migrated_database()
    with asyncio.Runner() as runner:
        services = runner.run(open_services(Settings(data=data, database=database)))
        runner.run(bring(services, *EVERYTHING))
        catalogue = runner.run(services.sources.catalogue(SANDBOX_CLIENT_ID))
        institution_id, username, password = TRIED[request.param]
        institution = catalogue.find(institution_id)
        assert institution is not None
        source = catalogue.source_of(institution)
        login = runner.run(source.log_in(institution, username, password, NOW, "seed"))
        yield Bench(runner.run, services, catalogue, source, institution, login)


def known(bench: Bench, login: Login | None = None) -> list[KnownAccount]:
    return [
        KnownAccount(f"account-{place}", place, one.data, one.source_key)
        for place, one in enumerate((login or bench.login).accounts)
    ]


def reading(bench: Bench, since: dt.date, **changed: Any) -> Reading:
    asked: dict[str, Any] = {
        "secret": bench.login.secret,
        "accounts": known(bench),
        "today": TODAY,
        "since": since,
        "refreshes": 0,
        "known": [],
    }
    return Reading(**(asked | changed))


def test_institutions_are_told_apart(bench: Bench) -> None:
    every = list(bench.catalogue)
    assert len({one.institution_id for one in every}) == len(every) >= 2
    assert bench.services.sources.named(bench.source.name) is bench.source
    assert bench.catalogue.find("nowhere") is None
    with pytest.raises(LookupError):
        bench.services.sources.named("nobody")
    of_others = bench.run(bench.services.sources.catalogue("client_other"))
    assert (of_others.find(BANK), of_others.find("ins_109508") is None) == (None, False)


def test_login_gives_the_same_accounts_each_time(bench: Bench) -> None:
    _, username, password = TRIED[bench.source.name]
    again = bench.run(bench.source.log_in(bench.institution, username, password, NOW, "seed"))
    assert again.accounts == bench.login.accounts
    assert len(again.accounts) >= 2
    revived = bench.run(bench.source.revived(bench.institution, bench.login.secret))
    assert revived.accounts == bench.login.accounts
    assert bench.source.renewed(bench.login.secret, again) == bench.login.secret
    told = bench.run(bench.source.accounts(bench.login.secret))
    assert told is None or told == bench.login.accounts


@pytest.mark.parametrize("password", ["", "wrong", "x" * 10_000])
def test_wrong_password_is_refused(bench: Bench, password: str) -> None:
    username = TRIED[bench.source.name][1]
    with pytest.raises((ApiError, MalformedPassword)):
        bench.run(bench.source.log_in(bench.institution, username, password, NOW, "seed"))


@pytest.mark.parametrize("secret", [b"", b"{}", b"[]", b'{"user_id": 1}', b"\xff"])
def test_what_is_no_login_is_not_revived(bench: Bench, secret: bytes) -> None:
    with pytest.raises((ApiError, MalformedPassword)):
        bench.run(bench.source.revived(bench.institution, secret))


def test_picture_has_each_transaction_once(bench: Bench) -> None:
    since = TODAY - dt.timedelta(days=90)
    shown = bench.run(bench.source.transactions(reading(bench, since))).transactions
    assert shown
    assert len({one.source_key for one in shown}) == len(shown)
    assert {one.account_id for one in shown} <= {one.account_id for one in known(bench)}
    assert all(since <= one.date for one in shown if not one.pending)
    assert all(one.iso_currency_code == "USD" for one in shown)
    again = bench.run(bench.source.transactions(reading(bench, since))).transactions
    assert again == shown


def test_later_picture_agrees_with_the_earlier_on_their_days(bench: Bench) -> None:
    long, short = TODAY - dt.timedelta(days=90), TODAY - dt.timedelta(days=20)
    every, fewer = (
        bench.run(bench.source.transactions(reading(bench, since))).transactions
        for since in (long, short)
    )
    settled = {one.source_key: one for one in every if one.date >= short and not one.pending}
    assert settled == {one.source_key: one for one in fewer if not one.pending}


def test_accounts_that_an_item_does_not_have_are_not_read(bench: Bench) -> None:
    since = TODAY - dt.timedelta(days=90)
    one = known(bench)[0]
    picture = bench.run(bench.source.transactions(reading(bench, since, accounts=[one])))
    assert {entry.account_id for entry in picture.transactions} <= {one.account_id}
    nothing = bench.run(bench.source.transactions(reading(bench, since, accounts=[])))
    assert nothing.transactions == []


def test_holdings_name_securities_that_are_told(bench: Bench) -> None:
    picture = bench.run(bench.source.investments(reading(bench, TODAY - dt.timedelta(days=730))))
    assert picture.portfolios
    for portfolio in picture.portfolios.values():
        told = {one.security_id for one in portfolio.securities}
        assert {one.security_id for one in portfolio.holdings} <= told
    every = {one.security_id for held in picture.portfolios.values() for one in held.securities}
    assert {one.security_id for one in picture.transactions if one.security_id} <= every


def test_liabilities_are_of_the_items_accounts(bench: Bench) -> None:
    owed = bench.run(bench.source.liabilities(reading(bench, TODAY)))
    assert owed
    assert owed.keys() <= {one.account_id for one in known(bench)}


days = st.dates(TODAY - dt.timedelta(days=60), TODAY)
books = st.dictionaries(
    st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1, max_size=12),
    st.tuples(days, st.decimals(-1_000, 1_000, places=2), st.booleans()),
    max_size=8,
)


@pytest.mark.parametrize("bench", ["stored"], indirect=True)
@settings(max_examples=tries(15, thorough=300), suppress_health_check=list(HealthCheck))
@given(st.lists(books, min_size=1, max_size=3))
def test_any_history_that_was_brought_is_what_is_shown(
    bench: Bench, histories: list[dict[str, tuple[dt.date, Any, bool]]]
) -> None:
    """Whatever stood there before: what a bank still has is shown, and nothing else."""
    bench.run(
        bring(
            bench.services,
            {"record": "delete_account", "institution_id": BANK, "account_id": "checking"},
            account(),
        )
    )
    before: set[str] = set()
    for history in histories:
        gone = before - history.keys()
        records = [
            brought(key, str(amount), date=day.isoformat(), pending=pending)
            for key, (day, amount, pending) in history.items()
        ]
        deleted = [
            {
                "record": "delete_transaction",
                "institution_id": BANK,
                "account_id": "checking",
                "transaction_id": key,
            }
            for key in sorted(gone)
        ]
        bench.run(bring(bench.services, *records, *deleted))
        before = set(history)
        login = bench.run(bench.source.revived(bench.institution, bench.login.secret))
        picture = bench.run(
            bench.source.transactions(
                reading(bench, TODAY - dt.timedelta(days=60), accounts=known(bench, login))
            )
        )
        shown = sorted(
            (one.date, json.dumps(one.amount), one.pending) for one in picture.transactions
        )
        assert shown == sorted(
            (day, json.dumps(float(amount) or 0.0), pending)
            for day, amount, pending in history.values()
        )
