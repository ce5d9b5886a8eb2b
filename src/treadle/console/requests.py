"""What was asked and answered, and why."""

from __future__ import annotations

import shlex
from typing import Any, Literal
from urllib.parse import urlencode

import msgspec
from starlette.responses import Response

from treadle.console.visit import PAGE, NotThere, Visit
from treadle.recording.rows import Recorded


class Step(msgspec.Struct):
    """One of the stages that a request goes through, and how it fared there."""

    what: str
    went: Literal["yes", "no", "unreached"]
    why: str | None = None


async def show_all(visit: Visit) -> Response:
    contained, only_refused = visit.asked("path"), visit.asked("refused") == "1"
    found = await visit.requests(
        contained, only_refused=only_refused, count=PAGE + 1, offset=visit.offset
    )
    return visit.page(
        "requests.html",
        requests=found[:PAGE],
        more=len(found) > PAGE,
        offset=visit.offset,
        **_filter(contained, only_refused),
        newest=found[0].answered_at if found else 0,
        kept=visit.services.settings.requests_kept,
    )


async def show_newer(visit: Visit) -> Response:
    """The rows that have come since the newest one that the page shows."""
    contained, only_refused = visit.asked("path"), visit.asked("refused") == "1"
    text = visit.asked("after")
    after = int(text) if text.isascii() and text.isdigit() else 0
    found = await visit.requests(contained, only_refused=only_refused, after=after)
    if not found:
        return Response(status_code=204)
    return visit.page(
        "requests_newer.html",
        requests=found,
        newest=found[0].answered_at,
        **_filter(contained, only_refused),
    )


def _filter(contained: str, only_refused: bool) -> dict[str, Any]:
    asked = {"path": contained, "refused": "1"} if only_refused else {"path": contained}
    return {"contained": contained, "only_refused": only_refused, "asked": asked}


async def show(visit: Visit) -> Response:
    recorded = await visit.recorded(visit.named("request_id"))
    if recorded is None:
        kept = visit.services.settings.requests_kept
        raise NotThere(f"It is none of the last {kept} requests of this client.")
    return visit.page(
        "request.html",
        request=recorded,
        steps=_steps(recorded),
        curl=_curl(visit, recorded),
    )


def _steps(recorded: Recorded) -> list[Step]:
    """What happened to a request, in the order of the pipeline's stages."""
    succeeded, struck = recorded.status == 200, recorded.fault_id is not None
    allowed = recorded.decision == "allowed"
    why = recorded.reason or recorded.error_code
    steps = [Step("The credentials are those of a client", "yes")]
    if struck and not allowed:
        return [*steps, Step("A fault struck before the call", "no", why)]
    if recorded.decision is None and not succeeded:
        unreached = Step("The gate was not reached", "unreached")
        return [*steps, Step("The request was not understood", "no", why), unreached]
    steps.append(Step("The request was understood", "yes"))
    if not allowed:
        return [*steps, Step("The gate refused it", "no", why)]
    steps.append(Step("The gate let it through", "yes"))
    if struck:
        steps.append(Step("A fault struck it", "no", why))
    elif succeeded:
        steps.append(Step("It was carried out", "yes"))
    else:
        steps.append(Step("It could not be carried out", "no", why))
    return steps


def _curl(visit: Visit, recorded: Recorded) -> str:
    """The request as a command, with a gap wherever something was masked."""
    address = visit.services.settings.browser_url + recorded.path
    given = None if recorded.request is None else msgspec.json.decode(recorded.request)
    body = []
    if recorded.method == "GET":
        address += f"?{urlencode(given)}" if given else ""
    else:
        hidden = {"client_id", "secret"}
        shown = {name: given[name] for name in given if name not in hidden} if given else {}
        text = msgspec.json.format(msgspec.json.encode(shown), indent=2).decode()
        body = ["-H 'Content-Type: application/json'", f"-d {shlex.quote(text)}"]
    parts = [
        f"curl -sS {shlex.quote(address)}",
        f"-H {shlex.quote(f'PLAID-CLIENT-ID: {visit.client.client_id}')}",
        '-H "PLAID-SECRET: $PLAID_SECRET"',
        *body,
    ]
    return " \\\n    ".join(parts)
