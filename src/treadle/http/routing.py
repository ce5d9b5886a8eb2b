"""From a path to the operation that answers it. Every implemented path is fixed: a look-up.

An operation stands under its path, and under `GET /path` when it is not called with POST.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from treadle.http import errors
from treadle.wire.operations import OPERATIONS

if TYPE_CHECKING:
    from treadle.operations import Implementation

# What Treadle has beside the API.
OWN_PREFIX = "/treadle/"
OWN_SANDBOX = "/treadle/sandbox/"

_TEMPLATE = re.compile(r"\{\w+\}")


class Routes:
    def __init__(self, implemented: dict[str, Implementation], *, sandbox: bool) -> None:
        self._implemented = implemented
        self._sandbox = sandbox

    def find(self, method: str, path: str) -> Implementation:
        """Raises ApiError when the API has no such operation, or Treadle lacks it."""
        implementation = self.look_up(method, path)
        if implementation is None:
            raise self._refusal(method, path)
        return implementation

    def look_up(self, method: str, path: str) -> Implementation | None:
        key = path if method == "POST" else f"{method} {path}"
        implementation = self._implemented.get(key)
        if implementation is None or (implementation.sandbox_only and not self._sandbox):
            return None
        return implementation

    def _refusal(self, method: str, path: str) -> errors.ApiError:
        if not _is_known(method, path):
            return errors.NOT_FOUND()
        if path.startswith("/sandbox/") and not self._sandbox:
            return errors.SANDBOX_ONLY(path=path)
        return errors.NOT_IMPLEMENTED(path=path)


def _is_known(method: str, path: str) -> bool:
    for operation in OPERATIONS.values():
        # A few operations that are not implemented have a part of their path left open.
        pattern = _TEMPLATE.sub("[^/]+", operation.path)
        if operation.method == method and re.fullmatch(pattern, path):
            return True
    return False
