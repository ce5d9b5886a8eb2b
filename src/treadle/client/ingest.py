"""Bank data of the operator's own, brought line by line or as a bank's statement."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from treadle.client.connection import Group
from treadle.ingest.answers import (
    ImportResponse,
    IngestItemsCreateResponse,
    IngestResponse,
    IngestSchemaResponse,
)

# In a test that fails, pytest shows the line that called and none of these.
__tracebackhide__ = True


class Ingest(Group):
    """`docs/ingest.md` and `docs/import.md` tell what is taken."""

    def push(self, records: Iterable[Mapping[str, Any]], *, atomic: bool = False) -> IngestResponse:
        """Bring records, each of the schema's shape; with `atomic`, keep all of them or none."""
        lines = (msgspec.json.encode(record) + b"\n" for record in records)
        return self._connection.bring(
            "/treadle/ingest", IngestResponse, lines, "application/x-ndjson", atomic=atomic
        )

    def schema(self) -> dict[str, Any]:
        """The JSON Schema of one record."""
        return self._connection.read("/treadle/ingest/schema", IngestSchemaResponse).schema

    def create_item(
        self,
        institution_id: str,
        user_id: str,
        products: Sequence[str],
        *,
        account_ids: Sequence[str] | None = None,
        webhook: str | None = None,
        days_requested: int | None = None,
    ) -> IngestItemsCreateResponse:
        """Make an Item for a user who was brought, without Link."""
        return self._connection.order(
            "/treadle/ingest/items/create",
            IngestItemsCreateResponse,
            institution_id=institution_id,
            user_id=user_id,
            products=products,
            account_ids=account_ids,
            webhook=webhook,
            days_requested=days_requested,
        )

    def statement(
        self,
        content: bytes | Iterable[bytes],
        *,
        user_id: str,
        institution_id: str | None = None,
        mapping: Mapping[str, Any] | None = None,
        dry_run: bool = False,
    ) -> ImportResponse:
        """Import a statement for a user; `mapping` names the columns of a CSV file."""
        return self._connection.bring(
            "/treadle/import",
            ImportResponse,
            content,
            "application/octet-stream",
            user_id=user_id,
            institution_id=institution_id,
            mapping=None if mapping is None else msgspec.json.encode(mapping).decode(),
            dry_run=dry_run,
        )
