"""The addresses of the page of grants.

A link shows nothing by being fetched, as a mail program may do: it is opened by a form. From then
on a cookie says who the user is, and the address in the browser's history opens nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from treadle.call import Services
from treadle.clients import Client
from treadle.clock import SECOND, to_datetime
from treadle.grants.held import held
from treadle.grants.holder import VISIT_LIFE, Holder, open_once, unsealed
from treadle.http.credentials import known_client
from treadle.http.errors import ApiError
from treadle.http.limits import read_body
from treadle.http.pipeline import Pipeline, Scope
from treadle.ids import request_id
from treadle.pages.assets import SHARED, Assets
from treadle.pages.guarding import ORDERING
from treadle.pages.templates import templates
from treadle.recording.exchange import Exchange

PREFIX = "/grants"

_HERE = Path(__file__).parent
_ASSETS = Assets(SHARED, _HERE / "static")
_TEMPLATES = templates(_HERE / "templates")
_TEMPLATES.filters["day"] = lambda instant: f"{to_datetime(instant):%-d %B %Y}"
_COOKIE = "treadle_grants"
_MOST_FORM_BYTES = 16_384


class GrantsSite:
    def __init__(self, services: Services, pipeline: Pipeline) -> None:
        self._services = services
        self._pipeline = pipeline
        self._app = Starlette(
            routes=[
                Route(PREFIX, self._offer),
                Route(f"{PREFIX}/open", self._open, methods=["POST"]),
                Route(f"{PREFIX}/held", self._show),
                Route(f"{PREFIX}/take_back", self._take_back, methods=["POST"]),
                Route(f"{PREFIX}/static/{{digest}}/{{name}}", _ASSETS.serve),
            ]
        )

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        try:
            self._pipeline.hosts.check(dict(scope["headers"]))
        except ApiError as error:
            await PlainTextResponse(str(error), 400, ORDERING)(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _offer(self, request: Request) -> Response:
        link = request.query_params.get("link", "")
        if self._holder(link, "link") is None:
            return _over(request)
        return _page(request, "offer.html", link=link)

    async def _open(self, request: Request) -> Response:
        form = await _form(request)
        holder = None if form is None else self._holder(form.get("link", ""), "link")
        if holder is None or not await open_once(self._services, holder):
            return _over(request)
        until = self._services.clock.now() + VISIT_LIFE
        visitor = msgspec.structs.replace(holder, until=until)
        response = RedirectResponse("held", 303, ORDERING)
        response.set_cookie(
            _COOKIE,
            visitor.sealed(self._services.keys, "cookie"),
            max_age=VISIT_LIFE // SECOND,
            httponly=True,
            samesite="strict",
            secure=self._services.settings.browser_url.startswith("https:"),
        )
        return response

    async def _show(self, request: Request) -> Response:
        visitor = await self._visitor(request)
        if visitor is None:
            return _over(request)
        holder, client = visitor
        banks = await held(self._services, client, holder.item_ids)
        done = request.query_params.get("done") == "1"
        return _page(request, "held.html", client=client, banks=banks, done=done)

    async def _take_back(self, request: Request) -> Response:
        form = await _form(request)
        visitor = await self._visitor(request)
        if form is None or visitor is None:
            return _over(request)
        holder, client = visitor
        banks = await held(self._services, client, holder.item_ids)
        token_id = form.get("token_id", "")
        # What is not among them is of another user, or was taken back already.
        if token_id in {partner.token_id for bank in banks for partner in bank.partners}:
            exchange = Exchange(
                "POST",
                "/treadle/processor_token/revoke",
                request_id(),
                given=msgspec.json.encode(
                    {"token_id": token_id, "notify": True, "taken_back": True}
                ),
                caller=holder.client_id,
            )
            await self._pipeline.perform(exchange)
            if exchange.status != 200:
                title, text = "This did not work", "Try again in a moment."
                return _page(request, "problem.html", 503, title=title, text=text)
        return RedirectResponse("held?done=1", 303, ORDERING)

    async def _visitor(self, request: Request) -> tuple[Holder, Client] | None:
        """Who has opened a link, and whose user that is."""
        holder = self._holder(request.cookies.get(_COOKIE, ""), "cookie")
        if holder is None:
            return None
        try:
            return holder, await known_client(self._services.store, holder.client_id)
        except ApiError:
            return None

    def _holder(self, text: str, form: Any) -> Holder | None:
        return unsealed(self._services.keys, text, form, self._services.clock.now())


async def _form(request: Request) -> dict[str, str] | None:
    """The fields of a form; None unless one of our own pages has sent it."""
    host = request.headers.get("host")
    if request.headers.get("origin") not in (f"http://{host}", f"https://{host}"):
        return None
    receive: Any = request.receive
    try:
        body = await read_body(receive, _MOST_FORM_BYTES)
    except ApiError:
        return None
    fields = parse_qs(body.decode(errors="replace"))
    return {name: values[0] for name, values in fields.items()}


def _page(request: Request, template: str, status: int = 200, **context: Any) -> Response:
    # Relative, for a server between may put a prefix before all paths.
    here = PREFIX[1:] if request.url.path == PREFIX else "."
    text = _TEMPLATES.get_template(template).render(
        here=here, static=f"{here}/static/{_ASSETS.digest}", **context
    )
    return HTMLResponse(text, status, ORDERING)


def _over(request: Request) -> Response:
    title = "This page is no longer open"
    text = "Go back to the app that sent you here for a new link."
    return _page(request, "problem.html", 404, title=title, text=text)
