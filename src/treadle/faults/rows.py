"""Faults as they are stored. A client's row counts them, and so bounds them."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, func, insert, select, update

from treadle.faults.rules import Fault
from treadle.store.change import Change
from treadle.store.statements import Query, Write
from treadle.store.tables import clients, faults

MOST = 100

_of_client = faults.c.client_id == bindparam("the_client_id")
_named = faults.c.fault_id == bindparam("the_fault_id")

FAULTS = Query(
    select(faults.c.fault_id, faults.c.rule, faults.c.seen, faults.c.hits, faults.c.created_at)
    .where(faults.c.client_id == bindparam("client_id"))
    .order_by(faults.c.position),
    Fault,
)

_positions = faults.alias("positions")
_INSERT = Write(
    insert(faults).values(
        client_id=bindparam("the_client_id"),
        fault_id=bindparam("the_fault_id"),
        position=select(func.coalesce(func.max(_positions.c.position), 0) + 1)
        .where(_positions.c.client_id == bindparam("the_client_id"))
        .scalar_subquery(),
        rule=bindparam("rule"),
        seen=0,
        hits=0,
        created_at=bindparam("created_at"),
    )
)
# Touches no row when the client has as many as it may.
_COUNT_ONE_MORE = Write(
    update(clients)
    .where(clients.c.client_id == bindparam("the_client_id"))
    .where(clients.c.faults < MOST)
    .values(faults=clients.c.faults + 1)
)
_COUNT_ONE_LESS = Write(
    update(clients)
    .where(clients.c.client_id == bindparam("the_client_id"))
    .where(clients.c.faults > 0)
    .values(faults=clients.c.faults - 1)
)
_COUNT_NONE = Write(
    update(clients).where(clients.c.client_id == bindparam("the_client_id")).values(faults=0)
)
_DELETE = Write(delete(faults).where(_of_client).where(_named))
_DELETE_ALL = Write(delete(faults).where(_of_client))
_COUNT_USE = Write(
    update(faults)
    .where(_of_client)
    .where(_named)
    .where(faults.c.seen == bindparam("seen_seen"))
    .values(seen=faults.c.seen + 1, hits=faults.c.hits + bindparam("hit"))
)


def add_fault(change: Change, client_id: str, fault: Fault) -> None:
    """The Change fails when the client has as many as it may."""
    change.write(_COUNT_ONE_MORE, the_client_id=client_id)
    change.write(
        _INSERT,
        the_client_id=client_id,
        the_fault_id=fault.fault_id,
        rule=fault.rule_json,
        created_at=fault.created_at,
    )


def remove_fault(change: Change, client_id: str, fault_id: str) -> None:
    change.write(_DELETE, the_client_id=client_id, the_fault_id=fault_id)
    change.write(_COUNT_ONE_LESS, the_client_id=client_id)


def clear_faults(change: Change, client_id: str) -> None:
    change.write(_COUNT_NONE, the_client_id=client_id)
    change.write(_DELETE_ALL, rows=None, the_client_id=client_id)


def count_use(change: Change, client_id: str, fault: Fault, *, hit: bool) -> None:
    """Count what a fault was for and whether it struck; the last time that it may, it goes.

    The Change fails when another call has counted meanwhile.
    """
    change.write(
        _COUNT_USE,
        the_client_id=client_id,
        the_fault_id=fault.fault_id,
        seen_seen=fault.seen,
        hit=int(hit),
    )
    if hit and fault.rule.times is not None and fault.hits + 1 >= fault.rule.times:
        remove_fault(change, client_id, fault.fault_id)
