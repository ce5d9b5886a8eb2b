"""The registry of processors: those of the API's documentation and of the pinned SDK."""

from __future__ import annotations

from importlib.resources import files

import msgspec

# The display name of each processor, by its id.
PROCESSORS: dict[str, str] = msgspec.json.decode(
    (files("treadle.partners") / "processors.json").read_bytes(), type=dict[str, str]
)

APEX_CLEARING = "apex_clearing"
