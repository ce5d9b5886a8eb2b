"""From the text of a token to what it opens, or to the error that fits."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from treadle.call import ClientCall
from treadle.http import errors
from treadle.http.errors import ApiError, ErrorKind
from treadle.store.statements import Query
from treadle.tokens.decision import Refused, decide_life, decide_partner
from treadle.tokens.finding import find_by_digest, leave_former_pepper
from treadle.tokens.format import Shape, inspect
from treadle.tokens.rows import (
    GRANT,
    MINTED_GRANT,
    PROCESSOR_GRANT,
    Grant,
    MintedGrant,
    ProcessorGrant,
)

R = TypeVar("R")


class _Refusals(msgspec.Struct, frozen=True):
    malformed: ErrorKind
    unknown: ErrorKind


_REFUSALS = {
    "access": _Refusals(errors.ACCESS_TOKEN_FORMAT, errors.ACCESS_TOKEN_UNKNOWN),
    "public": _Refusals(errors.PUBLIC_TOKEN_FORMAT, errors.PUBLIC_TOKEN_UNKNOWN),
    "processor": _Refusals(errors.PROCESSOR_TOKEN_FORMAT, errors.PROCESSOR_TOKEN_UNKNOWN),
}


async def _find(
    call: ClientCall, query: Query[R], text: str, kind: str
) -> tuple[R, bytes] | tuple[None, bytes]:
    """The row of a token and its digest. Raises ApiError when the text alone rules it out."""
    if call.token_digest is not None:
        row = await call.first(query, digest=call.token_digest, kind=kind)
        return (row, call.token_digest) if row is not None else (None, b"")
    match inspect(text, kind, call.environment):
        case Shape.MALFORMED:
            raise _REFUSALS[kind].malformed()
        case Shape.UNKNOWN:
            raise _REFUSALS[kind].unknown()
    return await find_by_digest(call, query, text, kind=kind) or (None, b"")


async def resolve(call: ClientCall, text: str, kind: str) -> Grant:
    """The Item behind a live access or public token of the calling client.

    Raises ApiError: malformed, unknown (ended, expired and foreign ones look the same), or
    ITEM_NOT_FOUND when the Item was removed.
    """
    unknown = _REFUSALS[kind].unknown
    grant, digest = await _find(call, GRANT, text, kind)
    if grant is None or grant.token.client_id != call.client.client_id:
        raise unknown()
    # From here on the token is the caller's own, who may know what became of it.
    token = grant.token
    if token.ended_at is not None:
        raise unknown().because("the token was used up or rotated")
    if token.expires_at is not None and token.expires_at <= call.now:
        raise unknown().because("the token expired")
    if grant.item.removed_at is not None:
        raise errors.ITEM_NOT_FOUND().because("the Item was removed")
    await leave_former_pepper(call, token, text, digest)
    return grant


async def find_own(call: ClientCall, text: str, kind: str) -> Grant | None:
    """A token of the calling client, whatever became of it; None for any other text."""
    try:
        grant, _ = await _find(call, GRANT, text, kind)
    except ApiError:
        return None
    return None if grant is None or grant.token.client_id != call.client.client_id else grant


async def resolve_minted(call: ClientCall, text: str) -> MintedGrant:
    """A processor token of the client that minted it, which alone administers it."""
    grant = await find_minted(call, text)
    if grant.item_removed_at is not None:
        raise errors.ITEM_NOT_FOUND().because("the Item was removed")
    decision = decide_life(grant.token, call.now)
    if isinstance(decision, Refused):
        raise decision.error.because(decision.reason)
    return grant


async def find_minted(call: ClientCall, text: str) -> MintedGrant:
    """The same, also when nobody can use it any more."""
    grant, digest = await _find(call, MINTED_GRANT, text, "processor")
    if grant is None or grant.token.client_id != call.client.client_id:
        raise errors.PROCESSOR_TOKEN_UNKNOWN()
    await leave_former_pepper(call, grant.token, text, digest)
    return grant


async def find_granted(call: ClientCall, text: str) -> tuple[ProcessorGrant, bytes]:
    """A processor token of any client, which is not yet to be told of it, and its digest."""
    grant, digest = await _find(call, PROCESSOR_GRANT, text, "processor")
    if grant is None:
        raise errors.PROCESSOR_TOKEN_UNKNOWN()
    return grant, digest


async def resolve_partner(call: ClientCall, text: str) -> ProcessorGrant:
    """A processor token that the calling client may use."""
    grant, digest = await find_granted(call, text)
    strict = call.services.settings.strict_partners
    decision = decide_partner(call.client, grant.token, strict=strict)
    if isinstance(decision, Refused):
        raise decision.error
    if grant.token.may_be_over:
        decision = decide_life(grant.token, call.services.worlds.now(grant.owner))
        if isinstance(decision, Refused):
            # Why is for the client whose token it is.
            own = grant.token.client_id == call.client.client_id
            raise decision.error.because(decision.reason) if own else decision.error
    await leave_former_pepper(call, grant.token, text, digest)
    return grant
