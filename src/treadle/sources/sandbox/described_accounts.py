"""Accounts of a described user as the bank shows them, with their numbers and owners."""

from __future__ import annotations

import msgspec

from treadle.bank.model import (
    Acats,
    AccountData,
    Ach,
    Address,
    AddressData,
    Aton,
    Bacs,
    Balances,
    Eft,
    Email,
    Institution,
    International,
    LoanNumbers,
    Numbers,
    Owner,
    PhoneNumber,
    Retirement401k,
    SourceAccount,
)
from treadle.sources.sandbox.custom import schema
from treadle.sources.sandbox.custom.drawing import Draw
from treadle.wire.common import (
    AccountHolderCategory,
    AccountSubtype,
    AccountType,
    EmailType,
    PhoneNumberType,
)

# Of banks that have none of their own.
_DTC_NUMBERS = ["1111", "2222", "3333"]


def source_account(
    account: schema.Account, balances: Balances, institution: Institution, draw: Draw
) -> SourceAccount:
    """The account, which `complete_user` made whole. What it has yet to be given is drawn."""
    meta = account.meta or schema.AccountMeta()
    owner = _owner(account.identity or schema.Identity())
    return SourceAccount(
        AccountData(
            name=meta.name or "",
            official_name=meta.official_name,
            mask=meta.mask or None,
            type=AccountType(account.type or "other"),
            subtype=account.subtype,
            holder_category=AccountHolderCategory.PERSONAL,
            balances=balances,
            owners_json=msgspec.Raw(msgspec.json.encode([owner])),
        ),
        _numbers(account, institution, draw.of("numbers", "account")),
    )


def _numbers(account: schema.Account, institution: Institution, draw: Draw) -> Numbers | None:
    given = account.numbers or schema.Numbers()
    number = given.account or draw.digits(12)
    found = Numbers()
    if account.type == "loan":
        found.loan = _loan_numbers(account.liability or schema.Liability(), number)
    elif account.type == "investment":
        _add_transfer_numbers(found, account, number, institution)
    if routing := given.ach_routing or given.ach_wire_routing:
        found.ach = Ach(number, routing, given.ach_wire_routing)
    if given.eft_institution and given.eft_branch:
        found.eft = Eft(number, given.eft_institution, given.eft_branch)
    if given.international_iban and given.international_bic:
        found.international = International(given.international_iban, given.international_bic)
    if given.bacs_sort_code:
        found.bacs = Bacs(number, given.bacs_sort_code)
    return None if found == Numbers() else found


def _loan_numbers(liability: schema.Liability, number: str) -> LoanNumbers:
    number = liability.account_number or number
    return LoanNumbers(number, liability.payment_reference_number or number)


def _add_transfer_numbers(
    numbers: Numbers, account: schema.Account, number: str, institution: Institution
) -> None:
    """By what one broker finds the account at another, which depends on the country."""
    if account.subtype is AccountSubtype.VALUE_401K:
        numbers.retirement_401k = Retirement401k(number, plan=number[-6:])
    elif "US" in institution.country_codes:
        numbers.acats = Acats(number, institution.dtc_numbers or _DTC_NUMBERS)
    elif "CA" in institution.country_codes:
        numbers.aton = Aton(number)


def _owner(identity: schema.Identity) -> Owner:
    """Of several, the first is the primary one unless it says that it is not."""
    return Owner(
        names=identity.names or [],
        phone_numbers=[
            PhoneNumber(one.data, _is_primary(one, index), one.type or PhoneNumberType.MOBILE)
            for index, one in enumerate(identity.phone_numbers or ())
            if one.data is not None
        ],
        emails=[
            Email(one.data, _is_primary(one, index), one.type or EmailType.PRIMARY)
            for index, one in enumerate(identity.emails or ())
            if one.data is not None
        ],
        addresses=[
            Address(_address(one.data), _is_primary(one, index))
            for index, one in enumerate(identity.addresses or ())
            if one.data is not None
        ],
    )


def _is_primary(one: schema.PhoneNumber | schema.Email | schema.Address, index: int) -> bool:
    return index == 0 if one.primary is None else one.primary


def _address(data: schema.AddressData) -> AddressData:
    return AddressData(
        city=data.city,
        region=data.region,
        street=data.street or "",
        postal_code=data.postal_code,
        country=data.country,
    )
