"""Taking secrets, tokens and account numbers out of what is recorded.

What stands under a telling name is masked, wherever it stands; so is whatever looks like a token or
a long number. A value that was masked once is masked wherever else it appears, so that an error
that repeats a secret does not keep it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import msgspec

MASK = "…"

_SECRET_NAME = re.compile(
    r"token$|^tokens$|secret|passw|^pin$|^seed$|(?:api|private|public|session|stripe)_key"
    r"|^iban$|account_?number|^payment_reference_number$|^hosted_link_url$|^page_url$",
    re.IGNORECASE,
)
# The name of a number in some places and of an object in others.
_ACCOUNT = "account"
_TOKEN = re.compile(
    r"(?<![a-z])([a-z]+-(?:sandbox|development|production)-|(?:btok|sk|rk|pk)_)[0-9A-Za-z_-]+"
)
# Ten digits and more, but for those of dates, of UUIDs and of client ids.
_LONG_NUMBER = re.compile(
    r"(?P<kept>(?<!\d)\d{4}-\d\d-\d\d(?!\d)|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"
    r"|\b(?=\d*[a-f])[0-9a-f]{24}\b)"
    r"|\d(?:[ -]?\d){9,}"
)
# What is shorter would be found in texts that have nothing to do with it.
_LEAST_REPEATED = 6
# Neither a token nor a long number is shorter.
_LEAST_TELLING = 10


class Masker:
    """Masks texts and bodies that belong together: a request and what it was answered."""

    def __init__(self, bodies: Iterable[Any], secrets: Iterable[str | None] = ()) -> None:
        """`secrets` came with the bodies in another way, such as in a header."""
        known = {secret for secret in secrets if secret}
        for body in bodies:
            _learn(body, known, secret=False)
        # Tokens are told by their looks. The longest go first, for one may begin like another.
        repeated = [
            one for one in known if len(one) >= _LEAST_REPEATED and not _TOKEN.fullmatch(one)
        ]
        self._known = sorted(repeated, key=len, reverse=True)

    def text(self, text: str) -> str:
        return _plain(self._without_known(text))

    def name(self, name: str) -> str:
        """The name of a member, where a caller may have put anything."""
        return _plain_name(self._without_known(name))

    def body(self, value: Any, *, secret: bool = False) -> Any:
        """A decoded body, masked."""
        if isinstance(value, dict):
            return {
                self.name(name): self.body(member, secret=secret or _is_secret(name, member))
                for name, member in value.items()
            }
        if isinstance(value, list):
            return [self.body(member, secret=secret) for member in value]
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            shown = self.text(value)
            # A token's prefix tells its kind and nothing else.
            return shown if not secret or _TOKEN.fullmatch(value) else MASK
        whole = isinstance(value, int) or value.is_integer()
        if secret or (whole and self.text(str(int(value))) != str(int(value))):
            return MASK
        return value

    def _without_known(self, text: str) -> str:
        for secret in self._known:
            text = text.replace(secret, MASK)
        return text


def _plain(text: str) -> str:
    """A text without what can be told by its looks to be a token or a number."""
    if len(text) < _LEAST_TELLING:
        return text
    text = _TOKEN.sub(rf"\1{MASK}", text)
    return _LONG_NUMBER.sub(lambda match: match["kept"] or MASK, text)


# The same names stand in body after body.
_plain_name = lru_cache(maxsize=4096)(_plain)


def decode(body: bytes) -> Any:
    """The JSON of a body; None for what is none."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None


def _is_secret(name: str, member: Any) -> bool:
    if name == _ACCOUNT:
        return not isinstance(member, dict)
    return _is_telling(name)


@lru_cache(maxsize=4096)
def _is_telling(name: str) -> bool:
    return _SECRET_NAME.search(name) is not None


def _learn(value: Any, known: set[str], *, secret: bool) -> None:
    """Add the texts and whole numbers of a body that are secret by their names."""
    if isinstance(value, dict):
        for name, member in value.items():
            _learn(member, known, secret=secret or _is_secret(name, member))
    elif isinstance(value, list):
        for member in value:
            _learn(member, known, secret=secret)
    elif secret and isinstance(value, str | int) and not isinstance(value, bool):
        known.add(str(value))
