"""Requests that go on while something is done to the server, and what became of them."""

from __future__ import annotations

import threading
import time
from collections import Counter
from types import TracebackType

from tests.support.raw import Api, Linked
from tests.support.server import Server

_REST_SECONDS = 0.005


class Load:
    """Redeems and mints, on lines kept alive and on new ones, for as long as its block lasts."""

    def __init__(self, server: Server) -> None:
        api = Api(server.url)
        self._linked: Linked = api.link()
        self._token = api.mint(self._linked)
        api.close()
        self.outcomes: Counter[str] = Counter()
        self._url = server.url
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(keep_alive,))
            for keep_alive in (True, True, True, False)
        ]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def wait_for(self, count: int) -> None:
        """Until so many more requests have had an end."""
        wanted = self.outcomes.total() + count
        deadline = time.monotonic() + 30
        while self.outcomes.total() < wanted:
            assert time.monotonic() < deadline, "the load stands still"
            time.sleep(0.02)

    def _run(self, keep_alive: bool) -> None:
        api = Api(self._url, keep_alive=keep_alive)
        number = 0
        while not self._over.is_set():
            number += 1
            try:
                if number % 5:
                    code = api.redeem(self._token, "auth").code
                else:
                    api.mint(self._linked)
                    code = "OK"
            except Exception as error:
                api.close()
                code = repr(error)
            self.outcomes[code] += 1
            time.sleep(_REST_SECONDS)
        api.close()
