"""What is held and traded in investment accounts, as the API shows it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import msgspec
from msgspec import structs

from treadle.bank.entries import Shown
from treadle.bank.holding import Holding, Portfolio, Security, SourceInvestmentTransaction
from treadle.bank.model import AccountData
from treadle.bank.rows import Account
from treadle.views.account import account_view
from treadle.wire import common as wire


class ShownPortfolio(msgspec.Struct):
    """What is known of one account, as it is stored: what is in it is not decoded to be shown."""

    holdings: list[msgspec.Raw]
    # By security id.
    securities: dict[str, msgspec.Raw]


class _Named(msgspec.Struct):
    """The one member of a holding or a transaction that tells of another object."""

    security_id: str | None


_decode_named = msgspec.json.Decoder(_Named).decode


def portfolio_view(account_id: str, portfolio: Portfolio) -> ShownPortfolio:
    return ShownPortfolio(
        [_stored(_holding_view(account_id, one)) for one in portfolio.holdings],
        {one.security_id: _stored(_security_view(one)) for one in portfolio.securities},
    )


def _stored(view: msgspec.Struct) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(view))


def _holding_view(account_id: str, holding: Holding) -> wire.Holding:
    return wire.Holding(
        account_id=account_id,
        **structs.asdict(holding),
        institution_price_datetime=None,
        # The documented sign that nothing is known of single lots.
        tax_lots=[],
    )


def _security_view(security: Security) -> wire.Security:
    return wire.Security(
        **structs.asdict(security),
        institution_security_id=None,
        institution_id=None,
        proxy_security_id=None,
        update_datetime=None,
    )


def investment_transaction_view(
    shown: SourceInvestmentTransaction, investment_transaction_id: str, _replaced: str | None
) -> wire.InvestmentTransaction:
    """None is ever pending, so none replaces another."""
    return wire.InvestmentTransaction(
        investment_transaction_id=investment_transaction_id,
        account_id=shown.account_id,
        security_id=shown.security_id,
        date=shown.date,
        name=shown.name,
        quantity=shown.quantity,
        amount=shown.amount,
        price=shown.price,
        fees=shown.fees,
        type=shown.type,
        subtype=shown.subtype,
        iso_currency_code=shown.iso_currency_code,
        unofficial_currency_code=shown.unofficial_currency_code,
        cancel_transaction_id=None,
        transaction_datetime=None,
    )


def investment_account_view(account: Account, data: AccountData) -> wire.InvestmentAccount:
    """Any account: the API lists those that hold nothing in this form too."""
    view = structs.asdict(account_view(account, data))
    balances = structs.asdict(view.pop("balances"))
    return wire.InvestmentAccount(
        **view,
        balances=wire.InvestmentAccountBalance(**balances, margin_loan_amount=None),
    )


def holdings_view(portfolios: list[ShownPortfolio]) -> list[wire.Holding]:
    shown = [holding for portfolio in portfolios for holding in portfolio.holdings]
    return cast("list[wire.Holding]", shown)


def held_view(portfolios: list[ShownPortfolio]) -> list[wire.Security]:
    """The securities that are held, each once."""
    holdings = [holding for portfolio in portfolios for holding in portfolio.holdings]
    return securities_view(holdings, portfolios)


def investment_transactions_view(stored: Iterable[Shown]) -> list[wire.InvestmentTransaction]:
    shown = [msgspec.Raw(one.data_json.encode()) for one in stored]
    return cast("list[wire.InvestmentTransaction]", shown)


def securities_view(
    naming: Iterable[msgspec.Raw | str], portfolios: list[ShownPortfolio]
) -> list[wire.Security]:
    """The securities that holdings or transactions name, each once."""
    known = {
        name: security
        for portfolio in portfolios
        for name, security in portfolio.securities.items()
    }
    names = dict.fromkeys(_decode_named(one).security_id for one in naming)
    return cast("list[wire.Security]", [known[name] for name in names if name in known])
