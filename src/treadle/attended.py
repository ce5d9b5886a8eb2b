"""Runs ``treadle serve`` for as long as the process that started it holds its standard input."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time

from treadle.cli import main

# As long as a server may take to end in good order, and a little longer.
_PATIENCE_SECONDS = 30


def _end_with_standard_input() -> None:
    # Through the system call: at the end of a program Python waits for threads that read sys.stdin.
    while os.read(0, 1024):
        pass
    # More than once, for a server that is only starting forgets it.
    for _ in range(_PATIENCE_SECONDS):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(1)
    os.killpg(os.getpgrp(), signal.SIGKILL)


if __name__ == "__main__":
    threading.Thread(target=_end_with_standard_input, daemon=True).start()
    main(["serve", *sys.argv[1:]], prog_name="treadle", auto_envvar_prefix=None)
