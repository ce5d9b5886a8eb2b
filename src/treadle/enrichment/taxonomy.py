"""The personal finance categories, in both versions, and the legacy ones they stand for."""

from __future__ import annotations

from importlib.resources import files

import msgspec

from treadle.wire.common import PersonalFinanceCategoryVersion

_ICONS = "https://plaid-category-icons.plaid.com"


class _Primary(msgspec.Struct):
    v1: list[str]
    # What each detailed category is in the first version, where the second has other ones.
    v2: dict[str, str] | None = None


_DATA = files("treadle.enrichment")
_PRIMARIES = msgspec.json.decode((_DATA / "categories.json").read_bytes(), type=dict[str, _Primary])
_LEGACY = msgspec.json.decode((_DATA / "legacy.json").read_bytes(), type=dict[str, list[str]])

# The primary category of each detailed one.
V1: dict[str, str] = {
    f"{primary}_{detail}": primary for primary, one in _PRIMARIES.items() for detail in one.v1
}
_V2_TO_V1: dict[str, str] = {
    f"{primary}_{detail}": first
    for primary, one in _PRIMARIES.items()
    for detail, first in (one.v2 or {detail: f"{primary}_{detail}" for detail in one.v1}).items()
}
V2: dict[str, str] = {
    f"{primary}_{detail}": primary
    for primary, one in _PRIMARIES.items()
    for detail in (one.v2 or one.v1)
}


def first_version(detailed: str) -> str:
    """The detailed category of the first version that one of the second belongs to."""
    return _V2_TO_V1[detailed]


def primary_category(detailed: str, version: PersonalFinanceCategoryVersion) -> str:
    return (V1 if version is PersonalFinanceCategoryVersion.V1 else V2)[detailed]


def icon_url(primary: str) -> str:
    return f"{_ICONS}/PFC_{primary}.png"


def legacy_category(detailed: str) -> tuple[str, list[str]]:
    """The id and the hierarchy of the legacy category, as near as it is known."""
    category_id, *hierarchy = _LEGACY.get(detailed) or _LEGACY[V2[detailed]]
    return category_id, hierarchy
