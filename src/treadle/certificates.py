"""HTTPS for a sandbox: a certificate of its own, under an authority that browsers can be told of.

The authority's key is never written down: it signs one certificate and is gone. So what a browser
is told to trust can vouch for nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

# By this name apps ask for Link's script.
CDN = "cdn.plaid.com"
_FOLDER = "tls"
# The key and the certificate, as one file.
_SERVER_FILE = "server.pem"
# What browsers and clients are to trust.
_AUTHORITY_FILE = "authority.pem"


def provide_certificate(data: Path, names: Iterable[str]) -> Path:
    """The key and the certificate for these names in a data folder, made unless they are there."""
    folder = data / _FOLDER
    wanted = set(names)
    if wanted <= _names_in(folder / _SERVER_FILE):
        return folder / _SERVER_FILE
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Imported late, for most servers need nothing of this.
    import trustme

    authority = trustme.CA(organization_name="Treadle", organization_unit_name="Sandbox")
    made = authority.issue_cert(*sorted(wanted), organization_name="Treadle")
    # Written beside and moved: a server that starts at the same time finds a whole file.
    being_written = folder / f"{_SERVER_FILE}.new"
    being_written.touch(mode=0o600)
    made.private_key_and_cert_chain_pem.write_to_path(being_written)
    authority.cert_pem.write_to_path(folder / _AUTHORITY_FILE)
    return being_written.replace(folder / _SERVER_FILE)


def made_authority(certificate: str | None, data: Path) -> Path | None:
    """What is to be trusted, when the certificate in use is one that was made here."""
    folder = data / _FOLDER
    return folder / _AUTHORITY_FILE if certificate == str(folder / _SERVER_FILE) else None


def _names_in(path: Path) -> set[str]:
    from cryptography import x509

    if not path.exists():
        return set()
    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    hosts = names.get_values_for_type(x509.DNSName)
    return {*hosts, *map(str, names.get_values_for_type(x509.IPAddress))}
