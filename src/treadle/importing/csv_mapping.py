"""How the columns of a CSV file are to be read, as its user declares it."""

from __future__ import annotations

from typing import Literal

import msgspec

from treadle.importing.refusal import FileRefused
from treadle.wire.common import AccountSubtype, AccountType

# By what a user writes, and in what `strptime` knows.
DATE_FORMATS = {
    "YYYY-MM-DD": "%Y-%m-%d",
    "YYYY/MM/DD": "%Y/%m/%d",
    "YYYY.MM.DD": "%Y.%m.%d",
    "YYYYMMDD": "%Y%m%d",
    "MM/DD/YYYY": "%m/%d/%Y",
    "DD/MM/YYYY": "%d/%m/%Y",
    "DD.MM.YYYY": "%d.%m.%Y",
    "DD-MM-YYYY": "%d-%m-%Y",
    "MM-DD-YYYY": "%m-%d-%Y",
    "MM/DD/YY": "%m/%d/%y",
    "DD/MM/YY": "%d/%m/%y",
    "DD.MM.YY": "%d.%m.%y",
    "DD MMM YYYY": "%d %b %Y",
    "DD-MMM-YYYY": "%d-%b-%Y",
    "DD MMM YY": "%d %b %y",
    "MMM DD, YYYY": "%b %d, %Y",
}
_ADVICE = "Let `treadle statement guess` write a mapping, and correct that"


class MappedAccount(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The account of a file that does not tell it."""

    # Tells the accounts of one user apart.
    name: str = "Account"
    number: str | None = None
    type: AccountType = AccountType.DEPOSITORY
    subtype: AccountSubtype | None = None


class Mapping(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Columns are named by their headings, or by their numbers from 1 when there are none."""

    date: str
    date_format: str = "YYYY-MM-DD"
    # Joined with a space.
    description: list[str]
    # Either one column with a sign, or one for each direction.
    amount: str | None = None
    debit: str | None = None
    credit: str | None = None
    # What a positive amount is: money that comes in, or money that leaves.
    positive: Literal["in", "out"] = "in"
    decimal: Literal[".", ","] = "."
    # A column; without one all amounts are in `currency_code`.
    currency: str | None = None
    currency_code: str | None = None
    balance: str | None = None
    # A column with the bank's own id of each transaction.
    id: str | None = None
    # A column that tells several accounts apart.
    account_number: str | None = None
    account: MappedAccount = msgspec.field(default_factory=MappedAccount)
    delimiter: Literal[",", ";", "\t", "|"] = ","
    encoding: str | None = None
    # Lines before the headings or, without headings, before the first transaction.
    skip_lines: int = 0
    has_headings: bool = True

    def checked(self) -> Mapping:
        if self.date_format not in DATE_FORMATS:
            known = ", ".join(DATE_FORMATS)
            raise FileRefused(f"unknown date format {self.date_format}", f"Use one of {known}")
        if not self.description:
            raise FileRefused("no column has the description", _ADVICE, field="mapping")
        if bool(self.amount) == bool(self.debit or self.credit):
            problem = "the amount is to be in one column, or in one for debits and one for credits"
            raise FileRefused(problem, _ADVICE, field="mapping")
        if not self.currency and not self.currency_code:
            problem = "the currency is not known"
            raise FileRefused(problem, "Name its column or give currency_code", field="mapping")
        return self

    def columns(self) -> list[str]:
        """The columns that every row needs."""
        named = (
            self.date,
            *self.description,
            self.amount,
            self.debit,
            self.credit,
            self.currency,
            self.balance,
            self.id,
            self.account_number,
        )
        return [column for column in named if column]


def read_mapping(content: bytes) -> Mapping:
    try:
        return msgspec.json.decode(content, type=Mapping)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise FileRefused(f"the mapping is not valid: {error}", _ADVICE) from None


def write_mapping(mapping: Mapping) -> bytes:
    return msgspec.json.format(msgspec.json.encode(mapping), indent=2)
