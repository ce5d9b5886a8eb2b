"""The posted transactions of an Item, as far as it takes to find what recurs among them."""

from __future__ import annotations

import msgspec
from sqlalchemy import bindparam, select

from treadle.bank.recurring import Occurrence
from treadle.bank.updates import of_product
from treadle.store.columns import is_named_in
from treadle.store.statements import Query
from treadle.store.tables import entries

OCCURRENCES = Query(
    select(entries.c.data)
    .where(*of_product(entries))
    .where(entries.c.removed.is_(None), entries.c.pending == 0)
    .where(is_named_in(entries.c.account_id, bindparam("account_ids"))),
    msgspec.json.Decoder(Occurrence).decode,
)
