"""Starting programs that end with the tests."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import sys
from collections.abc import Callable

# From <linux/prctl.h>.
_PR_SET_PDEATHSIG = 1
# Loaded here, because little is safe between fork and exec.
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


def die_with_parent() -> Callable[[], None] | None:
    """A preexec_fn for Popen: on Linux the program is killed when the tests are.

    Linux counts by thread: start the program from one that outlives it.
    """
    libc = _LIBC
    if libc is None:
        return None
    parent = os.getpid()

    def prepare() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)

    return prepare


def free_port() -> int:
    """A loopback port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def signal_group(pid: int, number: signal.Signals) -> None:
    """Signal a program that leads its own process group, and all that it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, number)
