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
        "--max-requests-in-flight",
        type=click.IntRange(8, 65_536),
        default=512,
        show_default=True,
        help="How many requests each worker takes at a time; an eighth is kept for revocations.",
    ),
    click.option(
        "--database-connections",
        type=click.IntRange(3, 1_000),
        default=16,
        show_default=True,
        help="PostgreSQL: connections of each worker at most; two are kept for revocations.",
    ),
    click.option(
        "--database-timeout-seconds",
        type=click.FloatRange(0.1, 600),
        default=5,
        show_default=True,
        help="How long a statement may take, or SQLite's lock be waited for.",
    ),
    click.option(
        "--stop-seconds",
        type=click.IntRange(0, 600),
        default=20,
        show_default=True,
        help="How long requests in flight may take to end once the server is told to stop.",
    ),
]
