"""The certificates of a run are good for its hosts, and for nothing else."""

import ssl
from datetime import datetime, timezone
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from indexfallback.tunnel import certificates
from indexfallback.tunnel.certificates import Certificates, issue

HOSTS = ("packages.example.com", "my_index.local", "localhost", "10.0.0.5", "127.0.0.1", "::1")


def handshake(server_pem: bytes, authority: bytes, host: str, directory: Path) -> None:
    """Shake hands in memory; raises SSLError if the client refuses the certificate."""
    file = directory / "server.pem"
    file.write_bytes(server_pem)
    server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_context.load_cert_chain(file)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.create_default_context(cadata=authority.decode())
    client = context.wrap_bio(to_client, to_server, server_hostname=host)
    server = server_context.wrap_bio(to_server, to_client, server_side=True)
    for side in (client, server, client, server):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue


@pytest.mark.parametrize("host", HOSTS)
def test_it_is_good_for_each_host(host: str, tmp_path: Path) -> None:
    for hosts in (HOSTS, (host,)):
        made = issue(hosts)
        handshake(made.leaf, made.authority, host, tmp_path)


def test_a_name_with_other_letters_is_encoded(tmp_path: Path) -> None:
    made = issue(["b\u00fccher.example"])
    handshake(made.leaf, made.authority, "xn--bcher-kva.example", tmp_path)


def test_it_may_be_for_no_host() -> None:
    assert b"BEGIN CERTIFICATE" in issue([]).authority


@pytest.mark.parametrize("hosts", [("packages.example.com",), ("10.0.0.5",), ()])
@pytest.mark.parametrize("other", ["other.example.org", "10.0.0.6", "fd00::1"])
def test_its_authority_is_good_for_no_other_host(
    hosts: tuple[str, ...], other: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    constrained = certificates._constraints([certificates._general_name(host) for host in hosts])
    monkeypatch.setattr(certificates, "_constraints", lambda _: constrained)
    made = issue([other])
    with pytest.raises(ssl.SSLCertVerificationError, match=r"(permitted|excluded) subtree"):
        handshake(made.leaf, made.authority, other, tmp_path)


def loaded(made: Certificates) -> tuple[x509.Certificate, x509.Certificate]:
    return (
        x509.load_pem_x509_certificate(made.authority),
        x509.load_pem_x509_certificate(made.leaf),
    )


def test_both_are_valid_from_an_hour_ago_to_tomorrow() -> None:
    now = datetime.now(timezone.utc)
    for certificate in loaded(issue(HOSTS)):
        assert abs(now - certificate.not_valid_before_utc).total_seconds() < 3700
        assert abs(certificate.not_valid_after_utc - now).total_seconds() < 86_500


def test_the_constraints_are_critical_and_no_authority_may_follow() -> None:
    authority, leaf = loaded(issue(HOSTS))
    assert authority.extensions.get_extension_for_class(x509.NameConstraints).critical
    basic = authority.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (basic.critical, basic.value.ca, basic.value.path_length) == (True, True, 0)
    assert not leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_the_key_of_the_leaf_is_another_than_the_authoritys() -> None:
    made = issue(HOSTS)
    authority, leaf = loaded(made)
    key = serialization.load_pem_private_key(made.leaf, None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    assert key.public_key() == leaf.public_key() != authority.public_key()
    assert isinstance(leaf.signature_hash_algorithm, hashes.SHA256)
