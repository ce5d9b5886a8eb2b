"""Importing again: the same keys for what is the same, and others for what is not."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.importing.reading import BANK_MAPPING, read, read_bytes
from treadle.importing.csv_mapping import Mapping
from treadle.importing.keys import account_key
from treadle.importing.statement import StatementRemoval

ALL: list[tuple[str, Mapping | None]] = [
    ("ofx/checking.ofx", None),
    ("ofx/fidelity.ofx", None),
    ("camt/statement.xml", None),
    ("mt940/abnamro.sta", None),
    ("csv/bank.csv", BANK_MAPPING),
]


@pytest.mark.parametrize(("name", "mapping"), ALL, ids=[name for name, _ in ALL])
def test_the_same_file_has_the_same_keys(name: str, mapping: Mapping | None) -> None:
    first, second = read(name, mapping), read(name, mapping)
    assert first.entries == second.entries
    keys = [one.key for one in first.moves]
    assert len(set(keys)) == len(keys) > 0


def test_two_equal_purchases_of_a_day_stay_two() -> None:
    first, second, _ = read("csv/bank.csv", BANK_MAPPING).transactions
    assert first.key != second.key
    assert (first.date, first.amount, first.description) == (
        second.date,
        second.amount,
        second.description,
    )


rows = st.lists(
    st.tuples(
        st.dates(dt.date(1901, 1, 1), dt.date(2190, 1, 1)),
        st.integers(-99_999, 99_999),
        st.sampled_from(["CAFE", "SHOP, LTD", 'THE "PUB"', "=1+2", "-"]),
    ),
    max_size=20,
)


def csv_of(told: list[tuple[dt.date, int, str]]) -> bytes:
    lines = ["Posting Date,Description,Amount,Balance"]
    for day, cents, text in told:
        quoted = text.replace('"', '""')
        lines.append(f'{day:%m/%d/%Y},"{quoted}",{cents / 100:.2f},')
    return "\n".join(lines).encode()


@given(rows, rows)
def test_a_longer_file_keeps_the_keys_of_the_shorter(
    told: list[tuple[dt.date, int, str]], more: list[tuple[dt.date, int, str]]
) -> None:
    short = read_bytes(csv_of(told), BANK_MAPPING).transactions
    long = read_bytes(csv_of([*told, *more]), BANK_MAPPING).transactions
    assert long[: len(short)] == short
    assert len({one.key for one in long}) == len(long) == len(told) + len(more)


@given(rows)
def test_the_order_of_rows_changes_no_keys(told: list[tuple[dt.date, int, str]]) -> None:
    there = read_bytes(csv_of(told), BANK_MAPPING).transactions
    back = read_bytes(csv_of(told[::-1]), BANK_MAPPING).transactions
    assert {one.key for one in there} == {one.key for one in back}


OFX = """<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS><CURDEF>USD<BANKACCTFROM><BANKID>1<ACCTID>2
<ACCTTYPE>CHECKING</BANKACCTFROM><BANKTRANLIST>{}</BANKTRANLIST></STMTRS></STMTTRNRS>
</BANKMSGSRSV1></OFX>"""
ENTRY = "<STMTTRN><DTPOSTED>2024010{}<TRNAMT>{}<FITID>{}<NAME>{}{}</STMTTRN>"


def ofx(*entries: tuple[object, ...]) -> bytes:
    told = [ENTRY.format(*entry, *[""] * (5 - len(entry))) for entry in entries]
    return OFX.format("".join(told)).encode()


def test_a_changed_transaction_keeps_the_key_of_its_bank() -> None:
    (before,) = read_bytes(ofx((1, "-5.00", "F1", "PENDING SHOP"))).transactions
    (after,) = read_bytes(ofx((2, "-6.00", "F1", "SHOP"))).transactions
    assert before.key == after.key
    assert before != after


def test_an_id_told_twice_is_one_transaction_and_one_used_twice_is_two() -> None:
    entry = (1, "-5.00", "F1", "SHOP")
    assert len(read_bytes(ofx(entry, entry)).transactions) == 1
    both = read_bytes(ofx(entry, (1, "-7.00", "F1", "OTHER"))).transactions
    assert len({one.key for one in both}) == 2


def test_a_correction_takes_the_place_of_what_it_corrects() -> None:
    (wrong,) = read_bytes(ofx((1, "-5.00", "F1", "SHOP"))).transactions
    correction = "<CORRECTFITID>F1<CORRECTACTION>{}"
    (right,) = read_bytes(
        ofx((1, "-6.00", "F2", "SHOP", correction.format("REPLACE")))
    ).transactions
    assert right.key == wrong.key
    removal = read_bytes(ofx((1, "-5.00", "F3", "SHOP", correction.format("DELETE")))).entries[-1]
    assert isinstance(removal, StatementRemoval)
    assert removal.key == wrong.key


def test_keys_hide_the_numbers_of_accounts() -> None:
    account = read("ofx/suncorp.ofx").account
    assert account.number == "123456789"
    assert account.number not in account.key
    assert account_key("1", "23") != account_key("12", "3")
