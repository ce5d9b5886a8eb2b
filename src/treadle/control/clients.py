"""Further clients, so that tests which run side by side each have a world of their own."""

from __future__ import annotations

import re
from typing import Annotated

import msgspec
from sqlalchemy import bindparam, func, select, update

from treadle.call import ClientCall
from treadle.clients import CLIENT, OPERATOR, NewClient, add_client, add_removal
from treadle.clock import to_datetime
from treadle.control.answers import (
    ClientsCreateResponse,
    ClientsDeleteResponse,
    ClientsGetResponse,
    MadeClient,
)
from treadle.control.asking import Order, Query
from treadle.gates import ClientGate
from treadle.http import errors
from treadle.operations import own_operation
from treadle.partners.processors import PROCESSORS
from treadle.store import statements
from treadle.store.columns import decode_names
from treadle.store.tables import clients

# How many a client may have made that are not deleted, and how many there may be in all.
_MOST_OF_ONE = 1_000
_MOST = 10_000

_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
_CLIENT_ID = re.compile("[A-Za-z0-9_-]{1,64}")

_count_made = (
    select(func.count())
    .select_from(clients)
    .where(clients.c.made_by.is_not(None))
    .where(clients.c.removed_at.is_(None))
)
_COUNT_MADE = statements.Query(_count_made, int)
_COUNT_MADE_BY = statements.Query(_count_made.where(clients.c.made_by == bindparam("maker")), int)
_MADE_BY = statements.Query(
    select(clients.c.client_id, clients.c.name, clients.c.processors, clients.c.created_at)
    .where(clients.c.made_by == bindparam("maker"))
    .where(clients.c.removed_at.is_(None))
    .order_by(clients.c.created_at, clients.c.client_id),
    lambda client_id, name, processors, created_at: MadeClient(
        client_id=client_id,
        name=name,
        processors=list(decode_names(processors)),
        created_at=to_datetime(created_at),
    ),
)
# What a client made that is deleted passes to the client that deletes it.
_PASS_ON = statements.Write(
    update(clients)
    .where(clients.c.made_by == bindparam("the_maker"))
    .values(made_by=bindparam("heir"))
)


class ClientsGetRequest(Query, kw_only=True):
    """Nothing is asked."""


class ClientsCreateRequest(Order, kw_only=True):
    """A client to make; its id is made as well unless it is chosen here."""

    new_client_id: str | None = None
    name: _Name = "Sandbox"
    processors: list[str] = msgspec.field(default_factory=list)


class ClientsDeleteRequest(Order, kw_only=True):
    """The client to delete, one that the calling client has made."""

    made_client_id: str


@own_operation("/treadle/sandbox/clients", ClientGate(), method="GET")
async def get_sandbox_clients(call: ClientCall, request: ClientsGetRequest) -> ClientsGetResponse:
    """The clients that the calling client has made."""
    made = await call.all(_MADE_BY, maker=call.client.client_id)
    return ClientsGetResponse(clients=made, request_id=call.request_id)


@own_operation("/treadle/sandbox/clients", ClientGate())
async def post_sandbox_clients(
    call: ClientCall, request: ClientsCreateRequest
) -> ClientsCreateResponse:
    """Make a further client, with a world of its own."""
    chosen = request.new_client_id
    if chosen is not None and _CLIENT_ID.fullmatch(chosen) is None:
        problem = "new_client_id must be 1 to 64 letters, digits, hyphens and underscores"
        raise errors.INVALID_FIELD(problem=problem)
    unknown = [name for name in request.processors if name not in PROCESSORS]
    if unknown:
        problem = f"processors must be supported ones, unlike {', '.join(unknown)[:200]}"
        raise errors.INVALID_FIELD(problem=problem)
    await _check_room(call)
    new = NewClient(
        client_id=chosen or call.ids.bytes("client", 12).hex(),
        secret=call.ids.bytes("client secret", 15).hex(),
        name=request.name,
        processors=list(dict.fromkeys(request.processors)),
    )
    taken = await call.first(CLIENT, client_id=new.client_id) is not None
    # The audit chains name operators so.
    if taken or new.client_id == OPERATOR:
        problem = "new_client_id must be an id that no client has or had"
        raise errors.INVALID_FIELD(problem=problem)
    add_client(call.change, call.services.keys, new, call.now, made_by=call.client.client_id)
    made = MadeClient(
        client_id=new.client_id,
        name=new.name,
        processors=new.processors,
        created_at=to_datetime(call.now),
    )
    return ClientsCreateResponse(client=made, secret=new.secret, request_id=call.request_id)


@own_operation("/treadle/sandbox/clients/delete", ClientGate())
async def post_sandbox_clients_delete(
    call: ClientCall, request: ClientsDeleteRequest
) -> ClientsDeleteResponse:
    """Delete a client that the calling one made, with all that belongs to it."""
    made = await call.first(CLIENT, client_id=request.made_client_id)
    maker = call.client.client_id
    if made is None or made.removed_at is not None or made.made_by != maker:
        problem = "made_client_id must name a client that this client has made"
        raise errors.INVALID_FIELD(problem=problem)
    add_removal(call.change, made.client_id, call.now, actor=maker)
    call.change.write(_PASS_ON, rows=None, the_maker=made.client_id, heir=maker)
    return ClientsDeleteResponse(request_id=call.request_id)


async def _check_room(call: ClientCall) -> None:
    """Raises ApiError when there are as many clients as there may be."""
    if (await call.first(_COUNT_MADE_BY, maker=call.client.client_id) or 0) >= _MOST_OF_ONE:
        limit, things = _MOST_OF_ONE, "clients made by one"
    elif (await call.first(_COUNT_MADE) or 0) >= _MOST:
        limit, things = _MOST, "clients made by any"
    else:
        return
    raise errors.SANDBOX_LIMIT_REACHED(limit=str(limit), things=things)
