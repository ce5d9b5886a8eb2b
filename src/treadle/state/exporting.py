"""From the rows of a world to its document."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from treadle.bank.liability import Liability
from treadle.bank.model import AccountData, Numbers
from treadle.bank.rows import numbers_place
from treadle.bank.updates import login_place
from treadle.call import ClientCall, Services
from treadle.faults.rules import Rule
from treadle.signal.rows import Asked, Assessment, Decision, Return
from treadle.state.document import (
    AccountPart,
    Document,
    EvaluationPart,
    FaultPart,
    InvestmentsPart,
    InvestmentTransactionPart,
    ItemPart,
    LastWebhookPart,
    LiabilitiesPart,
    PortfolioPart,
    ProductPart,
    RemovedEntryPart,
    TokenPart,
    TransactionPart,
    TransactionsPart,
)
from treadle.state.instants import Instant, instant
from treadle.state.parts import Named, named_rows
from treadle.state.world import World
from treadle.webhooks.events import LastWebhook
from treadle.wire.common import InvestmentTransaction, Products, Transaction

T = TypeVar("T")

# An Item and, where a key says so, one of its products.
Grouped = dict[tuple[str, ...], list[Named]]

_PORTFOLIOS = dict[str, PortfolioPart]
_LIABILITIES = dict[str, Liability]


def export_world(call: ClientCall, world: World) -> Document:
    """What the client has, but for what is over: removed Items and tokens that were ended.

    Link's tokens and sessions live for hours and are left out too, and so is what the client did
    as a partner, on Items of others.
    """
    contents = named_rows(world.contents)
    items = _Items(call.services, contents)
    exported = [items.part(row) for row in contents["items"] if row["removed_at"] is None]
    shown = {item.item_id: {one.account_id for one in item.accounts} for item in exported}
    permissions = {
        row["token_id"]: row
        for row in sorted(contents["permissions"], key=lambda row: row["revision"])
    }
    tokens = [
        row
        for row in contents["tokens"]
        if row["ended_at"] is None
        and row["item_id"] in shown
        and (row["account_id"] is None or row["account_id"] in shown[row["item_id"]])
    ]
    tokens.sort(key=lambda row: (row["created_at"], row["token_id"]))
    digests = {row["digest"].hex(): row["token_id"] for row in tokens}
    evaluations = [row for row in contents["signal_evaluations"] if row["item_id"] in shown]
    faults = [
        part
        for row in sorted(contents["faults"], key=lambda row: row["position"])
        if (part := _fault(row, digests)) is not None
    ]
    clock, seed = _settings(call)
    return Document(
        treadle_state=1,
        clock=clock,
        seed=seed,
        counter=world.counter,
        items=exported,
        tokens=[_token(row, permissions.get(row["token_id"])) for row in tokens],
        faults=faults,
        signal_evaluations=[_evaluation(row) for row in evaluations],
    )


def _settings(call: ClientCall) -> tuple[Instant | UnsetType | None, str | UnsetType | None]:
    """The clock and the seed that the client itself has set."""
    worlds = call.services.worlds
    world = worlds.of(call.client)
    clock = Instant(world.clock) if isinstance(world.clock, int) else world.clock
    return clock, world.seed if world.seed is UNSET else worlds.own_seed(call.client)


class _Items:
    def __init__(self, services: Services, contents: dict[str, list[Named]]) -> None:
        self._keys = services.keys
        self._accounts = _grouped(contents["accounts"], "item_id")
        self._updates = _grouped(contents["updates"], "item_id")
        self._entries = _grouped(contents["entries"], "item_id", "product")
        self._details = _grouped(contents["account_details"], "item_id", "product")

    def part(self, row: Named) -> ItemPart:
        item_id = row["item_id"]
        login = self._keys.unseal(row["login"], login_place(item_id))
        told = _optional(row["last_webhook"], LastWebhook)
        accounts = sorted(self._accounts[item_id,], key=lambda one: one["position"])
        return ItemPart(
            item_id=item_id,
            institution_id=row["institution_id"],
            login=_decoded(login, dict[str, Any]) if login else None,
            webhook=row["webhook"],
            available_products=_decoded(row["available_products"], list[Products]),
            billed_products=_decoded(row["billed_products"], list[Products]),
            options=_decoded(row["options"], dict[str, Any]),
            error_code=row["error_code"],
            login_expires_at=instant(row["login_expires_at"]),
            created_at=Instant(row["created_at"]),
            revision=row["revision"],
            last_webhook=LastWebhookPart(sent_at=Instant(told.sent_at), code_sent=told.code_sent)
            if told
            else None,
            wakes_at=instant(row["wakes_at"]),
            accounts=[self._account(one) for one in accounts],
            products=[self._product(one) for one in self._updates[item_id,]],
        )

    def _account(self, row: Named) -> AccountPart:
        account_id, sealed = row["account_id"], row["numbers"]
        data = _decoded(row["data"], AccountData)
        place = numbers_place(row["item_id"], account_id)
        numbers = None if sealed is None else _decoded(self._keys.unseal(sealed, place), Numbers)
        return AccountPart(
            account_id=account_id,
            position=row["position"],
            name=data.name,
            official_name=data.official_name,
            mask=data.mask,
            type=data.type,
            subtype=data.subtype,
            holder_category=data.holder_category,
            balances=data.balances,
            owners=data.owners,
            numbers=numbers,
            verification_status=data.verification_status,
            wrong_codes=data.wrong_codes,
        )

    def _product(self, row: Named) -> ProductPart:
        key = (row["item_id"], row["product"])
        entries = sorted(self._entries[key], key=lambda one: one["changed"])
        live = [one for one in entries if one["removed"] is None]
        details = {
            one["account_id"]: msgspec.Raw(one["data"].encode()) for one in self._details[key]
        }
        progress: dict[str, Any] = {
            "started_at": Instant(row["started_at"]),
            "days_requested": row["days_requested"],
            "updated_at": instant(row["updated_at"]),
            "refreshes": row["refreshes"],
            "sequence": row["sequence"],
            "revision": row["revision"],
            "synced": bool(row["synced"]),
        }
        removed = [_removed(one) for one in entries if one["removed"] is not None]
        match row["product"]:
            case Products.TRANSACTIONS:
                return TransactionsPart(
                    streams=_optional(row["streams"], dict[str, str]),
                    entries=[
                        TransactionPart(data=_decoded(one["data"], Transaction), **_entry(one))
                        for one in live
                    ],
                    removed=removed,
                    **progress,
                )
            case Products.INVESTMENTS:
                return InvestmentsPart(
                    entries=[
                        InvestmentTransactionPart(
                            data=_decoded(one["data"], InvestmentTransaction), **_entry(one)
                        )
                        for one in live
                    ],
                    removed=removed,
                    portfolios=_decoded(msgspec.json.encode(details), _PORTFOLIOS),
                    **progress,
                )
        owed = _decoded(msgspec.json.encode(details), _LIABILITIES)
        return LiabilitiesPart(liabilities=owed, **progress)


def _entry(row: Named) -> dict[str, Any]:
    names = ("added", "changed", "source_key", "original_description")
    return {name: row[name] for name in names}


def _removed(row: Named) -> RemovedEntryPart:
    names = ("entry_id", "account_id", "date", "source_key", "added", "removed")
    return msgspec.convert({name: row[name] for name in names}, RemovedEntryPart)


def _token(row: Named, permissions: Named | None) -> TokenPart:
    products = None if permissions is None else _decoded(permissions["products"], list[Products])
    return TokenPart(
        token_id=row["token_id"],
        kind=row["kind"],
        item_id=row["item_id"],
        account_id=row["account_id"],
        processor=row["processor"],
        webhook=row["webhook"],
        created_at=Instant(row["created_at"]),
        expires_at=instant(row["expires_at"]),
        synced=bool(row["synced"]),
        products=products,
        limits=_optional(row["limits"], dict[str, Any]),
        calls_left=row["calls_left"],
        calls=row["calls"],
        last_used_at=instant(row["last_used_at"]),
    )


def _fault(row: Named, tokens: dict[str, str]) -> FaultPart | None:
    """None for a fault on a token that is no part of the document: it could never strike."""
    rule = _decoded(row["rule"], Rule)
    digest = rule.token_digest
    if digest is not None and digest not in tokens:
        return None
    return FaultPart(
        fault_id=row["fault_id"],
        rule=msgspec.structs.replace(rule, token_digest=None),
        token_id=None if digest is None else tokens[digest],
        seen=row["seen"],
        hits=row["hits"],
        created_at=Instant(row["created_at"]),
    )


def _evaluation(row: Named) -> EvaluationPart:
    return EvaluationPart(
        client_transaction_id=row["client_transaction_id"],
        item_id=row["item_id"],
        account_id=row["account_id"],
        request=_decoded(row["request"], Asked),
        answer=msgspec.json.decode(row["answer"], type=Assessment | None),
        decision=_optional(row["decision"], Decision),
        return_=_optional(row["return"], Return),
        created_at=Instant(row["created_at"]),
    )


def _grouped(rows: list[Named], *names: str) -> Grouped:
    groups: Grouped = defaultdict(list)
    for row in rows:
        groups[tuple(row[name] for name in names)].append(row)
    return groups


def _decoded(text: str | bytes, type_: type[T]) -> T:
    return msgspec.json.decode(text, type=type_)


def _optional(text: str | None, type_: type[T]) -> T | None:
    return None if text is None else _decoded(text, type_)
