"""Treadle itself, run as a program of its own."""

from __future__ import annotations

import os
import signal
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.support import preloaded
from tests.support.empty import copy_empty_database
from tests.support.preloaded import Program
from tests.support.process import free_port, signal_group

START_SECONDS = 20.0
STOP_SECONDS = 20.0
# Proxies in the environment are not for loopback.
_OPENER = urllib.request.build_opener(
    urllib.request.ProxyHandler({}),
    # Whether a server is there, not whether it is to be trusted.
    urllib.request.HTTPSHandler(context=ssl._create_unverified_context()),
)


class Server:
    """`treadle serve` on a free loopback port. Use the `serve` fixture to start one."""

    def __init__(
        self,
        data: Path,
        *args: str,
        env: Mapping[str, str] | None = None,
        log_path: Path | None = None,
    ) -> None:
        self.data = data
        self.args: Sequence[str] = args
        self.env = dict(env or {})
        self.log_path = log_path or data.with_name(f"{data.name}.log")
        self.port = free_port()
        self._process: Program | None = None

    @property
    def url(self) -> str:
        return f"{'https' if '--tls' in self.args else 'http'}://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process is not None, "the server is not running"
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def log(self) -> str:
        """Everything the server has written since its first start."""
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def start(self) -> None:
        assert not self.running, "the server is already running"
        if not self.data.exists() and "--database" not in self.args:
            copy_empty_database(self.data)
        arguments = ["serve", "--host", "127.0.0.1", "--port", str(self.port)]
        arguments += ["--data", str(self.data), *self.args]
        env = {**os.environ, "PYTHONUNBUFFERED": "1", **self.env}
        self._process = preloaded.start(arguments, env, self.log_path)
        self._wait_until_healthy()

    def stop(self) -> int:
        """End the server in good order (SIGTERM), and return its exit code."""
        process = self._take()
        process.send_signal(signal.SIGTERM)
        try:
            return process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            raise AssertionError(
                f"the server did not stop within {STOP_SECONDS:g} s of SIGTERM:\n{self.log()}"
            ) from None
        finally:
            signal_group(process.pid, signal.SIGKILL)
            process.wait()

    def kill(self) -> None:
        """End the server and all its worker processes at once (SIGKILL), as a crash would."""
        process = self._take()
        signal_group(process.pid, signal.SIGKILL)
        process.wait()

    def restart(self) -> None:
        """Stop the server, and start it on the same port and data. Also after `kill`."""
        if self._process is not None:
            self.stop()
        self.start()

    def _take(self) -> Program:
        process, self._process = self._process, None
        assert process is not None, "the server is not running"
        return process

    def _wait_until_healthy(self) -> None:
        process = self._process
        assert process is not None
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if (code := process.poll()) is not None:
                self._process = None
                signal_group(process.pid, signal.SIGKILL)
                raise RuntimeError(f"the server ended with exit code {code}:\n{self.log()}")
            try:
                with _OPENER.open(f"{self.url}/healthz", timeout=2) as response:
                    if response.status == 200:
                        return
            except (urllib.error.URLError, OSError):
                pass
            time.sleep(0.03)
        self.kill()
        raise RuntimeError(
            f"GET /healthz did not answer 200 within {START_SECONDS:g} s:\n{self.log()}"
        )
