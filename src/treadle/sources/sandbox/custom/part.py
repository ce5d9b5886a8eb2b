"""The base of everything in a custom user."""

from __future__ import annotations

import msgspec


class Part(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """An object of the JSON. None stands for a field that was left out or is null."""
