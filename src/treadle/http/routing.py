"""From a path to the operation that answers it. Every implemented path is fixed: a look-up."""

from __future__ import annotations

import re

from treadle.http import errors
from treadle.operations import Implementation
from treadle.wire.operations import OPERATIONS

_TEMPLATE = re.compile(r"\{\w+\}")


class Routes:
    def __init__(self, implemented: dict[str, Implementation], *, sandbox: bool) -> None:
        self._implemented = implemented
        self._sandbox = sandbox

    def find(self, method: str, path: str) -> Implementation:
        """Raises ApiError when the API has no such operation, or Treadle lacks it."""
        implementation = self._implemented.get(path)
        if implementation is None or method != "POST":
            raise self._refusal(method, path)
        if implementation.sandbox_only and not self._sandbox:
            raise errors.SANDBOX_ONLY(path=path)
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
