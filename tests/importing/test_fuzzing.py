"""Whatever bytes a file has, it is read into consistent entries or refused."""

from __future__ import annotations

import io
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.importing.reading import BANK_MAPPING, FILES, Read
from treadle.importing.csv_cells import parse_amount
from treadle.importing.csv_guessing import guess_mapping
from treadle.importing.csv_mapping import Mapping, read_mapping, write_mapping
from treadle.importing.detecting import read_file
from treadle.importing.refusal import FileRefused
from treadle.importing.statement import StatementAccount, StatementSecurity
from treadle.importing.values import MAX_TEXT_LENGTH

SAMPLES = [
    "ofx/checking.ofx",
    "ofx/investment_401k.ofx",
    "ofx/suncorp.ofx",
    "camt/statement.xml",
    "mt940/abnamro.sta",
    "mt940/ing.sta",
    "csv/bank.csv",
    "csv/european.csv",
    "csv/two_columns.csv",
]
SCRAPS = [
    *b"< > </ & &amp; <![CDATA[ ]]> \x00 \xff\xfe \xef\xbb\xbf \xe9 <FITID> <MEMO>".split(),
    *b"<Ntry> <Amt> <STMTTRN> </STMTTRN> <CURDEF> :61: :86: :62F: :20: /".split(),
    *b"?20 20240231 99991231 0000-00-00".split(),
    *b'" , ; - --5 1e9 NaN 9999999999999999999999999999 ='.split(),
    *(b" ", b"\n", b"\r", b"\r\n", b"\t"),
]


@st.composite
def changed(draw: st.DrawFn, sample: bytes) -> bytes:
    """A file with a few pieces cut out, doubled, or replaced."""
    content = sample
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(content)))
        end = min(len(content), start + draw(st.integers(0, 40)))
        piece = draw(
            st.one_of(
                st.sampled_from(SCRAPS), st.binary(max_size=12), st.just(content[start:end] * 2)
            )
        )
        content = content[:start] + piece + content[end:]
    return content


def check(content: bytes, mapping: Mapping | None) -> None:
    try:
        found = Read(list(read_file(io.BytesIO(content), mapping)))
    except FileRefused as refused:
        told = str(refused)
    else:
        told = ""
        check_entries(found)
    assert len(told) < 2_000


def check_entries(found: Read) -> None:
    known: set[str] = set()
    for entry in found.entries:
        if isinstance(entry, StatementAccount | StatementSecurity):
            known.add(entry.key)
        else:
            assert entry.account in known
    keys = [one.key for one in found.moves]
    assert len(set(keys)) == len(keys)
    for one in found.moves:
        assert one.amount.is_finite()
        assert one.amount or not one.amount.is_signed()
    for one in found.transactions:
        assert 0 < len(one.description) <= 3 * MAX_TEXT_LENGTH
        assert one.description.isprintable()


@pytest.mark.parametrize("name", SAMPLES)
@settings(max_examples=150)
@given(data=st.data())
def test_changed_files_are_read_or_refused(name: str, data: st.DataObject) -> None:
    content = data.draw(changed((FILES / name).read_bytes()))
    check(content, BANK_MAPPING if name == "csv/bank.csv" else None)


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    check(content, None)
    check(b"<OFX>" + content + b"</OFX>", None)
    check(b":20:A\n:25:B\n:61:" + content, None)
    check(content, BANK_MAPPING)


@given(st.text(max_size=60))
def test_any_text_is_an_amount_or_none(text: str) -> None:
    for decimal in ".,":
        amount = parse_amount(text, decimal)
        assert amount is None or amount.is_finite()


@given(st.decimals(-(10**9), 10**9, places=2), st.sampled_from(["", "$", "£", "EUR "]))
def test_amounts_are_read_as_they_are_written(amount: Decimal, sign: str) -> None:
    size = abs(amount)
    minus = "-" if amount < 0 else ""
    english = f"{size:,}"
    german = english.translate(str.maketrans(",.", ".,"))
    for written, decimal in ((english, "."), (german, ","), (str(size), ".")):
        assert parse_amount(f"{minus}{sign}{written}", decimal) == amount
        assert parse_amount(f"{sign}{written}{minus}", decimal) == amount
        if amount < 0:
            assert parse_amount(f"({sign}{written})", decimal) == amount


@given(
    st.lists(
        st.tuples(st.dates(), st.text(max_size=20), st.text(max_size=12)), min_size=1, max_size=8
    ),
    st.sampled_from([",", ";", "\t", "|"]),
)
def test_a_guess_can_always_be_written_and_read(
    rows: list[tuple[object, str, str]], delimiter: str
) -> None:
    lines = ["Date", "Description", "Amount"], *rows
    content = "\n".join(delimiter.join(str(cell) for cell in line) for line in lines)
    try:
        guess = guess_mapping(io.BytesIO(content.encode("utf-8", errors="replace")))
    except FileRefused:
        return
    assert read_mapping(write_mapping(guess.mapping)) == guess.mapping
