"""What is known of an account that is to be debited, and of the debit."""

from __future__ import annotations

from decimal import Decimal
from itertools import islice

import msgspec

from treadle.bank.model import AccountData, Owner
from treadle.bank.rows import Item
from treadle.clock import DAY
from treadle.matching import THRESHOLD
from treadle.wire.common import AccountSubtype, SignalPersonName

# The codes by which the holder of an account, rather than its bank, sends a debit back.
CUSTOMER_RETURN_CODES = frozenset({"R05", "R07", "R10", "R11", "R29"})

# The most that the ten digits of an ACH entry can say.
MAX_AMOUNT = 99_999_999.99
_MAX_NAMES = 20


class AccountFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of an account, in the currency's units as its bank shows them."""

    subtype: AccountSubtype | None
    available: float | None
    current: float | None
    # The instant at which the balances were read.
    balances_at: int
    item_age_days: int
    # How many debits were reported to have come back.
    bank_returns: int
    customer_returns: int

    @property
    def funds(self) -> float | None:
        """What a debit can draw on, so far as it is known."""
        return self.current if self.available is None else self.available

    @property
    def funds_cents(self) -> int | None:
        return None if self.funds is None else to_cents(self.funds)


class Debit(msgspec.Struct, frozen=True):
    """What is known of a debit."""

    amount_cents: int
    is_recurring: bool = False
    # Whether the name that was told is an owner's; None when either is not known.
    holder_matches: bool | None = None


def account_facts(item: Item, data: AccountData, return_codes: list[str], now: int) -> AccountFacts:
    by_customer = sum(code in CUSTOMER_RETURN_CODES for code in return_codes)
    return AccountFacts(
        subtype=data.subtype,
        available=data.balances.available,
        current=data.balances.current,
        balances_at=now,
        item_age_days=max(0, now - item.created_at) // DAY,
        bank_returns=len(return_codes) - by_customer,
        customer_returns=by_customer,
    )


def to_cents(amount: float) -> int:
    """The cents nearest to an amount as it was written, which a float only comes close to."""
    return round(Decimal(repr(amount)) * 100)


def full_name(name: SignalPersonName | None) -> str:
    parts = msgspec.structs.astuple(name) if name else ()
    return " ".join(part for part in parts if part)


def holder_matches(name: str, owners: list[Owner]) -> bool | None:
    """Whether a name is one of the owners'; None when there is nothing to compare."""
    on_file = list(islice((one for owner in owners for one in owner.names), _MAX_NAMES))
    if not name.strip() or not on_file:
        return None
    # What names are compared by takes long to load, for few servers.
    from treadle.matching.names import score

    return any(score(name, one).score >= THRESHOLD for one in on_file)
