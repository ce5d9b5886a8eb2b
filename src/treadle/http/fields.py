"""Rules for single fields that a type cannot express, with the messages on record for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from treadle.ids import IDENTIFIER_ALPHABET

_IDENTIFIER = frozenset(IDENTIFIER_ALPHABET)
_MAX_URL_LENGTH = 2_048
_MAX_LIST_LENGTH = 500


def is_identifier(text: str) -> bool:
    """Whether a text has the shape of an account id: 37 or 38 of 58 characters."""
    return len(text) in (37, 38) and _IDENTIFIER.issuperset(text)


def is_url(text: str) -> bool:
    """Whether a text is an absolute http or https URL with a host."""
    if len(text) > _MAX_URL_LENGTH or any(character <= " " for character in text):
        return False
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _webhook(value: Any) -> bool:
    return value is None or (isinstance(value, str) and (value == "" or is_url(value)))


def _account_ids(value: Any) -> bool:
    return (
        isinstance(value, list)
        and 0 < len(value) <= _MAX_LIST_LENGTH
        and all(isinstance(one, str) and is_identifier(one) for one in value)
    )


def _products(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, str) for one in value)


Rule = tuple[Callable[[Any], bool], str]

# Keyed by the dotted name of the field, on whichever operation has it.
RULES: dict[str, Rule] = {
    "account_id": (
        lambda value: isinstance(value, str) and is_identifier(value),
        "account_id must be a valid account ID",
    ),
    "account_ids": (
        _account_ids,
        "account_ids must be a non-empty array of valid account ids",
    ),
    "options.account_id": (
        lambda value: isinstance(value, str) and is_identifier(value),
        "options.account_id must be a valid account ID",
    ),
    "options.account_ids": (
        _account_ids,
        "options.account_ids must be a non-empty array of valid account ids",
    ),
    "webhook": (_webhook, "webhook must be a non-empty string URL"),
    "options.webhook": (
        lambda value: value != "" and _webhook(value),
        "options.webhook must be a non-empty string URL",
    ),
    "initial_products": (
        _products,
        "initial_products must be a list of strings containing at least one product",
    ),
}
