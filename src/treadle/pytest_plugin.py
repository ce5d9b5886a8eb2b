"""A plugin for pytest: a client on a sandbox server for each test.

pytest loads it in every run, so it imports the rest of Treadle where it is first used.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from treadle.control.answers import RequestDetails
    from treadle.running import Server
    from treadle.testing import Sandbox

_SANDBOX = pytest.StashKey["Sandbox"]()
_SHOWN_REQUESTS = 20


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.getgroup("treadle").addoption(
        "--treadle-url",
        metavar="URL",
        help="Use the sandbox server that runs there, instead of starting one.",
    )


@pytest.fixture(scope="session")
def treadle_arguments() -> tuple[str, ...]:
    """What `treadle serve` is started with; a conftest.py may say otherwise."""
    return ()


@pytest.fixture(scope="session")
def treadle_server(
    pytestconfig: pytest.Config, treadle_arguments: tuple[str, ...]
) -> Iterator[Server]:
    """The sandbox server of this test process."""
    from treadle.running import Server, serve

    url = pytestconfig.getoption("treadle_url")
    if url is None:
        with serve(*treadle_arguments) as server:
            yield server
    else:
        server = Server(url)
        with server.client:
            yield server


@pytest.fixture
def treadle(treadle_server: Server, request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """A client for this test alone, deleted at its end with all that it has."""
    from treadle.testing import Sandbox

    with Sandbox(treadle_server.client, request.node.nodeid) as sandbox:
        request.node.stash[_SANDBOX] = sandbox
        yield sandbox
        del request.node.stash[_SANDBOX]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Shows the last requests of a test that failed."""
    report = yield
    sandbox = item.stash.get(_SANDBOX, None)
    if report.failed and sandbox is not None:
        report.sections.append(("treadle requests", _last_requests(sandbox)))
    return report


def _last_requests(sandbox: Sandbox) -> str:
    from treadle.client import Refused, Unreachable

    try:
        found = sandbox.requests.list(count=_SHOWN_REQUESTS)
    except (Refused, Unreachable) as error:
        return f"they cannot be told: {error}"
    return "\n".join(_line(request) for request in reversed(found)) or "none"


def _line(request: RequestDetails) -> str:
    told = f"{request.method} {request.path}  {request.status} {request.error_code or 'OK'}"
    if request.decision is not None:
        told += f"  {request.decision}"
    if request.reason is not None:
        told += f": {request.reason}"
    if request.fault_id is not None:
        told += f"  fault {request.fault_id}"
    return f"{told}  {request.request_id}"
