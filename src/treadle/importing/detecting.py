"""Which format a file has, whatever it is called."""

from __future__ import annotations

import re
from typing import BinaryIO, Literal

from treadle.importing.csv_guessing import guess_mapping
from treadle.importing.csv_mapping import Mapping
from treadle.importing.delimited import read_csv
from treadle.importing.refusal import FileRefused
from treadle.importing.statement import Entries

Format = Literal["ofx", "camt.053", "mt940", "csv"]
# All but CSV are read into memory.
MAX_BYTES = 64 * 1_048_576
_BEGINNING_BYTES = 4_096
_ARCHIVES = (b"PK\x03\x04", b"\x1f\x8b", b"BZh", b"7z\xbc\xaf", b"\xfd7zXZ", b"Rar!")
_SPREADSHEET = b"\xd0\xcf\x11\xe0"
_MT940 = re.compile(rb"^:(20|25|28C?|60[FM]|61):", re.MULTILINE)


def detect_format(file: BinaryIO) -> Format:
    file.seek(0)
    beginning = file.read(_BEGINNING_BYTES)
    if beginning.startswith(_ARCHIVES):
        raise FileRefused("the file is an archive or a spreadsheet", "Unpack it, or save it as CSV")
    if beginning.startswith(_SPREADSHEET):
        raise FileRefused("the file is a spreadsheet", "Save it as CSV")
    if beginning.startswith(b"%PDF"):
        raise FileRefused("the file is a PDF", "Download it as OFX, camt.053, MT940 or CSV")
    if not beginning.strip():
        raise FileRefused("the file is empty", "Download it again")
    plain = beginning.replace(b"\x00", b"").upper()
    if b"OFXHEADER" in plain or b"<OFX>" in plain:
        return "ofx"
    if b"<?XML" in plain or plain.lstrip(b"\xef\xbb\xbf\xff\xfe \r\n\t").startswith(b"<"):
        return "camt.053"
    return "mt940" if len(_MT940.findall(beginning)) > 1 else "csv"


def _certain_mapping(file: BinaryIO) -> Mapping:
    guess = guess_mapping(file)
    if guess.doubts:
        raise FileRefused(
            f"the file leaves open how it is to be read ({'; '.join(guess.doubts)})",
            "Give a mapping; `treadle statement guess` writes one to correct",
        )
    return guess.mapping


def read_file(file: BinaryIO, mapping: Mapping | None = None) -> Entries:
    """The entries of a file of any format; a CSV file without a mapping must leave no doubt."""
    format_ = detect_format(file)
    file.seek(0)
    if format_ == "csv":
        return read_csv(file, mapping or _certain_mapping(file))
    content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        problem = f"the file is larger than {MAX_BYTES // 1_048_576} MiB"
        raise FileRefused(problem, "Download it in parts, by month or by account")
    return _read_whole(format_, content)


def _read_whole(format_: Format, content: bytes) -> Entries:
    """The libraries take longer to import than most files to read, so only one is."""
    if format_ == "ofx":
        from treadle.importing.ofx import read_ofx

        return read_ofx(content)
    if format_ == "mt940":
        from treadle.importing.mt940 import read_mt940

        return read_mt940(content)
    from treadle.importing.camt import read_camt

    return read_camt(content)
