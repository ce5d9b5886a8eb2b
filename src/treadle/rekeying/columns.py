"""The columns that hold envelopes, and the place that each envelope is bound to.

A sealed column that is added to the schema belongs in the list here; a test says so. Snapshots,
which hold whole rows with envelopes of their own, are added in `registry.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

import msgspec
from sqlalchemy import Column, ColumnElement, LargeBinary, Table, func, literal, or_

from treadle.bank.rows import numbers_place
from treadle.bank.updates import login_place
from treadle.clients import stripe_key_place
from treadle.idempotency.rows import answer_place
from treadle.keys import Keys, envelope_key_id, envelope_prefix
from treadle.link.rows import plan_place, result_place, setup_place, state_place
from treadle.sources.stored.rows import numbers_place as stored_numbers_place
from treadle.store.delegation_tables import idempotency
from treadle.store.link_tables import link_results, link_sessions, link_tokens
from treadle.store.stored_tables import stored_accounts
from treadle.store.tables import accounts, clients, items, outbox, webhook_keys
from treadle.webhooks.outbox import body_place
from treadle.webhooks.signing_keys import key_place
from treadle.worlds import World, seed_place

Named = Mapping[str, Any]


class SealedColumn:
    """A column whose values are envelopes, or null."""

    # So many are replaced together, which takes a few milliseconds; more would hold others up.
    batch = 100
    # Whether the database cannot tell which key an envelope is under.
    hides_key = False

    def __init__(self, column: Column[Any], place: Callable[..., str], *named: Column[Any]) -> None:
        """`named` are the columns of the row whose values make the place."""
        self.column = column
        self.table: Table = column.table
        self._place = place
        self._named = [one.name for one in named]
        # What of a row is needed to replace its envelope, without the envelope itself.
        self.primary = tuple(self.table.primary_key)
        owner = [self.table.c.client_id] if "client_id" in self.table.c else []
        self.identifying = tuple(dict.fromkeys((*self.primary, *named, *owner)))

    def __str__(self) -> str:
        return f"{self.table.name}.{self.column.name}"

    def place(self, row: Named) -> str:
        return self._place(*(row[name] for name in self._named))

    def key_id(self, value: Any) -> str | None:
        """The key that a value is sealed under; None when there is nothing sealed in it."""
        return None if value is None else envelope_key_id(value)

    def rewrap(self, keys: Keys, row: Named) -> Any:
        """The value under the key in force, if it is under a former one. Raises KeyFileError."""
        return keys.rewrap(row[self.column.name], self.place(row))

    def is_under(self, key_ids: Collection[str]) -> ColumnElement[bool]:
        """Whether a row may hold an envelope under one of these keys, as the database can tell."""
        return or_(*(self.begins_with(envelope_prefix(id_)) for id_ in key_ids))

    def begins_with(self, prefix: bytes) -> ColumnElement[bool]:
        start = func.substr(self.column, 1, len(prefix), type_=LargeBinary)
        return start == literal(prefix, LargeBinary)


class SealedSeed(SealedColumn):
    """The seed within a client's world, which is JSON and so hides its key from the database."""

    hides_key = True

    def key_id(self, value: Any) -> str | None:
        seed = None if value is None else _decode_world(value).seed
        return envelope_key_id(seed) if isinstance(seed, bytes) else None

    def rewrap(self, keys: Keys, row: Named) -> Any:
        world = _decode_world(row[self.column.name])
        if not isinstance(world.seed, bytes):
            return row[self.column.name]
        seed = keys.rewrap(world.seed, self.place(row))
        return msgspec.structs.replace(world, seed=seed).encode()

    def is_under(self, key_ids: Collection[str]) -> ColumnElement[bool]:
        return self.column.is_not(None)


_decode_world = msgspec.json.Decoder(World).decode

SEED = SealedSeed(clients.c.world, seed_place, clients.c.client_id)


SEALED_COLUMNS = (
    SEED,
    SealedColumn(clients.c.stripe_key, stripe_key_place, clients.c.client_id),
    SealedColumn(items.c.login, login_place, items.c.item_id),
    SealedColumn(accounts.c.numbers, numbers_place, accounts.c.item_id, accounts.c.account_id),
    SealedColumn(
        stored_accounts.c.numbers,
        stored_numbers_place,
        stored_accounts.c.client_id,
        stored_accounts.c.institution_id,
        stored_accounts.c.account_id,
    ),
    SealedColumn(outbox.c.sealed_body, body_place, outbox.c.event_id),
    SealedColumn(webhook_keys.c.private_key, key_place, webhook_keys.c.kid),
    SealedColumn(link_tokens.c.setup, setup_place, link_tokens.c.token_id),
    SealedColumn(link_tokens.c.plan, plan_place, link_tokens.c.token_id),
    SealedColumn(link_sessions.c.state, state_place, link_sessions.c.session_id),
    SealedColumn(
        link_results.c.public_token,
        result_place,
        link_results.c.session_id,
        link_results.c.position,
    ),
    SealedColumn(
        idempotency.c.answer, answer_place, idempotency.c.client_id, idempotency.c.key_digest
    ),
)
