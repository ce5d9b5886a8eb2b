"""Mail addresses."""

from __future__ import annotations

import re
from typing import Any

from rapidfuzz.distance import OSA

from treadle.matching.names import given_name_likeness
from treadle.matching.words import data, fold, plain

_FOR_DOTS = 5
_FOR_TAG = 10
_FOR_SLIP = 20
_SAME_HOST_ALONE = 30
_SAME_MAILBOX_ALONE = 50
# A host may be this many slips from a well-known one and still be meant for it.
_HOST_SLIPS = 2

_SEPARATORS = re.compile(r"[._-]+")
_NOT_DIGITS = re.compile(r"\D+")


def score(submitted: str, on_file: str) -> int:
    """How well two addresses agree."""
    one, other = plain(submitted), plain(on_file)
    if one == other:
        return 100
    (mailbox, host), (other_mailbox, other_host) = _parts(one), _parts(other)
    if not (mailbox and other_mailbox and host and other_host):
        return 0
    known = data("emails")
    deducted = 0 if host == other_host else _host_deduction(host, other_host, known)
    if deducted is None:
        return _SAME_MAILBOX_ALONE if mailbox == other_mailbox else 0
    dotless = {host, other_host}.isdisjoint(known["dotless"]) is False
    further = _mailbox_deduction(mailbox, other_mailbox, dotless=dotless)
    return _SAME_HOST_ALONE if further is None else 100 - deducted - further


def _parts(address: str) -> tuple[str, str]:
    """The mailbox and the host, which is written as the one that stands for its aliases."""
    mailbox, _, host = address.rpartition("@")
    try:
        host = host.encode("idna").decode()
    except UnicodeError:
        host = fold(host)
    for aliases in data("emails")["aliases"]:
        if host in aliases:
            host = aliases[0]
    return mailbox, host


def _host_deduction(one: str, other: str, known: dict[str, Any]) -> int | None:
    """What a slip in a well-known host takes off; None when the hosts are two."""
    if (one in known["hosts"]) == (other in known["hosts"]):
        return None
    slips = OSA.distance(one, other, score_cutoff=_HOST_SLIPS)
    return _FOR_SLIP if slips <= _HOST_SLIPS else None


def _mailbox_deduction(one: str, other: str, *, dotless: bool) -> int | None:
    """What the ways of writing one mailbox take off; None when there are two."""
    if one == other:
        return 0
    bare, other_bare = one.partition("+")[0], other.partition("+")[0]
    if not bare or not other_bare:
        return None
    tag = 0 if one[len(bare) :] == other[len(other_bare) :] else _FOR_TAG
    if bare == other_bare:
        return tag
    if _SEPARATORS.sub("", bare) == _SEPARATORS.sub("", other_bare):
        return tag + (_FOR_DOTS if dotless else _FOR_SLIP)
    pieces, others = _SEPARATORS.split(bare), _SEPARATORS.split(other_bare)
    # A mailbox with another digit is somebody else's.
    same_digits = _NOT_DIGITS.sub(" ", bare).split() == _NOT_DIGITS.sub(" ", other_bare).split()
    alike = len(pieces) == len(others) and all(
        piece == other_piece
        or (min(len(piece), len(other_piece)) > 1 and given_name_likeness(piece, other_piece))
        for piece, other_piece in zip(pieces, others, strict=True)
    )
    return tag + _FOR_SLIP if same_digits and alike else None
