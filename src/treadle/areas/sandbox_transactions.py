"""Transactions that a developer adds to an Item of the sandbox."""

from __future__ import annotations

import datetime as dt

from treadle.bank.model import SourceTransaction
from treadle.bank.rows import Account
from treadle.bank.streams import tell_of_streams
from treadle.bank.transactions import TRANSACTIONS, transaction_entry
from treadle.bank.updating import Entry, Picture, Readiness, bring_up_to_date, keep_picture
from treadle.call import ItemCall
from treadle.clock import DAY, to_date
from treadle.gates import ItemGate
from treadle.http import errors
from treadle.http.fields import is_identifier
from treadle.operations import operation
from treadle.sources.sandbox.user import CREATED_PREFIX
from treadle.wire.common import AccountSubtype, AccountType, Products
from treadle.wire.sandbox import (
    CustomSandboxTransaction,
    SandboxTransactionsCreateRequest,
    SandboxTransactionsCreateResponse,
)

_MAX_TRANSACTIONS = 10
_MAX_AGE_DAYS = 730


@operation("/sandbox/transactions/create", gate=ItemGate(Products.TRANSACTIONS), repeatable_for=DAY)
async def sandbox_transactions_create(
    call: ItemCall, request: SandboxTransactionsCreateRequest
) -> SandboxTransactionsCreateResponse:
    if not 1 <= len(request.transactions) <= _MAX_TRANSACTIONS:
        problem = f"transactions must be a list of 1 to {_MAX_TRANSACTIONS} transactions"
        raise errors.INVALID_FIELD(problem=problem)
    today = to_date(call.now)
    for place, wanted in enumerate(request.transactions):
        _check(wanted, f"transactions[{place}]", today)
    update = await bring_up_to_date(call, TRANSACTIONS)
    if update.updated_at is None:
        raise errors.PRODUCT_NOT_READY()
    accounts = await call.accounts()
    created = [_entry(call, wanted, accounts) for wanted in request.transactions]
    ready = Readiness(update, call.services.settings.product_ready_seconds)
    await keep_picture(call, ready, TRANSACTIONS, Picture(entries=created), known=[])
    response = SandboxTransactionsCreateResponse(request_id=call.request_id)
    call.settle(response)
    # Whether anything recurs follows from what is kept.
    await call.commit()
    await tell_of_streams(call, call.item, update)
    return response


def _check(wanted: CustomSandboxTransaction, place: str, today: dt.date) -> None:
    """Raises ApiError that names what is wrong."""
    oldest = today - dt.timedelta(days=_MAX_AGE_DAYS)
    for name in ("date_transacted", "date_posted"):
        if not oldest <= getattr(wanted, name) <= today:
            problem = f"{place}.{name} must lie between {oldest} and {today}"
            raise errors.INVALID_FIELD(problem=problem)
    if wanted.date_posted < wanted.date_transacted:
        problem = f"{place}.date_posted must not be before {place}.date_transacted"
        raise errors.INVALID_FIELD(problem=problem)
    if not wanted.description.strip():
        raise errors.INVALID_FIELD(problem=f"{place}.description must be a non-empty string")
    if wanted.account_id is not None and not is_identifier(wanted.account_id):
        raise errors.INVALID_FIELD(problem=f"{place}.account_id must be a valid account ID")


def _entry(call: ItemCall, wanted: CustomSandboxTransaction, accounts: list[Account]) -> Entry:
    account = _account(wanted.account_id, accounts)
    shown = SourceTransaction(
        source_key=f"{CREATED_PREFIX}{call.ids.identifier('source key')}",
        account_id=account.account_id,
        date=wanted.date_posted,
        authorized_date=wanted.date_transacted,
        amount=wanted.amount,
        description=wanted.description,
        iso_currency_code=wanted.iso_currency_code or "USD",
    )
    return transaction_entry(shown, account.data.type)


def _account(account_id: str | None, accounts: list[Account]) -> Account:
    """The account named or, when none is, the first checking, depository or any account.

    Raises ApiError when the Item lacks it, and for student loans, as documented.
    """
    if account_id is None:
        return min(accounts, key=_preference)
    for account in accounts:
        if account.account_id == account_id and account.data.subtype != AccountSubtype.STUDENT:
            return account
    raise errors.INVALID_ACCOUNT_ID()


def _preference(account: Account) -> int:
    data = account.data
    if data.type is not AccountType.DEPOSITORY:
        return 2
    return 0 if data.subtype == AccountSubtype.CHECKING else 1
