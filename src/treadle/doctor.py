"""`treadle doctor`: looks for what most often goes wrong, and changes nothing."""

from __future__ import annotations

import asyncio
import os
import socket
import sqlite3
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

import click

from treadle.administration import data_option, database_option, key_settings
from treadle.settings import DEFAULT_HOST, DEFAULT_PORT, SANDBOX_CLIENT_ID, SANDBOX_SECRET

if TYPE_CHECKING:
    # Imported late, so that help and mistakes are told at once.
    import httpx

_TIMEOUT_SECONDS = 3.0
# Receivers refuse a webhook whose signature is older than five minutes.
_MOST_SKEW_SECONDS = 60
_BASE_URL = "PLAID_BASE_URL"


class Finding(NamedTuple):
    subject: str
    # What is wrong and what to do; None when all is well.
    problem: str | None
    # What was found, where that is worth telling.
    remark: str = ""


@click.command()
@click.option("--host", default=DEFAULT_HOST, show_default=True, help="Where the server listens.")
@click.option("--port", default=DEFAULT_PORT, show_default=True, help="On which port.")
@data_option
@database_option
def doctor(host: str, port: int, data: Path, database: str | None) -> None:
    """Look for common mistakes: keys, database, port, clocks, base URL, credentials.

    Give it the options that the server is started with, and the environment of the app. Ends with
    status 1 when something is wrong. Nothing is changed.
    """
    findings = [*check_data(data, database), *check_server(f"http://{host}:{port}", os.environ)]
    for finding in findings:
        well = finding.problem is None
        mark = click.style("ok   ", fg="green") if well else click.style("WRONG", fg="red")
        click.echo(f"{mark}  {finding.subject}: {finding.problem or finding.remark or 'fine'}")
    if any(finding.problem for finding in findings):
        sys.exit(1)


def check_data(data: Path, database: str | None) -> Iterator[Finding]:
    """The data folder, its keys, and the database."""
    from treadle.app import KEY_FILE
    from treadle.key_files import KeyFileError
    from treadle.keys import load_keys

    keys, embedded = data / KEY_FILE, data / "treadle.db"
    if not data.exists():
        yield Finding(f"data folder {data}", None, "not there yet; the first start makes it")
    elif not os.access(data, os.R_OK | os.W_OK | os.X_OK):
        yield Finding(f"data folder {data}", "this user cannot read and write it")
        return
    else:
        yield Finding(f"data folder {data}", None)
    given = key_settings()
    if keys.exists() or any(given.values()):
        try:
            load_keys(keys, **given)
        except (KeyFileError, OSError) as error:
            yield Finding("keys", str(error))
        else:
            yield Finding("keys", None)
    elif embedded.exists():
        yield Finding("keys", f"{embedded} is there without its {keys}: put it back from a backup")
    if database is not None:
        yield _check_postgresql(database)
    elif embedded.exists():
        yield _check_sqlite(embedded)


def _check_sqlite(path: Path) -> Finding:
    from treadle.store.opening import HEAD

    try:
        # Read-only, so that nothing is made or moved.
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            (check,) = connection.execute("PRAGMA quick_check").fetchone()
            (version,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except (sqlite3.Error, TypeError) as error:
        return Finding("database", f"{path} is not a usable SQLite database: {error}")
    if check != "ok":
        return Finding("database", f"{path} is damaged ({check}): restore it from a backup")
    if version > HEAD:
        return Finding("database", f"{path} was made by a newer Treadle: start that, or another")
    waits = "" if version == HEAD else f"; the next start brings it from {version} to {HEAD}"
    return Finding("database", None, f"SQLite{waits}")


def _check_postgresql(url: str) -> Finding:
    import asyncpg

    from treadle.clock import wall_instant

    async def seconds_ahead() -> float:
        connection = await asyncpg.connect(url, timeout=_TIMEOUT_SECONDS)
        try:
            now = await connection.fetchval("SELECT extract(epoch FROM clock_timestamp())")
            return float(now) - wall_instant() / 1_000_000
        finally:
            await connection.close()

    try:
        skew = asyncio.run(seconds_ahead())
    except (OSError, asyncpg.PostgresError, ValueError) as error:
        reason = str(error) or type(error).__name__
        return Finding("database", f"PostgreSQL does not let us in: {reason}")
    if abs(skew) > _MOST_SKEW_SECONDS:
        return Finding("database", f"its clock is {skew:+.0f} s from this machine's: set both")
    return Finding("database", None, "PostgreSQL")


def check_server(url: str, environment: Mapping[str, str]) -> Iterator[Finding]:
    """What listens there, and whether the app's variables lead to it."""
    import httpx

    with httpx.Client(timeout=_TIMEOUT_SECONDS, trust_env=False) as http:
        try:
            health = http.get(f"{url}/healthz")
            ours = health.status_code == 200 and health.json() == {"status": "ok"}
        except httpx.ConnectError:
            yield Finding(f"server at {url}", None, "the port is free; start it with treadle serve")
            yield from _check_base_url(url, environment)
            return
        except (httpx.TransportError, ValueError):
            ours = False
        if not ours:
            yield Finding(f"server at {url}", "another program has the port: choose another --port")
            return
        yield Finding(f"server at {url}", None, "Treadle answers")
        yield _check_clock(health.headers["date"])
        yield from _check_base_url(url, environment)
        yield _check_credentials(http, url, environment)


def _check_clock(date: str) -> Finding:
    from treadle.clock import wall_instant

    skew = parsedate_to_datetime(date).timestamp() - wall_instant() / 1_000_000
    if abs(skew) > _MOST_SKEW_SECONDS:
        return Finding("clock", f"the server's is {skew:+.0f} s from this machine's: set both")
    return Finding("clock", None)


def _check_base_url(url: str, environment: Mapping[str, str]) -> Iterator[Finding]:
    """Whether the variable that many apps read names this server."""
    given = environment.get(_BASE_URL)
    if given is None:
        return
    there, here = urlsplit(given), urlsplit(url)
    problem = None
    if there.scheme != "http":
        problem = f"Treadle speaks plain HTTP: {url}"
    elif there.path not in ("", "/"):
        problem = f"the paths of the API begin at the root: {url}"
    elif there.port != here.port or _addresses(there.hostname) != _addresses(here.hostname):
        problem = f"it leads elsewhere; this server is {url}"
    yield Finding(f"{_BASE_URL}={given}", problem)


def _addresses(host: str | None) -> set[str]:
    try:
        found = socket.getaddrinfo(host, None, family=socket.AF_INET, type=socket.SOCK_STREAM)
    except OSError:
        return set()
    return {str(address[0]) for *_, address in found}


def _check_credentials(http: httpx.Client, url: str, environment: Mapping[str, str]) -> Finding:
    client_id = environment.get("PLAID_CLIENT_ID", SANDBOX_CLIENT_ID)
    secret = environment.get("PLAID_SECRET", SANDBOX_SECRET)
    listing = {"count": 1, "offset": 0, "country_codes": ["US"]}
    body = {"client_id": client_id, "secret": secret, **listing}
    answer = http.post(f"{url}/institutions/get", json=body)
    if answer.status_code == 200:
        return Finding(f"credentials of {client_id}", None)
    message = answer.json()["error_message"]
    problem = f"{message}; see PLAID_CLIENT_ID and PLAID_SECRET"
    return Finding(f"credentials of {client_id}", problem)
