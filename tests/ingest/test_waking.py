"""Who wakes an Item while news of it is brought."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from tests.ingest.pushing import BANK, CUSTOMER, Record, account, lines, of_account
from tests.waking.bank import NOON, WEBHOOK
from treadle.app import open_services
from treadle.areas.treadle_ingest import IngestItemsCreateRequest, post_ingest_items_create
from treadle.bank.rows import ITEM, Item
from treadle.call import ClientCall, Services
from treadle.clients import CLIENT, NewClient, create_client
from treadle.ingest.intake import Intake
from treadle.settings import Settings
from treadle.wire.common import Products


async def bring(services: Services, *brought: Record) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield lines(brought)

    intake = Intake(services.store, services.keys, "shop", NOON)
    await intake.take_lines(body())
    assert not intake.summary.refused


async def share(services: Services) -> str:
    client = await services.store.first(CLIENT, client_id="shop")
    assert client is not None
    call = ClientCall(services, "request", NOON, client)
    request = IngestItemsCreateRequest(
        institution_id=BANK, user_id="ada", products=[Products.AUTH], webhook=WEBHOOK
    )
    shared = await post_ingest_items_create(call, request)
    await call.commit()
    return shared.item_id


async def read(services: Services, item_id: str) -> Item:
    item = await services.store.first(ITEM, item_id=item_id, client_id="shop")
    assert item is not None
    return item


def test_who_wakes_an_item_just_now_starts_anew(url: str, tmp_path: Path) -> None:
    async def test() -> None:
        services = await open_services(Settings(data=tmp_path, database=url, clock=NOON))
        try:
            new = NewClient(client_id="shop", secret="shop", name="shop")
            await create_client(services.store, services.keys, new, NOON)
            await bring(services, *CUSTOMER, account("savings", subtype="savings"))
            item_id = await share(services)
            seen = await read(services, item_id)
            assert seen.is_due(NOON)
            await bring(services, of_account("delete_account", "savings"))
            # What was decided on the Item as it was is not kept.
            assert (await read(services, item_id)).revision > seen.revision
        finally:
            await services.store.close()

    asyncio.run(test())
