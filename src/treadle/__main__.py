"""Runs the command line program: ``python -m treadle``."""

from __future__ import annotations

from treadle.cli import main

if __name__ == "__main__":
    main()
