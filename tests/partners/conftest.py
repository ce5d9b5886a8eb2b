"""Servers that stand for partners, on loopback."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.partners.stripe_peer import StripePeer

STRIPE_MOCK = "github.com/stripe/stripe-mock"
STRIPE_MOCK_VERSION = "v0.203.0"
SECRET_KEY = "sk_test_51TreadleContractKey"
CACHE = Path(__file__).parents[2] / ".cache"


@dataclass(frozen=True)
class TokenServer:
    """A server that makes tokens; one without bank tokens answers with a card's instead."""

    url: str
    secret_key: str
    bank_tokens: bool


@pytest.fixture(autouse=True)
def no_proxy_to_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "127.0.0.1,localhost")


@pytest.fixture
def stripe_peer() -> Iterator[StripePeer]:
    with StripePeer(SECRET_KEY) as peer:
        yield peer


@pytest.fixture(scope="session")
def stripe_mock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TokenServer]:
    """Stripe's own mock server: the one STRIPE_MOCK_URL names, else one started here."""
    if url := os.environ.get("STRIPE_MOCK_URL"):
        yield TokenServer(url, SECRET_KEY, makes_bank_tokens(url))
        return
    go = shutil.which("go")
    if go is None:
        pytest.skip("stripe-mock: neither STRIPE_MOCK_URL nor a go command to install it with")
    folder = CACHE / f"stripe-mock-{STRIPE_MOCK_VERSION}"
    module = f"{STRIPE_MOCK}@{STRIPE_MOCK_VERSION}"
    if not (folder / "stripe-mock").exists():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as fresh:
            env = {**os.environ, "GOBIN": fresh}
            subprocess.run([go, "install", module], env=env, check=True, timeout=600)
            # In one step, as other test processes may be at the same.
            (Path(fresh) / "stripe-mock").replace(folder / "stripe-mock")
    work = tmp_path_factory.mktemp("stripe-mock")
    command = [str(folder / "stripe-mock"), "-http-addr", "127.0.0.1:0"]
    command += ["-https-addr", "127.0.0.1:0", "-fixtures", str(bank_fixtures(go, module, work))]
    log = work / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        url = "http://" + listening(process, log)
        yield TokenServer(url, SECRET_KEY, makes_bank_tokens(url))
    finally:
        process.terminate()
        process.wait(10)


def bank_fixtures(go: str, module: str, work: Path) -> Path:
    """Copy the mock's fixtures with a bank account's token in the place of a card's."""
    described = subprocess.run(
        [go, "mod", "download", "-json", module], check=True, capture_output=True, timeout=600
    )
    source = Path(json.loads(described.stdout)["Dir"]) / "embedded/openapi/fixtures3.json"
    fixtures = json.loads(source.read_text())
    token = fixtures["resources"]["token"]
    token.pop("card", None)
    token["id"] = "b" + token["id"]
    token["type"] = "bank_account"
    token["bank_account"] = fixtures["resources"]["bank_account"]
    copy = work / "fixtures.json"
    copy.write_text(json.dumps(fixtures))
    return copy


def listening(process: subprocess.Popen[bytes], log: Path) -> str:
    """Wait for the mock to say where it listens."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        if found := re.search(r"Listening for HTTP at address: (\S+)", log.read_text()):
            return found[1]
        time.sleep(0.05)
    raise AssertionError(f"stripe-mock does not listen:\n{log.read_text()}")


def makes_bank_tokens(url: str) -> bool:
    """Tell a mock with a bank account's token from one with the stock fixtures."""
    where = urlsplit(url)
    kinds = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}
    connection = kinds[where.scheme](where.hostname or "", where.port, timeout=10)
    connection.request("GET", "/v1/tokens/tok_1", headers={"Authorization": f"Bearer {SECRET_KEY}"})
    answer = json.loads(connection.getresponse().read())
    connection.close()
    return bool(answer["type"] == "bank_account")


@pytest.fixture(params=[pytest.param("stripe-mock", marks=pytest.mark.slow), "loopback"])
def token_server(request: pytest.FixtureRequest) -> TokenServer:
    if request.param == "stripe-mock":
        mock: TokenServer = request.getfixturevalue("stripe_mock")
        return mock
    return TokenServer(request.getfixturevalue("stripe_peer").url, SECRET_KEY, True)
