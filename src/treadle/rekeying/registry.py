"""All sealed columns, snapshots included."""

from __future__ import annotations

from typing import Any

from treadle.keys import Keys
from treadle.rekeying.columns import SEALED_COLUMNS, Named, SealedColumn
from treadle.state.snapshots import rewrap_snapshot, snapshot_place
from treadle.store.tables import snapshots


class SealedSnapshot(SealedColumn):
    """A world that is sealed as a whole: no envelope within it is older than the one around it."""

    # One may be several megabytes.
    batch = 1

    def rewrap(self, keys: Keys, row: Named) -> Any:
        return rewrap_snapshot(keys, row["client_id"], row["name"], row[self.column.name])


REGISTRY = (
    *SEALED_COLUMNS,
    SealedSnapshot(snapshots.c.contents, snapshot_place, snapshots.c.client_id, snapshots.c.name),
)
