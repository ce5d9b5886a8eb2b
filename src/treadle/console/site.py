"""The console as an ASGI application: which page stands where, and what guards them all."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from treadle.call import Services
from treadle.console import clients, delegation, items, overview, requests, webhooks, world
from treadle.console.protection import PREFIX, Refused, Visitor
from treadle.console.rendering import ASSETS, render
from treadle.console.visit import Form, NotThere, OperationRefused, Visit
from treadle.http.credentials import known_client
from treadle.http.errors import ApiError
from treadle.http.headers import HostCheck
from treadle.http.limits import read_body
from treadle.http.pipeline import Pipeline, Scope
from treadle.settings import SANDBOX_CLIENT_ID

Page = Callable[[Visit], Awaitable[Response]]

_MOST_FORM_BYTES = 262_144

PAGES: dict[str, Page] = {
    "": overview.show,
    "/counts": overview.count,
    "/clients": clients.show,
    "/delegation": delegation.show_all,
    "/delegation/{token_id}": delegation.show,
    "/items": items.show_all,
    "/items/new": items.offer,
    "/items/{item_id}": items.show,
    "/requests": requests.show_all,
    "/requests/newer": requests.show_newer,
    "/requests/{request_id}": requests.show,
    "/webhooks": webhooks.show_all,
    "/webhooks/{event_id}": webhooks.show,
    "/world": world.show,
}
ORDERS: dict[str, Page] = {
    "/clients": clients.make,
    "/delegation/{token_id}/products": delegation.narrow,
    "/delegation/{token_id}/lift": delegation.lift,
    "/delegation/{token_id}/read": delegation.read,
    "/delegation/{token_id}/revoke": delegation.revoke,
    "/items": items.make,
    "/items/{item_id}/break": items.break_login,
    "/items/{item_id}/mend": items.mend,
    "/items/{item_id}/webhook": items.set_webhook,
    "/items/{item_id}/fire": items.fire,
    "/items/{item_id}/mint": items.mint,
    "/items/{item_id}/remove": items.remove,
    "/world/clock": world.set_clock,
    "/world/clock/advance": world.advance_clock,
    "/world/clock/run": world.run_clock,
    "/world/seed": world.set_seed,
    "/world/faults": world.add_fault,
    "/world/faults/remove": world.remove_fault,
    "/world/faults/clear": world.clear_faults,
    "/world/snapshots": world.save_snapshot,
    "/world/snapshots/restore": world.restore_snapshot,
    "/world/snapshots/remove": world.remove_snapshot,
}


class Console:
    def __init__(self, services: Services, pipeline: Pipeline) -> None:
        self._services = services
        self._pipeline = pipeline
        self._hosts = HostCheck(services.settings.allowed_hosts)
        client = f"{PREFIX}/as/{{client_id}}"
        self._app = Starlette(
            routes=[
                Route(PREFIX, _to_ready_client),
                Route(f"{PREFIX}/static/{{digest}}/{{name}}", ASSETS.serve),
                *(Route(client + path, self._reading(page)) for path, page in PAGES.items()),
                *(
                    Route(client + path, self._ordering(page), methods=["POST"])
                    for path, page in ORDERS.items()
                ),
            ],
            exception_handlers={404: _nothing_there, 500: _failed},
        )

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        try:
            self._hosts.check(dict(scope["headers"]))
        except ApiError as error:
            await HTMLResponse(_problem("Not by this name", str(error)), 400)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _reading(self, page: Page) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            return await self._answer(request, Visitor(request, self._services.keys), page, {})

        return answer

    def _ordering(self, page: Page) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            visitor = Visitor(request, self._services.keys)
            receive: Any = request.receive
            try:
                body = await read_body(receive, _MOST_FORM_BYTES)
                form = parse_qs(body.decode(errors="replace"), keep_blank_values=True)
                visitor.check(request, form.get("form_token", [""])[0])
            except (ApiError, Refused) as refusal:
                problem = _problem("This form was not taken", f"{refusal}.")
                return _guarded(visitor, HTMLResponse(problem, 403))
            return await self._answer(request, visitor, page, form)

        return answer

    async def _answer(self, request: Request, visitor: Visitor, page: Page, form: Form) -> Response:
        try:
            client = await known_client(self._services.store, request.path_params["client_id"])
        except ApiError:
            title, text = "No such client", "This sandbox has no client of that id."
            return _guarded(visitor, HTMLResponse(_problem(title, text), 404))
        catalogue = await self._services.sources.catalogue(client.client_id)
        visit = Visit(request, self._services, self._pipeline, visitor, client, catalogue, form)
        try:
            response = await page(visit)
        except NotThere as missing:
            response = visit.page("missing.html", status=404, what=str(missing))
        except OperationRefused as refusal:
            response = visit.page(
                "refused.html", status=400, exchange=refusal.exchange, error=refusal.error
            )
            # In the place of the whole page, also where a part of it was asked for.
            response.headers["hx-retarget"] = "body"
        return _guarded(visitor, response)


def _guarded(visitor: Visitor, response: Response) -> Response:
    visitor.protect(response)
    return response


async def _to_ready_client(request: Request) -> Response:
    return RedirectResponse(f"{PREFIX}/as/{SANDBOX_CLIENT_ID}")


async def _nothing_there(request: Request, _error: Any) -> Response:
    return HTMLResponse(_problem("Nothing is here", "The console has no such page."), 404)


async def _failed(request: Request, _error: Any) -> Response:
    text = "Something went wrong in Treadle. Its output says what."
    return HTMLResponse(_problem("This did not work", text), 500)


def _problem(title: str, text: str) -> str:
    return render("problem.html", title=title, text=text)
