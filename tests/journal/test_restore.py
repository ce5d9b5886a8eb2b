"""No backup that is restored brings back what was taken away since it was made."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from tests.ingest.pushing import Item, Operator, account, institution, user
from tests.promises.database import address, records
from tests.support.preloaded import run
from tests.support.raw import cli, new_client
from tests.support.server import Server

pytestmark = pytest.mark.slow

Serve = Callable[..., Server]


def query_postgres(server: Server, sql: str) -> None:
    url = str(address(server))

    async def execute() -> None:
        connection = await asyncpg.connect(url.rpartition("/")[0] + "/postgres")
        try:
            await connection.execute(sql)
        finally:
            await connection.close()

    asyncio.run(execute())


def back_up(server: Server) -> None:
    """Of a server that is stopped."""
    if (url := address(server)) is None:
        shutil.copy(server.data / "treadle.db", server.data / "backup.db")
    else:
        name = url.rpartition("/")[2]
        query_postgres(server, f'CREATE DATABASE "{name}_backup" TEMPLATE "{name}"')


def restore(server: Server) -> None:
    if server.running:
        server.kill()
    if (url := address(server)) is None:
        for left in ("treadle.db-wal", "treadle.db-shm"):
            (server.data / left).unlink(missing_ok=True)
        shutil.copy(server.data / "backup.db", server.data / "treadle.db")
    else:
        name = url.rpartition("/")[2]
        query_postgres(server, f'DROP DATABASE "{name}" WITH (FORCE)')
        query_postgres(server, f'CREATE DATABASE "{name}" TEMPLATE "{name}_backup"')


class Developer(Operator):
    """Whose Items are of one user of its own bank, and whose tokens are of their one account."""

    def __init__(self, server: Server, *options: str) -> None:
        super().__init__(server.url, *new_client(server, *options), keep_alive=False)

    def bring(self) -> None:
        numbers = {"ach": {"account": "1111222233330000", "routing": "011401533"}}
        self.push(institution(), user(), account(numbers=numbers))

    def delegate(self, item: Item, processor: str = "dwolla") -> str:
        made = {"access_token": item.access_token, "account_id": item.accounts["checking"]}
        token: str = self.post("/processor/token/create", processor=processor, **made)[
            "processor_token"
        ]
        return token

    def order(self, path: str, /, **fields: Any) -> None:
        assert self.post(f"/treadle/processor_token/{path}", **fields).code == "OK"


class World:
    """Tokens in production, each of which something is to happen to."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.developer, self.other, self.left = (Developer(server) for _ in range(3))
        self.partner = Developer(server, "--processors", "dwolla,astra")
        self.developer.bring()
        self.items = [self.developer.share("auth") for _ in range(5)]
        mint = self.developer.delegate
        self.tokens = {
            "kept": mint(self.items[0]),
            "revoked": mint(self.items[0]),
            "narrowed": mint(self.items[0]),
            "widened": mint(self.items[0]),
            "limited": mint(self.items[0]),
            "of partner": mint(self.items[0], "astra"),
            "of item": mint(self.items[1]),
            "of removed Item": mint(self.items[2]),
            "of rotated Item": mint(self.items[3]),
        }

    def answers(self) -> dict[str, str]:
        """What each token and secret is answered with."""
        codes = {name: self.partner.redeem(one, "auth").code for name, one in self.tokens.items()}
        rotated = self.items[3].access_token
        codes["access token"] = self.developer.post("/auth/get", access_token=rotated).code
        codes["secret"] = self.other.list_institutions().code
        codes["client"] = self.left.list_institutions().code
        return codes

    def take_away(self) -> None:
        developer, tokens = self.developer, self.tokens
        developer.order("revoke", processor_token=tokens["revoked"])
        developer.order("revoke", processor="astra")
        developer.order("revoke", item_id=self.items[1].item_id)
        developer.order("limits/set", processor_token=tokens["limited"], fields=["balances"])
        assert developer.permit(tokens["narrowed"], "auth").code == "OK"
        assert developer.permit(tokens["narrowed"], "identity").code == "OK"
        assert developer.permit(tokens["widened"], "identity").code == "OK"
        assert developer.permit(tokens["widened"], "auth").code == "OK"
        for path, item in (
            ("/item/remove", self.items[2]),
            ("/item/access_token/invalidate", self.items[3]),
        ):
            assert developer.post(path, access_token=item.access_token).code == "OK"
        cli(self.server, "client", "rotate-secret", self.other.client_id)
        cli(self.server, "client", "remove", self.left.client_id)


def in_production(serve: Serve, *arguments: str) -> World:
    return World(serve("--environment", "production", "--no-rate-limits", *arguments))


@pytest.fixture
def world(serve: Serve, store: list[str]) -> World:
    return in_production(serve, *store)


def test_a_restored_backup_brings_nothing_back(world: World) -> None:
    server, developer = world.server, world.developer
    granted = world.answers()
    assert set(granted.values()) == {"OK"}
    server.stop()
    back_up(server)
    server.start()
    world.take_away()
    taken = world.answers()
    assert {name for name, code in taken.items() if code == "OK"} == {
        "kept",
        "widened",
        "of rotated Item",
    }
    restore(server)
    server.start()
    assert world.answers() == taken
    [*_, record] = records(server, "operator")
    assert record["action"] == "journal.replay"
    # What is made and widened later is not taken away by what the journal says of before.
    developer.delegate(world.items[4])
    developer.order("revoke", item_id=world.items[4].item_id)
    for name in ("revoked", "narrowed"):
        world.tokens[name] = developer.delegate(world.items[4])
    assert developer.permit(world.tokens["widened"]).code == "OK"
    later = world.answers()
    assert later == taken | {"revoked": "OK", "narrowed": "OK"}
    server.restart()
    assert world.answers() == later


def test_a_journal_that_is_lost_is_missed(serve: Serve) -> None:
    world = in_production(serve)
    server = world.server
    journal = server.data / "revocations.jsonl"
    world.take_away()
    server.stop()
    server.start()
    server.stop()
    whole = journal.read_bytes()
    for damage, problem in (
        (None, "this database may lack what was revoked"),
        (whole[:-40], "was cut"),
        (b"", "is not a journal"),
    ):
        journal.unlink()
        if damage is not None:
            journal.write_bytes(damage)
        else:
            assert problem in refusal(server)
            journal.write_bytes(whole)
            continue
        assert problem in refusal(server)
    # What a crash left of a line was never answered.
    journal.write_bytes(whole + b'{"type":"tok')
    server.start()
    server.stop()
    assert journal.read_bytes() == whole
    # A line that is damaged is not passed over.
    journal.write_bytes(whole + b"{}\n")
    assert "is damaged at byte" in refusal(server)
    journal.unlink()
    begin(server)
    server.start()


def begin(server: Server) -> None:
    made = run("journal", "begin", "--data", str(server.data))
    assert made.returncode == 0, made.stderr


def refusal(server: Server) -> str:
    with pytest.raises(RuntimeError) as refused:
        server.start()
    return str(refused.value)


def test_what_cannot_be_in_the_journal_is_not_answered_as_done(serve: Serve) -> None:
    """A device without room stands in for a disk without any."""
    world = in_production(serve)
    journal = world.server.data / "revocations.jsonl"
    journal.unlink()
    journal.symlink_to("/dev/full")
    asked = {"processor_token": world.tokens["revoked"]}
    answer = world.developer.post("/treadle/processor_token/revoke", **asked)
    assert answer.code == "INTERNAL_SERVER_ERROR"
    assert world.partner.redeem(world.tokens["kept"], "auth").code == "OK"


def test_another_machine_has_a_journal_of_its_own(world: World, tmp_path: Path) -> None:
    server = world.server
    server.stop()
    back_up(server)
    server.start()
    world.take_away()
    taken = world.answers()
    journal = server.data / "revocations.jsonl"
    # Restored where the journal is not that of the machine which revoked.
    server.kill()
    journal.rename(tmp_path / "other.jsonl")
    restore(server)
    begin(server)
    assert "12 lines" in cli(server, "journal", "replay", str(tmp_path / "other.jsonl"))
    assert "0 lines" in cli(server, "journal", "replay", str(tmp_path / "other.jsonl"))
    server.start()
    assert world.answers() == taken
