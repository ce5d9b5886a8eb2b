"""How panes are drawn: institutions that have no logo, and choices."""

from __future__ import annotations

import re
from zlib import crc32

from treadle.link.panes import Choice, ShownInstitution

_COLORS = (
    "#24594f", "#7a3b2e", "#3d4f7c", "#6a4a7d", "#8a5a13", "#2f6279", "#5c6b2f", "#83385a",
)  # fmt: skip
_MINOR_WORDS = frozenset({"and", "of", "the", "de", "du", "bank", "banque", "banco"})
_SHORT = 12
_HEX = re.compile(r"#[0-9a-fA-F]{6}")


def initials(name: str) -> str:
    words = re.findall(r"\w+", name)
    telling = [word for word in words if word.lower() not in _MINOR_WORDS] or words
    return "".join(word[0] for word in telling[:2]).upper()


def short(choices: list[Choice]) -> bool:
    """Whether the choices are few and short enough to stand side by side."""
    return len(choices) == 2 and all(len(one.label) <= _SHORT for one in choices)


def badge_color(institution: ShownInstitution) -> str:
    color = institution.primary_color
    if color is not None and _HEX.fullmatch(color):
        return color
    return _COLORS[crc32(institution.institution_id.encode()) % len(_COLORS)]


def ink_on(color: str) -> str:
    """Black or white, whichever can be told better from a colour."""
    luminance = _luminance(color)
    return "#ffffff" if 1.05 / (luminance + 0.05) >= (luminance + 0.05) / 0.05 else "#000000"


def _luminance(color: str) -> float:
    """As WCAG defines it."""
    red, green, blue = (_linear(int(color[place : place + 2], 16) / 255) for place in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
