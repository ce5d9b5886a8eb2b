"""Rules of style that hold for the whole of the source, but for what is generated."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import treadle

SOURCE = Path(str(treadle.__file__)).parent
FILES = {
    str(path.relative_to(SOURCE)): path
    for path in sorted(SOURCE.rglob("*.py"))
    if "wire" not in path.relative_to(SOURCE).parts
}

# Where time and randomness may come from.
TIME_AND_RANDOMNESS = {"clock.py", "ids.py"}
ENVIRONMENT = {"app.py", "serving.py", "cli.py", "doctor.py", "exec_command.py"}
CATCH_ALL = {
    # Answers 500 to what nobody foresaw.
    ("http/pipeline.py", "__call__"),
    # A library may raise anything, which must not carry what was sent to Stripe into the log.
    ("partners/stripe.py", "_ask"),
    # One Change that cannot be run must not stop the writing of the others.
    ("store/sqlite.py", "_run_at_once"),
    ("store/sqlite.py", "_attempt"),
    # One webhook that cannot be sent must not stop the others.
    ("webhooks/delivery.py", "_logging_failures"),
    ("webhooks/sending.py", "post"),
    # A database that cannot be asked is not there, whatever its driver says.
    ("readiness.py", "_ask"),
    ("metrics/sampling.py", "_count_outbox"),
    # Reads that could not be kept are kept when the database is there again.
    ("audit/reads.py", "_keep"),
    # What is old can be deleted an hour later.
    ("retention.py", "_run"),
    # Neither one Item that cannot be woken nor a database that is away must stop the others.
    ("alarm.py", "_run"),
    ("alarm.py", "_wake"),
}

_MOMENTS = {"now", "utcnow", "today", "time", "time_ns", "uuid1", "uuid4", "urandom"}
_OWNERS = {"datetime", "date", "time", "uuid", "os"}


def tree(name: str) -> ast.Module:
    return ast.parse(FILES[name].read_text(), name)


def functions(name: str) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def imports(name: str) -> set[str]:
    """Every module that a file imports, with the names taken from it."""
    found = set()
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def test_there_is_something_to_look_at() -> None:
    assert {"cli.py", "http/pipeline.py", "store/sqlite.py", "areas/items.py"} <= FILES.keys()


@pytest.mark.parametrize("name", FILES)
def test_files_functions_and_lines_are_short(name: str) -> None:
    lines = FILES[name].read_text().splitlines()
    assert len(lines) <= 400
    assert [line for line in lines if len(line) > 100] == []
    long = [
        one.name for one in functions(name) if (one.end_lineno or one.lineno) - one.lineno >= 60
    ]
    assert long == []


@pytest.mark.parametrize("name", FILES)
def test_time_and_randomness_have_one_source(name: str) -> None:
    found = [
        ast.unparse(node)
        for node in ast.walk(tree(name))
        if isinstance(node, ast.Attribute)
        and node.attr in _MOMENTS
        and ast.unparse(node.value).rpartition(".")[2] in _OWNERS
    ]
    modules = {one.partition(".")[0] for one in imports(name)} & {"random", "secrets"}
    taken = {one for one in imports(name) if one in {f"{o}.{m}" for o in _OWNERS for m in _MOMENTS}}
    allowed = name in TIME_AND_RANDOMNESS
    assert allowed or not (found or modules or taken), (found, modules, taken)


@pytest.mark.parametrize("name", FILES)
def test_nothing_catches_everything(name: str) -> None:
    found = set()
    for function in functions(name):
        for node in ast.walk(function):
            if isinstance(node, ast.ExceptHandler):
                caught = "" if node.type is None else ast.unparse(node.type)
                if caught == "" or {"Exception", "BaseException"} & set(
                    caught.strip("()").replace(",", " ").split()
                ):
                    found.add((name, function.name))
            elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("suppress"):
                assert "Exception" not in {ast.unparse(one) for one in node.args}
    assert found <= CATCH_ALL


@pytest.mark.parametrize("name", FILES)
def test_the_environment_is_read_by_the_command_line_alone(name: str) -> None:
    found = {"environ", "getenv"} & (imports(name) | _names(name))
    assert name in ENVIRONMENT or not found


def _names(name: str) -> set[str]:
    return {node.attr for node in ast.walk(tree(name)) if isinstance(node, ast.Attribute)}


@pytest.mark.parametrize("name", [name for name in FILES if name.startswith("areas/")])
def test_areas_do_not_import_each_other(name: str) -> None:
    assert [one for one in imports(name) if one.startswith("treadle.areas.")] == []


@pytest.mark.parametrize("name", FILES)
def test_the_stores_and_partners_know_nothing_of_http(name: str) -> None:
    if name.startswith(("store/", "partners/")):
        above = ("treadle.http", "treadle.areas", "treadle.app", "treadle.cli", "treadle.serving")
        assert [one for one in imports(name) if one.startswith(above)] == []


def test_no_module_is_a_drawer_for_everything() -> None:
    drawers = {"utils", "util", "helpers", "helper", "misc", "common", "tools"}
    assert not drawers & {path.stem for path in FILES.values()}


@pytest.mark.parametrize("name", FILES)
def test_nothing_is_left_lying_about(name: str) -> None:
    text = FILES[name].read_text()
    for word in ("TODO", "FIXME", "XXX", "HACK", "breakpoint(", "print("):
        assert word not in text


@pytest.mark.parametrize("name", FILES)
def test_every_module_says_what_it_is_for(name: str) -> None:
    assert ast.get_docstring(tree(name)) or not FILES[name].read_text().strip()
