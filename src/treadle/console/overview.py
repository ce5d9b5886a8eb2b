"""Where one begins: credentials, a first call, and how much there is by now."""

from __future__ import annotations

from starlette.responses import Response

from treadle.console.rendering import render
from treadle.console.rows import COUNTS
from treadle.console.visit import Visit
from treadle.settings import SANDBOX_SECRET

_FIRST_CALLS = {
    "Python": "first_call.py.txt",
    "Node": "first_call.mjs.txt",
    "curl": "first_call.sh.txt",
}


async def show(visit: Visit) -> Response:
    client, services = visit.client, visit.services
    # Of other clients nobody knows the secret but who was given it.
    published = services.keys.matches(SANDBOX_SECRET, client.secret_digest, client.pepper_id)
    secret = SANDBOX_SECRET if published else None
    base_url = services.settings.browser_url
    return visit.page(
        "overview.html",
        base_url=base_url,
        secret=secret,
        first_calls={
            language: render(template, base_url=base_url, client=client, secret=secret)
            for language, template in _FIRST_CALLS.items()
        },
        counts=await visit.first(COUNTS),
        latest=await visit.requests(count=8),
    )


async def count(visit: Visit) -> Response:
    return visit.page(
        "counts.html", counts=await visit.first(COUNTS), latest=await visit.requests(count=8)
    )
