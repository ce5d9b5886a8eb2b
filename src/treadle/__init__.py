"""Treadle, a self-hosted server compatible with the Plaid API."""

from __future__ import annotations

__all__ = ["__version__"]


def __getattr__(name: str) -> str:
    if name == "__version__":
        from importlib.metadata import version

        return version("treadle")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
