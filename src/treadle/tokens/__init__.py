"""Tokens: their format, their digests at rest, and what each may reach."""
