"""The limits that a request asks for, and whether they narrow those that are in force."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Protocol

import msgspec

from treadle.clock import from_datetime
from treadle.http import errors
from treadle.tokens.delegated import Delegated
from treadle.tokens.limits import Field, Limits, exceeds

Calls = Annotated[int, msgspec.Meta(ge=1, le=10**12)]
Fields = Annotated[list[Field], msgspec.Meta(max_length=len(Field))]


class Wanted(Protocol):
    """The members that the requests share."""

    expires_at: dt.datetime | None
    calls: Calls | None
    transactions_from: dt.date | None
    fields: Fields | None


def wanted_limits(request: Wanted) -> Limits:
    """Raises ApiError when nothing is asked for."""
    expires_at = request.expires_at
    wanted = Limits(
        expires_at=None if expires_at is None else instant_of(expires_at, "expires_at"),
        calls=request.calls,
        transactions_from=request.transactions_from,
        fields=None if request.fields is None else frozenset(request.fields),
    )
    if wanted == Limits():
        names = ", ".join(Limits.__struct_fields__)
        raise errors.INVALID_FIELD(problem=f"at least one of {names} must be given")
    return wanted


def narrowed_limits(token: Delegated, wanted: Limits) -> Limits:
    """The limits in force with those that are wanted.

    Raises ApiError when the token was revoked, or would be given more.
    """
    if token.ended_at is not None:
        raise errors.PROCESSOR_TOKEN_UNKNOWN().because("the token was revoked")
    present = token.limits
    if present is None:
        problem = "the token has a limit that this version of Treadle does not know"
        raise errors.INVALID_FIELD(problem=problem)
    wider = wanted.wider_than(present)
    if exceeds(wanted.calls, token.calls_left):
        wider.append("calls")
    if wider:
        problem = f"limits can only be narrowed, and these would be wider: {', '.join(wider)}"
        raise errors.INVALID_FIELD(problem=problem)
    return present.narrowed_by(wanted)


def instant_of(moment: dt.datetime, name: str) -> int:
    """Raises ApiError for a moment that does not say in which time zone it is."""
    if moment.tzinfo is None:
        raise errors.INVALID_FIELD(problem=f"{name} must have an offset from UTC, such as Z")
    return from_datetime(moment)
