"""In production webhooks reach public addresses alone, however an address is written down."""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from tests.support.receiver import Receiver
from treadle.webhooks.egress import (
    Egress,
    NameNotFound,
    Resolve,
    Rule,
    anywhere,
    loopback_only,
    public_only,
)
from treadle.webhooks.sending import Outcome, Sender

# Each stands for an address that must not be reached, or for none.
NOTATIONS = (Path(__file__).parent / "notations.txt").read_text().split()

# These are no addresses to every resolver.
NO_ADDRESSES = {"0177.0.0.1", "0251.0376.0251.0376", "localhost.", "127.0.0.1.", *NOTATIONS[-3:]}
PUBLIC = ["1.1.1.1", "8.8.8.8", "2606:4700::1111", "64:ff9b::101:101", "2002:101:101::1"]


def post(
    url: str,
    rule: Rule,
    resolve: Resolve | None = None,
    ssl_context: ssl.SSLContext | None = None,
) -> Outcome:
    async def run() -> Outcome:
        sender = Sender(Egress(rule, resolve), 5.0, ssl_context)
        try:
            return await sender.post(url, b"{}", {"Content-Type": "application/json"})
        finally:
            sender.close()

    return asyncio.run(run())


def resolving(**names: list[str]) -> Resolve:
    """A resolver that knows these names."""

    async def resolve(host: str) -> list[str]:
        return names[host.partition(".")[0]]

    return resolve


def test_there_are_many_notations() -> None:
    assert len(set(NOTATIONS)) == len(NOTATIONS) > 70


@pytest.mark.parametrize("notation", NOTATIONS)
def test_production_reaches_nothing_private(notation: str, receiver: Receiver) -> None:
    url = f"http://{notation}:{receiver.port}/hook"
    outcome = post(url, public_only())
    # What nobody takes for an address goes nowhere either.
    refusals = ("name_not_found", "invalid_url") if notation in NO_ADDRESSES else ()
    assert outcome.error in ("address_refused", *refusals)
    assert receiver.received == []


def test_a_refused_address_is_not_even_connected_to(receiver: Receiver) -> None:
    """The same address that production refuses is one that the sandbox reaches."""
    assert post(receiver.url, public_only()).error == "address_refused"
    assert receiver.received == []
    assert post(receiver.url, anywhere).status == 200
    assert len(receiver.received) == 1


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_allowed(address: str) -> None:
    assert public_only()(ipaddress.ip_address(address)) is None


@given(st.ip_addresses(network="0.0.0.0/0"))
def test_however_an_address_is_embedded_it_is_judged_alike(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    rule = public_only()
    number = int(address)
    for embedded in (0xFFFF << 32 | number, 0x2002 << 112 | number << 80, 0x64FF9B << 96 | number):
        assert rule(ipaddress.IPv6Address(embedded)) == rule(address)


def test_a_name_is_refused_for_any_of_its_addresses(receiver: Receiver) -> None:
    resolve = resolving(hooks=["1.1.1.1", "127.0.0.1"])
    url = f"http://hooks.test:{receiver.port}/"
    assert post(url, public_only(), resolve).error == "address_refused"


def test_the_connection_goes_to_the_address_that_was_judged(receiver: Receiver) -> None:
    """A name that means something else the second time is asked once for each connection."""
    asked = []

    async def rebinding(host: str) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.2"]

    judged: list[str] = []

    def rule(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str | None:
        judged.append(str(address))
        return None

    outcome = post(f"http://hooks.test:{receiver.port}/hook", rule, rebinding)
    assert outcome.status == 200
    assert (asked, judged) == (["hooks.test"], ["127.0.0.1"])
    [received] = receiver.received
    assert received.headers["Host"] == f"hooks.test:{receiver.port}"


def test_the_next_address_is_tried(receiver: Receiver) -> None:
    resolve = resolving(hooks=["127.0.0.2", "127.0.0.1"])
    assert post(f"http://hooks.test:{receiver.port}/", anywhere, resolve).status == 200


def test_the_operator_can_allow_a_network(receiver: Receiver) -> None:
    rule = public_only(["127.0.0.0/8", "fd00::/8"])
    assert post(receiver.url, rule).status == 200
    assert rule(ipaddress.ip_address("fd00::1")) is None
    assert rule(ipaddress.ip_address("::ffff:127.0.0.1")) is None
    assert rule(ipaddress.ip_address("10.0.0.1")) is not None


def test_loopback_only_is_just_that() -> None:
    assert loopback_only(ipaddress.ip_address("127.0.0.1")) is None
    assert loopback_only(ipaddress.ip_address("::1")) is None
    assert loopback_only(ipaddress.ip_address("10.0.0.1")) is not None
    assert loopback_only(ipaddress.ip_address("1.1.1.1")) is not None


class TlsReceiver:
    """A receiver of a certificate for `hooks.test`, and who asked for which name."""

    def __init__(self, folder: Path) -> None:
        self.names: list[str | None] = []
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "hooks.test")])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(1)
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("hooks.test")]), False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
            .sign(key, hashes.SHA256())
        )
        pem = certificate.public_bytes(serialization.Encoding.PEM)
        chain = folder / "chain.pem"
        chain.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + pem
        )
        self.trusting = ssl.create_default_context(cadata=pem.decode())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain)
        context.sni_callback = lambda _socket, name, _context: self.names.append(name)
        self._receiver = Receiver(tls=context)
        self.port = self._receiver.port

    def close(self) -> None:
        self._receiver.close()


@pytest.fixture
def tls(tmp_path: Path) -> Iterator[TlsReceiver]:
    receiver = TlsReceiver(tmp_path)
    yield receiver
    receiver.close()


def test_tls_is_for_the_name_and_not_for_the_number(tls: TlsReceiver) -> None:
    resolve = resolving(hooks=["127.0.0.1"], other=["127.0.0.1"])
    url = f"https://hooks.test:{tls.port}/hook"
    assert post(url, anywhere, resolve, tls.trusting).status == 200
    assert tls.names == ["hooks.test"]
    other = f"https://other.test:{tls.port}/hook"
    assert post(other, anywhere, resolve, tls.trusting).error == "tls_failed"
    # Whom nobody vouches for is not believed.
    assert post(url, anywhere, resolve).error == "tls_failed"


def test_a_connection_is_not_used_for_another_name(tls: TlsReceiver) -> None:
    """Two names of one address have connections of their own, each checked for its name."""
    egress = Egress(anywhere, resolving(hooks=["127.0.0.1"], other=["127.0.0.1"]))

    async def run() -> list[Outcome]:
        sender = Sender(egress, 5.0, tls.trusting)
        names = ("hooks", "other", "hooks")
        outcomes = [
            await sender.post(f"https://{name}.test:{tls.port}/", b"{}", {}) for name in names
        ]
        sender.close()
        return outcomes

    first, second, third = asyncio.run(run())
    assert (first.status, second.error, third.status) == (200, "tls_failed", 200)
    # The third went over the first one's connection.
    assert tls.names == ["hooks.test", "other.test"]


def test_names_are_looked_up_once_for_all_who_wait() -> None:
    async def run() -> None:
        egress = Egress(anywhere)
        found = await asyncio.gather(*(egress.addresses("localhost") for _ in range(50)))
        assert all(found[0] == one for one in found)
        with pytest.raises(NameNotFound):
            await egress.addresses("no-such-host.invalid")
        with pytest.raises(NameNotFound):
            await egress.addresses("a" * 70 + ".test")

    asyncio.run(run())
