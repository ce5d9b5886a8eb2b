"""What keeps other pages in the same browser from using the console.

A sandbox on loopback is within reach of any page that its user has open. So a form is taken only
from the console's own origin, and only with a token that no other page can read.
"""

from __future__ import annotations

import re
from hmac import compare_digest

from starlette.requests import Request
from starlette.responses import Response

from treadle.ids import secret_key
from treadle.keys import Keys
from treadle.pages.guarding import ORDERING

PREFIX = "/console"

_COOKIE = "treadle_console"
_VISITOR = re.compile("[0-9a-f]{32}")


class Refused(Exception):
    """A form that may come from elsewhere."""


class Visitor:
    """A browser, known by a cookie of random bytes and by nothing else."""

    def __init__(self, request: Request, keys: Keys) -> None:
        known = request.cookies.get(_COOKIE, "")
        self._is_new = _VISITOR.fullmatch(known) is None
        self._name = secret_key(16).hex() if self._is_new else known
        self.form_token = keys.digest(f"form of the console: {self._name}").hex()

    def check(self, request: Request, form_token: str) -> None:
        """Raises Refused unless a form was sent by one of our pages, to this browser."""
        origin, host = request.headers.get("origin"), request.headers.get("host")
        if origin not in (f"http://{host}", f"https://{host}"):
            raise Refused("it was not sent by a page of this console")
        if self._is_new or not compare_digest(self.form_token.encode(), form_token.encode()):
            raise Refused("it belongs to another browser, or its cookie is gone")

    def protect(self, response: Response) -> None:
        """Add to an answer what it must tell the browser."""
        response.headers.update(ORDERING)
        if self._is_new:
            response.set_cookie(_COOKIE, self._name, path=PREFIX, httponly=True, samesite="strict")
