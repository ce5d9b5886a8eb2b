"""Recorded requests as they are stored."""

from __future__ import annotations

import msgspec
from sqlalchemy import bindparam, delete, or_, select

from treadle.store.statements import Query, Write
from treadle.store.tables import requests


class Recorded(msgspec.Struct):
    """One request and its answer, in the order of the table's columns after `client_id`."""

    answered_at: int
    request_id: str
    method: str
    path: str
    status: int
    error_code: str | None
    microseconds: int
    decision: str | None
    reason: str | None
    fault_id: str | None
    request: str | None
    response: str | None


_columns = [requests.c[name] for name in Recorded.__struct_fields__]

# The newest first. An empty text asks for whatever there is.
RECORDED = Query(
    select(*_columns)
    .where(requests.c.client_id == bindparam("client_id"))
    .where(
        *(
            or_(requests.c[name] == bindparam(name), bindparam(name) == "")
            for name in ("request_id", "path", "error_code")
        )
    )
    .where(requests.c.answered_at > bindparam("after"))
    .order_by(requests.c.answered_at.desc(), requests.c.request_id.desc())
    .limit(bindparam("count"))
    .offset(bindparam("offset")),
    Recorded,
)
INSERT_REQUEST = Write.insert(requests)

_kept = requests.alias("kept")
# All but the newest.
DELETE_OLD = Write(
    delete(requests)
    .where(requests.c.client_id == bindparam("the_client_id"))
    .where(
        requests.c.answered_at
        <= select(_kept.c.answered_at)
        .where(_kept.c.client_id == bindparam("the_client_id"))
        .order_by(_kept.c.answered_at.desc())
        .limit(1)
        .offset(bindparam("kept"))
        .scalar_subquery()
    )
)
