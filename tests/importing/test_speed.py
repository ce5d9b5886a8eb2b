"""Large files are read within the limits that docs/importing.md tells."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.importing.reading import read_bytes

pytestmark = pytest.mark.slow

ROWS = 1_000_000
MIN_ROWS_PER_SECOND = 20_000
MAX_MEGABYTES = 300
OFX_TRANSACTIONS = 50_000
MAX_OFX_SECONDS = 30

# Run alone, since memory is measured for a whole process. The peak is VmHWM, for what getrusage
# tells begins with the size of the process that started this one.
READ = """
import pathlib, re, sys, time
from treadle.importing.csv_mapping import read_mapping
from treadle.importing.detecting import read_file
mapping = read_mapping(sys.argv[2].encode())
start = time.perf_counter()
with open(sys.argv[1], "rb") as file:
    count = sum(1 for _ in read_file(file, mapping))
seconds = time.perf_counter() - start
status = pathlib.Path("/proc/self/status").read_text()
print(count, seconds, int(re.search(r"VmHWM:\\s+(\\d+) kB", status)[1]) / 1024)
"""
MAPPING = (
    '{"date": "Date", "description": ["Description"], "amount": "Amount", "currency_code": "USD"}'
)


def test_a_million_rows_of_csv(tmp_path: Path) -> None:
    path = tmp_path / "million.csv"
    with path.open("w") as file:
        file.write("Date,Description,Amount\n")
        for row in range(ROWS):
            day = f"2024-{1 + row % 12:02}-{1 + row % 28:02}"
            file.write(f"{day},POS DEBIT SHOP {row % 5000} SEATTLE WA,-{row % 900}.25\n")
    command = [sys.executable, "-c", READ, str(path), MAPPING]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    count, seconds, megabytes = map(float, result.stdout.split())
    assert count == ROWS + 1
    assert count / seconds >= MIN_ROWS_PER_SECOND
    assert megabytes < MAX_MEGABYTES


def test_fifty_thousand_transactions_of_ofx() -> None:
    head = (
        "<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS><CURDEF>USD<BANKACCTFROM><BANKID>1<ACCTID>2"
        "<ACCTTYPE>CHECKING</BANKACCTFROM><BANKTRANLIST>"
    )
    entries = "".join(
        f"<STMTTRN><TRNTYPE>DEBIT<DTPOSTED>202401{1 + number % 28:02}<TRNAMT>-{number % 900}.25"
        f"<FITID>F{number}<NAME>SHOP {number % 500}</STMTTRN>\n"
        for number in range(OFX_TRANSACTIONS)
    )
    tail = "</BANKTRANLIST></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>"
    start = time.perf_counter()
    found = read_bytes((head + entries + tail).encode())
    assert time.perf_counter() - start < MAX_OFX_SECONDS
    assert len(found.transactions) == OFX_TRANSACTIONS
