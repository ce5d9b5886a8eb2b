"""What a product knows of accounts beyond the accounts themselves."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from treadle.bank.rows import Account
from treadle.bank.updates import DETAILS_OF_ACCOUNTS, Update
from treadle.call import OpenCall

D = TypeVar("D")


async def read_details(
    call: OpenCall, update: Update, accounts: list[Account], decoder: msgspec.json.Decoder[D]
) -> list[tuple[Account, D]]:
    """Each of the accounts of which anything is known, in their order, with that."""
    names = [account.account_id for account in accounts]
    found = await call.all(
        DETAILS_OF_ACCOUNTS,
        item_id=update.item_id,
        product=update.product,
        client_id=update.client_id,
        account_ids=msgspec.json.encode(names).decode(),
    )
    details = dict(found)
    return [
        (account, decoder.decode(details[account.account_id]))
        for account in accounts
        if account.account_id in details
    ]
