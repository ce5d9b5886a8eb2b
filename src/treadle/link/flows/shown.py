"""Accounts as panes show them."""

from __future__ import annotations

from treadle.bank.model import AccountData
from treadle.link.panes import ShownAccount


def shown_account(key: str, data: AccountData, *, selected: bool) -> ShownAccount:
    return ShownAccount(
        key=key,
        name=data.name,
        mask=data.mask,
        type=data.type,
        subtype=data.subtype,
        selected=selected,
    )
