"""From a template and what it shows to HTML."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from treadle.clock import SECOND, to_datetime
from treadle.console.protection import PREFIX
from treadle.pages.assets import SHARED, Assets
from treadle.pages.templates import templates

_HERE = Path(__file__).parent

ASSETS = Assets(SHARED, _HERE / "static")


def render(template: str, /, **context: Any) -> str:
    return _TEMPLATES.get_template(template).render(context)


def _instant(instant: int) -> str:
    """An instant to read; UTC throughout."""
    return f"{to_datetime(instant):%Y-%m-%d %H:%M:%S}"


def _ago(instant: int, now: int) -> str:
    """How long before another an instant was."""
    seconds = (now - instant) // SECOND
    if seconds < 1:
        return "just now" if seconds >= -1 else "ahead of now"
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit} ago"
    return f"{seconds} s ago"


def _pretty(body: Any) -> str:
    """JSON to read; of a text, the JSON in it."""
    text = body.encode() if isinstance(body, str) else msgspec.json.encode(body)
    return msgspec.json.format(text, indent=2).decode()


_TEMPLATES = templates(_HERE / "templates")
_TEMPLATES.globals["static"] = f"{PREFIX}/static/{ASSETS.digest}"
_TEMPLATES.filters |= {
    "instant": _instant,
    "iso": lambda instant: to_datetime(instant).isoformat(),
    "ago": _ago,
    "words": lambda text: str(text).replace("_", " "),
    "pretty": _pretty,
    "names": lambda text: msgspec.json.decode(text) if text else [],
}
