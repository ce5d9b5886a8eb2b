"""What a request says of a person, scored against the owners of an account."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

import msgspec

from treadle.bank.model import Owner
from treadle.matching import addresses, emails, names, phones
from treadle.matching.addresses import Place
from treadle.matching.streets import abbreviations
from treadle.matching.words import plain
from treadle.wire.common import (
    AddressMatchScore,
    EmailAddressMatchScore,
    IdentityMatchUser,
    NameMatchScore,
    PhoneNumberMatchScore,
)

# Of each kind of value, as many of a bank's as are compared.
_MAX_VALUES = 20
_DEFAULT_COUNTRY = "us"


class Scores(NamedTuple):
    legal_name: NameMatchScore
    phone_number: PhoneNumberMatchScore
    email_address: EmailAddressMatchScore
    address: AddressMatchScore


def score_owners(user: IdentityMatchUser, owners: list[Owner]) -> Scores:
    """The best score of each field over all that the bank has of the owners.

    A field has none when the user or the bank lacks it.
    """
    return Scores(
        _legal_name(user.legal_name or "", owners),
        _phone_number(user.phone_number or "", owners),
        _email_address(user.email_address or "", owners),
        _address(_place(user.address), owners),
    )


def _legal_name(submitted: str, owners: list[Owner]) -> NameMatchScore:
    on_file = _texts(name for owner in owners for name in owner.names)
    if not plain(submitted) or not on_file:
        return NameMatchScore(
            score=None,
            is_first_name_or_last_name_match=None,
            is_nickname_match=None,
            is_business_name_detected=None,
        )
    best = max(names.score(submitted, name) for name in on_file)
    return NameMatchScore(**best._asdict())


def _phone_number(submitted: str, owners: list[Owner]) -> PhoneNumberMatchScore:
    if not plain(submitted):
        return PhoneNumberMatchScore(score=None)
    scores = [
        phones.score(submitted, number, _country(owner))
        for owner in owners
        for number in _texts(phone.data for phone in owner.phone_numbers)
    ]
    return PhoneNumberMatchScore(score=max(scores, default=None))


def _email_address(submitted: str, owners: list[Owner]) -> EmailAddressMatchScore:
    if not plain(submitted):
        return EmailAddressMatchScore(score=None)
    on_file = _texts(email.data for owner in owners for email in owner.emails)
    scores = [emails.score(submitted, email) for email in on_file]
    return EmailAddressMatchScore(score=max(scores, default=None))


def _address(submitted: Place, owners: list[Owner]) -> AddressMatchScore:
    on_file = list(islice(_places(owners), _MAX_VALUES))
    if submitted.is_blank or not on_file:
        return AddressMatchScore(score=None, is_postal_code_match=None)
    best = max(addresses.score(submitted, place) for place in on_file)
    return AddressMatchScore(**best._asdict())


def _texts(values: Iterable[str]) -> list[str]:
    return list(islice(filter(plain, values), _MAX_VALUES))


def _places(owners: list[Owner]) -> Iterator[Place]:
    for owner in owners:
        for address in owner.addresses:
            place = _place(address.data)
            if not place.is_blank:
                yield place


def _place(address: msgspec.Struct | None) -> Place:
    parts = msgspec.structs.asdict(address) if address else {}
    return Place(**{name: part or "" for name, part in parts.items()})


def _country(owner: Owner) -> str:
    """The country of an owner's numbers that name none: that of the first address with one."""
    written = next((one.data.country for one in owner.addresses if one.data.country), "")
    country = plain(written) or _DEFAULT_COUNTRY
    return abbreviations("countries").get(country, country).upper()
