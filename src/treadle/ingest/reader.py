"""The process that reads a file: it takes an order on its standard input, and answers on the other.

It is apart from the server's modules, which start faster without the readers of all formats.
"""

from __future__ import annotations

import os
import resource
import sys

import msgspec

from treadle.importing.csv_mapping import read_mapping
from treadle.importing.detecting import read_file
from treadle.importing.refusal import FileRefused
from treadle.ingest.described import Describer
from treadle.ingest.reading import Answer, Order
from treadle.ingest.spool import Beginning, Spool

_MOST_SECONDS = 600
_MOST_MEMORY_BYTES = 2 * 1_073_741_824


def _read(order: Order) -> Beginning:
    with (
        os.fdopen(order.statement, "rb") as statement,
        os.fdopen(order.entries, "wb") as entries,
    ):
        told = order.mapping_json
        mapping = read_mapping(told.encode()) if told is not None else None
        spool = Spool(Describer(order.institution_id, order.user_id), entries)
        return spool.read(read_file(statement, mapping))


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CPU, (_MOST_SECONDS, _MOST_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY_BYTES, _MOST_MEMORY_BYTES))
    try:
        told = Answer(_read(msgspec.json.decode(sys.stdin.buffer.read(), type=Order)))
    except FileRefused as refused:
        told = Answer(refusal=str(refused))
    sys.stdout.buffer.write(msgspec.json.encode(told))
