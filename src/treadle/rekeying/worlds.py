"""Worlds that are kept whole in snapshots: their rows hold envelopes of their own."""

from __future__ import annotations

from treadle.keys import Keys
from treadle.rekeying.columns import SEALED_COLUMNS, SEED
from treadle.state.parts import PARTS
from treadle.state.world import World


def rewrap_world(keys: Keys, client_id: str, world: World) -> None:
    """Bring every envelope in the rows of a world under the key in force. Raises KeyFileError."""
    parts = {part.name: part for part in PARTS}
    for column in SEALED_COLUMNS:
        rows = world.contents.get(column.table.name, [])
        for position, row in enumerate(rows):
            named = parts[column.table.name].named(row)
            if column.key_id(named[column.column.name]) in keys.former_envelope_ids:
                named[column.column.name] = column.rewrap(keys, named)
                rows[position] = parts[column.table.name].row(named)
    if world.settings_json is not None:
        settings = {"client_id": client_id, "world": world.settings_json}
        world.settings_json = SEED.rewrap(keys, settings)
