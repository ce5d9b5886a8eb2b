"""A real browser."""

from __future__ import annotations

import os
import shutil

import pytest
from playwright.sync_api import Browser, BrowserType


def chromium_path() -> str:
    # The one without windows asks for a third of the processor's time.
    path = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    if path is None:
        pytest.skip("chromium is missing; scripts/install_test_tools.sh tells what to install")
    return path


def sandbox_flags() -> list[str]:
    """As root Chromium cannot have a sandbox of its own."""
    return ["--no-sandbox"] if os.geteuid() == 0 else []


def launch(kind: BrowserType, *flags: str) -> Browser:
    return kind.launch(executable_path=chromium_path(), args=[*sandbox_flags(), *flags])
