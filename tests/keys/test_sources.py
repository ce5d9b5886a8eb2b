"""Where keys come from, and that they go nowhere else."""

from __future__ import annotations

import shlex
import subprocess
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import LargeBinary

from tests.keys.rotating import rotate
from tests.support.raw import Api, run_cli
from tests.support.server import Server
from treadle.rekeying.registry import REGISTRY
from treadle.store.link_tables import link_tokens
from treadle.store.tables import metadata

DIGESTS = ("digest", "hash")


def key_texts(file: Path) -> list[bytes]:
    """Every key of a key file, in the forms in which it could be found elsewhere."""
    content = msgspec.json.decode(file.read_bytes())
    keys = [key["key"] for kind in ("peppers", "envelope_keys") for key in content[kind]]
    raw = [b64decode(key) for key in keys]
    return [*(key.encode() for key in keys), *raw, *(key.hex().encode() for key in raw)]


def test_every_column_of_bytes_is_a_digest_or_can_be_rewrapped() -> None:
    assert link_tokens.metadata is metadata
    sealed = {column.column for column in REGISTRY}
    for table in metadata.sorted_tables:
        for column in table.columns:
            if isinstance(column.type, LargeBinary) and not column.name.endswith(DIGESTS):
                assert column in sealed, f"{column} is not re-wrapped when the keys are rotated"


@pytest.mark.slow
def test_keys_from_the_environment_or_a_command(
    serve: Callable[..., Server], tmp_path: Path
) -> None:
    server = serve()
    rotate(server)
    linked = Api(server.url).link()
    server.stop()
    file = server.data / "keys.json"
    elsewhere = file.rename(tmp_path / "elsewhere.json")
    command = shlex.join(["cat", str(elsewhere)])
    said: list[subprocess.CompletedProcess[str]] = []

    def cli(*arguments: str) -> str:
        result = run_cli(server, *arguments)
        said.append(result)
        return result.stdout + result.stderr

    # Without them the database is not served, nor are new keys put in their place.
    assert "made with other keys" in cli("client", "list")
    file.unlink()
    for how in ({"TREADLE_SERVE_KEYS": elsewhere.read_text()}, {}):
        server.env.update(how)
        server.args = () if how else ("--keys-command", command)
        server.start()
        numbers = Api(server.url).post("/auth/get", access_token=linked.access_token)["numbers"]
        assert numbers["ach"]
        server.stop()
        server.env.pop("TREADLE_SERVE_KEYS", None)
    assert "in use" in cli("keys", "status", "--keys-command", command)
    assert "change where they are kept" in cli("keys", "rotate", "--keys-command", command)
    # What is wrong with them is said without saying what they are.
    assert "see a command line" in cli("keys", "status", "--keys", elsewhere.read_text())
    assert "is not a key file" in cli("keys", "status", "--keys-command", f"cut -b 2- {elsewhere}")
    assert "status 1" in cli("keys", "status", "--keys-command", f"grep -v -e . {elsewhere}")
    assert not file.exists()
    heard = server.log() + "".join(result.stdout + result.stderr for result in said)
    written = [path.read_bytes() for path in server.data.iterdir()]
    for key in key_texts(elsewhere):
        assert not any(key in text for text in (heard.encode(), *written))
