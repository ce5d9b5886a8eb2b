"""Storage: one schema, two stores, and Changes that are kept whole or not at all."""

# Whoever imports a part of the schema has the whole of it.
from treadle.store import delegation_tables, link_tables, tables

__all__ = ["delegation_tables", "link_tables", "tables"]
