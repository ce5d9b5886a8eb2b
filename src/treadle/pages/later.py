"""Pages that are loaded for their first request: what draws them takes a while to import."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

Site = Callable[[Any, Any, Any], Awaitable[None]]


class Later:
    def __init__(self, load: Callable[[], Site]) -> None:
        self._load = load
        self._site: Site | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if self._site is None:
            self._site = self._load()
        await self._site(scope, receive, send)
