"""`treadle snapshot`: a running server's snapshots, from the command line."""

from __future__ import annotations

from tests.cli.conftest import Run
from tests.control.plane import own_client
from tests.support.server import Server


def test_save_list_restore_and_remove(server: Server, treadle: Run) -> None:
    client = own_client(server)
    options = ["--url", server.url, "--client-id", client.client_id, "--secret", client.secret]

    def run(*arguments: str) -> str:
        outcome = treadle("snapshot", *arguments, *options)
        assert outcome.code == 0, outcome.err
        return outcome.out

    item = client.link("auth")
    assert run("save", "linked").startswith("saved linked: 1 Items, ")
    [listed] = run("list").splitlines()
    assert listed.endswith(" bytes  linked")
    client.post("/item/remove", access_token=item.access_token)
    assert run("restore", "linked") == "restored linked\n"
    assert client.post("/item/get", access_token=item.access_token).code == "OK"
    assert run("remove", "linked") == "removed linked\n"
    assert run("list") == ""


def test_mistakes_are_told_plainly(server: Server, treadle: Run) -> None:
    outcome = treadle("snapshot", "restore", "none", "--url", server.url)
    assert outcome.code == 1
    assert "name must be that of a snapshot of this client" in outcome.err
    outcome = treadle("snapshot", "list", "--url", server.url, "--secret", "wrong")
    assert (outcome.code, "Traceback" in outcome.err) == (1, False)
    outcome = treadle("snapshot", "list", "--url", "http://127.0.0.1:9")
    assert (outcome.code, "Traceback" in outcome.err) == (1, False)
