"""Statements that are imported, on the command line and over HTTP, and what apps see of them."""

from __future__ import annotations

import json
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.events.hearing import Ear
from tests.importing.reading import FILES
from tests.ingest.pushing import BANK, CUSTOMER, Item, Operator
from tests.promises.database import query
from tests.support import preloaded
from tests.support.raw import Answer, run_cli
from tests.support.server import Server

ALL_DAYS = 730
MAPPING = json.dumps(
    {"date": "Date", "description": ["Text"], "amount": "Amount", "currency_code": "USD"}
)


def ofx(*entries: str, account: str = "1234567890", balance: str = "3990.50") -> str:
    return (
        "<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS><CURDEF>USD"
        f"<BANKACCTFROM><BANKID>121000248<ACCTID>{account}<ACCTTYPE>CHECKING</BANKACCTFROM>"
        f"<BANKTRANLIST>{''.join(entries)}</BANKTRANLIST>"
        f"<LEDGERBAL><BALAMT>{balance}<DTASOF>20260228</LEDGERBAL>"
        "</STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>"
    )


def entry(bank_id: str, amount: str = "-4.75", day: str = "20260215", rest: str = "") -> str:
    return (
        f"<STMTTRN><TRNTYPE>DEBIT<DTPOSTED>{day}<TRNAMT>{amount}<FITID>{bank_id}"
        f"<NAME>COPPER KETTLE{rest}</STMTTRN>"
    )


def upload(bank: Operator, content: bytes, **query_: str) -> Answer:
    return bank.send(
        "/treadle/import", content, "application/octet-stream", **{"user_id": "ada", **query_}
    )


def counts(answer: Answer) -> dict[str, int]:
    assert answer.status == 200, answer.raw
    return {name: one for name, one in answer.body.items() if name != "request_id" and one}


class Both:
    """Imports over HTTP and on the command line in turn, which must come to the same."""

    def __init__(self, server: Server, bank: Operator, folder: Path) -> None:
        self._server, self._bank, self._folder = server, bank, folder
        self._times = 0

    def __call__(self, content: str, **asked: str) -> str:
        self._times += 1
        if self._times % 2:
            return self.over_http(content, **asked)
        return self.by_command(content, **asked)

    def over_http(self, content: str, **asked: str) -> str:
        told = counts(upload(self._bank, content.encode(), **asked))
        words = {
            "accounts_added": "new accounts",
            "accounts_changed": "accounts changed",
            "added": "added",
            "modified": "modified",
            "removed": "removed",
        }
        listed = [f"{told[name]} {text}" for name, text in words.items() if name in told]
        return f"{', '.join(listed) or 'no change'}; {told.get('unchanged', 0)} as they were"

    def by_command(self, content: str, **asked: str) -> str:
        result = self.command(content, **asked)
        assert result.returncode == 0, result.stderr
        return str(result.stdout).strip().removeprefix("would be: ")

    def command(self, content: str, **asked: str) -> Any:
        file = self._folder / "statement"
        file.write_text(content)
        options = ["--client", self._bank.client_id, "--user", asked.get("user_id", "ada")]
        if "institution_id" in asked:
            options += ["--institution", asked["institution_id"]]
        if "dry_run" in asked:
            options.append("--dry-run")
        if "mapping" in asked:
            (self._folder / "mapping").write_text(asked["mapping"])
            options += ["--mapping", str(self._folder / "mapping")]
        return run_cli(self._server, "import", str(file), *options)


@pytest.fixture
def bring(server: Server, bank: Operator, tmp_path: Path) -> Both:
    return Both(server, bank, tmp_path)


def link(bank: Operator, *products: str, **options: Any) -> Item:
    return bank.share(
        *(products or ["transactions"]),
        institution_id=options.pop("institution_id", "statements"),
        days_requested=ALL_DAYS,
        **options,
    )


def test_importing_again_brings_what_differs(
    bank: Operator, bring: Both, ear: Callable[[str], Ear]
) -> None:
    ours = ear("statements")
    before = ofx(entry("1"), entry("2"), entry("3"))
    after = ofx(
        entry("1"),
        entry("2", "-5.75"),
        entry("3c", rest="<CORRECTFITID>3<CORRECTACTION>DELETE"),
        entry("4"),
        balance="3980.25",
    )
    assert bring(before, dry_run="true") == "1 new accounts, 3 added; 0 as they were"
    assert bring(before) == "1 new accounts, 3 added; 0 as they were"
    assert bring(before) == "no change; 3 as they were"
    item = link(bank, "auth", "transactions", webhook=ours.url)
    known = bank.sync(item)
    assert [one["amount"] for one in known["added"]] == [4.75] * 3
    numbers = bank.post("/auth/get", access_token=item.access_token)["numbers"]
    assert [(one["account"], one["routing"]) for one in numbers["ach"]] == [
        ("1234567890", "121000248")
    ]
    ours.hear("TRANSACTIONS:INITIAL_UPDATE", "TRANSACTIONS:HISTORICAL_UPDATE")
    expected = "1 accounts changed, 1 added, 1 modified, 1 removed; 1 as they were"
    assert bring(after, dry_run="true") == expected
    ours.hear()
    assert bring(after) == expected
    ours.hear(
        "TRANSACTIONS:DEFAULT_UPDATE",
        "TRANSACTIONS:TRANSACTIONS_REMOVED",
        "TRANSACTIONS:SYNC_UPDATES_AVAILABLE",
    )
    # What is taken back already counts as it was.
    again = "no change; 4 as they were"
    news = bank.sync(item, known["next_cursor"])
    assert [len(news[name]) for name in ("added", "modified", "removed")] == [1, 1, 1]
    assert news["accounts"][0]["balances"]["current"] == 3980.25
    assert bring(after) == again
    # What is older than what is known brings no balance back.
    assert bring(ofx(entry("0", day="20250101"), balance="1")) == "1 added; 0 as they were"
    shown = bank.post("/accounts/get", access_token=item.access_token)["accounts"]
    assert shown[0]["balances"]["current"] == 3980.25


@pytest.mark.parametrize(
    ("name", "products"),
    [
        ("ofx/investment_401k.ofx", ["investments"]),
        ("ofx/multiple_accounts.ofx", ["transactions"]),
        ("camt/statement.xml", ["transactions"]),
        ("mt940/abnamro.sta", ["transactions"]),
        ("csv/european.csv", ["transactions"]),
    ],
)
def test_every_format_is_read_by_a_partner(bank: Operator, name: str, products: list[str]) -> None:
    content = (FILES / name).read_bytes()
    told = counts(upload(bank, content))
    assert told["accounts_added"] > 0
    assert counts(upload(bank, content)).get("unchanged", 0) == told.get("added", 0)
    item = link(bank, *products)
    minted = bank.post(
        "/processor/token/create",
        access_token=item.access_token,
        account_id=next(iter(item.accounts.values())),
        processor="dwolla",
    )
    path = "investments/holdings" if products == ["investments"] else "transactions"
    read = "/processor/transactions/sync" if path == "transactions" else f"/processor/{path}/get"
    assert bank.post(read, processor_token=minted["processor_token"]).status == 200


def test_faulty_file_leaves_no_trace(bank: Operator, server: Server, bring: Both) -> None:
    good = ["2026-02-01,COFFEE,-4.75"] * 1_500
    faulty = "\n".join(["Date,Text,Amount", *good, "2026-02-30,TEA,-2"])
    for problem in (
        upload(bank, faulty.encode(), mapping=MAPPING).body["error_message"],
        bring.command(faulty, mapping=MAPPING).stderr,
    ):
        assert "line 1502, Date" in problem
        assert "2026-02-30" in problem
    assert upload(bank, b"PK\x03\x04").body["error_code"] == "INVALID_BODY"
    assert "archive" in upload(bank, b"PK\x03\x04").body["error_message"]
    for unknown in (upload(bank, ofx(entry("1")).encode(), institution_id="nowhere"),):
        assert "no institution nowhere" in unknown.body["error_message"]
    assert "no institution" in bring.command(ofx(entry("1")), institution_id="nowhere").stderr
    for table in ("stored_users", "stored_accounts", "stored_entries", "stored_institutions"):
        assert query(server, f"SELECT * FROM {table} WHERE client_id = '{bank.client_id}'") == []


def test_users_share_nothing_even_with_the_same_number(bank: Operator, bring: Both) -> None:
    bank.push(*CUSTOMER)
    ours, theirs = ofx(entry("1")), ofx(entry("2"))
    assert "1 new accounts" in bring(ours, institution_id=BANK)
    assert "1 new accounts, 1 added" in bring(theirs, institution_id=BANK, user_id="bob")
    mine = link(bank, institution_id=BANK)
    assert len(mine.accounts) == 2
    assert len(bank.sync(mine)["added"]) == 1
    assert len(link(bank, institution_id=BANK, user_id="bob").accounts) == 1


def test_what_is_pending_no_more_goes(bank: Operator) -> None:
    january = (FILES / "camt/statement.xml").read_text().replace("2024-", "2026-")
    (*_, waiting, _) = re.findall("<Ntry>.*?</Ntry>", january, re.DOTALL)
    assert "PDNG" in waiting
    assert counts(upload(bank, january.encode())) == {"accounts_added": 1, "added": 3}
    item = link(bank)
    first = bank.sync(item)
    [pending] = [one["transaction_id"] for one in first["added"] if one["pending"]]
    # What ends before its day tells nothing of it.
    assert counts(upload(bank, january.replace(waiting, "").encode())) == {"unchanged": 2}
    posted = waiting.replace("PDNG", "BOOK").replace("CARD PAYMENT", "CARD PAYMENT BAKERY")
    later = january.replace(waiting, posted).encode()
    assert counts(upload(bank, later)) == {"added": 1, "removed": 1, "unchanged": 2}
    news = bank.sync(item, first["next_cursor"])
    assert [one["transaction_id"] for one in news["removed"]] == [pending]
    assert [one["pending"] for one in news["added"]] == [False]


@pytest.mark.slow
def test_killed_while_importing(bank: Operator, server: Server, tmp_path: Path) -> None:
    rows = 30_000
    file = tmp_path / "large.csv"
    file.write_text(
        "Date,Text,Amount\n"
        + "".join(f"2026-01-{1 + row % 28:02},SHOP {row},-{row % 90}.25\n" for row in range(rows))
    )
    (tmp_path / "mapping").write_text(MAPPING)
    arguments = ["import", str(file), "--client", bank.client_id, "--user", "ada"]
    arguments += ["--mapping", str(tmp_path / "mapping"), "--data", str(server.data)]
    if "--database" in server.args:
        arguments += ["--database", server.args[server.args.index("--database") + 1]]

    def kept() -> int:
        sql = f"SELECT count(*) AS n FROM stored_entries WHERE client_id = '{bank.client_id}'"
        return int(query(server, sql)[0]["n"])

    program = preloaded.start(arguments, {}, tmp_path / "log")
    deadline = time.monotonic() + 60
    while kept() == 0:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    program.send_signal(signal.SIGKILL)
    program.wait(10)
    part = kept()
    assert 0 < part < rows
    resumed = preloaded.run(*arguments)
    assert resumed.returncode == 0, resumed.stderr
    assert resumed.stdout == f"{rows - part:,} added; {part:,} as they were\n"
    assert kept() == rows
