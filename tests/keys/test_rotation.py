"""Keys are replaced while servers run: nothing fails, nothing is lost, and no old key gets in."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.control.plane import Planned, over, own_client
from tests.keys.rotating import envelopes, rotate, settle, status
from tests.promises.database import audit, execute, verify_chains
from tests.support.link import OAUTH_BANK, create, link_token, run
from tests.support.raw import Api, cli, new_client, run_cli
from tests.support.receiver import Receiver
from tests.support.server import Server
from treadle.keys import LOOK_SECONDS

pytestmark = pytest.mark.slow

Serve = Callable[..., Server]

STRIPE_KEY = "sk_test_51TreadleRotated"
ROTATIONS = 3


def link_everything(server: Server, receiver: Receiver) -> Planned:
    """A client with something in every sealed column: what is in force must open after a change."""
    app = own_client(server)
    app.link()
    app.sandbox("seed", seed="before the rotation")
    token = create(app, webhook=receiver.url, hosted_link={})["link_token"]
    app.sandbox("link/plan", link_token=token, institution_id=OAUTH_BANK)
    run(app, token)
    receiver.wait(2)
    app.sandbox("snapshots", name="before")
    new_client(server, "--stripe-key", STRIPE_KEY)
    return app


def test_everything_sealed_is_rewrapped_and_opens(serve: Serve, store: list[str]) -> None:
    server = serve(*store)
    with Receiver() as receiver:
        app = link_everything(server, receiver)
    linked = app.link()
    numbers = app.post("/auth/get", access_token=linked.access_token)["numbers"]
    before = status(server)
    sealed = before["1"].envelopes
    assert sealed > 15
    new = rotate(server)
    after = status(server)
    assert after["1"].state == "former"
    assert after["1"].envelopes == 0
    assert after[new].envelopes == sealed
    assert app.post("/auth/get", access_token=linked.access_token)["numbers"] == numbers
    assert app.read("seed")["seed"] == "before the rotation"
    # With the old key gone whole, all of it still opens.
    token = link_token(app)
    settle(server.data)
    cli(server, "keys", "retire", "1", "--yes")
    server.restart()
    app.close()
    assert app.post("/auth/get", access_token=linked.access_token)["numbers"] == numbers
    assert app.read("seed")["seed"] == "before the rotation"
    assert run(app, token)["public_token"]
    assert app.sandbox("snapshots/restore", name="before").code == "OK"
    assert app.read("seed")["seed"] == "before the rotation"
    # What was sealed in the snapshot is not under the old key either; its tokens stay revoked.
    assert status(server)["1"].state == "missing"
    assert status(server)["1"].envelopes == 0
    columns = (("items", "login"), ("accounts", "numbers"), ("link_tokens", "setup"))
    assert set(envelopes(server, *columns)) == {new}
    verify_chains(*audit(server))


class Caller(threading.Thread):
    """Uses old tokens and makes new ones, over and over; keeps every answer that is no 200."""

    def __init__(self, server: Server, app: Planned) -> None:
        super().__init__()
        self.api = over(server, app)
        self.linked = self.api.link()
        self.token = self.api.mint(self.linked)
        self.over = threading.Event()
        self.failures: list[Any] = []
        self.calls = 0

    def run(self) -> None:
        while not self.over.is_set():
            self.make_and_use()

    def make_and_use(self) -> None:
        api = self.api
        self.expect(api.post("/auth/get", access_token=self.linked.access_token))
        self.expect(api.redeem(self.token, "auth"))
        created = self.expect(
            api.post(
                "/sandbox/public_token/create",
                institution_id="ins_109508",
                initial_products=["auth"],
            )
        )
        exchanged = self.expect(api.exchange(created["public_token"]))
        access_token = exchanged["access_token"]
        self.expect(api.post("/auth/get", access_token=access_token))
        self.expect(api.post("/item/remove", access_token=access_token))

    def expect(self, answer: Any) -> Any:
        self.calls += 1
        if answer.status != 200:
            self.failures.append(answer.raw)
        return answer


def test_no_request_fails_while_keys_are_rotated(serve: Serve, store: list[str]) -> None:
    server = serve("--workers", "2", *store)
    apps = [own_client(server) for _ in range(3)]
    # Two callers share each client, and so move its secret at the same time.
    callers = [Caller(server, app) for app in apps for _ in range(2)]
    rotated = ["1"]
    for caller in callers:
        caller.start()
    for _ in range(ROTATIONS):
        rotated.append(rotate(server))
    for caller in callers:
        caller.over.set()
    for caller in callers:
        caller.join()
    assert [failure for caller in callers for failure in caller.failures] == []
    assert sum(caller.calls for caller in callers) > 100
    for caller in callers:
        caller.make_and_use()
        assert caller.failures == []
    cli(server, "keys", "rewrap")
    for former in rotated[:-1]:
        assert status(server)[former].envelopes == 0
    assert status(server)[rotated[-1]].tokens >= 2 * len(callers)
    assert server.log().count("the keys in use stay as they are") == 0
    verify_chains(*audit(server))


def test_a_rewrap_that_is_killed_goes_on_where_it_was(serve: Serve, store: list[str]) -> None:
    server = serve(*store)
    api = Api(server.url)
    links = [api.link() for _ in range(120)]
    columns = (("items", "login"), ("accounts", "numbers"))
    for _ in range(5):
        former = set(envelopes(server, *columns))
        command = [sys.executable, "-m", "treadle", "keys", "rotate", "--data", str(server.data)]
        process = subprocess.Popen([*command, *store], stdout=subprocess.DEVNULL)
        while set(envelopes(server, columns[0])) == former and process.poll() is None:
            time.sleep(0.0005)
        process.send_signal(signal.SIGKILL)
        process.wait()
        left = list(envelopes(server, *columns))
        if former & set(left) and len(set(left)) > 1:
            break
    else:
        pytest.fail("each time it was over before it was killed")
    for linked in links:
        assert api.post("/auth/get", access_token=linked.access_token).code == "OK"
    cli(server, "keys", "rewrap")
    [now] = set(envelopes(server, *columns))
    assert status(server)[now].state == "in use"
    for linked in links:
        assert api.post("/auth/get", access_token=linked.access_token).code == "OK"


def test_what_was_moved_to_another_row_does_not_open(serve: Serve, store: list[str]) -> None:
    server = serve(*store)
    api = Api(server.url)
    mine, theirs = api.link(), api.link()
    other = f"(SELECT numbers FROM accounts WHERE account_id = '{mine.checking}')"
    execute(server, f"UPDATE accounts SET numbers = {other} WHERE account_id = '{theirs.checking}'")
    answer = api.post("/auth/get", access_token=theirs.access_token)
    assert answer.code == "INTERNAL_SERVER_ERROR"
    # Nor does a rotation make it at home there.
    assert "1 is in use" in run_cli(server, "keys", "retire", "1", "--yes").stderr
    result = run_cli(server, "keys", "rotate")
    assert result.returncode == 1
    assert result.stderr.splitlines() == [
        f"does not open: accounts.numbers {theirs.item_id} {theirs.checking}"
    ]
    answer = api.post("/auth/get", access_token=theirs.access_token)
    assert answer.code == "INTERNAL_SERVER_ERROR"
    assert status(server)["1"].envelopes == 1
    assert api.post("/auth/get", access_token=mine.access_token).code == "OK"
    settle(server.data)
    result = run_cli(server, "keys", "retire", "1", "--yes")
    assert "1 envelopes depend on 1" in result.stderr


def test_an_old_key_file_is_refused(serve: Serve, store: list[str], tmp_path: Path) -> None:
    server = serve(*store)
    file, old = server.data / "keys.json", tmp_path / "old.json"
    shutil.copy(file, old)
    rotate(server)
    api = Api(server.url)
    linked = api.link()
    newest = file.read_bytes()
    # A server that runs keeps what it has, and says so.
    old.replace(file)
    assert api.post("/auth/get", access_token=linked.access_token).code == "OK"
    assert api.post("/auth/get", access_token=api.link().access_token).code == "OK"
    assert "older than the one in use" in server.log()
    assert len(json.loads(newest)["peppers"]) == 2
    # One that starts does not.
    server.stop()
    result = run_cli(server, "client", "list")
    assert result.returncode == 1
    assert "made with other keys" in result.stderr
    with pytest.raises(RuntimeError, match="made with other keys"):
        server.start()
    file.write_bytes(newest)
    server.start()
    api.close()
    assert api.post("/auth/get", access_token=linked.access_token).code == "OK"


def test_two_machines_rotate_in_stages(
    serve: Serve, store_kind: str, postgres_url: Callable[[], str], tmp_path: Path
) -> None:
    """Each has a key file of its own, so there is a time in which they differ."""
    url = postgres_url() if store_kind == "postgres" else f"sqlite:///{tmp_path / 'shared.db'}"
    one = serve("--database", url)
    data = tmp_path / "two"
    shutil.copytree(one.data, data)
    two = serve("--database", url, data=data)
    app = own_client(one)
    machines = [app, Planned(two.url, app.client_id, app.secret)]
    linked = app.link()
    token = app.mint(linked)
    made: list[str] = []

    def use() -> None:
        """Every token on both machines, in turn, and a new one from each."""
        for at, machine in enumerate(machines):
            made.append(machines[1 - at].mint(linked))
            for one_token in (token, *made):
                assert machine.redeem(one_token, "auth").code == "OK"
            assert machine.post("/auth/get", access_token=linked.access_token).code == "OK"

    def copy() -> None:
        draft = data / "keys.draft"
        shutil.copy(one.data / "keys.json", draft)
        draft.replace(data / "keys.json")

    use()
    staged = rotate(one, "--stage")
    use()
    assert status(one)[staged].state == "staged"
    assert status(one)[staged].tokens == 0
    copy()
    use()
    assert rotate(one) == staged
    time.sleep(LOOK_SECONDS)
    use()
    # The second machine knows the new key, makes new things with the old one, and moves nothing
    # back.
    made.append(machines[1].mint(linked))
    assert status(two)["1"][:2] == ("in use", 1)
    assert status(two)[staged].secrets == 1
    copy()
    use()
    cli(one, "keys", "rewrap")
    use()
    # What is left is the secret of the ready client, of which nobody has made any use.
    assert status(two)["1"][1:] == (0, 1, 0, 0)
