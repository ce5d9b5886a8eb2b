"""What Link does on each pane, a module for each part of the way; importing it declares all."""

from treadle.link.flows import (
    accounts,
    consent,
    deposit,
    ending,
    institutions,
    login,
    numbers,
    oauth,
    phone,
)

__all__ = [
    "accounts",
    "consent",
    "deposit",
    "ending",
    "institutions",
    "login",
    "numbers",
    "oauth",
    "phone",
]
