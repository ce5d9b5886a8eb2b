"""Whether routing numbers and IBANs are valid, and new IBANs that are.

The library is imported at the first use, which takes about a tenth of a second.
"""

from __future__ import annotations


def is_routing_number(number: str) -> bool:
    from stdnum.us import rtn

    return rtn.is_valid(number)


def is_iban(number: str) -> bool:
    from stdnum import iban

    return iban.is_valid(number)


def new_iban(country: str, account: str) -> str:
    """The IBAN of an account, bank and branch included as its country writes them."""
    from stdnum import iban

    return country + iban.calc_check_digits(f"{country}00{account}") + account
