"""Breaks the program on purpose, one promise at a time, and checks that the tests notice.

Each entry in a `*.toml` file beside this one replaces a piece of the source in a copy of it and
names the test that must then fail. A test that stays green guards nothing.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, fields
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SOURCE = ROOT / "src"
TIMEOUT_SECONDS = 600
TAIL_LINES = 15

GREEN, RED, ERROR = "green", "red", "error"


class Mistake(Exception):
    """An entry that cannot be used as it stands."""


@dataclass(frozen=True)
class Sabotage:
    name: str
    promise: str
    # Under src/treadle.
    file: str
    old: str
    new: str
    test: str


@dataclass(frozen=True)
class Run:
    """A test that was run on some source, and how it went."""

    outcome: str
    seconds: float
    output: str


def read(folder: Path) -> list[Sabotage]:
    """Every entry of every file. Raises Mistake."""
    names = [field.name for field in fields(Sabotage)]
    found: dict[str, Sabotage] = {}
    for path in sorted(folder.glob("*.toml")):
        for entry in tomllib.loads(path.read_text()).get("sabotage", []):
            label = f"{path.name}: {entry.get('name', '?')}"
            if sorted(entry) != sorted(names):
                raise Mistake(f"{label}: it must have exactly {', '.join(names)}")
            sabotage = Sabotage(**entry)
            if sabotage.name in found:
                raise Mistake(f"{label}: the name is taken")
            found[sabotage.name] = sabotage
    return list(found.values())


def check(sabotage: Sabotage) -> None:
    """Raises Mistake when an entry does not fit the source or the tests."""
    label = sabotage.name
    path = SOURCE / "treadle" / sabotage.file
    if not path.is_file():
        raise Mistake(f"{label}: there is no {sabotage.file}")
    count = path.read_text().count(sabotage.old)
    if count != 1:
        raise Mistake(f"{label}: the old text occurs {count} times in {sabotage.file}")
    if sabotage.old == sabotage.new:
        raise Mistake(f"{label}: nothing is changed")
    if not (ROOT / sabotage.test.partition("::")[0]).exists():
        raise Mistake(f"{label}: there is no {sabotage.test}")


def broken_copy(sabotage: Sabotage, folder: Path) -> Path:
    """A copy of the source with one piece replaced."""
    copy = folder / "src"
    shutil.copytree(SOURCE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    path = copy / "treadle" / sabotage.file
    path.write_text(path.read_text().replace(sabotage.old, sabotage.new))
    return copy


def _environment(source: Path, folder: Path) -> dict[str, str]:
    return os.environ | {
        # Comes before the installed package, and is handed on to servers that tests start.
        "PYTHONPATH": str(source),
        "PYTHONDONTWRITEBYTECODE": "1",
        "HYPOTHESIS_STORAGE_DIRECTORY": str(folder / "hypothesis"),
    }


def run_test(test: str, source: Path, folder: Path) -> Run:
    """Run one test on a source. Tests that ran and failed are red; anything else is an error."""
    environment = _environment(source, folder)
    started = time.monotonic()
    where = subprocess.run(
        [sys.executable, "-c", "import treadle; print(treadle.__file__)"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if where.stdout.strip() != str(source / "treadle" / "__init__.py"):
        said = where.stdout + where.stderr
        return Run(ERROR, 0, f"the source is not the one that is imported: {said}")
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
    command += ["--basetemp", str(folder / "tests"), test]
    try:
        result = subprocess.run(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Run(ERROR, TIMEOUT_SECONDS, "the test did not end")
    outcome = {0: GREEN, 1: RED}.get(result.returncode, ERROR)
    return Run(outcome, time.monotonic() - started, result.stdout)


def check_whole(test: str) -> Run:
    with tempfile.TemporaryDirectory(prefix="treadle-whole-") as folder:
        return run_test(test, SOURCE, Path(folder))


def check_broken(sabotage: Sabotage) -> Run:
    with tempfile.TemporaryDirectory(prefix="treadle-sabotage-") as folder:
        return run_test(sabotage.test, broken_copy(sabotage, Path(folder)), Path(folder))


def tail(output: str) -> str:
    return "\n".join(f"    {line}" for line in output.splitlines()[-TAIL_LINES:])


def progress(runs: Iterable[tuple[str, Run]], total: int, wanted: str) -> Iterator[tuple[str, Run]]:
    """Print a line for each run as it ends, and what it printed where that was not wanted."""
    for number, (name, run) in enumerate(runs, 1):
        mark = "ok" if run.outcome == wanted else "NOT OK"
        line = f"[{number}/{total}] {mark:6} {run.outcome:5} {run.seconds:6.1f} s  {name}"
        print(line, flush=True)
        if run.outcome != wanted and run.outcome != GREEN:
            print(tail(run.output), flush=True)
        yield name, run


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=max(1, (os.cpu_count() or 2) // 2))
    parser.add_argument("--only", metavar="NAME", action="append", help="repeatable")
    arguments = parser.parse_args()
    try:
        sabotages = read(HERE)
        if arguments.only:
            unknown = set(arguments.only) - {one.name for one in sabotages}
            if unknown:
                raise Mistake(f"there is no {', '.join(sorted(unknown))}")
            sabotages = [one for one in sabotages if one.name in arguments.only]
        for one in sabotages:
            check(one)
    except Mistake as mistake:
        print(mistake, file=sys.stderr)
        return 2
    with ThreadPoolExecutor(arguments.jobs) as pool:
        return judge(sabotages, pool)


def judge(sabotages: list[Sabotage], pool: ThreadPoolExecutor) -> int:
    """Run all; 0 when every test is green on the whole source and red on the broken one."""
    tests = sorted({one.test for one in sabotages})
    print(f"{len(tests)} tests on the source as it is")
    whole_runs = {pool.submit(check_whole, test): test for test in tests}
    ended = ((whole_runs[future], future.result()) for future in as_completed(whole_runs))
    whole = dict(progress(ended, len(tests), GREEN))
    sound = [one for one in sabotages if whole[one.test].outcome == GREEN]
    print(f"{len(sound)} sabotages")
    broken_runs = {pool.submit(check_broken, one): one.name for one in sound}
    ended = ((broken_runs[future], future.result()) for future in as_completed(broken_runs))
    broken = dict(progress(ended, len(sound), RED))
    print()
    width = max((len(one.name) for one in sabotages), default=0)
    failures = 0
    for one in sabotages:
        run = broken.get(one.name)
        if run is None:
            verdict = "its test is not green without it"
        elif run.outcome == RED:
            verdict = "noticed"
        else:
            verdict = "NOT NOTICED" if run.outcome == GREEN else "its test could not be run"
        failures += verdict != "noticed"
        print(f"{one.name:{width}}  {verdict:12}  {one.promise}")
    print(f"\n{len(sabotages) - failures} of {len(sabotages)} noticed")
    return 1 if failures or not sabotages else 0


if __name__ == "__main__":
    sys.exit(main())
