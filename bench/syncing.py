"""A data folder with one Item that has many transactions, for `/transactions/sync`."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from pathlib import Path
from typing import Any

import msgspec

from bench.servers import BenchError, Server, ending, treadle
from treadle.bank.cursor import Cursor
from treadle.ids import Ids
from treadle.settings import SANDBOX_CLIENT_ID, SANDBOX_SECRET

_PAGE = 500
_LAST_PAGE = 100
# How far apart the first transactions of two pages are: no two of these requests are the same.
_STEP = 5

_HEADERS = {
    "Content-Type": "application/json",
    "PLAID-CLIENT-ID": SANDBOX_CLIENT_ID,
    "PLAID-SECRET": SANDBOX_SECRET,
}


class Synced(msgspec.Struct):
    """A data folder with what to send to its server."""

    data: Path
    headers: dict[str, str]
    # Files of bodies: the first page, over and over; pages that differ from each other; and the
    # last hundred transactions, asked for in ways that differ.
    first_page: Path
    pages: Path
    last_page: Path


def synced(folder: Path, rows: int) -> Synced:
    """Make an Item with so many transactions, each like those of the documented user."""
    data = folder / "data"
    folder.mkdir()
    with ending(treadle(data, folder / "log")) as server:
        access_token, item_id = _make_item(server)
    with contextlib.closing(sqlite3.connect(data / "treadle.db")) as database:
        database.row_factory = sqlite3.Row
        _multiply(database, item_id, rows)
        database.commit()
    found = Synced(data, _HEADERS, folder / "first", folder / "pages", folder / "last")
    stream = f"{item_id}/transactions/"
    places = range(0, max(rows - _PAGE, 1), _STEP)
    known = Cursor.at(rows - _LAST_PAGE).text(stream)
    for file, requests in (
        (found.first_page, [{"count": _PAGE}]),
        (
            found.pages,
            [{"count": _PAGE, "cursor": Cursor(0, place, rows).text(stream)} for place in places],
        ),
        (
            found.last_page,
            [{"count": count, "cursor": known} for count in range(_LAST_PAGE, _PAGE + 1)],
        ),
    ):
        bodies = [json.dumps({"access_token": access_token, **request}) for request in requests]
        file.write_text("\n".join(bodies))
    return found


def _make_item(server: Server) -> tuple[str, str]:
    """Link and sync an Item; answers its access token and its id."""

    def call(path: str, **body: Any) -> Any:
        reply = server.wait(path, json.dumps(body).encode(), _HEADERS)
        if reply.status != 200:
            raise BenchError(f"{path} answered {reply.body.decode()}")
        return reply.json()

    public = call(
        "/sandbox/public_token/create",
        institution_id="ins_109508",
        initial_products=["transactions"],
        options={"transactions": {"days_requested": 730}},
    )
    item = call("/item/public_token/exchange", public_token=public["public_token"])
    call("/transactions/sync", access_token=item["access_token"], count=1)
    return item["access_token"], item["item_id"]


def _multiply(database: sqlite3.Connection, item_id: str, rows: int) -> None:
    """Put as many copies in the place of the Item's transactions as there should be."""
    templates = [dict(row) for row in database.execute("SELECT * FROM entries ORDER BY changed")]
    database.execute("DELETE FROM entries")
    ids = Ids(None, "", 0)
    names = list(templates[0])
    marks = ", ".join("?" * len(names))
    for number in range(1, rows + 1):
        template = templates[number % len(templates)]
        entry_id = ids.identifier("transaction")
        copy = template | {
            "entry_id": entry_id,
            "source_key": f"copy:{number}",
            "data": template["data"].replace(template["entry_id"], entry_id),
            "added": number,
            "changed": number,
        }
        values = tuple(copy.values())
        database.execute(f"INSERT INTO entries ({', '.join(names)}) VALUES ({marks})", values)  # noqa: S608
    database.execute("UPDATE updates SET sequence = ? WHERE item_id = ?", (rows, item_id))
