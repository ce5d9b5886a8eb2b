"""Whom to work as, and making another client."""

from __future__ import annotations

from starlette.responses import Response

from treadle.console.rows import NEWEST_CLIENTS, like
from treadle.console.visit import PAGE, Visit
from treadle.partners.processors import PROCESSORS


async def show(visit: Visit) -> Response:
    found = await visit.services.store.all(
        NEWEST_CLIENTS,
        count=PAGE + 1,
        offset=visit.offset,
        contained=like(visit.asked("name")),
    )
    return visit.page(
        "clients.html",
        clients=found[:PAGE],
        more=len(found) > PAGE,
        offset=visit.offset,
        name=visit.asked("name"),
        processors=PROCESSORS,
    )


async def make(visit: Visit) -> Response:
    """Its secret is shown on this page alone, so none is gone to."""
    fields: dict[str, object] = {
        "name": visit.given("name"),
        "processors": visit.chosen("processors"),
    }
    if visit.given("new_client_id"):
        fields["new_client_id"] = visit.given("new_client_id")
    made = await visit.perform("/treadle/sandbox/clients", fields)
    return visit.page("client_made.html", made=made["client"], secret=made["secret"])
