"""The investments of the documented user: what is held, at what price, and what is traded."""

from __future__ import annotations

from datetime import date, timedelta

import msgspec
from msgspec import structs

from treadle.bank.holding import (
    Holding,
    Portfolio,
    Security,
    SourceInvestmentTransaction,
    is_investment,
)
from treadle.sources.sandbox.cycle import Cycle
from treadle.sources.source import InvestmentsPicture, KnownAccount, Reading
from treadle.wire.common import InvestmentTransactionSubtype, InvestmentTransactionType

_FRIDAY = 4


class _Security(Security, kw_only=True, frozen=True):
    ticker_symbol: str
    close_price: float


class _Position(msgspec.Struct):
    mask: str
    ticker: str
    quantity: float
    cost_basis: float


class _Trade(msgspec.Struct):
    phase: int
    mask: str
    ticker: str | None
    name: str
    type: InvestmentTransactionType
    subtype: InvestmentTransactionSubtype
    amount: float
    quantity: float
    price: float
    fees: float


class Investments(msgspec.Struct):
    securities: list[_Security]
    positions: list[_Position]
    cycle: Cycle[_Trade]

    def picture(self, reading: Reading) -> InvestmentsPicture:
        accounts = {one.data.mask: one for one in reading.accounts if is_investment(one.data)}
        securities = {
            one.ticker_symbol: structs.replace(one, close_price_as_of=_last_close(reading.today))
            for one in self.securities
        }
        return InvestmentsPicture(
            {
                account.account_id: self._portfolio(account, securities)
                for account in accounts.values()
            },
            [
                _traded(trade, day, account, securities)
                for day, trade in self.cycle.between(reading.since, reading.today)
                if (account := accounts.get(trade.mask)) is not None
            ],
        )

    def _portfolio(self, account: KnownAccount, securities: dict[str, _Security]) -> Portfolio:
        mask = account.data.mask
        held = [one for one in self.positions if one.mask == mask]
        traded = [one.ticker for one in self.cycle.transactions if one.mask == mask and one.ticker]
        named = dict.fromkeys([*(position.ticker for position in held), *traded])
        return Portfolio(
            [_held(position, securities[position.ticker]) for position in held],
            [securities[ticker] for ticker in named],
        )


def _last_close(today: date) -> date:
    """The last day before today on which markets can have closed."""
    yesterday = today - timedelta(days=1)
    return yesterday - timedelta(days=max(0, yesterday.weekday() - _FRIDAY))


def _held(position: _Position, security: _Security) -> Holding:
    return Holding(
        security_id=security.security_id,
        quantity=position.quantity,
        institution_price=security.close_price,
        # As many decimals as the recorded values have.
        institution_value=round(position.quantity * security.close_price, 4),
        institution_price_as_of=security.close_price_as_of,
        cost_basis=position.cost_basis,
        iso_currency_code=security.iso_currency_code,
        unofficial_currency_code=security.unofficial_currency_code,
    )


def _traded(
    trade: _Trade, day: date, account: KnownAccount, securities: dict[str, _Security]
) -> SourceInvestmentTransaction:
    balances = account.data.balances
    return SourceInvestmentTransaction(
        source_key=f"{day}:{trade.mask}:{trade.name}",
        account_id=account.account_id,
        date=day,
        name=trade.name,
        type=trade.type,
        subtype=trade.subtype,
        amount=trade.amount,
        quantity=trade.quantity,
        price=trade.price,
        fees=trade.fees,
        security_id=securities[trade.ticker].security_id if trade.ticker else None,
        iso_currency_code=balances.iso_currency_code,
        unofficial_currency_code=balances.unofficial_currency_code,
    )
