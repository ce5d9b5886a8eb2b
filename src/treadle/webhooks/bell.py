"""Telling the delivery in this process that a webhook may be due."""

from __future__ import annotations

import asyncio
from typing import NamedTuple


class Line(NamedTuple):
    """A client's webhooks to one endpoint."""

    client_id: str
    endpoint: str


class Bell:
    def __init__(self) -> None:
        self._lines: dict[Line, None] = {}
        self._rung = asyncio.Event()
        self._for_all = False

    def ring(self, line: Line) -> None:
        """Something may be due here."""
        self._lines[line] = None
        self._rung.set()

    def ring_for_all(self) -> None:
        """Something may be due anywhere, as when a clock was advanced."""
        self._for_all = True
        self._rung.set()

    async def wait(self, seconds: float) -> tuple[list[Line], bool]:
        """The lines that were rung for, once there is one, and whether it is time to look at all.

        It is that when the time is over, too.
        """
        try:
            async with asyncio.timeout(seconds):
                await self._rung.wait()
        except TimeoutError:
            return [], True
        self._rung.clear()
        lines, self._lines = list(self._lines), {}
        for_all, self._for_all = self._for_all, False
        return lines, for_all
