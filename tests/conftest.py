"""Fixtures for all tests: servers, databases and the Node.js SDK."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from tests.support.node import install
from tests.support.postgres import PostgresServer
from tests.support.server import Server

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# How long an example takes says more about the machine than about the program.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")

STORES = ("sqlite", "postgres")
NODE_PROJECT = Path(__file__).parent / "sdk" / "node"
_LOG_TAIL = 8_000


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """Each test process runs a PostgreSQL of its own."""
    postgres = PostgresServer()
    try:
        postgres.start()
        yield postgres
    finally:
        postgres.stop()


@pytest.fixture(scope="session")
def postgres_url(postgres_server: PostgresServer) -> Callable[[], str]:
    """A function that creates an empty PostgreSQL database and returns its address."""
    return postgres_server.create_database


@pytest.fixture(scope="session", params=STORES)
def store_kind(request: pytest.FixtureRequest) -> str:
    """Runs what uses it once on each kind of store."""
    kind: str = request.param
    return kind


@pytest.fixture
def store(store_kind: str, request: pytest.FixtureRequest) -> list[str]:
    """The arguments for `serve` that choose an empty store: SQLite, then PostgreSQL."""
    return store_arguments(store_kind, request)


@pytest.fixture
def url(store_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database."""
    if store_kind == "sqlite":
        return f"sqlite:///{tmp_path}/treadle.db"
    create: Callable[[], str] = request.getfixturevalue("postgres_url")
    return create()


@pytest.fixture(scope="session")
def server(
    store_kind: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server on each kind of store in turn, shared by all tests: never stop it."""
    folder = tmp_path_factory.mktemp(f"server-{store_kind}")
    server = Server(folder / "data", *store_arguments(store_kind, request))
    server.start()
    yield server
    if server.running:
        server.kill()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """A function that starts a server of the test's own; it is killed after the test.

    Arguments go to `treadle serve`. `data` names the data folder (a new one otherwise) and
    `env` adds environment variables.
    """
    started: list[Server] = []

    def start(*args: str, data: Path | None = None, env: dict[str, str] | None = None) -> Server:
        number = len(started) + 1
        server = Server(
            data or tmp_path / f"data-{number}",
            *args,
            env=env,
            log_path=tmp_path / f"server-{number}.log",
        )
        started.append(server)
        server.start()
        return server

    yield start
    for server in started:
        if server.running:
            server.kill()


# Playwright keeps an event loop running in this thread, with which other tests cannot have theirs.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    # It takes a while to import, and most tests need none.
    from playwright.sync_api import sync_playwright

    from tests.support.chromium import launch

    with sync_playwright() as playwright, launch(playwright.chromium) as browser:
        yield browser


@pytest.fixture(scope="session")
def node_modules() -> Path:
    """The folder of the installed Node.js packages, Plaid's SDK among them."""
    return install(NODE_PROJECT)


def store_arguments(kind: str, request: pytest.FixtureRequest) -> list[str]:
    if kind == "sqlite":
        return []
    postgres: PostgresServer = request.getfixturevalue("postgres_server")
    return ["--database", postgres.create_migrated_database()]


_SERVED = {
    *("server", "serve", "sandbox", "browser"),
    *("treadle", "postgres_url", "store_kind", "node_modules"),
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks what starts the program or a database, so that the rest runs in a moment."""
    for item in items:
        if _SERVED.intersection(getattr(item, "fixturenames", ())):
            item.add_marker("served")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Adds the end of the shared server's log to the report of a test that failed."""
    report = yield
    server = getattr(item, "funcargs", {}).get("server")
    if report.failed and isinstance(server, Server):
        report.sections.append(("treadle's log", server.log()[-_LOG_TAIL:]))
    return report
