"""One look at a page or one order from it, as one of the sandbox's clients."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, TypeVar
from urllib.parse import urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from treadle.call import Services
from treadle.clients import Client
from treadle.console.protection import PREFIX, Visitor
from treadle.console.rendering import render
from treadle.console.rows import REQUESTS, ListedRequest, like
from treadle.http.errors import ErrorBody
from treadle.http.pipeline import Pipeline
from treadle.ids import request_id
from treadle.recording.exchange import Exchange
from treadle.recording.rows import RECORDED, Recorded
from treadle.sources.sources import Catalogue
from treadle.store.statements import Query

R = TypeVar("R")

Form = dict[str, list[str]]

PAGE = 25
_MOST_OFFSET = 1_000_000


class NotThere(Exception):
    """There is no such page, or nothing of that name."""


class OperationRefused(Exception):
    """An operation that was asked for answered an error."""

    def __init__(self, exchange: Exchange, error: ErrorBody) -> None:
        super().__init__(error.error_message)
        self.exchange = exchange
        self.error = error


class Visit:
    def __init__(
        self,
        request: Request,
        services: Services,
        pipeline: Pipeline,
        visitor: Visitor,
        client: Client,
        catalogue: Catalogue,
        form: Form,
    ) -> None:
        self.request = request
        self.services = services
        self.client = client
        self.catalogue = catalogue
        self._pipeline = pipeline
        self._visitor = visitor
        self._form = form

    @property
    def now(self) -> int:
        return self.services.worlds.now(self.client)

    def institution_name(self, institution_id: str) -> str:
        institution = self.catalogue.find(institution_id)
        return institution.name if institution else institution_id or "no institution"

    @property
    def is_partial(self) -> bool:
        """Whether a part of a page is asked for, by a script of that page."""
        return self.request.headers.get("hx-request") == "true"

    def named(self, name: str) -> str:
        """A part of the path."""
        text: str = self.request.path_params[name]
        return text

    def asked(self, name: str) -> str:
        """A part of the query; empty when it is not given."""
        return self.request.query_params.get(name, "")

    @property
    def offset(self) -> int:
        """How many rows of a list come before those to show."""
        text = self.asked("offset")
        return min(int(text), _MOST_OFFSET) if text.isascii() and text.isdigit() else 0

    def given(self, name: str) -> str:
        """A field of the form; empty when it is not there."""
        return self._form.get(name, [""])[0].strip()

    def chosen(self, name: str) -> list[str]:
        """All that was chosen under one name of the form."""
        return self._form.get(name, [])

    def first(self, query: Query[R], /, **parameters: Any) -> Awaitable[R | None]:
        return self.services.store.first(query, client_id=self.client.client_id, **parameters)

    def all(self, query: Query[R], /, **parameters: Any) -> Awaitable[list[R]]:
        return self.services.store.all(query, client_id=self.client.client_id, **parameters)

    async def perform(
        self,
        path: str,
        fields: dict[str, Any],
        *,
        token_digest: bytes | None = None,
        caller: str | None = None,
    ) -> Any:
        """Carry out an operation; answers what it answered.

        Raises OperationRefused when that is an error.
        """
        exchange = Exchange("POST", path, request_id(), caller=caller or self.client.client_id)
        exchange.token_digest = token_digest
        exchange.given = msgspec.json.encode(fields)
        answer = await self._pipeline.perform(exchange)
        if exchange.status != 200:
            raise OperationRefused(exchange, _error(exchange, answer))
        return msgspec.json.decode(answer)

    def url(self, path: str = "", /, **query: object) -> str:
        """The address of a page of this client."""
        address = f"{PREFIX}/as/{self.client.client_id}{path}"
        return f"{address}?{urlencode(query)}" if query else address

    def page(self, template: str, /, *, status: int = 200, **context: Any) -> Response:
        text = render(
            template,
            url=self.url,
            client=self.client,
            form_token=self._visitor.form_token,
            now=self.now,
            **context,
        )
        return HTMLResponse(text, status)

    def go(self, path: str, /, **query: str) -> Response:
        """Show another page, after an order."""
        return RedirectResponse(self.url(path, **query), 303)

    def done(self, path: str, answer: Any) -> Response:
        """Show a page, and on it what was done."""
        return self.go(path, done=answer["request_id"])

    async def recorded(self, wanted: str) -> Recorded | None:
        """One of the client's last requests."""
        if not wanted:
            return None
        await self._write_log()
        found = await self.all(
            RECORDED, request_id=wanted, path="", error_code="", after=0, count=1, offset=0
        )
        return found[0] if found else None

    async def requests(
        self,
        contained: str = "",
        *,
        only_refused: bool = False,
        after: int = 0,
        count: int = PAGE,
        offset: int = 0,
    ) -> list[ListedRequest]:
        """The client's last requests, the newest first."""
        await self._write_log()
        return await self.all(
            REQUESTS,
            contained=like(contained),
            all=0 if only_refused else 1,
            after=after,
            count=count,
            offset=offset,
        )

    async def _write_log(self) -> None:
        """Have all requests that this process has answered on record."""
        if self.services.requests is not None:
            await self.services.requests.flush()


def _error(exchange: Exchange, answer: bytes) -> ErrorBody:
    """The error in an answer; one that a fault has lost has none."""
    if exchange.status:
        return msgspec.json.decode(answer, type=ErrorBody)
    lost = f"the answer was lost to the fault {exchange.fault_id}"
    return ErrorBody(None, "", str(exchange.error_code), lost, "", exchange.request_id, None)
