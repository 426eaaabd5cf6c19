"""The certificates of one run: an authority that signs one certificate and is then forgotten.

The private key of the authority is never written, and is gone when `issue` returns. Its certificate
is limited to the hosts of the run (name constraints, RFC 5280, 4.2.1.10), so that a program that
trusts it trusts nothing new.
"""

import ipaddress
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from indexfallback.tunnel.origins import ip_address

#: Clocks of containers and virtual machines differ.
_BEFORE = timedelta(hours=1)
#: No run takes longer; clients limit it as well (Apple to 825 days).
_AFTER = timedelta(days=1)
#: Without a name of a kind among the permitted ones, all names of this kind are permitted; the
#: empty domain holds every name.
_NO_NAMES = (x509.DNSName(""),)
_NO_ADDRESSES = tuple(
    x509.IPAddress(ipaddress.ip_network(every)) for every in ("0.0.0.0/0", "::/0")
)


class Certificates(NamedTuple):
    """PEM texts."""

    #: The certificate that clients are to trust.
    authority: bytes
    #: The certificate of the hosts, followed by its private key.
    leaf: bytes


def issue(hosts: Iterable[str]) -> Certificates:
    """Return a certificate for host names and IP addresses, and its authority's."""
    names = [_general_name(host) for host in dict.fromkeys(hosts)]
    signer, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = _subject("indexfallback run, authority")
    authority = (
        _builder(issuer, issuer, signer.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(_constraints(names), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(signer.public_key()), False)
        .sign(signer, hashes.SHA256())
    )
    leaf = (
        _builder(issuer, _subject("indexfallback run"), key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), False
        )
        .sign(signer, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Certificates(authority.public_bytes(pem), leaf.public_bytes(pem) + private)


def _general_name(host: str) -> x509.DNSName | x509.IPAddress:
    address = ip_address(host)
    if address is not None:
        return x509.IPAddress(address)
    return x509.DNSName(host if host.isascii() else host.encode("idna").decode())


def _constraints(names: list[x509.DNSName | x509.IPAddress]) -> x509.NameConstraints:
    permitted: list[x509.GeneralName] = [
        x509.IPAddress(ipaddress.ip_network(name.value)) if isinstance(name, x509.IPAddress)
        else name
        for name in names
    ]  # fmt: skip
    excluded: list[x509.GeneralName] = []
    if not any(isinstance(name, x509.DNSName) for name in names):
        excluded += _NO_NAMES
    if not any(isinstance(name, x509.IPAddress) for name in names):
        excluded += _NO_ADDRESSES
    return x509.NameConstraints(permitted or None, excluded or None)


def _builder(
    issuer: x509.Name, subject: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = datetime.now(timezone.utc)
    return (
        x509.CertificateBuilder()
        .issuer_name(issuer)
        .subject_name(subject)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BEFORE)
        .not_valid_after(now + _AFTER)
    )


def _subject(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates, key_cert_sign=signs_certificates,
        crl_sign=False, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
