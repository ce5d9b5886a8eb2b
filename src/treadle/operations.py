"""Declaring an operation, and the table of those that are implemented."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, get_type_hints

import msgspec

from treadle import areas
from treadle.call import OpenCall
from treadle.gates import Gate
from treadle.http.decode import RequestDecoder
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


IMPLEMENTED: dict[str, Implementation] = {}


def operation(path: str, gate: Gate[C]) -> Callable[[Handler[C, Q, A]], Handler[C, Q, A]]:
    """Declare the handler of one operation of the API.

    The request type that it decodes is the handler's own annotation. Raises ValueError when the
    path or the name is not the API's, which only a mistake in the source can cause.
    """

    def declare(handler: Handler[C, Q, A]) -> Handler[C, Q, A]:
        wire = OPERATIONS.get(path)
        if wire is None or handler.__name__ != wire.name:
            raise ValueError(f"{handler.__name__} is not the API's operation at {path}")
        request = get_type_hints(handler)["request"]
        decoder = RequestDecoder(request)
        sandbox_only = path.startswith("/sandbox/")
        IMPLEMENTED[path] = Implementation(path, gate, handler, decoder, sandbox_only)
        return handler

    return declare


def load_areas() -> dict[str, Implementation]:
    """Import every module in `areas/`, whose operations declare themselves."""
    for module in pkgutil.iter_modules(areas.__path__, "treadle.areas."):
        importlib.import_module(module.name)
    return IMPLEMENTED
