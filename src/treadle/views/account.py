"""An account as the API shows it."""

from __future__ import annotations

from functools import lru_cache

import msgspec
from msgspec import UNSET, UnsetType

from treadle.bank.model import AccountData, Balances
from treadle.bank.rows import Account
from treadle.http import errors
from treadle.wire.common import AccountBalance, AccountBase


def account_view(account: Account, data: AccountData) -> AccountBase:
    return AccountBase(
        account_id=account.account_id,
        balances=balances_view(data.balances),
        mask=data.mask,
        name=data.name,
        official_name=data.official_name,
        type=data.type,
        subtype=data.subtype,
        holder_category=data.holder_category or UNSET,
        verification_status=data.verification_status or UNSET,
    )


def account_json(account: Account) -> msgspec.Raw:
    """The same as JSON, made anew only when what is stored has changed."""
    return _account_json(account.account_id, account.data_json)


@lru_cache(maxsize=4096)
def _account_json(account_id: str, data_json: str) -> msgspec.Raw:
    account = Account("", account_id, data_json, None)
    return msgspec.Raw(msgspec.json.encode(account_view(account, account.data)))


def balances_view(balances: Balances) -> AccountBalance:
    return AccountBalance(
        available=balances.available,
        current=balances.current,
        limit=balances.limit,
        iso_currency_code=balances.iso_currency_code,
        unofficial_currency_code=balances.unofficial_currency_code,
    )


def choose(accounts: list[Account], account_ids: list[str] | UnsetType | None) -> list[Account]:
    """The accounts asked for, in the Item's order; all when none are named.

    Raises ApiError for an id that the Item does not have.
    """
    if not account_ids:
        return accounts
    wanted = set(account_ids)
    chosen = [account for account in accounts if account.account_id in wanted]
    if len(chosen) != len(wanted):
        raise errors.INVALID_ACCOUNT_ID()
    return chosen
