"""Going through many things on a loop that has others to serve."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import TypeVar

T = TypeVar("T")

_AT_ONCE = 50


async def in_turns(things: Iterable[T]) -> AsyncIterator[T]:
    """Each of them; after a few, others have a turn."""
    for count, one in enumerate(things, 1):
        yield one
        if count % _AT_ONCE == 0:
            await asyncio.sleep(0)
