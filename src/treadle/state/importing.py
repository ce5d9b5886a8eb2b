"""From a document to the rows of a world, with new tokens for those that it names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec
from sqlalchemy import bindparam, select

from treadle.bank.model import AccountData
from treadle.bank.rows import numbers_place
from treadle.bank.updates import login_place
from treadle.call import ClientCall
from treadle.clients import Owner
from treadle.ids import IDENTIFIER_ALPHABET, Ids
from treadle.sources.source import Login
from treadle.sources.sources import Catalogue
from treadle.state.checking import check_document, refusal, revive
from treadle.state.document import (
    AccountPart,
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
from treadle.state.instants import Instant, microseconds
from treadle.state.parts import Named, unnamed_rows
from treadle.state.reading import decode_document, encode_document
from treadle.state.world import World
from treadle.store.columns import is_named_in
from treadle.store.statements import Query
from treadle.store.tables import items, tokens
from treadle.webhooks.events import LastWebhook
from treadle.wire.common import Products
from treadle.worlds import World as Settings

# Ids are whole texts of the document, as values and as names.
_IDENTIFIER = re.compile(rb'"([%b]{37,38})"' % IDENTIFIER_ALPHABET.encode())

_FOREIGN_ITEM = Query(
    select(items.c.item_id)
    .where(is_named_in(items.c.item_id, bindparam("names")))
    .where(items.c.client_id != bindparam("client_id"))
    .limit(1),
    str,
)
_FOREIGN_TOKEN = Query(
    select(tokens.c.token_id)
    .where(is_named_in(tokens.c.token_id, bindparam("names")))
    .where(tokens.c.client_id != bindparam("client_id"))
    .limit(1),
    str,
)


class Imported(msgspec.Struct):
    world: World
    # The texts of the tokens, in the order of the document.
    tokens: list[str]
    # The document as it was imported.
    document: Document
    # What took the place of which id.
    new_ids: dict[str, str]


async def import_world(call: ClientCall, document: Document, *, new_ids: bool) -> Imported:
    """A world to put in the place of the calling client's.

    Where the document has a seed the tokens follow from it, and so are the same wherever a client
    of this id imports it. Raises ApiError when the document makes no sense, or has ids of others.
    """
    check_document(document)
    worlds, client = call.services.worlds, call.client
    settings = _settings(call, document)
    owner = Owner(client.client_id, document.counter, settings.encode(), client.epoch + 1)
    names = [one.token_id for one in document.tokens]
    renewed: dict[str, str] = {}
    if new_ids:
        ids = worlds.scoped(owner, "imported ids")
        document, renewed = _with_new_ids(document, ids)
        names = [ids.ordered_uuid("token", call.now) for _ in names]
    else:
        await _check_ids_are_free(call, document)
    ids = worlds.scoped(owner, "import")
    texts = [ids.token(one.kind, call.environment) for one in document.tokens]
    catalogue = await call.catalogue()
    logins = [
        await revive(f".items[{index}]", item, catalogue)
        for index, item in enumerate(document.items)
    ]
    sources = [_source(catalogue, item) for item in document.items]
    rows = _Rows(call, document, dict(zip(names, texts, strict=True)), logins, sources)
    world = World(owner.world_json, document.counter, unnamed_rows(rows.named()))
    return Imported(world, texts, document, renewed)


def _source(catalogue: Catalogue, item: ItemPart) -> str:
    institution = catalogue.find(item.institution_id)
    return catalogue.source_of(institution).name


def _settings(call: ClientCall, document: Document) -> Settings:
    clock, seed = document.clock, document.seed
    sealed = call.services.worlds.seal_seed(call.client, seed) if isinstance(seed, str) else seed
    instant = clock.microseconds if isinstance(clock, Instant) else clock
    return Settings(clock=instant, seed=sealed)


async def _check_ids_are_free(call: ClientCall, document: Document) -> None:
    found = {"client_id": call.client.client_id}
    item_ids = _names(one.item_id for one in document.items)
    if foreign := await call.first(_FOREIGN_ITEM, names=item_ids, **found):
        raise refusal(".items", f"another client has the Item {foreign}; {_REMEDY}")
    token_ids = _names(one.token_id for one in document.tokens)
    if foreign := await call.first(_FOREIGN_TOKEN, names=token_ids, **found):
        raise refusal(".tokens", f"another client has the token_id {foreign}; {_REMEDY}")


_REMEDY = "with new_ids all ids are made anew"


def _with_new_ids(document: Document, ids: Ids) -> tuple[Document, dict[str, str]]:
    """The document with ids that nobody has, and what became of those of Items and accounts."""
    renewed = {}
    for item in document.items:
        renewed[item.item_id] = ids.identifier("item")
        for account in item.accounts:
            renewed.setdefault(account.account_id, ids.identifier("account"))
    every = dict(renewed)
    for product in (product for item in document.items for product in item.products):
        for entry in (*entries_of(product), *removed_of(product)):
            every.setdefault(entry.entry_id, ids.identifier("entry"))
    named = {old.encode(): new.encode() for old, new in every.items()}
    text = _IDENTIFIER.sub(
        lambda found: b'"%b"' % named.get(found[1], found[1]), encode_document(document)
    )
    return decode_document(text), renewed


class _Rows:
    """The rows that a document stands for, as those of the calling client."""

    def __init__(
        self,
        call: ClientCall,
        document: Document,
        texts: dict[str, str],
        logins: list[Login | None],
        sources: list[str],
    ) -> None:
        """`texts` are the tokens in the order of the document, by the ids that they get, `logins`
        and `sources` those of its Items."""
        self._keys = call.services.keys
        self._logins = logins
        self._sources = sources
        self._client_id = call.client.client_id
        self._now = call.now
        self._document = document
        self._texts = texts

    def named(self) -> dict[str, list[Named]]:
        contents: dict[str, list[Named]] = {
            "items": [self._item(*one) for one in enumerate(self._document.items)],
            "accounts": [],
            "updates": [],
            "entries": [],
            "account_details": [],
            "tokens": [],
            "permissions": [],
            "faults": self._faults(),
            "signal_evaluations": self._evaluations(),
        }
        for item, login in zip(self._document.items, self._logins, strict=True):
            contents["accounts"] += [self._account(item, one, login) for one in item.accounts]
            for product in item.products:
                name = self._of_product(item, product)
                contents["updates"].append(_update(name, product))
                contents["entries"] += _entries(name, product)
                contents["account_details"] += _details(name, product)
        for (token_id, text), token in zip(self._texts.items(), self._document.tokens, strict=True):
            contents["tokens"].append(self._token(token_id, text, token))
            if token.products is not None:
                contents["permissions"].append(self._permissions(token_id, token.products))
        return contents

    def _of_product(self, item: ItemPart, product: ProductPart) -> Named:
        name = product.__struct_config__.tag
        return {"item_id": item.item_id, "product": name, "client_id": self._client_id}

    def _item(self, index: int, item: ItemPart) -> Named:
        login = self._logins[index]
        told = item.last_webhook
        return {
            "item_id": item.item_id,
            "client_id": self._client_id,
            "institution_id": item.institution_id,
            "source": self._sources[index],
            "webhook": item.webhook,
            "available_products": _names(item.available_products),
            "billed_products": _names(item.billed_products),
            "options": _text(item.options),
            "error_code": item.error_code,
            "login_expires_at": microseconds(item.login_expires_at),
            "created_at": item.created_at.microseconds,
            "removed_at": None,
            "revision": item.revision,
            "login": self._keys.seal(login.secret if login else b"", login_place(item.item_id)),
            "last_webhook": told and _text(LastWebhook(told.sent_at.microseconds, told.code_sent)),
            "wakes_at": microseconds(item.wakes_at),
        }

    def _account(self, item: ItemPart, account: AccountPart, login: Login | None) -> Named:
        owners = msgspec.Raw(msgspec.json.encode(account.owners))
        names = (name for name in AccountData.__struct_fields__ if name != "owners_json")
        data = AccountData(owners_json=owners, **{name: getattr(account, name) for name in names})
        sealed = None
        if account.numbers is not None:
            place = numbers_place(item.item_id, account.account_id)
            sealed = self._keys.seal(msgspec.json.encode(account.numbers), place)
        return {
            "item_id": item.item_id,
            "account_id": account.account_id,
            "client_id": self._client_id,
            "position": account.position,
            "data": _text(data),
            "numbers": sealed,
            "source_key": login.accounts[account.position].source_key if login else None,
        }

    def _token(self, token_id: str, text: str, token: TokenPart) -> Named:
        return {
            "digest": self._keys.digest(text),
            "token_id": token_id,
            "pepper_id": self._keys.pepper_id,
            "kind": token.kind,
            "client_id": self._client_id,
            "item_id": token.item_id,
            "account_id": token.account_id,
            "processor": token.processor,
            "webhook": token.webhook,
            "created_at": token.created_at.microseconds,
            "expires_at": microseconds(token.expires_at),
            "ended_at": None,
            "synced": int(token.synced),
            "limits": token.limits and msgspec.json.encode(token.limits).decode(),
            "calls_left": token.calls_left,
            "calls": token.calls,
            "last_used_at": microseconds(token.last_used_at),
        }

    def _permissions(self, token_id: str, products: list[Products]) -> Named:
        return {
            "token_id": token_id,
            "revision": 1,
            "client_id": self._client_id,
            "products": _names(products),
            "created_at": self._now,
        }

    def _faults(self) -> list[Named]:
        named = [one.token_id for one in self._document.tokens]
        texts = dict(zip(named, self._texts.values(), strict=True))
        rows = []
        for position, fault in enumerate(self._document.faults, start=1):
            rule = fault.rule
            if fault.token_id is not None:
                digest = self._keys.digest(texts[fault.token_id]).hex()
                rule = msgspec.structs.replace(rule, token_digest=digest)
            rows.append(
                {
                    "client_id": self._client_id,
                    "fault_id": fault.fault_id,
                    "position": position,
                    "rule": _text(rule),
                    "seen": fault.seen,
                    "hits": fault.hits,
                    "created_at": fault.created_at.microseconds,
                }
            )
        return rows

    def _evaluations(self) -> list[Named]:
        return [
            {
                "client_id": self._client_id,
                "client_transaction_id": one.client_transaction_id,
                "item_id": one.item_id,
                "account_id": one.account_id,
                "request": _text(one.request),
                "answer": _text(one.answer),
                "decision": one.decision and _text(one.decision),
                "return": one.return_ and _text(one.return_),
                "created_at": one.created_at.microseconds,
            }
            for one in self._document.signal_evaluations
        ]


def _update(name: Named, product: ProductPart) -> Named:
    streams = product.streams if isinstance(product, TransactionsPart) else None
    return name | {
        "started_at": product.started_at.microseconds,
        "days_requested": product.days_requested,
        "updated_at": microseconds(product.updated_at),
        "refreshes": product.refreshes,
        "sequence": product.sequence,
        "revision": product.revision,
        "synced": int(product.synced),
        "streams": None if streams is None else _text(streams),
        "news_since": None,
    }


def _entries(name: Named, product: ProductPart) -> Iterator[Named]:
    for entry in entries_of(product):
        yield name | {
            "entry_id": entry.entry_id,
            "account_id": entry.data.account_id,
            "source_key": entry.source_key,
            "date": entry.data.date.isoformat(),
            "pending": int(getattr(entry.data, "pending", False)),
            "data": _text(entry.data),
            "original_description": entry.original_description,
            "added": entry.added,
            "changed": entry.changed,
            "removed": None,
        }
    of_transactions = isinstance(product, TransactionsPart)
    id_name = "transaction_id" if of_transactions else "investment_transaction_id"
    for gone in removed_of(product):
        yield name | {
            "entry_id": gone.entry_id,
            "account_id": gone.account_id,
            "source_key": gone.source_key,
            "date": gone.date.isoformat(),
            "pending": 0,
            "data": _text({id_name: gone.entry_id, "account_id": gone.account_id}),
            "original_description": None,
            "added": gone.added,
            "changed": gone.removed,
            "removed": gone.removed,
        }


def _details(name: Named, product: ProductPart) -> Iterator[Named]:
    details: dict[str, Any] = {}
    if isinstance(product, InvestmentsPart):
        details = dict(product.portfolios)
    elif isinstance(product, LiabilitiesPart):
        details = dict(product.liabilities)
    for account_id, detail in details.items():
        yield name | {"account_id": account_id, "data": _text(detail)}


def _names(names: Any) -> str:
    return _text(list(names))


def _text(value: Any) -> str:
    return msgspec.json.encode(value).decode()
