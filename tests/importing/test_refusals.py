"""Faulty and hostile files: refused by a message that says where and what to do, or harmless."""

from __future__ import annotations

import contextlib
import gzip
import io
import time
import tracemalloc
import zipfile
from decimal import Decimal

import pytest

from tests.importing.reading import BANK_MAPPING, FILES, read_bytes
from treadle.importing.csv_mapping import Mapping, read_mapping
from treadle.importing.refusal import FileRefused
from treadle.importing.values import MAX_TEXT_LENGTH

CAMT = (FILES / "camt" / "statement.xml").read_bytes()
MT940 = (FILES / "mt940" / "abnamro.sta").read_bytes()
OFX = (FILES / "ofx" / "suncorp.ofx").read_bytes()
BANK = (FILES / "csv" / "bank.csv").read_bytes()
MEGABYTE = 1_000_000


def refusal(content: bytes, mapping: Mapping | None = None) -> str:
    with pytest.raises(FileRefused) as refused:
        read_bytes(content, mapping)
    assert refused.value.advice in str(refused.value)
    return str(refused.value)


def zipped(content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("statement.ofx", content)
    return file.getvalue()


FAULTY = {
    "no date": ((FILES / "ofx/date_missing.ofx").read_bytes(), "transaction 184997056: DTPOSTED"),
    "amount of OFX": (OFX.replace(b"-16.85", b"-16.85.1"), "TRNAMT: '-16.85.1' is no amount"),
    "date of OFX": (OFX.replace(b"<DTPOSTED>2013", b"<DTPOSTED>2O13"), "DTPOSTED: '2O13"),
    "type of OFX": (OFX.replace(b"CHECKING", b"CHEQUE"), "CHEQUE is no type of account"),
    "cut OFX": (OFX[:-200], "The file is cut off"),
    "tags of OFX": (OFX.replace(b"</STMTTRN>", b"</STMTRN>"), "closes nothing that is open"),
    "crossed tags of OFX": (
        OFX.replace(b"</STMTRS>", b"</X>")
        .replace(b"</STMTTRNRS>", b"</STMTRS>")
        .replace(b"</X>", b"</STMTTRNRS>"),
        "</STMTTRNRS> closes nothing that is open",
    ),
    "header of OFX": (OFX.replace(b'OFXHEADER="200"', b'OFXHEADER="x"'), "header is malformed"),
    "error of OFX": (
        OFX.replace(b"<SEVERITY>INFO", b"<SEVERITY>ERROR"),
        "the bank answered with an error: 0",
    ),
    "no statement of OFX": (b"<OFX><SIGNONMSGSRSV1></SIGNONMSGSRSV1></OFX>", "has no statement"),
    "amount of camt": (CAMT.replace(b">12.50<", b">12,50<"), "line 24, Ntry/Amt: '12,50'"),
    "direction of camt": (
        CAMT.replace(b"DBIT</CdtDbtInd><Sts>BOOK", b"X</CdtDbtInd><Sts>BOOK"),
        "line 23, Ntry/CdtDbtInd: 'X' is neither",
    ),
    "date of camt": (CAMT.replace(b"2024-01-15", b"2024-13-15"), "line 23, Ntry/BookgDt"),
    "cut camt": (CAMT[:-100], "no valid XML"),
    "encoding of camt": (CAMT.replace(b"Bakery", b"B\xe4ckerei"), "line 27: no valid XML"),
    "other camt": (CAMT.replace(b"Stmt>", b"Rpt>"), "no camt.053 statement"),
    "line of MT940": (MT940.replace(b"D11,63", b"X11,63"), "line 14, :61:"),
    "balance of MT940": (MT940.replace(b"C110522EUR", b"C119922EUR"), "line 4, :20:"),
    "account of MT940": (MT940.replace(b":25:517852257", b":25:"), "line 4, :25:"),
    "date of CSV": (BANK.replace(b"03/18", b"18/03"), "line 4, Posting Date: '18/03/2024'"),
    "amount of CSV": (BANK.replace(b'"2,000.00"', b"two"), "line 4, column 3: 'two'"),
    "no amount of CSV": (BANK.replace(b'"2,000.00"', b""), "line 4, Amount: the row has no amount"),
    "short row of CSV": (BANK + b"03/19/2024,X\n", "line 5: the row has 2 columns of 4"),
    "quote of CSV": (BANK + b'03/19/2024,"' + b"x" * 200_000, "field larger than field limit"),
    "column of CSV": (BANK.replace(b"Posting", b"Booking"), "no column is named 'Posting Date'"),
    "empty": (b" \n", "The file is empty"),
    "zip": (zipped(OFX), "archive"),
    "gzip": (gzip.compress(OFX), "archive"),
    "PDF": (b"%PDF-1.7\n", "PDF"),
    "text": (b"hello\nworld\n", "No headings of a date and an amount"),
}


@pytest.mark.parametrize("fault", FAULTY)
def test_a_faulty_file_is_refused_at_its_fault(fault: str) -> None:
    content, told = FAULTY[fault]
    assert told in refusal(content, BANK_MAPPING if "CSV" in fault else None)


FAULTY_MAPPINGS = {
    '{"date": "D"}': "description",
    '{"date": "D", "description": ["T"], "amout": "A"}': "amout",
    '{"date": "D", "description": ["T"], "currency_code": "USD"}': "one column",
    '{"date": "D", "description": ["T"], "amount": "A"}': "currency",
    '{"date": "D", "description": [], "amount": "A", "currency_code": "USD"}': "description",
    '{"date": "D", "description": ["T"], "amount": "A", "currency_code": "usd"}': "'usd'",
    '{"date": "D", "date_format": "YMD", "description": ["T"], "amount": "A"}': "YYYY-MM-DD",
    '{"date": "D", "description": ["T"], "amount": "A", "currency_code": "USD",'
    ' "encoding": "no"}': "unknown encoding",
    "{": "not valid",
}


@pytest.mark.parametrize("mapping", FAULTY_MAPPINGS)
def test_a_faulty_mapping_is_refused(mapping: str) -> None:
    with pytest.raises(FileRefused, match=FAULTY_MAPPINGS[mapping]):
        read_bytes(b"D,T,A\n2024-01-31,X,1\n", read_mapping(mapping.encode()))


LAUGHS = b"".join(
    b'<!ENTITY l%d "%s">' % (level, b"&l%d;" % (level - 1) * 10) for level in range(1, 10)
)
ENTITIES = {
    "laughs": b'<!DOCTYPE Document [<!ENTITY l0 "lol">' + LAUGHS + b"]>",
    "file": b'<!DOCTYPE Document [<!ENTITY l9 SYSTEM "file:///etc/passwd">]>',
    "network": b'<!DOCTYPE Document SYSTEM "http://127.0.0.1:9/camt.dtd">',
}


@pytest.mark.parametrize("kind", ENTITIES)
def test_entities_are_refused_unread(kind: str) -> None:
    head, line, rest = CAMT.partition(b"?>\n")
    content = head + line + ENTITIES[kind] + rest.replace(b"SALARY JANUARY", b"&l9;")
    told = refusal(content)
    assert "document type" in told or "no valid XML" in told
    assert "root:" not in told


def test_entities_of_ofx_stay_what_they_are() -> None:
    declared = b'<!DOCTYPE OFX [<!ENTITY x SYSTEM "file:///etc/passwd">]><OFX>'
    content = OFX.replace(b"<OFX>", declared, 1).replace(b"EFTPOS WDL", b"&x; WDL")
    try:
        found = read_bytes(content)
    except FileRefused:
        return
    assert "root:" not in found.transactions[0].description


LARGE = {
    "ofx": OFX.replace(b"EFTPOS WDL", b"A" * 10 * MEGABYTE),
    "camt": CAMT.replace(b"Bread", b"A" * 10 * MEGABYTE),
    "mt940": MT940.replace(b"DIGITENNE", b"A" * 10 * MEGABYTE),
    "csv": BANK.replace(b"ACME PAYROLL", b"A" * 10 * MEGABYTE),
    "amount": OFX.replace(b"-16.85", b"1" * 10 * MEGABYTE),
    "nested": b"<OFX>" + b"<A>" * MEGABYTE + b"</A>" * MEGABYTE + b"</OFX>",
    "character data": b"<OFX><A>" + b"<![CDATA[" * MEGABYTE + b"</A></OFX>",
    "tags": b"<OFX>" + b"<A><B>" * MEGABYTE + b"</OFX>",
    "unclosed": b"<OFX>" + b"<" * 10 * MEGABYTE,
    "deep camt": b"<?xml version='1.0'?>" + b"<a>" * MEGABYTE,
    "colons": b":20:A\n:25:B\n" + b":61:" * 2 * MEGABYTE,
}


@pytest.mark.parametrize("kind", LARGE)
def test_size_alone_does_no_harm(kind: str) -> None:
    tracemalloc.start()
    start = time.process_time()
    with contextlib.suppress(FileRefused):
        found = read_bytes(LARGE[kind], BANK_MAPPING if kind == "csv" else None)
        assert all(len(one.description) <= MAX_TEXT_LENGTH for one in found.transactions)
    took = time.process_time() - start
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert took < 20
    assert peak < 400 * MEGABYTE


def test_formulas_are_text() -> None:
    content = BANK.replace(b"ACME PAYROLL", b"=HYPERLINK(A1)")
    assert read_bytes(content, BANK_MAPPING).transactions[2].description == "=HYPERLINK(A1)"
    assert "is no amount" in refusal(BANK.replace(b'"2,000.00"', b"=1+2"), BANK_MAPPING)


@pytest.mark.parametrize(
    ("content", "mapping"),
    [
        (BANK.replace(b'"2,000.00"', b"-0.00"), BANK_MAPPING),
        (OFX.replace(b"-16.85", b"-0.00"), None),
        (CAMT.replace(b"2000.00</Amt><CdtDbtInd>CRDT", b"-0.00</Amt><CdtDbtInd>CRDT"), None),
        (MT940.replace(b"D9,N192", b"D0,N192"), None),
    ],
    ids=["csv", "ofx", "camt", "mt940"],
)
def test_zero_has_no_sign(content: bytes, mapping: Mapping | None) -> None:
    zeros = [one.amount for one in read_bytes(content, mapping).transactions if not one.amount]
    assert zeros
    assert all(not zero.is_signed() and zero == Decimal(0) for zero in zeros)


def test_what_hides_in_a_text_is_taken_out() -> None:
    hidden = "A\u202ePP\u200bLE\x00\x1b[31m"
    content = BANK.replace(b"ACME PAYROLL", hidden.encode())
    assert read_bytes(content, BANK_MAPPING).transactions[2].description == "A PP LE [31m"


def test_mt940_reads_no_other_file() -> None:
    assert "No headings" in refusal(str(FILES / "mt940" / "ing.sta").encode())


def test_windows_and_wide_encodings_are_read() -> None:
    text = BANK.decode().replace("ACME", "CAFÉ")
    for encoding in ("cp1252", "utf-16", "utf-8-sig"):
        found = read_bytes(text.encode(encoding), BANK_MAPPING)
        assert found.transactions[2].description == "CAFÉ PAYROLL"
