"""Treadle, a self-hosted server compatible with the Plaid API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from treadle.running import serve

    __version__: str

__all__ = ["__version__", "serve"]


def __getattr__(name: str) -> Any:
    """Looks up what takes a while only when it is asked for."""
    if name == "__version__":
        from importlib.metadata import version

        return version("treadle")
    if name == "serve":
        from treadle.running import serve

        return serve
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
