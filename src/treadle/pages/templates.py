"""Jinja2 as all pages use it: what is put into a template is escaped, and must be there."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape


def templates(folder: Path) -> Environment:
    return Environment(
        loader=FileSystemLoader(folder),
        # Code to copy is text, and is escaped where a page shows it.
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
