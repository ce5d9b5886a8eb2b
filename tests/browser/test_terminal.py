"""`treadle link open`: a user in a browser, and a terminal that waits."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.control.plane import Planned
from tests.support import preloaded
from tests.support.link import link_token
from tests.support.preloaded import Program
from tests.support.server import Server
from treadle.testing.browser import LinkPage

_SECONDS = 20.0


class Opened:
    def __init__(self, program: Program, log: Path) -> None:
        self.program = program
        self._log = log
        self.url = self._find(r"Link is at (\S+)")

    def _find(self, pattern: str) -> str:
        deadline = time.monotonic() + _SECONDS
        while time.monotonic() < deadline:
            if found := re.search(pattern, self._log.read_text()):
                return found[1]
            time.sleep(0.02)
        raise AssertionError(self._log.read_text())

    def end(self) -> tuple[int, list[str]]:
        """The exit code, and what was printed after the address."""
        code = self.program.wait(_SECONDS)
        return code, self._log.read_text().splitlines()[1:]


@contextmanager
def opened(server: Server, token: str, log: Path) -> Iterator[Opened]:
    arguments = ["link", "open", token, "--no-browser", "--url", server.url]
    program = preloaded.start(arguments, {**os.environ, "PYTHONUNBUFFERED": "1"}, log)
    try:
        yield Opened(program, log)
    finally:
        program.send_signal(15)


@pytest.mark.parametrize("succeeds", [True, False])
def test_how_link_ends_is_printed(
    page: Page, api: Planned, link_server: Server, tmp_path: Path, *, succeeds: bool
) -> None:
    with opened(link_server, link_token(api), tmp_path / "log") as terminal:
        page.goto(terminal.url)
        link = LinkPage(page)
        if succeeds:
            link.link_bank(masks=["0000"])
        else:
            link.leave()
        code, printed = terminal.end()
        expect(page.get_by_role("status")).to_contain_text("go on in the terminal")
    if succeeds:
        public_token, told = printed
        assert (code, told) == (
            0,
            "linked Tartan Bank: Plaid Gold Standard 0% Interest Checking 0000",
        )
        assert api.exchange(public_token).status == 200
    else:
        assert (code, printed) == (1, ["nothing was linked"])


def test_what_is_not_its_own_page_is_told_nothing(
    api: Planned, link_server: Server, tmp_path: Path
) -> None:
    with opened(link_server, link_token(api), tmp_path / "log") as terminal:
        page = httpx.URL(terminal.url)
        ended = {"public_token": "public-sandbox-0", "metadata": {}}
        evil = {"Origin": "http://evil.example"}
        assert httpx.post(page.join("/ended"), json=ended, headers=evil).status_code == 404
        assert httpx.get(page, headers={"Host": "evil.example"}).status_code == 404
        assert httpx.get(page).status_code == 200
