"""Items: made by a form, looked at, broken and mended, told of, delegated and removed."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from starlette.responses import Response

from treadle.bank.rows import ACCOUNTS_OF_ITEM, ITEM
from treadle.console.rows import ACCESS_DIGEST, DELEGATIONS_OF_ITEM, ITEMS
from treadle.console.visit import PAGE, NotThere, Visit
from treadle.partners.processors import PROCESSORS
from treadle.wire.sandbox import SandboxItemFireWebhookRequestWebhookCode, WebhookType

_MOST_TOKENS = 100
_USERS = [
    "user_good",
    "user_custom",
    *sorted(
        f"user_{path.name.removesuffix('.json')}"
        for path in files("treadle.sources.sandbox").joinpath("users", "personas").iterdir()
    ),
]


async def show_all(visit: Visit) -> Response:
    found = await visit.all(ITEMS, count=PAGE + 1, offset=visit.offset)
    return visit.page(
        "items.html",
        items=found[:PAGE],
        more=len(found) > PAGE,
        offset=visit.offset,
        institution_name=visit.institution_name,
        done=await visit.recorded(visit.asked("done")),
    )


async def offer(visit: Visit) -> Response:
    institutions = sorted(visit.catalogue, key=lambda one: one.name)
    return visit.page("item_new.html", institutions=institutions, users=_USERS)


async def make(visit: Visit) -> Response:
    """Its access token is shown on this page alone, so none is gone to."""
    named = {
        "override_username": visit.given("username"),
        "override_password": visit.given("password"),
        "webhook": visit.given("webhook"),
    }
    linked = await visit.perform(
        "/sandbox/public_token/create",
        {
            "institution_id": visit.given("institution_id"),
            "initial_products": visit.chosen("products"),
            "options": {name: text for name, text in named.items() if text},
        },
    )
    made = await visit.perform(
        "/item/public_token/exchange", {"public_token": linked["public_token"]}
    )
    return visit.page("item_made.html", item_id=made["item_id"], token=made["access_token"])


async def show(visit: Visit) -> Response:
    item_id = visit.named("item_id")
    item = await visit.first(ITEM, item_id=item_id)
    if item is None:
        raise NotThere("This client has no Item of that id, or it was removed.")
    return visit.page(
        "item.html",
        item=item,
        error_code=item.error_at(visit.now),
        accounts=await visit.all(ACCOUNTS_OF_ITEM, item_id=item_id),
        delegations=await visit.all(DELEGATIONS_OF_ITEM, item_id=item_id, count=_MOST_TOKENS),
        exchanged=await visit.first(ACCESS_DIGEST, item_id=item_id) is not None,
        institution_name=visit.institution_name,
        processors=PROCESSORS,
        webhook_codes=list(SandboxItemFireWebhookRequestWebhookCode),
        webhook_types=list(WebhookType),
        done=await visit.recorded(visit.asked("done")),
    )


async def break_login(visit: Visit) -> Response:
    return _done(visit, await _perform(visit, "/sandbox/item/reset_login"))


async def mend(visit: Visit) -> Response:
    """What its user does in Link, opened to repair the Item."""
    begun = await _perform(
        visit,
        "/link/token/create",
        client_name="Console",
        language="en",
        country_codes=["US"],
        user={"client_user_id": "console"},
    )
    return _done(
        visit,
        await visit.perform("/treadle/sandbox/link/run", {"link_token": begun["link_token"]}),
    )


async def set_webhook(visit: Visit) -> Response:
    answer = await _perform(visit, "/item/webhook/update", webhook=visit.given("webhook"))
    return _done(visit, answer)


async def fire(visit: Visit) -> Response:
    kind = {"webhook_type": visit.given("webhook_type")} if visit.given("webhook_type") else {}
    answer = await _perform(
        visit, "/sandbox/item/fire_webhook", webhook_code=visit.given("webhook_code"), **kind
    )
    return _done(visit, answer)


async def mint(visit: Visit) -> Response:
    """The processor token is shown on this page alone, so none is gone to."""
    processor = visit.given("processor")
    minted = await _perform(
        visit, "/processor/token/create", account_id=visit.given("account_id"), processor=processor
    )
    return visit.page(
        "token_minted.html",
        item_id=visit.named("item_id"),
        token=minted["processor_token"],
        processor=PROCESSORS[processor],
    )


async def remove(visit: Visit) -> Response:
    return visit.done("/items", await _perform(visit, "/item/remove"))


async def _perform(visit: Visit, path: str, **fields: Any) -> Any:
    """Carry out an operation that takes the Item's access token, which nobody here has."""
    item_id = visit.named("item_id")
    digest = await visit.first(ACCESS_DIGEST, item_id=item_id)
    if digest is None:
        raise NotThere("This client has no Item of that id with an access token.")
    return await visit.perform(path, {"access_token": item_id, **fields}, token_digest=digest)


def _done(visit: Visit, answer: Any) -> Response:
    return visit.done(f"/items/{visit.named('item_id')}", answer)
