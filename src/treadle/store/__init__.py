"""Storage: one schema, two stores, and Changes that are kept whole or not at all."""
