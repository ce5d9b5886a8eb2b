"""What time does to an Item is done and told without anyone asking."""

from __future__ import annotations

from typing import Any

from tests.control.plane import Planned
from tests.promises.database import records
from tests.support.link import link_token, run
from tests.support.receiver import Receiver
from tests.support.server import Server
from tests.waking.listening import codes, create, hear, item_row, owed, settle, update_rows

MATCHING_BANK = "ins_109512"
DEPOSITS = {"institution_id": MATCHING_BANK, "override_password": "microdeposits_good"}
BY_NUMBERS = {"auth": {"same_day_microdeposits_enabled": True}}
DAILY = {"override_username": "user_transactions_dynamic", "override_password": "any"}


def advance(app: Planned, **by: int) -> None:
    assert app.sandbox("clock/advance", **by).code == "OK"


def status(app: Planned, access_token: str) -> str:
    [account] = app.post("/accounts/get", access_token=access_token)["accounts"]
    return str(account["verification_status"])


def test_a_login_that_ran_out_is_told_without_a_call(
    server: Server, app: Planned, receiver: Receiver
) -> None:
    _, item_id = create(app, "auth", webhook=receiver.url)
    advance(app, days=29, hours=23, minutes=59)
    settle(server, app)
    assert codes(receiver, item_id) == []
    advance(app, minutes=1)
    hear(receiver, item_id, "ITEM:ERROR")
    [row] = owed(server, app)
    assert row["told"]["error"]["error_code"] == "ITEM_LOGIN_REQUIRED"
    assert row["told"]["environment"] == "sandbox"
    for _ in range(3):
        advance(app, days=1)
        settle(server, app)
    assert len(owed(server, app)) == 1
    assert item_row(server, item_id)["wakes_at"] is None


def test_who_is_on_record_for_it(server: Server, app: Planned) -> None:
    _, item_id = create(app, "auth")
    advance(app, days=30)
    settle(server, app)
    last = records(server, app.client_id)[-1]
    assert (last["item_id"], last["actor"]) == (item_id, "treadle")


def test_the_next_call_does_what_is_due(server: Server, app: Planned) -> None:
    items = [create(app, "auth", webhook="http://127.0.0.1:9/hook") for _ in range(30)]
    advance(app, days=30)
    # Nobody waits for the background to come this far.
    access_token, item_id = items[-1]
    assert app.post("/accounts/get", access_token=access_token).code == "ITEM_LOGIN_REQUIRED"
    assert item_row(server, item_id)["error_code"] == "ITEM_LOGIN_REQUIRED"
    assert [row["item_id"] for row in owed(server, app)].count(item_id) == 1
    settle(server, app)
    assert sorted(row["item_id"] for row in owed(server, app)) == sorted(one for _, one in items)


def test_a_webhook_set_later_hears_nothing_of_what_was_before(
    server: Server, app: Planned, receiver: Receiver
) -> None:
    access_token, item_id = create(app, "auth")
    advance(app, days=31)
    app.post("/item/webhook/update", access_token=access_token, webhook=receiver.url)
    hear(receiver, item_id, "ITEM:WEBHOOK_UPDATE_ACKNOWLEDGED")
    settle(server, app)
    assert len(owed(server, app)) == 1


def test_a_repaired_login_runs_out_again(server: Server, app: Planned, receiver: Receiver) -> None:
    access_token, item_id = create(app, "auth", institution_id="ins_109511", webhook=receiver.url)
    advance(app, days=30)
    hear(receiver, item_id, "ITEM:ERROR")
    run(app, link_token(app, access_token=access_token, products=None))
    advance(app, days=29)
    settle(server, app)
    assert codes(receiver, item_id).count("ITEM:ERROR") == 1
    advance(app, days=1)
    hear(receiver, item_id, "ITEM:ERROR", 2)


def test_a_login_that_was_reset_is_told_once(
    server: Server, app: Planned, receiver: Receiver
) -> None:
    access_token, item_id = create(app, "auth", webhook=receiver.url)
    app.post("/sandbox/item/reset_login", access_token=access_token)
    hear(receiver, item_id, "ITEM:ERROR")
    advance(app, days=40)
    settle(server, app)
    assert [row["told"]["webhook_code"] for row in owed(server, app)] == ["ERROR"]


def test_products_come_without_a_read(server: Server, app: Planned, receiver: Receiver) -> None:
    access_token, item_id = create(app, "transactions", webhook=receiver.url, **DAILY)
    hear(receiver, item_id, "TRANSACTIONS:INITIAL_UPDATE")
    hear(receiver, item_id, "TRANSACTIONS:HISTORICAL_UPDATE")
    synced = app.post("/transactions/sync", access_token=access_token, count=500)
    advance(app, days=1)
    hear(receiver, item_id, "TRANSACTIONS:DEFAULT_UPDATE")
    [row] = update_rows(server, item_id)
    again = app.post(
        "/transactions/sync", access_token=access_token, cursor=synced["next_cursor"], count=500
    )
    assert again["added"]
    # The read found what the night had brought.
    assert update_rows(server, item_id) == [row | {"synced": 1}]


def test_all_that_an_item_was_made_with_is_kept_up_to_date(
    server: Server, app: Planned, receiver: Receiver
) -> None:
    _, item_id = create(app, "investments", "liabilities", webhook=receiver.url)
    settle(server, app)
    assert [row["product"] for row in update_rows(server, item_id)] == [
        "investments",
        "liabilities",
    ]
    assert all(row["updated_at"] for row in update_rows(server, item_id))


def test_what_nobody_listens_for_is_left_to_who_reads(
    server: Server, app: Planned, receiver: Receiver
) -> None:
    _, quiet = create(app, "transactions")
    _, heard = create(app, "transactions", webhook=receiver.url)
    advance(app, days=2)
    settle(server, app)
    assert update_rows(server, heard)[0]["updated_at"] is not None
    assert update_rows(server, quiet)[0]["updated_at"] is None


def test_a_partner_that_listens_is_enough(server: Server, app: Planned, receiver: Receiver) -> None:
    linked = app.link("transactions", **DAILY)
    app.post(
        "/processor/token/webhook/update",
        processor_token=app.mint(linked),
        webhook=receiver.url,
    )
    settle(server, app)
    before = update_rows(server, linked.item_id)[0]["updated_at"]
    advance(app, days=1)
    settle(server, app)
    assert before < update_rows(server, linked.item_id)[0]["updated_at"]


def test_a_webhook_that_is_set_hears_at_once(
    server: Server, app: Planned, receiver: Receiver
) -> None:
    access_token, item_id = create(app, "transactions", **DAILY)
    advance(app, days=5)
    settle(server, app)
    app.post("/item/webhook/update", access_token=access_token, webhook=receiver.url)
    hear(receiver, item_id, "TRANSACTIONS:INITIAL_UPDATE")
    assert update_rows(server, item_id)[0]["updated_at"] is not None


def test_an_item_in_error_is_not_updated(server: Server, app: Planned, receiver: Receiver) -> None:
    access_token, item_id = create(app, "transactions", webhook=receiver.url, **DAILY)
    settle(server, app)
    app.post("/sandbox/item/reset_login", access_token=access_token)
    before = update_rows(server, item_id)
    advance(app, days=2)
    settle(server, app)
    assert update_rows(server, item_id) == before


def test_a_repaired_item_is_updated_again(server: Server, app: Planned, receiver: Receiver) -> None:
    access_token, item_id = create(app, "transactions", webhook=receiver.url)
    settle(server, app)
    app.post("/sandbox/item/reset_login", access_token=access_token)
    settle(server, app)
    before = update_rows(server, item_id)[0]["updated_at"]
    run(app, link_token(app, access_token=access_token, products=None))
    advance(app, days=1)
    settle(server, app)
    assert before < update_rows(server, item_id)[0]["updated_at"]


def test_a_removed_item_never_wakes(server: Server, app: Planned) -> None:
    access_token, item_id = create(app, "auth", webhook="http://127.0.0.1:9/hook")
    app.post("/item/remove", access_token=access_token)
    advance(app, days=40)
    settle(server, app)
    assert item_row(server, item_id)["error_code"] is None
    assert owed(server, app) == []
    assert app.post("/item/get", access_token=access_token).code == "ITEM_NOT_FOUND"


def test_automatic_deposits_arrive_after_a_day(
    server: Server, app: Planned, receiver: Receiver
) -> None:
    access_token, item_id = create(app, "auth", webhook=receiver.url, **DEPOSITS)
    advance(app, hours=23, minutes=59)
    settle(server, app)
    assert app.post("/auth/get", access_token=access_token).code == "PRODUCT_NOT_READY"
    advance(app, minutes=1)
    hear(receiver, item_id, "AUTH:AUTOMATICALLY_VERIFIED")
    assert status(app, access_token) == "automatically_verified"
    advance(app, days=7)
    settle(server, app)
    assert codes(receiver, item_id) == ["AUTH:AUTOMATICALLY_VERIFIED"]


def test_automatic_deposits_need_no_listener(app: Planned) -> None:
    access_token, _ = create(app, "auth", **DEPOSITS)
    advance(app, days=1)
    [ach] = app.post("/auth/get", access_token=access_token)["numbers"]["ach"]
    assert ach["account"] == "1111222233330000"


def by_numbers(app: Planned, **fields: Any) -> tuple[str, str]:
    """An Item whose only account waits for the code of a deposit."""
    result = run(app, link_token(app, **BY_NUMBERS, **fields), account_number="1111222233330000")
    exchanged = app.exchange(result["public_token"])
    return exchanged["access_token"], exchanged["item_id"]


def test_a_code_is_awaited_for_a_week(server: Server, app: Planned, receiver: Receiver) -> None:
    access_token, item_id = by_numbers(app, webhook=receiver.url)
    advance(app, days=6, hours=23)
    settle(server, app)
    assert status(app, access_token) == "pending_manual_verification"
    advance(app, hours=1)
    hear(receiver, item_id, "AUTH:VERIFICATION_EXPIRED")
    assert status(app, access_token) == "verification_expired"


def test_a_code_that_came_in_time_expires_nothing(
    server: Server, app: Planned, receiver: Receiver
) -> None:
    access_token, item_id = by_numbers(app, webhook=receiver.url)
    run(app, link_token(app, access_token=access_token, products=None), deposit_code="abc")
    advance(app, days=8)
    settle(server, app)
    assert status(app, access_token) == "manually_verified"
    assert "AUTH:VERIFICATION_EXPIRED" not in codes(receiver, item_id)


def test_many_expire_once_each(server: Server, app: Planned) -> None:
    items = [create(app, "auth", webhook="http://127.0.0.1:9/hook") for _ in range(20)]
    # Some are asked for while they are woken.
    advance(app, days=30)
    for access_token, _ in items[::3]:
        app.post("/item/get", access_token=access_token)
    settle(server, app)
    told = [row["item_id"] for row in owed(server, app)]
    assert sorted(told) == sorted(item_id for _, item_id in items)
