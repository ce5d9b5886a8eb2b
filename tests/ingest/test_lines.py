"""Lines of bank data: what is taken, what is refused, and that nothing comes twice."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import jsonschema
import msgspec
import pytest

from tests.ingest.pushing import (
    BANK,
    COUNTS,
    CUSTOMER,
    PASSWORD_HASH,
    Operator,
    Record,
    account,
    institution,
    lines,
    of_account,
    operator,
    transaction,
    user,
)
from tests.promises.database import query
from tests.support.server import Server
from treadle.ingest.records import AnyRecord

SECURITY = {"record": "security", "institution_id": BANK, "security_id": "acme"}
BROKERAGE = account("brokerage", type="investment", subtype="brokerage")
EVERYTHING: list[Record] = [
    institution(url="https://bank.example", primary_color="#004488"),
    user(username="ada", password_hash=PASSWORD_HASH),
    account(
        numbers={"ach": {"account": "1111222233330000", "routing": "011401533"}},
        owners=[{"names": ["Ada Example"], "emails": [{"data": "ada@example.com"}]}],
    ),
    BROKERAGE,
    account("card", type="credit", subtype="credit card"),
    of_account("balances", balances={"current": "0.10", "iso_currency_code": "USD"}),
    of_account("owners", owners=[{"names": ["Ada Example", "Bea Example"]}]),
    transaction("t1", "99999999999.9999"),
    transaction(
        "t2", -3, pending=True, authorized_date="2026-02-19", merchant_name="Copper Kettle"
    ),
    SECURITY | {"name": "Acme", "type": "equity", "close_price": 12.25},
    of_account(
        "holdings",
        "brokerage",
        holdings=[
            {
                "security_id": "acme",
                "quantity": 2,
                "institution_price": 12.25,
                "institution_value": 24.5,
            }
        ],
    ),
    of_account(
        "investment_transaction",
        "brokerage",
        investment_transaction_id="buy",
        date="2026-02-01",
        name="BUY ACME",
        amount=24.5,
        type="buy",
        subtype="buy",
        quantity=2,
        security_id="acme",
    ),
    of_account("liability", "card", liability={"type": "credit", "minimum_payment_amount": 25}),
]
DELETIONS = [
    of_account("delete_transaction", transaction_id="t1"),
    of_account("delete_investment_transaction", "brokerage", investment_transaction_id="buy"),
    of_account("delete_liability", "card"),
    of_account("delete_account", "brokerage"),
    {"record": "delete_user", "institution_id": BANK, "user_id": "ada"},
]


def test_what_was_brought_is_not_brought_twice(bank: Operator, server: Server) -> None:
    # Four of them are changes of accounts that came before.
    assert bank.push(*EVERYTHING) == {"added": 9, "changed": 4}
    known = query(server, f"SELECT * FROM stored_entries WHERE client_id = '{bank.client_id}'")
    assert len(known) == 3
    whole = [one for one in EVERYTHING if one["record"] not in ("balances", "owners")]
    # The account's own record takes its balances and owners back.
    assert bank.push(*whole) == {"unchanged": len(whole) - 1, "changed": 1}
    assert bank.push(*whole, atomic="true") == {"unchanged": len(whole)}
    assert bank.push(*DELETIONS) == {"deleted": len(DELETIONS)}
    assert bank.push(*DELETIONS[:-1]) == {"unchanged": len(DELETIONS) - 1}


def test_absent_members_of_an_account_stay_as_they_are(bank: Operator) -> None:
    bank.push(*EVERYTHING)
    brief = {name: one for name, one in account().items() if name != "balances"}
    assert bank.push(brief) == {"unchanged": 1}
    assert bank.push(brief | {"name": "Savings"}) == {"changed": 1}
    item = bank.share("auth")
    shown = bank.post("/auth/get", access_token=item.access_token)
    assert shown["numbers"]["ach"][0]["account"] == "1111222233330000"
    assert shown["accounts"][0]["balances"]["current"] == 0.1
    assert bank.push(brief | {"name": "Savings", "numbers": None}) == {"changed": 1}


@pytest.mark.parametrize("atomic", ["false", "true"])
def test_faulty_lines_are_named_and_leave_no_trace(
    bank: Operator, server: Server, atomic: str
) -> None:
    bank.push(*CUSTOMER)
    faulty: dict[int, tuple[bytes, str]] = {
        2: (b"{", "is not a JSON object in UTF-8"),
        3: (b'{"record": "\xff"}', "is not a JSON object in UTF-8"),
        4: (lines([transaction("x", "0.12345678901234567")])[:-1], "15 significant digits"),
        6: (lines([transaction("x", account_id="nobody's")])[:-1], "there is no account nobody's"),
        7: (lines([transaction("x", institution_id="far")])[:-1], "there is no institution far"),
        8: (lines([transaction("x", date="2026-02-30")])[:-1], "date"),
        9: (lines([transaction("x", surprise=1)])[:-1], "surprise"),
        10: (b'{"record": "transaction", "description": "%s"}' % (b"x" * 1_048_576), "1048576"),
        11: (lines([user("bob", password_hash=PASSWORD_HASH)])[:-1], "username"),
        12: (b'{"record": ' * 50_000, "is not a JSON object in UTF-8"),
        13: (lines([transaction("x", description="\0")])[:-1], "description"),
        14: (lines([SECURITY | {"close_price": 1e15}])[:-1], "below 10 to the 15th"),
    }
    good = {1: transaction("first"), 15: transaction("last", -0.0), 16: transaction("first")}
    body = b"".join(
        (
            faulty[number][0]
            if number in faulty
            else lines([good[number]] if number in good else [])
        ).rstrip(b"\n")
        + b"\n"
        for number in range(1, 17)
    )
    answer = bank.ingest(body, atomic=atomic)
    entries = query(
        server, f"SELECT entry_key FROM stored_entries WHERE client_id = '{bank.client_id}'"
    )
    if atomic == "true":
        assert answer.code == "INVALID_BODY"
        problem = answer.body["error_message"]
        assert "line 2" in problem
        assert f"{len(faulty) - 1} more" in problem
        assert entries == []
        return
    assert {name: answer[name] for name in COUNTS} == {
        "added": 2,
        "changed": 0,
        "unchanged": 1,
        "deleted": 0,
        "refused": len(faulty),
    }
    told = {one["line"]: one["problem"] for one in answer["problems"]}
    assert list(told) == list(faulty)
    for number, (_, problem) in faulty.items():
        assert problem in told[number], told[number]
    assert sorted(one["entry_key"] for one in entries) == ["first", "last"]
    item = bank.share()
    # There is no negative zero.
    assert sorted(str(one["amount"]) for one in bank.sync(item)["added"]) == ["0.0", "12.5"]


def test_a_record_makes_sense_by_what_is_there(bank: Operator) -> None:
    """Each of these is refused, and none of them changes anything."""
    bank.push(*EVERYTHING)
    refused = {
        "user_ids": account("new", "nobody"),
        "that of another user": user("bob", username="ada"),
        "$scrypt$": user("bob", username="bob", password_hash="$scrypt$weak"),
        "type investment": of_account("holdings", holdings=[]),
        "there is no security": of_account(
            "investment_transaction",
            "brokerage",
            investment_transaction_id="buy",
            date="2026-02-01",
            name="BUY",
            amount=1,
            type="buy",
            subtype="buy",
            security_id="unknown",
        ),
        "without liabilities": of_account("liability", liability={"type": "credit"}),
        "pending no more": transaction("x", pending=True, pending_transaction_id="t2"),
        "another transaction": transaction("x", pending_transaction_id="x"),
        "categories": transaction("x", personal_finance_category={"detailed": "FUN"}),
        "exclude each other": transaction(
            "x", iso_currency_code="USD", unofficial_currency_code="BTC"
        ),
        "1900": transaction("x", date="1899-12-31"),
    }
    answer = bank.ingest(lines(refused.values()))
    assert answer["refused"] == len(refused)
    for expected, told in zip(refused, answer["problems"], strict=True):
        assert expected in told["problem"]
    assert bank.push(EVERYTHING[-1]) == {"unchanged": 1}


def test_many_lines_at_once_from_several_senders(bank: Operator, server: Server) -> None:
    """Senders of the same lines, in batches that collide, bring each of them once."""
    bank.push(*CUSTOMER)
    many = lines(transaction(f"t{number}", number) for number in range(2_500))
    with ThreadPoolExecutor(3) as senders:
        others = [Operator(server.url, bank.client_id, bank.secret) for _ in range(3)]
        answers = list(senders.map(lambda one: one.ingest(many), others))
    assert [one["refused"] for one in answers] == [0, 0, 0]
    assert sum(one["added"] for one in answers) == 2_500
    assert sum(one["unchanged"] for one in answers) == 5_000
    [counted] = query(
        server, f"SELECT count(*) n FROM stored_entries WHERE client_id = '{bank.client_id}'"
    )
    assert counted["n"] == 2_500


def test_nobody_else_sees_what_a_client_brought(bank: Operator, server: Server) -> None:
    bank.push(*EVERYTHING)
    stranger = operator(server)
    assert stranger.ingest(lines([transaction("t9")]))["refused"] == 1
    assert stranger.push(*CUSTOMER, transaction("t1", 5)) == {"added": 4}
    stranger.push(DELETIONS[0])
    shown = {one["amount"] for one in bank.sync(bank.share())["added"]}
    assert shown == {99999999999.9999, -3.0}
    found = stranger.post(
        "/institutions/get_by_id",
        institution_id=BANK,
        country_codes=["US"],
        options={"include_optional_metadata": True},
    )
    assert found["institution"]["url"] is None
    stranger.close()


def test_numbers_and_descriptions_are_in_no_log_and_numbers_sealed(
    bank: Operator, server: Server
) -> None:
    account_number = "4455667788990011"
    bank.push(
        institution(),
        user(),
        account(numbers={"ach": {"account": account_number, "routing": "011401533"}}),
    )
    bank.ingest(lines([account(numbers={"ach": {"account": account_number}})]))
    bank.ingest(account_number.encode())
    assert account_number not in server.log()
    for table in ("stored_accounts", "stored_entries", "audit", "requests"):
        rows = query(server, f"SELECT * FROM {table} WHERE client_id = '{bank.client_id}'")
        assert account_number not in str(rows)


def test_requests_that_are_no_lines(bank: Operator, server: Server) -> None:
    wrong = Operator(server.url, bank.client_id, "wrong")
    assert wrong.ingest(b"").code == "INVALID_API_KEYS"
    wrong.close()
    assert bank.ingest(b"", atomic="perhaps").code == "INVALID_FIELD"
    assert bank.post("/treadle/ingest").code != "OK"
    too_many = lines(transaction(str(number)) for number in range(10_001))
    assert "10000 lines" in bank.ingest(too_many, atomic="true").body["error_message"]
    assert bank.push() == {}


def test_published_schema_tells_what_is_taken(bank: Operator) -> None:
    schema = bank.get("/treadle/ingest/schema")["schema"]
    validator = jsonschema.Draft202012Validator(schema)
    for record in EVERYTHING + DELETIONS:
        validator.validate(record)
        assert msgspec.json.decode(json.dumps(record), type=AnyRecord)
        for broken in (
            record | {"record": "surprise"},
            record | {"surprise": 1},
            {name: one for name, one in record.items() if name != "institution_id"},
        ):
            assert not validator.is_valid(broken)
            with pytest.raises(msgspec.ValidationError):
                msgspec.json.decode(json.dumps(broken), type=AnyRecord)
