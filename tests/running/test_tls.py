"""TLS with a certificate of the operator's own."""

from __future__ import annotations

import datetime
import http.client
import os
import signal
import ssl
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from pathlib import Path

import plaid
import pytest
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from plaid.api import plaid_api
from plaid.model.country_code import CountryCode
from plaid.model.institutions_get_request import InstitutionsGetRequest

from tests.running.lines import LastLine
from tests.running.processes import wait_until, workers
from tests.support.sdk import CLIENT_ID, SECRET
from tests.support.server import Server
from treadle.cli import main


def write_certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate for loopback that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    format_, nothing = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    files = folder / "certificate.pem", folder / "key.pem"
    files[0].write_bytes(certificate.public_bytes(pem))
    files[1].write_bytes(key.private_bytes(pem, format_, nothing))
    return files


def options(files: tuple[Path, Path]) -> list[str]:
    return ["--tls-certificate", str(files[0]), "--tls-key", str(files[1])]


class TlsServer(Server):
    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def name_shown(self) -> str:
        """The name in the certificate that a new connection is shown."""
        pem = ssl.get_server_certificate(("127.0.0.1", self.port), timeout=10)
        subject = x509.load_pem_x509_certificate(pem.encode()).subject
        return str(subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value)

    def _wait_until_healthy(self) -> None:
        wait_until(self._shows_a_certificate)

    def _shows_a_certificate(self) -> bool:
        assert self.running, self.log()
        try:
            return bool(self.name_shown())
        except OSError:
            return False


@pytest.fixture
def tls_serve(tmp_path: Path) -> Iterator[Callable[..., TlsServer]]:
    servers: list[TlsServer] = []

    def start(*arguments: str) -> TlsServer:
        servers.append(TlsServer(tmp_path / "data", *arguments))
        servers[-1].start()
        return servers[-1]

    yield start
    for server in servers:
        assert server.stop() == 0


def test_the_sdk_is_served(tls_serve: Callable[..., TlsServer], tmp_path: Path) -> None:
    files = write_certificate(tmp_path, "first")
    server = tls_serve(*options(files))
    assert f"base URL   {server.url}" in server.log()
    configuration = plaid.Configuration(
        host=server.url, api_key={"clientId": CLIENT_ID, "secret": SECRET}
    )
    configuration.ssl_ca_cert = str(files[0])
    client = plaid_api.PlaidApi(plaid.ApiClient(configuration))
    # An answer that is written in several pieces.
    request = InstitutionsGetRequest(count=500, offset=0, country_codes=[CountryCode("US")])
    assert client.institutions_get(request).total > 10
    assert client.institutions_get(request).total > 10


def test_nothing_is_said_without_tls(tls_serve: Callable[..., TlsServer], tmp_path: Path) -> None:
    server = tls_serve(*options(write_certificate(tmp_path, "first")))
    with LastLine(server) as line:
        line.send(b"POST /institutions/get HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        with pytest.raises((ConnectionError, http.client.HTTPException)):
            line.read()


def test_new_workers_show_the_new_certificate(
    tls_serve: Callable[..., TlsServer], tmp_path: Path
) -> None:
    files = write_certificate(tmp_path, "first")
    server = tls_serve("--workers", "2", *options(files))
    assert server.name_shown() == "first"
    before = set(workers(server))
    write_certificate(tmp_path, "second")
    os.kill(server.pid, signal.SIGHUP)
    wait_until(lambda: not before & set(workers(server)))
    assert server.name_shown() == "second"


def test_files_that_do_not_fit_are_said_plainly(tmp_path: Path) -> None:
    certificate, _ = write_certificate(tmp_path, "first")
    (tmp_path / "other").mkdir()
    _, key = write_certificate(tmp_path / "other", "second")
    for arguments, said in (
        (["--tls-certificate", str(certificate)], "together"),
        (["--tls-key", str(key)], "together"),
        (options((certificate, key)), "cannot be used"),
        (options((certificate, certificate)), "cannot be used"),
    ):
        data = ["--port", "0", "--data", str(tmp_path / "data")]
        outcome = CliRunner().invoke(main, ["serve", *data, *arguments])
        assert outcome.exit_code == 2, outcome.output
        assert said in outcome.output
    assert not (tmp_path / "data").exists()
