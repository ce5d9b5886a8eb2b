"""Whether a document makes sense: what it refers to is in it, and nothing is in it twice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from treadle.http import errors
from treadle.http.errors import FORCED, ApiError
from treadle.http.fields import is_url
from treadle.partners.processors import PROCESSORS
from treadle.sources.source import Login, MalformedPassword
from treadle.sources.sources import Catalogue
from treadle.state.document import (
    Document,
    InvestmentsPart,
    ItemPart,
    LiabilitiesPart,
    ProductPart,
    TokenPart,
    TransactionsPart,
    entries_of,
    removed_of,
)
from treadle.wire.common import Products

# The years that a custom user's dates may be of.
_YEARS = range(1900, 2200)
# What an Item is given by a login, and cannot have without one.
_READ = frozenset({Products.TRANSACTIONS, Products.INVESTMENTS, Products.LIABILITIES})


def refusal(place: str, problem: str) -> ApiError:
    """The error for a fault at a place of the document."""
    return errors.INVALID_FIELD(problem=f"state{place}: {problem}"[:500])


def check_document(document: Document) -> None:
    """Raises ApiError for the first fault. What a login gives is checked by `revive`."""
    _check_unique(".items", "item_id", [one.item_id for one in document.items])
    _check_unique(".tokens", "token_id", [one.token_id for one in document.tokens])
    _check_unique(".faults", "fault_id", [one.fault_id for one in document.faults])
    evaluations = [one.client_transaction_id for one in document.signal_evaluations]
    _check_unique(".signal_evaluations", "client_transaction_id", evaluations)
    for index, item in enumerate(document.items):
        _check_item(f".items[{index}]", item)
    accounts = {one.item_id: {each.account_id for each in one.accounts} for one in document.items}
    for index, token in enumerate(document.tokens):
        _check_token(f".tokens[{index}]", token, accounts)
    for index, evaluation in enumerate(document.signal_evaluations):
        if evaluation.item_id not in accounts:
            raise refusal(f".signal_evaluations[{index}].item_id", "there is no such Item")
    tokens = {one.token_id for one in document.tokens}
    for index, fault in enumerate(document.faults):
        if fault.token_id is not None and fault.token_id not in tokens:
            raise refusal(f".faults[{index}].token_id", "there is no such token")


async def revive(place: str, item: ItemPart, catalogue: Catalogue) -> Login | None:
    """The login of an Item. Raises ApiError when its source knows none like it."""
    if item.login is None:
        return None
    institution = catalogue.find(item.institution_id)
    if institution is None:
        raise refusal(f"{place}.institution_id", "there is no such institution")
    try:
        login = msgspec.json.encode(item.login)
        revived = await catalogue.source_of(institution).revived(institution, login)
    except MalformedPassword as malformed:
        raise refusal(f"{place}.login", str(malformed)) from None
    except ApiError as error:
        raise refusal(f"{place}.login", error.message) from None
    for index, account in enumerate(item.accounts):
        if account.position >= len(revived.accounts):
            raise refusal(
                f"{place}.accounts[{index}].position",
                f"the login gives {len(revived.accounts)} accounts",
            )
    return revived


def _check_item(place: str, item: ItemPart) -> None:
    accounts = [one.account_id for one in item.accounts]
    _check_unique(f"{place}.accounts", "account_id", accounts)
    _check_unique(f"{place}.accounts", "position", [one.position for one in item.accounts])
    _check_unique(f"{place}.products", "product", [_name(one) for one in item.products])
    if not accounts:
        raise refusal(f"{place}.accounts", "an Item has at least one account")
    if item.error_code is not None and item.error_code not in FORCED:
        raise refusal(f"{place}.error_code", "an Item cannot be in this error")
    if item.webhook is not None and not is_url(item.webhook):
        raise refusal(f"{place}.webhook", "expected a URL")
    if bool(item.institution_id) != (item.login is not None):
        raise refusal(f"{place}.login", "an Item has a login where it has an institution")
    uses = {*item.available_products, *item.billed_products, *map(_name, item.products)}
    if item.login is None and _READ & uses:
        raise refusal(f"{place}.products", "without a login there is nothing to read them from")
    for index, product in enumerate(item.products):
        _check_product(f"{place}.products[{index}]", product, set(accounts))


def _name(product: ProductPart) -> Products:
    match product:
        case TransactionsPart():
            return Products.TRANSACTIONS
        case InvestmentsPart():
            return Products.INVESTMENTS
        case LiabilitiesPart():
            return Products.LIABILITIES


def _check_product(place: str, product: ProductPart, accounts: set[str]) -> None:
    for name, account_id in _accounts_named(product):
        if account_id not in accounts:
            raise refusal(f"{place}.{name}", f"the Item has no account {account_id}")
    entries, removed = entries_of(product), removed_of(product)
    for index, entry in enumerate(entries):
        if entry.data.date.year not in _YEARS:
            problem = f"must be from {_YEARS.start} to {_YEARS.stop - 1}"
            raise refusal(f"{place}.entries[{index}].data.date", problem)
    changes = [(one.added, one.changed) for one in entries]
    changes += [(one.added, one.removed) for one in removed]
    if any(added > changed or changed > product.sequence for added, changed in changes):
        raise refusal(place, "the numbers of an entry are not in order, up to the sequence")
    _check_unique(place, "change", [changed for _, changed in changes])
    _check_unique(place, "entry", [one.entry_id for one in (*entries, *removed)])
    _check_unique(place, "source_key", [one.source_key for one in (*entries, *removed)])


def _accounts_named(product: ProductPart) -> Iterator[tuple[str, str]]:
    """The accounts that a product tells of, each with where it does."""
    match product:
        case LiabilitiesPart():
            yield from (("liabilities", one) for one in product.liabilities)
        case InvestmentsPart():
            yield from (("portfolios", one) for one in product.portfolios)
    for index, entry in enumerate(entries_of(product)):
        yield f"entries[{index}].data.account_id", entry.data.account_id


def _check_token(place: str, token: TokenPart, accounts: dict[str, set[str]]) -> None:
    if token.item_id not in accounts:
        raise refusal(f"{place}.item_id", "there is no such Item")
    is_processor = token.kind == "processor"
    if is_processor and token.account_id not in accounts[token.item_id]:
        raise refusal(f"{place}.account_id", "the Item has no such account")
    if token.processor is not None and token.processor not in PROCESSORS:
        raise refusal(f"{place}.processor", "there is no such processor")
    if token.webhook is not None and not is_url(token.webhook):
        raise refusal(f"{place}.webhook", "expected a URL")
    of_processors = (token.account_id, token.processor, token.webhook, token.products)
    if not is_processor and any(one is not None for one in of_processors):
        raise refusal(place, f"of a {token.kind} token there is only its Item to tell")


def _check_unique(place: str, name: str, values: Iterable[object]) -> None:
    seen = set()
    for index, value in enumerate(values):
        if value in seen:
            raise refusal(f"{place}[{index}]", f"the {name} {value} is there already")
        seen.add(value)
