"""The pages on an operator's own data: their commands and program run, and do what they say."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.docs.test_blocks import BASE_URL, IMPORT_PAGE, INGEST_PAGE, ROOT, blocks
from tests.ingest.pushing import Operator, operator
from tests.promises.database import address
from tests.support.server import Server
from tests.waking.listening import NOON
from treadle.ingest.schema import record_schema
from treadle.sources.stored.passwords import parse_hash


def run(
    server: Server,
    bank: Operator,
    language: str,
    folder: Path,
    *command: str,
    page: str = INGEST_PAGE,
) -> str:
    text = "\n".join(one.text for one in blocks(page) if one.run and one.language == language)
    text = text.replace(BASE_URL, bank.url)
    text = text.replace("client_sandbox", bank.client_id).replace("secret_sandbox", bank.secret)
    result = subprocess.run(
        [*command],
        input=text,
        cwd=folder,
        env={
            **os.environ,
            "NO_PROXY": "127.0.0.1",
            **({"TREADLE_IMPORT_DATABASE": url} if (url := address(server)) else {}),
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def answers(printed: str) -> list[Any]:
    decoder, found = json.JSONDecoder(), []
    while printed:
        answer, end = decoder.raw_decode(printed)
        found.append(answer)
        printed = printed[end:].lstrip()
    return found


def test_commands_bring_a_bank_to_a_partner(server: Server, tmp_path: Path) -> None:
    bank = operator(server)
    bank.sandbox("clock", now=NOON)
    printed = run(server, bank, "sh", tmp_path, "bash", "-e", "-u", "-o", "pipefail")
    brought, numbers, corrected, synced = answers(printed)
    [shown] = [one.text for one in blocks(INGEST_PAGE) if one.language == "json"]
    assert {**brought, "request_id": "…"} == json.loads(shown)
    assert numbers["numbers"]["ach"]["account"] == "1111222233330000"
    assert (corrected["changed"], corrected["deleted"]) == (1, 1)
    assert [one["amount"] for one in synced["modified"]] == [5.25]
    assert len(synced["removed"]) == 1
    bank.close()


def test_commands_import_a_statement_for_a_partner(server: Server, tmp_path: Path) -> None:
    bank = operator(server)
    bank.sandbox("clock", now=NOON)
    (tmp_path / "data").symlink_to(server.data)
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv/bin/treadle").symlink_to(Path(sys.executable).parent / "treadle")
    printed = run(
        server, bank, "sh", tmp_path, "bash", "-e", "-u", "-o", "pipefail", page=IMPORT_PAGE
    )
    [shown] = [one.text for one in blocks(IMPORT_PAGE) if one.language == "text"]
    assert printed.startswith(shown)
    synced, dry = answers(printed.removeprefix(shown))
    assert sorted(one["amount"] for one in synced["added"]) == [-2000, 4.75]
    assert dry["unchanged"] == 2
    bank.close()


def test_program_makes_a_hash_that_is_taken(server: Server, tmp_path: Path) -> None:
    bank = operator(server)
    printed = run(server, bank, "python", tmp_path, sys.executable, "-")
    assert parse_hash(printed.strip()).matches("open sesame")
    bank.close()


def test_every_kind_of_record_is_described() -> None:
    text = (ROOT / INGEST_PAGE).read_text()
    schema = record_schema()
    kinds = schema["discriminator"]["mapping"]
    assert set(kinds) <= set(re.findall(r"`(\w+)`", text))
    for row in re.findall(r"^\| `.*$", text, re.MULTILINE):
        _, kind, needed, possible, *_ = [
            re.findall(r"`(\w+)`", cell) for cell in row.split("|")
        ] + [[]]
        if kind == ["security"] or len(kind) != 1 or kind[0] not in kinds:
            continue
        members = schema["$defs"][kinds[kind[0]].rpartition("/")[2]]
        assert {*needed, "record", "institution_id"} == set(members["required"]), kind
        assert set(possible) <= members["properties"].keys(), kind
