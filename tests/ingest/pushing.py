"""A client that brings bank data, and the customers of a made-up bank."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, NamedTuple
from urllib.parse import urlencode

from tests.control.plane import Planned, own_client
from tests.support.raw import Answer
from tests.support.server import Server

Record = dict[str, Any]

BANK = "harbour_bank"
# scrypt of "open sesame", as an operator would make it.
PASSWORD = "open sesame"
PASSWORD_HASH = (
    "$scrypt$ln=14,r=8,p=1$c2FsdCBvZiB0aGUgc2Vh$2owDXz5zmF46jAtMHMsA1qh7R1mSEbRQr976co50YsE"
)
COUNTS = ("added", "changed", "unchanged", "deleted", "refused")


class Item(NamedTuple):
    item_id: str
    access_token: str
    # The API's ids of its accounts, by the operator's.
    accounts: dict[str, str]


class Operator(Planned):
    """A client with a bank of its own."""

    def ingest(self, body: bytes, **query: str) -> Answer:
        return self.send("/treadle/ingest", body, "application/x-ndjson", **query)

    def send(self, path: str, body: bytes, content_type: str, **query: str) -> Answer:
        keys = {"PLAID-CLIENT-ID": self.client_id, "PLAID-SECRET": self.secret}
        headers = {"Content-Type": content_type, **keys}
        self._connection.request("POST", f"{path}?{urlencode(query)}", body, headers)
        response = self._connection.getresponse()
        return Answer(response.status, response.read())

    def push(self, *brought: Record, **query: str) -> dict[str, int]:
        """Bring records that are all taken; answers the counts that are not zero."""
        answer = self.ingest(lines(brought), **query)
        assert answer["problems"] == []
        return {name: answer[name] for name in COUNTS if answer[name]}

    def share(self, *products: str, user_id: str = "ada", **options: Any) -> Item:
        """A new Item of a user's accounts."""
        made = self.post(
            "/treadle/ingest/items/create",
            user_id=user_id,
            products=products or ["transactions"],
            **{"institution_id": BANK, **options},
        )
        exchanged = self.exchange(made["public_token"])
        return Item(exchanged["item_id"], exchanged["access_token"], made["account_ids"])

    def sync(self, item: Item, cursor: str = "") -> dict[str, Any]:
        """All updates since a cursor, on one page."""
        answer = self.post(
            "/transactions/sync", access_token=item.access_token, cursor=cursor, count=500
        )
        assert not answer["has_more"]
        return answer.body


def operator(server: Server) -> Operator:
    client = own_client(server)
    client.close()
    return Operator(server.url, client.client_id, client.secret)


def lines(brought: Iterable[Record]) -> bytes:
    return b"".join(json.dumps(one).encode() + b"\n" for one in brought)


def institution(**members: Any) -> Record:
    return {
        "record": "institution",
        "institution_id": BANK,
        "name": "Harbour Bank",
        "country_codes": ["US"],
        "products": ["auth", "identity", "investments", "liabilities", "transactions"],
        **members,
    }


def user(user_id: str = "ada", **members: Any) -> Record:
    return {"record": "user", "institution_id": BANK, "user_id": user_id, **members}


def account(account_id: str = "checking", *user_ids: str, **members: Any) -> Record:
    return {
        "record": "account",
        "institution_id": BANK,
        "account_id": account_id,
        "user_ids": list(user_ids or ("ada",)),
        "name": "Everyday",
        "mask": "6789",
        "type": "depository",
        "subtype": "checking",
        "balances": {"current": 100.5, "iso_currency_code": "USD"},
        **members,
    }


def transaction(transaction_id: str, amount: Any = 12.5, **members: Any) -> Record:
    return {
        "record": "transaction",
        "institution_id": BANK,
        "account_id": "checking",
        "transaction_id": transaction_id,
        "date": "2026-02-20",
        "amount": amount,
        "description": "COPPER KETTLE SEATTLE WA",
        **members,
    }


def of_account(record: str, account_id: str = "checking", **members: Any) -> Record:
    return {"record": record, "institution_id": BANK, "account_id": account_id, **members}


CUSTOMER = (institution(), user(), account())
