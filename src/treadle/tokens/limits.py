"""What a processor token is limited to beside its products. A limit can be narrowed, never widened.

A limit that this version does not know denies everything: an older server must not serve what a
newer one has limited.
"""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from functools import lru_cache
from typing import Literal, TypeVar

import msgspec

T = TypeVar("T", int, dt.date)

# What has become of a token.
State = Literal["active", "expired", "used_up", "revoked", "account_removed", "item_removed"]


class Field(StrEnum):
    """A part of what partners are answered. Names, types and masks of accounts are always told."""

    BALANCES = "balances"
    NUMBERS = "numbers"
    OWNER_NAMES = "owner_names"
    OWNER_EMAILS = "owner_emails"
    OWNER_PHONE_NUMBERS = "owner_phone_numbers"
    OWNER_ADDRESSES = "owner_addresses"
    TRANSACTIONS = "transactions"
    INVESTMENTS = "investments"
    LIABILITIES = "liabilities"
    SIGNAL = "signal"


class Limits(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """Null stands for no limit."""

    # An instant of the developer's clock.
    expires_at: int | None = None
    # How many were allowed when this was set; what is left of them stands in the token's row.
    calls: int | None = None
    # The day of the oldest transaction that is told.
    transactions_from: dt.date | None = None
    fields: frozenset[Field] | None = None

    def admits(self, needed: frozenset[Field] | None) -> bool:
        """Whether fields may be read; None stands for those that nobody has named."""
        return self.fields is None or (needed is not None and needed <= self.fields)

    def encode(self) -> str:
        return msgspec.json.encode(self, order="deterministic").decode()

    def wider_than(self, present: Limits) -> list[str]:
        """The names of the limits that would give more than those that are in force."""
        wider = {
            "expires_at": exceeds(self.expires_at, present.expires_at),
            "transactions_from": exceeds(present.transactions_from, self.transactions_from),
            "fields": self.fields is not None and not present.admits(self.fields),
        }
        return [name for name, is_wider in wider.items() if is_wider]

    def narrowed_by(self, further: Limits) -> Limits:
        """Those of `further` where it has any, and these for the rest."""
        chosen = {
            name: getattr(self, name) if value is None else value
            for name, value in msgspec.structs.asdict(further).items()
        }
        return Limits(**chosen)


UNLIMITED = Limits()


@lru_cache(maxsize=4096)
def decode_limits(text: str) -> Limits | None:
    """The limits of a token; None when one of them is unknown, and all is to be denied."""
    try:
        return msgspec.json.decode(text, type=Limits)
    except msgspec.DecodeError:
        return None


def exceeds(one: T | None, other: T | None) -> bool:
    """Whether both are there and the first is the greater one."""
    return one is not None and other is not None and one > other
