"""What partners hold of a user's Items, as the page shows it."""

from __future__ import annotations

import msgspec

from treadle.bank.rows import ACCOUNTS_OF_ITEM, ITEM
from treadle.call import Services
from treadle.clients import Client
from treadle.partners.processors import PROCESSORS
from treadle.store.change import Store
from treadle.store.columns import decode_names
from treadle.tokens.delegated import LISTED_OF_ITEM, PAGE, Delegated

_SEEN = {
    "assets": "What you own",
    "auth": "Account and routing numbers",
    "balance": "Balances",
    "identity": "Your name and contact details",
    "investments": "Investments",
    "liabilities": "Loans and credit cards",
    "signal": "The risk of a payment",
    "transactions": "Transactions",
}


class Partner(msgspec.Struct):
    """One grant that is in force."""

    token_id: str
    name: str
    account: str
    seen: list[str]
    created_at: int
    last_used_at: int | None
    expires_at: int | None


class Bank(msgspec.Struct):
    """An Item with those who may read of it."""

    name: str
    partners: list[Partner]


async def held(services: Services, client: Client, item_ids: list[str]) -> list[Bank]:
    """The Items that are still there, in the order of the link."""
    catalogue = await services.sources.catalogue(client.client_id)
    now = services.worlds.now(client)
    banks = []
    for item_id in item_ids:
        names = {"client_id": client.client_id, "item_id": item_id}
        item = await services.store.first(ITEM, **names)
        if item is None:
            continue
        accounts = {
            account.account_id: account.data
            for account in await services.store.all(ACCOUNTS_OF_ITEM, **names)
        }
        institution = catalogue.find(item.institution_id)
        partners = []
        for token in await _tokens(services.store, names):
            data = accounts.get(token.account_id or "")
            if data is not None and token.state(now) == "active":
                partners.append(_partner(token, f"{data.name} ••{data.mask or ''}".rstrip("•")))
        banks.append(Bank(institution.name if institution else "Your bank", partners))
    return banks


async def _tokens(store: Store, names: dict[str, str]) -> list[Delegated]:
    found: list[Delegated] = []
    while True:
        after = found[-1].token_id if found else ""
        page = await store.all(LISTED_OF_ITEM, processor="", after=after, count=PAGE, **names)
        found += page
        if len(page) < PAGE:
            return found


def _partner(token: Delegated, account: str) -> Partner:
    products = [] if token.products_json is None else decode_names(token.products_json)
    return Partner(
        token_id=token.token_id,
        name=PROCESSORS.get(token.processor or "", token.processor or "A partner"),
        account=account,
        seen=[_SEEN.get(one, one.replace("_", " ").capitalize()) for one in products],
        created_at=token.created_at,
        last_used_at=token.last_used_at,
        expires_at=token.expires_at,
    )
