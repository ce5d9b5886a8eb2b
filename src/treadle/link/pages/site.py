"""The addresses of Link's pages, the same as the official ones but for the host."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route, Router

from treadle import __version__
from treadle.http.errors import ApiError
from treadle.http.limits import Receive
from treadle.http.pipeline import Pipeline, Scope, Send
from treadle.link.pages.rendering import page
from treadle.pages.assets import SHARED, Assets
from treadle.pages.guarding import ALONE, FRAMED
from treadle.settings import Settings

PREFIX = "/link/"

_HERE = Path(__file__).parent
_SCRIPT = (_HERE / "link-initialize.js").read_text()


class LinkSite:
    """Serves what is read below `PREFIX`, and leaves what is no page to the pipeline."""

    def __init__(self, settings: Settings, pipeline: Pipeline) -> None:
        self._public_url = settings.public_url
        self._pipeline = pipeline
        self._assets = Assets(SHARED, _HERE / "static")
        routes = [
            Route("/link/v2/stable/link-initialize.js", self._script),
            Route("/link/v2/stable/link.html", self._frame),
            Route("/link/lp{hosted_id}", self._hosted),
            Route("/link/oauth/{institution_id}", self._bank),
            Route("/link/static/{digest}/{name}", self._assets.serve),
        ]
        self._router = Router(routes, default=pipeline)  # type: ignore[arg-type]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            self._pipeline.hosts.check(dict(scope["headers"]))
        except ApiError:
            # Which says so in its own words.
            await self._pipeline(scope, receive, send)
        else:
            await self._router(scope, receive, send)  # type: ignore[arg-type]

    async def _script(self, request: Request) -> Response:
        server = self._public_url or str(request.base_url)
        content = _script(server.rstrip("/"))
        tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
        headers = {
            "Access-Control-Allow-Origin": "*",
            "Cache-Control": "no-cache",
            "Cross-Origin-Resource-Policy": "cross-origin",
            "ETag": tag,
            "X-Content-Type-Options": "nosniff",
        }
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(content, media_type="text/javascript", headers=headers)

    async def _frame(self, request: Request) -> Response:
        return self._page("frame", "../../", FRAMED)

    async def _hosted(self, request: Request) -> Response:
        return self._page("hosted", "", ALONE)

    async def _bank(self, request: Request) -> Response:
        return self._page("bank", "../", ALONE)

    def _page(self, name: str, up: str, headers: dict[str, str]) -> Response:
        content = page(name, static=f"{up}static/{self._assets.digest}")
        return HTMLResponse(content, headers=headers)


@lru_cache(maxsize=16)
def _script(server: str) -> bytes:
    """The script as it finds this server. The address is quoted: a request may have named it."""
    text = _SCRIPT.replace('"__SERVER__"', json.dumps(server))
    return text.replace('"__VERSION__"', json.dumps(__version__)).encode()
