"""Data folders with many tokens, made once and kept in .cache.

One Item with a processor token is made through the API. Its rows are then copied, each copy with
ids, tokens and sealed numbers of its own, made by Treadle's own code.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from bench.servers import ROOT, BenchError, Server, ending, treadle
from treadle.app import KEY_FILE
from treadle.bank.rows import numbers_place
from treadle.ids import Ids
from treadle.keys import Keys, load_keys
from treadle.settings import SANDBOX_CLIENT_ID, SANDBOX_SECRET
from treadle.store.opening import HEAD

CACHE = ROOT / ".cache"
TOKENS_PER_ITEM = 10
ACCOUNTS_PER_ITEM = 2
# How many different requests the load goes through.
SAMPLE = 10_000
_BATCH_ITEMS = 1_000
# Far enough ahead that the copied logins do not expire in the cache.
_LOGIN_EXPIRES_AT = 4_102_444_800_000_000

Row = dict[str, Any]


class Seeded(msgspec.Struct):
    """A data folder with what is needed to call its server."""

    data: Path
    redeems: Path
    creates: Path
    minter: dict[str, str]
    partner: dict[str, str]


class _Templates(msgspec.Struct):
    item: Row
    accounts: list[Row]
    access_token: Row
    processor_token: Row
    permissions: Row


def seeded(rows: int) -> Path:
    """The folder with this many processor tokens, made when there is none."""
    folder = CACHE / f"bench-{rows}-{HEAD}-{_fingerprint()}"
    if not folder.exists():
        for old in CACHE.glob(f"bench-{rows}-*"):
            shutil.rmtree(old)
        draft = CACHE / f"bench-draft-{rows}"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        _seed(draft, rows)
        draft.rename(folder)
    return folder


def copy(folder: Path, to: Path) -> Seeded:
    """A copy to run on, since runs write."""
    shutil.copytree(folder, to)
    return Seeded(
        data=to / "data",
        redeems=to / "redeems",
        creates=to / "creates",
        minter=_headers(SANDBOX_CLIENT_ID, SANDBOX_SECRET),
        partner=json.loads((to / "partner.json").read_text()),
    )


def _fingerprint() -> str:
    """Changes with whatever decides what the rows look like."""
    package = ROOT / "src" / "treadle"
    sources = [package / "store/tables.py", package / "bank/model.py", Path(__file__)]
    return hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:8]


def _headers(client_id: str, secret: str) -> dict[str, str]:
    return {
        "Content-Type": "application/json",
        "PLAID-CLIENT-ID": client_id,
        "PLAID-SECRET": secret,
    }


def _seed(folder: Path, rows: int) -> None:
    data = folder / "data"
    partner = _create_partner(data)
    (folder / "partner.json").write_text(json.dumps(partner))
    with ending(treadle(data, folder / "log")) as server:
        item_id = _make_item(server, partner)
    with contextlib.closing(sqlite3.connect(data / "treadle.db", isolation_level=None)) as database:
        database.row_factory = sqlite3.Row
        # What is lost in a crash here is made anew.
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -1048576"):
            database.execute(f"PRAGMA {pragma}")
        copier = _Copier(database, load_keys(data / KEY_FILE), _read_templates(database, item_id))
        _fill(copier, folder, rows)


def _create_partner(data: Path) -> dict[str, str]:
    command = [sys.executable, "-m", "treadle", "client", "create", "Bench partner"]
    command += ["--client-id", "bench_partner", "--processors", "dwolla", "--data", str(data)]
    done = subprocess.run(command, capture_output=True, text=True)
    found = re.search(r"secret +(\S+)", done.stdout)
    if found is None:
        raise BenchError(f"treadle client create failed: {done.stderr}")
    return _headers("bench_partner", found[1])


def _make_item(server: Server, partner: dict[str, str]) -> str:
    """An Item with an access token, a processor token and its permissions; answers its id."""
    minter = _headers(SANDBOX_CLIENT_ID, SANDBOX_SECRET)

    def call(path: str, headers: dict[str, str] = minter, **body: Any) -> Any:
        reply = server.wait(path, json.dumps(body).encode(), headers)
        if reply.status != 200:
            raise BenchError(f"{path} answered {reply.body.decode()}")
        return reply.json()

    public = call(
        "/sandbox/public_token/create", institution_id="ins_109508", initial_products=["auth"]
    )
    item = call("/item/public_token/exchange", public_token=public["public_token"])
    access = {"access_token": item["access_token"]}
    account_id = call("/auth/get", **access)["numbers"]["ach"][0]["account_id"]
    minted = call("/processor/token/create", **access, account_id=account_id, processor="dwolla")
    token = {"processor_token": minted["processor_token"]}
    call("/processor/token/permissions/set", **token, products=["auth"])
    call("/processor/auth/get", partner, **token)
    item_id: str = item["item_id"]
    return item_id


def _read_templates(database: sqlite3.Connection, item_id: str) -> _Templates:
    def rows(query: str, *values: Any) -> list[Row]:
        return [dict(row) for row in database.execute(query, values)]

    (item,) = rows("SELECT * FROM items WHERE item_id = ?", item_id)
    numbered = rows(
        "SELECT * FROM accounts WHERE item_id = ? AND numbers IS NOT NULL ORDER BY position",
        item_id,
    )
    tokens = {row["kind"]: row for row in rows("SELECT * FROM tokens WHERE item_id = ?", item_id)}
    (permissions,) = rows(
        "SELECT * FROM permissions WHERE token_id = ?", tokens["processor"]["token_id"]
    )
    # Savings accounts come after checking accounts, and both can be debited.
    accounts = [row for row in numbered if '"depository"' in row["data"]][:ACCOUNTS_PER_ITEM]
    return _Templates(item, accounts, tokens["access"], tokens["processor"], permissions)


class _Batch:
    """Copied rows by table, not yet inserted."""

    def __init__(self) -> None:
        self.rows: dict[str, list[Row]] = {
            "items": [],
            "accounts": [],
            "tokens": [],
            "permissions": [],
        }


class _Copier:
    """Copies the rows of one Item."""

    def __init__(self, database: sqlite3.Connection, keys: Keys, templates: _Templates) -> None:
        self.database = database
        self._keys = keys
        self._templates = templates
        self._ids = Ids(None, "", 0)
        self._numbers = [
            keys.unseal(row["numbers"], numbers_place(row["item_id"], row["account_id"]))
            for row in templates.accounts
        ]

    def item(self, batch: _Batch) -> tuple[list[str], str]:
        """Add one more Item; answers the bodies that redeem its tokens and one that mints."""
        item_id = self._ids.identifier("item")
        batch.rows["items"].append(
            self._templates.item | {"item_id": item_id, "login_expires_at": _LOGIN_EXPIRES_AT}
        )
        account_ids = [self._account(batch, item_id, at) for at in range(ACCOUNTS_PER_ITEM)]
        access = self._token(batch, self._templates.access_token, item_id, None)
        redeems = [
            json.dumps({"processor_token": self._processor_token(batch, item_id, account_ids, at)})
            for at in range(TOKENS_PER_ITEM)
        ]
        create = {"access_token": access, "account_id": account_ids[0], "processor": "dwolla"}
        return redeems, json.dumps(create)

    def insert(self, batch: _Batch) -> None:
        self.database.execute("BEGIN")
        for table, rows in batch.rows.items():
            names = list(rows[0])
            marks = ", ".join("?" * len(names))
            text = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})"  # noqa: S608
            self.database.executemany(text, [tuple(row.values()) for row in rows])
        self.database.execute("COMMIT")

    def _account(self, batch: _Batch, item_id: str, at: int) -> str:
        account_id = self._ids.identifier("account")
        sealed = self._keys.seal(self._numbers[at], numbers_place(item_id, account_id))
        own = {"item_id": item_id, "account_id": account_id, "numbers": sealed}
        batch.rows["accounts"].append(self._templates.accounts[at] | own)
        return account_id

    def _processor_token(self, batch: _Batch, item_id: str, account_ids: list[str], at: int) -> str:
        account_id = account_ids[at % len(account_ids)]
        text = self._token(batch, self._templates.processor_token, item_id, account_id)
        token_id = batch.rows["tokens"][-1]["token_id"]
        batch.rows["permissions"].append(self._templates.permissions | {"token_id": token_id})
        return text

    def _token(self, batch: _Batch, template: Row, item_id: str, account_id: str | None) -> str:
        text = self._ids.token(template["kind"], "sandbox")
        own = {
            "digest": self._keys.digest(text),
            "token_id": self._ids.uuid("token"),
            "item_id": item_id,
            "account_id": account_id,
        }
        batch.rows["tokens"].append(template | own)
        return text


def _fill(copier: _Copier, folder: Path, rows: int) -> None:
    """Copy until there are enough tokens, and write down a sample of the requests they allow."""
    items = rows // TOKENS_PER_ITEM
    every = max(rows // SAMPLE, 1)
    with (folder / "redeems").open("w") as redeems, (folder / "creates").open("w") as creates:
        for first in _progress(items, rows):
            batch = _Batch()
            for at in range(first, min(first + _BATCH_ITEMS, items)):
                bodies, create = copier.item(batch)
                numbers = range(at * TOKENS_PER_ITEM, (at + 1) * TOKENS_PER_ITEM)
                for number, body in zip(numbers, bodies, strict=True):
                    if number % every == 0:
                        print(body, file=redeems)
                if at % max(items // SAMPLE, 1) == 0:
                    print(create, file=creates)
            copier.insert(batch)


def _progress(items: int, rows: int) -> Iterator[int]:
    """The first Item of each batch, with a line of progress on a terminal."""
    if not sys.stderr.isatty():
        print(f"Storing {rows:,} tokens", file=sys.stderr)
    for first in range(0, items, _BATCH_ITEMS):
        if sys.stderr.isatty():
            done = f"\rStoring {rows:,} tokens: {first * 100 // items} %"
            print(done, end="", file=sys.stderr, flush=True)
        yield first
    if sys.stderr.isatty():
        print(f"\rStoring {rows:,} tokens: done ", file=sys.stderr)
