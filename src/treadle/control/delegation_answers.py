"""What the operations on processor tokens answer, for their handlers and for the client.

Nothing here imports the server, so that the client stays light.
"""

from __future__ import annotations

import datetime as dt
from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from treadle.tokens.limits import Field, State
from treadle.wire.base import Response


class TokenLimits(msgspec.Struct, kw_only=True):
    """What a token is limited to; null where it is not."""

    expires_at: dt.datetime | None = None
    # How many were allowed when this was set, and how many of them are left.
    calls: int | None = None
    calls_left: int | None = None
    transactions_from: dt.date | None = None
    fields: list[Field] | None = None


class ListedToken(msgspec.Struct, kw_only=True):
    """A processor token by its handle; its text is nowhere to be had."""

    token_id: str
    item_id: str
    account_id: str | None
    # Null for a token that the sandbox itself made.
    processor: str | None
    # What it is narrowed to; empty when it is not.
    products: list[str]
    state: State
    created_at: dt.datetime
    # How often partners were answered, and when they last were.
    calls: int
    last_used_at: dt.datetime | None
    limits: TokenLimits


class TokenListResponse(Response, kw_only=True):
    """In the order of their handles, and so of the milliseconds in which they were made."""

    processor_tokens: list[ListedToken]
    # To go on with; null at the end.
    next_cursor: str | None
    request_id: str


class TokenRevokeResponse(Response, kw_only=True):
    """How many tokens this call has ended."""

    revoked: int
    # Rises with each revocation of the client: all of them up to it are in force.
    revision: int
    request_id: str


class TokenLimitsResponse(Response, kw_only=True):
    """What a token is limited to."""

    token_id: str
    limits: TokenLimits
    request_id: str


class ExplainedCheck(msgspec.Struct, kw_only=True):
    """One thing that is looked at before a partner is answered."""

    name: Literal["partner", "token", "account", "item", "permissions", "fields", "product"]
    # What something was in the past is not always recorded.
    outcome: Literal["passed", "refused", "not_recorded"]
    # Why it is refused.
    reason: str | None


class TokenExplainResponse(Response, kw_only=True):
    """Whether a partner is answered; if not, which error it gets."""

    allowed: bool
    # Whether all that decides is recorded.
    certain: bool
    error_type: str | None
    error_code: str | None
    error_message: str | None
    at: dt.datetime
    # In the order in which they are made; the first that refuses decides.
    checks: list[ExplainedCheck]
    request_id: str


class TokenIntrospectResponse(Response, kw_only=True):
    """As RFC 7662 names it; of a token that cannot be used nothing else is told."""

    active: bool
    # The products that it is narrowed to or, when it is not, those that the Item has.
    scope: str | UnsetType = UNSET
    token_type: str | UnsetType = UNSET
    # The account and the processor.
    sub: str | UnsetType = UNSET
    aud: str | UnsetType = UNSET
    # In seconds since the Unix epoch.
    exp: int | UnsetType = UNSET
    request_id: str


class TokenGivenBackResponse(Response, kw_only=True):
    """Nothing is left to tell."""

    request_id: str


# What has become of a token that was found; an access token is the client's to rotate, unless it
# asked for that.
LeakOutcome = Literal["revoked", "was_over", "to_be_rotated", "rotated"]


class LeakedToken(msgspec.Struct, kw_only=True):
    """A token of the client that a text held."""

    token_id: str
    kind: Literal["public", "access", "processor"]
    item_id: str
    outcome: LeakOutcome
    # In the place of one that was rotated.
    new_access_token: str | UnsetType = UNSET


class TokenLeaksReportResponse(Response, kw_only=True):
    """What was found, in the order of the text."""

    leaked: list[LeakedToken]
    # How many more look like tokens of this environment, and are nobody's or another client's.
    unknown: int
    request_id: str


class TokenPageCreateResponse(Response, kw_only=True):
    """Where the user's page is, once."""

    page_url: str
    expires_at: dt.datetime
    request_id: str
