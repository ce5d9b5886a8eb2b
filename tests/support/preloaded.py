"""Treadle's program, forked from a process that has imported it already.

Most of the second that `treadle serve` takes to start goes into imports. The tests run the
program some thousand times, and what is imported is the same each time.
"""

from __future__ import annotations

import atexit
import functools
import importlib
import json
import multiprocessing
import os
import runpy
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import uvicorn._subprocess

from tests.support.process import die_with_parent
from treadle import operations

# What a server imports until it is ready and for its pages, beside what `treadle.serving` does.
_NEEDED = (
    "alembic.autogenerate",
    "alembic.command",
    "asyncpg",
    "sqlalchemy.dialects.postgresql.asyncpg",
    "treadle.cli",
    "treadle.console.site",
    "treadle.grants.site",
    "treadle.link.pages.site",
    "treadle.matching.owners",
    "treadle.serving",
    "treadle.store.postgres",
    "uvicorn.lifespan.on",
    "uvloop",
)
_ROOT = Path(__file__).parents[2]
_NUMBER = struct.Struct("i")


class Program:
    """One run of the program; what of `subprocess.Popen` the tests need."""

    def __init__(self, told: int) -> None:
        """`told` is a pipe on which its process id comes, and then its exit code."""
        self._told = told
        self._code: int | None = None
        self.pid = self._number()

    def _number(self) -> int:
        number: int = _NUMBER.unpack(os.read(self._told, _NUMBER.size))[0]
        return number

    def poll(self) -> int | None:
        if self._code is None and select.select([self._told], [], [], 0)[0]:
            self._end()
        return self._code

    def wait(self, seconds: float | None = None) -> int:
        """The exit code; that of a signal is negative. Raises subprocess.TimeoutExpired."""
        if self._code is None:
            if not select.select([self._told], [], [], seconds)[0]:
                raise subprocess.TimeoutExpired("treadle", seconds or 0)
            self._end()
        assert self._code is not None
        return self._code

    def _end(self) -> None:
        self._code = self._number()
        os.close(self._told)

    def send_signal(self, number: signal.Signals) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)


def start(arguments: Sequence[str], env: Mapping[str, str], log: Path) -> Program:
    """Run `treadle` as the leader of a session, with its output appended to `log`."""
    with log.open("ab") as output:
        return _start(arguments, env, output, output)


def run(
    *arguments: str,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    seconds: float = 60,
) -> subprocess.CompletedProcess[str]:
    """Run `treadle` to its end, with `env` added to the environment."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        program = _start(arguments, {**os.environ, **(env or {})}, out, err, cwd)
        try:
            code = program.wait(seconds)
        except subprocess.TimeoutExpired:
            program.send_signal(signal.SIGKILL)
            raise
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(arguments, code, out.read(), err.read())


def _start(
    arguments: Sequence[str],
    env: Mapping[str, str],
    out: IO[Any],
    err: IO[Any],
    cwd: Path | None = None,
) -> Program:
    asked = {"arguments": arguments, "env": dict(env), "cwd": str(cwd or Path.cwd())}
    told, telling = os.pipe()
    try:
        fds = [out.fileno(), err.fileno(), telling]
        socket.send_fds(_forker(), [json.dumps(asked).encode()], fds)
    finally:
        os.close(telling)
    return Program(told)


@functools.cache
def _forker() -> socket.socket:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    command = [sys.executable, "-m", "tests.support.preloaded", str(theirs.fileno())]
    subprocess.Popen(command, cwd=_ROOT, pass_fds=[theirs.fileno()], preexec_fn=die_with_parent())
    theirs.close()
    atexit.register(ours.close)
    return ours


def _fork_for(channel: socket.socket) -> None:
    # Those who wait for a program are not waited for themselves.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    die = die_with_parent()
    while True:
        asked, fds, _, _ = socket.recv_fds(channel, 1 << 20, 3)
        if not asked:
            return
        if os.fork() == 0:
            channel.close()
            if die is not None:
                die()
            _watch(json.loads(asked), *fds)
        for fd in fds:
            os.close(fd)


def _watch(asked: dict[str, Any], out: int, err: int, telling: int) -> None:
    """Start the program, say who it is, wait for it and say how it ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    die = die_with_parent()
    pid = os.fork()
    if pid == 0:
        os.close(telling)
        if die is not None:
            die()
        _become(asked, out, err)
    os.close(out)
    os.close(err)
    os.write(telling, _NUMBER.pack(pid))
    _, status = os.waitpid(pid, 0)
    os.write(telling, _NUMBER.pack(os.waitstatus_to_exitcode(status)))
    os._exit(0)


def _become(asked: dict[str, Any], out: int, err: int) -> None:
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDONLY)
    for fd, place in ((nothing, 0), (out, 1), (err, 2)):
        os.dup2(fd, place)
    os.closerange(3, 64)
    os.chdir(asked["cwd"])
    os.environ.clear()
    os.environ.update(asked["env"])
    sys.stdout.reconfigure(write_through=True)
    # Else each worker would import everything once more.
    uvicorn._subprocess.spawn = multiprocessing.get_context("fork")
    os.register_at_fork(after_in_child=_forget_signals)
    sys.argv = ["treadle", *asked["arguments"]]
    runpy.run_module("treadle", run_name="__main__", alter_sys=True)


def _forget_signals() -> None:
    """A worker that is told to end while it starts ends, as one that was not forked does."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


if __name__ == "__main__":
    for module in _NEEDED:
        importlib.import_module(module)
    operations.load_areas()
    _fork_for(socket.socket(fileno=int(sys.argv[1])))
