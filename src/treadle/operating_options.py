"""The options of `treadle serve` for those who run it for others."""

from __future__ import annotations

from typing import Any

import click


def operating_options(command: Any) -> Any:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


_OPTIONS = [
    click.option(
        "--stop-seconds",
        type=click.IntRange(0, 600),
        default=20,
        show_default=True,
        help="How long requests in flight may take to end once the server is told to stop.",
    ),
]
