"""Attestations with signatures that hold, of authorities that are trusted by a test alone.

A certificate authority, a log of certificates and a log of signatures as Sigstore's are, each with
one key and one entry.

Sources: RFC 6962 (certificate transparency), sigstore's protobuf specifications, and the client
specification's "Verification".
"""

import hashlib
import json
import struct
from base64 import b64decode, b64encode
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from tests.fakes.provenance import attestation

#: A type of attestation that pypi-attestations knows.
SLSA = "https://slsa.dev/provenance/v1"
_START = datetime(2026, 1, 1, tzinfo=timezone.utc)
_SIGNED = _START + timedelta(minutes=2)
_ISSUER = "https://token.actions.githubusercontent.com"
_SCT_LIST = ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")


def _key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _der(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _sign(key: ec.EllipticCurvePrivateKey, data: bytes) -> bytes:
    return key.sign(data, ec.ECDSA(hashes.SHA256()))


def _text(data: bytes) -> str:
    return b64encode(data).decode()


def _value(tag: int, data: bytes) -> bytes:
    """Return a value in DER, of less than 256 bytes."""
    length = (len(data),) if len(data) < 128 else (0x81, len(data))
    return bytes((tag, *length)) + data


class Authorities:
    """The keys of all of them."""

    def __init__(self) -> None:
        self._ca, self._certificates, self._signatures = _key(), _key(), _key()
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test authority")])
        self._root = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self._ca.public_key())
            .serial_number(1)
            .not_valid_before(_START)
            .not_valid_after(_START + timedelta(days=3650))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(self._ca.public_key()), critical=False
            )
            .sign(self._ca, hashes.SHA256())
        )

    def trust(self, directory: Path) -> None:
        """Write the trust root to where sigstore looks for it in a user's cache directory."""
        valid = {"start": "2025-01-01T00:00:00Z"}
        authority = {
            "subject": {"organization": "test", "commonName": "test authority"},
            "uri": "https://ca.example.com",
            "certChain": {
                "certificates": [{"rawBytes": _text(self._root.public_bytes(Encoding.DER))}]
            },
            "validFor": valid,
        }
        root = {
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [_log(self._signatures)],
            "certificateAuthorities": [authority],
            "ctlogs": [_log(self._certificates)],
            "timestampAuthorities": [],
        }
        (directory / "trusted_root.json").write_text(json.dumps(root), encoding="utf-8")

    def provenance_of(self, filename: str, sha256: str, repository: str, workflow: str) -> bytes:
        """Return the provenance object of a file that a workflow of a repository has published."""
        key = _key()
        certificate = self._certificate(key, repository, workflow)
        found = attestation(filename, sha256, SLSA)
        statement = found["envelope"]["statement"]
        payload = b64decode(statement)
        kind = "application/vnd.in-toto+json"
        signature = _sign(key, f"DSSEv1 {len(kind)} {kind} {len(payload)} ".encode() + payload)
        found["envelope"] = {"statement": _text(payload), "signature": _text(signature)}
        found["verification_material"] = {
            "certificate": _text(certificate.public_bytes(Encoding.DER)),
            "transparency_entries": [self._entry(certificate, payload, signature)],
        }
        publisher = {"kind": "GitHub", "repository": repository, "workflow": workflow}
        bundle = {"publisher": {**publisher, "environment": None}, "attestations": [found]}
        return json.dumps({"version": 1, "attestation_bundles": [bundle]}).encode()

    def _certificate(
        self, key: ec.EllipticCurvePrivateKey, repository: str, workflow: str
    ) -> x509.Certificate:
        """Return the certificate of a signing key, with the entry in the log of certificates."""
        at = f"https://github.com/{repository}"
        claims = {8: _ISSUER, 12: at, 14: "refs/tags/v1"}
        claims[18] = f"{at}/.github/workflows/{workflow}@refs/tags/v1"
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([]))
            .issuer_name(self._root.subject)
            .public_key(key.public_key())
            .serial_number(2)
            .not_valid_before(_START)
            .not_valid_after(_START + timedelta(minutes=10))
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(
                x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False
            )
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._ca.public_key()),
                critical=False,
            )
            .add_extension(
                x509.SubjectAlternativeName([x509.UniformResourceIdentifier(claims[18])]),
                critical=True,
            )
        )
        for number, text in claims.items():
            oid = ObjectIdentifier(f"1.3.6.1.4.1.57264.1.{number}")
            builder = builder.add_extension(
                x509.UnrecognizedExtension(oid, _value(0x0C, text.encode())), critical=False
            )
        plain = builder.sign(self._ca, hashes.SHA256()).tbs_certificate_bytes
        logged = x509.UnrecognizedExtension(_SCT_LIST, self._timestamps(plain))
        return builder.add_extension(logged, critical=False).sign(self._ca, hashes.SHA256())

    def _timestamps(self, certificate: bytes) -> bytes:
        """Return the list with one signed certificate timestamp (RFC 6962, 3.2 and 3.3)."""
        when = struct.pack("!Q", int(_START.timestamp() * 1000))
        size = struct.pack("!I", len(certificate))[1:]
        issuer = hashlib.sha256(_der(self._ca)).digest()
        signed = b"\0\0" + when + b"\0\1" + issuer + size + certificate + b"\0\0"
        signature = _sign(self._certificates, signed)
        sct = b"\0" + _log_id(self._certificates) + when + b"\0\0\4\3" + _sized(signature)
        return _value(0x04, _sized(_sized(sct)))

    def _entry(
        self, certificate: x509.Certificate, payload: bytes, signature: bytes
    ) -> dict[str, Any]:
        """Return the entry of a signature in the log, which has no other."""
        body = {
            "apiVersion": "0.0.1",
            "kind": "dsse",
            "spec": {
                "envelopeHash": {"algorithm": "sha256", "value": "0" * 64},
                "payloadHash": {
                    "algorithm": "sha256", "value": hashlib.sha256(payload).hexdigest()
                },
                "signatures": [
                    {
                        "signature": _text(signature),
                        "verifier": _text(certificate.public_bytes(Encoding.PEM)),
                    }
                ],
            },
        }  # fmt: skip
        canonical = json.dumps(body, separators=(",", ":"), sort_keys=True).encode()
        root = hashlib.sha256(b"\0" + canonical).digest()
        note = f"log.example.com - 1\n1\n{_text(root)}\n"
        mark = _log_id(self._signatures)[:4] + _sign(self._signatures, note.encode())
        integrated = int(_SIGNED.timestamp())
        promised = {
            "body": _text(canonical), "integratedTime": integrated,
            "logID": _log_id(self._signatures).hex(), "logIndex": 0,
        }  # fmt: skip
        promise = json.dumps(promised, separators=(",", ":"), sort_keys=True).encode()
        return {
            "logIndex": "0",
            "logId": {"keyId": _text(_log_id(self._signatures))},
            "kindVersion": {"kind": "dsse", "version": "0.0.1"},
            "integratedTime": str(integrated),
            "inclusionPromise": {"signedEntryTimestamp": _text(_sign(self._signatures, promise))},
            "inclusionProof": {
                "logIndex": "0",
                "rootHash": _text(root),
                "treeSize": "1",
                "hashes": [],
                "checkpoint": {"envelope": f"{note}\n\N{EM DASH} log.example.com {_text(mark)}\n"},
            },
            "canonicalizedBody": _text(canonical),
        }


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates, key_cert_sign=signs_certificates,
        crl_sign=signs_certificates, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _sized(data: bytes) -> bytes:
    return struct.pack("!H", len(data)) + data


def _log_id(key: ec.EllipticCurvePrivateKey) -> bytes:
    return hashlib.sha256(_der(key)).digest()


def _log(key: ec.EllipticCurvePrivateKey) -> dict[str, Any]:
    return {
        "baseUrl": "https://log.example.com",
        "hashAlgorithm": "SHA2_256",
        "publicKey": {
            "rawBytes": _text(_der(key)),
            "keyDetails": "PKIX_ECDSA_P256_SHA_256",
            "validFor": {"start": "2025-01-01T00:00:00Z"},
        },
        "logId": {"keyId": _text(_log_id(key))},
    }
