"""What requests of the control plane have in common."""

from __future__ import annotations

from enum import StrEnum

from treadle.wire.base import Request


class Flag(StrEnum):
    """A yes or no in a query."""

    YES = "true"
    NO = "false"


class Query(Request, kw_only=True):
    """What a GET asks for; the credentials are in the headers."""


class Order(Request, kw_only=True):
    """A body that may hold the credentials, as those of the API may."""

    client_id: str | None = None
    secret: str | None = None
