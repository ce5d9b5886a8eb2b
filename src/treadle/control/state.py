"""The client's world as a whole: exported as a document, imported from one, emptied."""

from __future__ import annotations

import msgspec

from treadle.call import ClientCall
from treadle.control.answers import (
    ImportedToken,
    StateGetResponse,
    StateImportResponse,
    StateResetResponse,
)
from treadle.control.asking import Order, Query
from treadle.control.faults import FaultsAddRequest, check_fault
from treadle.faults.rules import Rule
from treadle.gates import ClientGate
from treadle.http import errors
from treadle.operations import own_operation
from treadle.state.checking import refusal
from treadle.state.document import Document
from treadle.state.exporting import export_world
from treadle.state.importing import import_world
from treadle.state.reading import decode_document, encode_document
from treadle.state.world import World, read_world, replace_world

# What is exported can be imported, credentials and all.
_MAX_DOCUMENT_BYTES = 8 * 1_048_576
_MAX_BODY_BYTES = _MAX_DOCUMENT_BYTES + 10_000

_RULE_FIELDS = tuple(name for name in Rule.__struct_fields__ if name != "token_digest")


class StateGetRequest(Query, kw_only=True):
    """Nothing is asked."""


class StateImportRequest(Order, kw_only=True):
    """The document, and whether its ids are to be made anew."""

    state: msgspec.Raw
    new_ids: bool = False


class StateResetRequest(Order, kw_only=True):
    """Nothing is asked."""


@own_operation("/treadle/sandbox/state", ClientGate(), method="GET", takes_turn=False)
async def get_sandbox_state(call: ClientCall, request: StateGetRequest) -> StateGetResponse:
    """The client's world as a document, to be imported here or elsewhere."""
    world, _ = await read_world(call)
    document = encode_document(export_world(call, world))
    if len(document) > _MAX_DOCUMENT_BYTES:
        limit = f"{_MAX_DOCUMENT_BYTES} bytes"
        raise errors.SANDBOX_LIMIT_REACHED(limit=limit, things="in an exported state")
    return StateGetResponse(state=msgspec.Raw(document), request_id=call.request_id)


@own_operation(
    "/treadle/sandbox/state", ClientGate(), max_body_bytes=_MAX_BODY_BYTES, replaces_world=True
)
async def post_sandbox_state(call: ClientCall, request: StateImportRequest) -> StateImportResponse:
    """Put the world of a document in the place of the client's."""
    document = decode_document(bytes(request.state))
    _check_faults(call, document)
    imported = await import_world(call, document, new_ids=request.new_ids)
    await replace_world(call, imported.world)
    counts = {"items": len(document.items), "tokens": len(document.tokens)}
    call.record("state.import", detail=counts)
    return StateImportResponse(
        tokens=[
            ImportedToken(
                token_id=given.token_id,
                kind=given.kind,
                item_id=token.item_id,
                account_id=token.account_id,
                processor=token.processor,
                token=text,
            )
            for given, token, text in zip(
                document.tokens, imported.document.tokens, imported.tokens, strict=True
            )
        ],
        new_ids=imported.new_ids,
        request_id=call.request_id,
    )


@own_operation("/treadle/sandbox/state/reset", ClientGate(), replaces_world=True)
async def post_sandbox_state_reset(
    call: ClientCall, request: StateResetRequest
) -> StateResetResponse:
    """Empty the client's world, its clock and its seed included."""
    await replace_world(call, World())
    call.record("state.reset")
    return StateResetResponse(request_id=call.request_id)


def _check_faults(call: ClientCall, document: Document) -> None:
    """Raises ApiError for a fault that could not be added either."""
    for index, fault in enumerate(document.faults):
        place = f".faults[{index}].rule"
        if fault.rule.token_digest is not None:
            raise refusal(f"{place}.token_digest", "a token is named by token_id")
        rule = {name: getattr(fault.rule, name) for name in _RULE_FIELDS}
        try:
            check_fault(call, msgspec.convert(rule, FaultsAddRequest))
        except msgspec.ValidationError as error:
            raise refusal(place, str(error)) from None
        except errors.ApiError as error:
            raise refusal(place, error.message) from None
