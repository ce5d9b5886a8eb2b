"""Fills in what a custom user leaves open, so that every account is whole.

What is filled in follows from a seed alone, and from the country of the bank.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Final, TypeVar

from msgspec import structs

from treadle.sources.sandbox.custom import bank_numbers
from treadle.sources.sandbox.custom.dates import rolled_forward
from treadle.sources.sandbox.custom.drawing import Draw
from treadle.sources.sandbox.custom.kinds import Kind, kind_of
from treadle.sources.sandbox.custom.part import Part
from treadle.sources.sandbox.custom.schema import (
    Account,
    AccountMeta,
    Address,
    AddressData,
    CustomUser,
    Email,
    Identity,
    Numbers,
    PhoneNumber,
)
from treadle.sources.sandbox.custom.values import MAX_AMOUNT, AccountType
from treadle.wire.common import AccountSubtype, EmailType, PhoneNumberType

P = TypeVar("P", bound=Part)

_CURRENCIES: Final = {"US": "USD", "CA": "CAD", "GB": "GBP"}
_DEFAULT_CURRENCY: Final = "EUR"
_DEFAULT_ACCOUNTS: Final = (
    Account(type="depository", subtype=AccountSubtype.CHECKING),
    Account(type="depository", subtype=AccountSubtype.SAVINGS),
    Account(type="credit", subtype=AccountSubtype.CREDIT_CARD),
)
_BALANCES: Final[dict[AccountType, tuple[int, int]]] = {
    "depository": (2_000, 9_000),
    "credit": (100, 2_400),
    "loan": (4_000, 48_000),
    "investment": (2_000, 60_000),
    "payroll": (0, 0),
    "other": (100, 3_000),
}
_LIMITS: Final = (2_500, 5_000, 7_500, 10_000, 12_000)
_ACH_ROUTING: Final = "011401533"
_WIRE_ROUTING: Final = "021000021"
# The letters for a bank and the count of digits in the account part of an IBAN. Accounts of
# countries that are not here have German numbers.
_IBANS: Final = {"DE": ("", 18), "IE": ("TRDL", 14), "NL": ("TRDL", 10)}
_TRANSFERRING: Final = {
    AccountSubtype.CHECKING,
    AccountSubtype.SAVINGS,
    AccountSubtype.CASH_MANAGEMENT,
}
_ABBREVIATIONS: Final = {"cd", "ebt", "fhsa", "gic", "hsa", "ira", "isa", "tfsa", "ugma", "utma"}
_NAMES: Final = ("Robin Weaver", "Sasha Linden", "Jordan Marsh", "Casey Holloway", "Avery Quill")
_ADDRESS: Final = AddressData(street="12 Spindle Street", city="Loomfield")


def complete_user(user: CustomUser, seed: str, country: str, created: dt.date) -> CustomUser:
    """The user with every account whole, and its dates as they are on the day of creation.

    The user's own seed goes before the one given, and the result holds the one that counts.
    Where no transactions are listed, `transactions` stays None and stands for generated ones.
    """
    user = rolled_forward(user, created)
    seed = seed if user.seed is None else user.seed
    accounts = user.override_accounts or _DEFAULT_ACCOUNTS
    listed = (one.identity.names for one in accounts if one.identity)
    names = next(filter(None, listed), None) or [account_draw(seed, "owner").choice(_NAMES)]
    whole = [
        _complete(account, names, country, account_draw(seed, position))
        for position, account in enumerate(accounts)
    ]
    return structs.replace(user, seed=seed, roll_dates_forward=None, override_accounts=whole)


def account_draw(seed: str, account: object) -> Draw:
    return Draw(seed.encode()).of("account", account)


def available_balance(account: Account, pending: float = 0) -> float | None:
    """The available balance of a whole account, less what pending transactions will take."""
    if account.has_null_available_balance:
        return None
    if account.force_available_balance is not None:
        return account.force_available_balance
    balance = account.starting_balance or 0
    if account.type == "depository":
        return round(balance - pending, 2)
    limit = account.meta.limit if account.meta else None
    if account.type == "credit" and limit is not None:
        return round(limit - balance - pending, 2)
    return None


def _complete(account: Account, names: list[str], country: str, draw: Draw) -> Account:
    kind = kind_of(account)
    numbers = _numbers(account.numbers or Numbers(), kind, country, draw.of("numbers"))
    account = structs.replace(
        account,
        numbers=numbers,
        meta=_meta(account.meta or AccountMeta(), kind, numbers, draw.of("meta")),
        # All accounts have the same names, as documented.
        identity=structs.replace(_identity(account.identity or Identity(), country), names=names),
    )
    return _filled(
        account,
        type=kind.type,
        subtype=kind.subtype,
        currency=_CURRENCIES.get(country, _DEFAULT_CURRENCY),
        starting_balance=_balance(account, kind, draw.of("balance")),
    )


def _balance(account: Account, kind: Kind, draw: Draw) -> float:
    if account.holdings:
        worth = [(one.quantity or 0) * (one.institution_price or 0) for one in account.holdings]
        # The whole user is read again later, so it keeps to the limits of its fields.
        return round(max(-MAX_AMOUNT, min(sum(worth), MAX_AMOUNT)), 2)
    return draw.money(*_BALANCES[kind.type])


def _meta(meta: AccountMeta, kind: Kind, numbers: Numbers, draw: Draw) -> AccountMeta:
    words = kind.subtype.split()
    spelled = [one.upper() if one in _ABBREVIATIONS else one.capitalize() for one in words]
    return _filled(
        meta,
        name=f"Plaid {' '.join(spelled)}",
        limit=draw.choice(_LIMITS) if kind.type == "credit" else None,
        mask=numbers.account[-4:] if numbers.account else draw.digits(4),
    )


def _numbers(numbers: Numbers, kind: Kind, country: str, draw: Draw) -> Numbers:
    """The numbers given and, where they name no network, those of the bank's country.

    Any network takes an account number of eight digits.
    """
    # An IBAN doubles as the account number, as documented.
    numbers = _filled(numbers, account=numbers.international_iban)
    if _names_a_network(numbers):
        return _filled(numbers, account=draw.digits(8))
    if kind.subtype not in _TRANSFERRING:
        return numbers
    match country:
        case "US":
            network = Numbers(
                account=draw.digits(12), ach_routing=_ACH_ROUTING, ach_wire_routing=_WIRE_ROUTING
            )
        case "CA":
            network = Numbers(
                account=draw.digits(7), eft_institution=draw.digits(3), eft_branch=draw.digits(5)
            )
        case "GB":
            network = Numbers(account=draw.digits(8), bacs_sort_code=draw.digits(6))
        case _:
            home = country if country in _IBANS else "DE"
            bank, length = _IBANS[home]
            iban = bank_numbers.new_iban(home, bank + draw.digits(length))
            network = Numbers(
                account=iban, international_iban=iban, international_bic=f"TRDL{home}2X"
            )
    return _filled(numbers, **structs.asdict(network))


def _names_a_network(numbers: Numbers) -> bool:
    return structs.replace(numbers, account=None) != Numbers()


def _identity(identity: Identity, country: str) -> Identity:
    return _filled(
        identity,
        phone_numbers=[PhoneNumber(data="2025550100", primary=True, type=PhoneNumberType.MOBILE)],
        emails=[Email(data="accountholder0@example.com", primary=True, type=EmailType.PRIMARY)],
        addresses=[Address(data=structs.replace(_ADDRESS, country=country), primary=True)],
    )


def _filled(part: P, **defaults: Any) -> P:
    """The part with the defaults for what it leaves open."""
    absent = {name: value for name, value in defaults.items() if getattr(part, name) is None}
    return structs.replace(part, **absent)
