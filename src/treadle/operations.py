"""Declaring an operation, and the table of those that are implemented."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, get_type_hints

import msgspec

from treadle import areas, control
from treadle.call import OpenCall
from treadle.gates import Gate
from treadle.http.decode import RequestDecoder
from treadle.http.query import QueryDecoder
from treadle.http.routing import OWN_SANDBOX
from treadle.wire.operations import OPERATIONS

C = TypeVar("C", bound=OpenCall)
Q = TypeVar("Q", bound=msgspec.Struct)
A = TypeVar("A", bound=msgspec.Struct)

Handler = Callable[[C, Q], Awaitable[A]]


class Implementation(msgspec.Struct, frozen=True):
    path: str
    gate: Gate[OpenCall]
    handler: Callable[[Any, Any], Awaitable[msgspec.Struct]]
    decoder: RequestDecoder[Any]
    sandbox_only: bool
    # Whether, with a seed, it waits until no other request is served. What makes no ids need not.
    takes_turn: bool = True
    method: str = "POST"
    # Where it takes larger bodies than others do.
    max_body_bytes: int | None = None
    # Such operations of one client take turns, whether it has a seed or not.
    replaces_world: bool = False
    # For how long the answer to a request with an idempotency key is kept; zero where keys are
    # passed over.
    repeatable_for: int = 0
    # The content type of a body that it reads as it comes; what else is asked is in the query.
    streams: str | None = None

    @property
    def asks_in_query(self) -> bool:
        return self.method == "GET" or self.streams is not None


IMPLEMENTED: dict[str, Implementation] = {}
# Operations under /treadle/, which the API does not have; those read with GET under `GET /path`.
OWN: dict[str, Implementation] = {}


def operation(
    path: str, gate: Gate[C], *, repeatable_for: int = 0
) -> Callable[[Handler[C, Q, A]], Handler[C, Q, A]]:
    """Declare the handler of one operation of the API.

    The request type that it decodes is the handler's own annotation. What makes tokens says for how
    long it may be asked to repeat its answer, the life of the tokens at most. Raises ValueError
    when the path or the name is not the API's, which only a mistake in the source can cause.
    """

    def declare(handler: Handler[C, Q, A]) -> Handler[C, Q, A]:
        wire = OPERATIONS.get(path)
        if wire is None or handler.__name__ != wire.name:
            raise ValueError(f"{handler.__name__} is not the API's operation at {path}")
        request = get_type_hints(handler)["request"]
        decoder = RequestDecoder(request)
        sandbox_only = path.startswith("/sandbox/")
        IMPLEMENTED[path] = Implementation(
            path, gate, handler, decoder, sandbox_only, repeatable_for=repeatable_for
        )
        return handler

    return declare


def own_operation(
    path: str,
    gate: Gate[C],
    *,
    method: str = "POST",
    takes_turn: bool = True,
    max_body_bytes: int | None = None,
    replaces_world: bool = False,
    streams: str | None = None,
) -> Callable[[Handler[C, Q, A]], Handler[C, Q, A]]:
    """Declare the handler of an operation of Treadle's own; one that is read with GET is asked in
    its query."""
    reads = method == "GET"

    def declare(handler: Handler[C, Q, A]) -> Handler[C, Q, A]:
        request = get_type_hints(handler)["request"]
        OWN[f"GET {path}" if reads else path] = Implementation(
            path,
            gate,
            handler,
            QueryDecoder(request) if reads or streams else RequestDecoder(request),
            sandbox_only=path.startswith(OWN_SANDBOX),
            takes_turn=takes_turn,
            method=method,
            max_body_bytes=max_body_bytes,
            replaces_world=replaces_world,
            streams=streams,
        )
        return handler

    return declare


def load_areas() -> dict[str, Implementation]:
    """Import every module in `areas/` and `control/`, whose operations declare themselves."""
    for package in (areas, control):
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    return IMPLEMENTED
