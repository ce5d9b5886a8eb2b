"""What is removed takes its bank data with it."""

from __future__ import annotations

import pytest

from tests.promises.database import query
from tests.support.flows import (
    YEARS,
    Linked,
    call,
    client_of,
    link,
    manage_clients,
    new_client,
)
from tests.support.server import Server
from treadle.store.tables import metadata

# What may outlive an Item: the row that says it is gone, its tokens' rows, and the records of what
# was done, none of which holds bank data.
KEPT = {"audit", "items", "tokens", "permissions", "stripe_tokens", "outbox", "clients"}
BANK_DATA = sorted(
    table.name
    for table in metadata.tables.values()
    if "item_id" in table.c and table.name not in KEPT
)


def rows_of(server: Server, item: Linked) -> dict[str, int]:
    """How many rows each table has of an Item, its sealed login among them."""
    counts = {
        table: query(server, f"SELECT COUNT(*) AS n FROM {table} WHERE item_id = '{item.item_id}'")[
            0
        ]["n"]
        for table in BANK_DATA
    }
    logins = f"SELECT COUNT(login) AS n FROM items WHERE item_id = '{item.item_id}'"
    return {name: count for name, count in counts.items() if count} | {
        "logins": query(server, logins)[0]["n"]
    }


@pytest.mark.parametrize("removed", ["item", "client"])
def test_bank_data_go(server: Server, removed: str) -> None:
    keys = new_client(server, "Leaving")
    api = client_of(server, keys)
    products = ["auth", "signal", "transactions", "investments", "liabilities"]
    item = link(api, *products)
    given = {"access_token": item.access_token}
    call(api, "transactions_get", **given, **YEARS)
    call(api, "investments_holdings_get", **given)
    call(api, "liabilities_get", **given)
    call(
        api,
        "signal_evaluate",
        account_id=item.account_id(),
        client_transaction_id="debit",
        amount=1.0,
        **given,
    )
    held = {"accounts", "account_details", "entries", "signal_evaluations", "updates", "logins"}
    assert held <= rows_of(server, item).keys()
    if removed == "item":
        call(api, "item_remove", **given)
    else:
        manage_clients(server, "remove", keys.client_id)
    assert rows_of(server, item) == {"logins": 0}
