"""Callers are held to the documented rates where they are asked to be."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.raw import Api, new_client
from tests.support.server import Server
from treadle.http.errors import ApiError
from treadle.http.rates import RATES, Rate, RateLimits, Rates
from treadle.operations import load_areas

Serve = Callable[..., Server]

PAGE = Path(__file__).parents[2] / "docs" / "operations.md"


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def answers(limits: RateLimits, path: str, client: str, item: str | None, count: int) -> list[str]:
    found = []
    for _ in range(count):
        try:
            limits.check(path, client, item)
            found.append("OK")
        except ApiError as error:
            kind = error.kind
            found.append(kind.error_code if kind.status == 429 else str(kind))
    return found


def test_an_item_has_its_rate_and_the_others_theirs() -> None:
    limits = RateLimits(sandbox=False, now=Clock())
    assert answers(limits, "/auth/get", "one", "item", 17) == ["OK"] * 15 + ["AUTH_LIMIT"] * 2
    assert answers(limits, "/auth/get", "one", "other", 1) == ["OK"]
    assert answers(limits, "/item/get", "one", "item", 1) == ["OK"]


def test_a_client_has_its_rate_over_all_its_items() -> None:
    limits = RateLimits(sandbox=True, now=Clock())
    path = "/accounts/balance/get"
    for number in range(5):
        assert answers(limits, path, "one", f"item{number}", 20) == ["OK"] * 20
    assert answers(limits, path, "one", "item5", 1) == ["ACCOUNTS_BALANCE_GET_LIMIT"]
    assert answers(limits, path, "two", "item9", 26) == ["OK"] * 25 + ["BALANCE_LIMIT"]


def test_what_is_refused_is_not_counted() -> None:
    limits = RateLimits(sandbox=False, now=Clock())
    answers(limits, "/transactions/refresh", "one", "item", 500)
    assert answers(limits, "/transactions/refresh", "one", "other", 1) == ["OK"]


def test_what_takes_access_away_is_not_limited() -> None:
    limits = RateLimits(sandbox=False, now=Clock())
    for path in ("/item/remove", "/item/access_token/invalidate", "/processor/auth/get"):
        assert set(answers(limits, path, "one", "item", 25_000)) == {"OK"}


def test_a_window_slides() -> None:
    clock = Clock()
    limits = RateLimits(sandbox=False, now=clock)
    assert answers(limits, "/auth/get", "one", "item", 15) == ["OK"] * 15
    clock.now += 59
    assert answers(limits, "/auth/get", "one", "item", 1) == ["AUTH_LIMIT"]
    clock.now += 1 + 20
    # A third of the window before is out of reach.
    assert answers(limits, "/auth/get", "one", "item", 6) == ["OK"] * 5 + ["AUTH_LIMIT"]
    clock.now += 120
    assert answers(limits, "/auth/get", "one", "item", 16) == ["OK"] * 15 + ["AUTH_LIMIT"]


@given(st.lists(st.floats(0, 40), min_size=1, max_size=200))
def test_no_window_lets_more_through_than_its_rate(pauses: list[float]) -> None:
    clock = Clock()
    limits = RateLimits(sandbox=False, now=clock)
    start = None
    through: list[float] = []
    for pause in pauses:
        clock.now += pause
        if answers(limits, "/auth/get", "one", "item", 1) == ["OK"]:
            start = clock.now if start is None else start
            through.append(clock.now)
    assert start is not None
    windows = [int((at - start) // 60) for at in through]
    assert max(windows.count(one) for one in windows) <= 15


def test_who_keeps_to_the_rate_is_never_refused() -> None:
    clock = Clock()
    limits = RateLimits(sandbox=False, now=clock)
    for _ in range(1_000):
        clock.now += 4.1
        assert answers(limits, "/auth/get", "one", "item", 1) == ["OK"]


def cell(rates: Rates) -> str:
    def text(rate: Rate | None) -> str:
        if rate is None:
            return "none"
        unit = {1: " a second", 60: "", 3_600: " an hour"}[rate.seconds]
        return f"{rate.times:,}{unit}"

    return f"{text(rates.of_item)}, {text(rates.of_client)}"


def rows() -> Iterable[str]:
    for path, (production, sandbox) in RATES.items():
        outside = "" if path.startswith("/sandbox/") else cell(production)
        yield f"| `{path}` | {outside} | {cell(sandbox)} |"


def test_every_rate_is_documented() -> None:
    section = PAGE.read_text().partition("## Rate limits")[2].partition("\n## ")[0]
    assert re.findall(r"^\| `/.*$", section, re.MULTILINE) == list(rows())


@pytest.mark.parametrize("path", RATES)
def test_every_rate_is_of_an_operation(path: str) -> None:
    assert path in load_areas()
    limits = RateLimits(sandbox=True, now=Clock())
    last = answers(limits, path, "one", "item", 5_001)[-1]
    assert last.endswith("LIMIT")


def test_a_sandbox_has_no_limits_unless_asked(serve: Serve, store: list[str]) -> None:
    refresh = "/transactions/refresh"
    limited = [*store, "--rate-limits"]
    for arguments, wanted in (([], "OK"), (limited, "TRANSACTIONS_REFRESH_LIMIT")):
        server = serve(*arguments)
        api = Api(server.url)
        linked = api.link("transactions")
        codes = [api.post(refresh, access_token=linked.access_token).code for _ in range(3)]
        assert codes == ["OK", "OK", wanted]
        server.stop()


def test_production_has_limits_unless_told_otherwise(serve: Serve) -> None:
    listing = {"count": 1, "offset": 0, "country_codes": ["US"]}
    for arguments, wanted in (([], "INSTITUTIONS_GET_LIMIT"), (["--no-rate-limits"], "OK")):
        server = serve("--environment", "production", *arguments)
        api = Api(server.url, *new_client(server))
        codes = [api.post("/institutions/get", **listing).code for _ in range(51)]
        assert codes == ["OK"] * 50 + [wanted]
