"""The bundle of a run: every certificate that the user's programs trust, and the run's own.

A program that reads ``SSL_CERT_FILE`` or ``REQUESTS_CA_BUNDLE`` trusts what is in that file and
nothing else, so the bundle holds the roots of the system and all that such settings name.
"""

import os
import re
import ssl
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from indexfallback.config.pip import PipConfig
from indexfallback.errors import ConfigError

#: Variables that name a file or a directory of certificates; NODE_EXTRA_CA_CERTS adds to Node's.
VARIABLES = (
    "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS",
)  # fmt: skip
#: Where systems keep their roots; a Python that was built elsewhere knows another place.
_USUAL = (
    "/etc/ssl/cert.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/cert.pem",
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/ssl/ca-bundle.pem",
)
_CERTIFICATE = re.compile(
    rb"-----BEGIN CERTIFICATE-----[ \t]*\r?\n([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----"
)
#: The use "TLS server" of a certificate (RFC 5280, 4.2.1.12).
_SERVER_AUTH = "1.3.6.1.5.5.7.3.1"
#: Characters of base64 in a line of PEM (RFC 7468, 2).
_LINE = 64


def named_by_user(environ: Mapping[str, str], pip: PipConfig) -> dict[str, str]:
    """Return the files and directories of certificates that the user has configured.

    The keys are for messages: ``SSL_CERT_FILE``, ``pip: cert``.
    """
    found = {name: environ[name] for name in VARIABLES if environ.get(name)}
    if cert := pip.get("cert"):
        found["PIP_CERT" if environ.get("PIP_CERT") else "pip: cert"] = cert
    return found


def user_files(named: Mapping[str, str]) -> list[Path]:
    """Return the files that the user's settings name; raises `ConfigError` for a missing one."""
    found: list[Path] = []
    for name, value in named.items():
        # Only this variable of OpenSSL has a list of directories.
        paths = value.split(os.pathsep) if name == "SSL_CERT_DIR" else [value]
        for path in (Path(os.path.expanduser(each)) for each in paths if each):  # noqa: PTH111 - as pip: never fails
            found += _files(name, path)
    return found


def _files(name: str, path: Path) -> list[Path]:
    try:
        if path.is_dir():
            return sorted(file for file in path.iterdir() if file.is_file())
        path.open("rb").close()
    except OSError as error:
        raise ConfigError(
            name,
            f"the certificates in {path} cannot be read ({error.strerror})",
            "correct the path, or unset it to use the system's certificates",
        ) from error
    return [path]


def bundle(files: list[Path], authority: bytes) -> bytes:
    """Return the bundle as PEM: the system's roots, those of ``files``, and the run's authority."""
    texts = [*map(_content, _system_files()), *map(_content, files), *_windows_roots(), authority]
    return _joined(texts)


def certificates_in(files: list[Path]) -> bytes:
    """Return all certificates of some files as PEM."""
    return _joined(map(_content, files))


def _joined(texts: Iterable[bytes]) -> bytes:
    """Return the certificates of PEM texts, each once and without what stands between them."""
    bodies = (re.sub(rb"\s", b"", body) for text in texts for body in _CERTIFICATE.findall(text))
    return b"".join(map(_pem, dict.fromkeys(bodies)))


def _pem(body: bytes) -> bytes:
    lines = [body[start : start + _LINE] for start in range(0, len(body), _LINE)]
    return b"\n".join([b"-----BEGIN CERTIFICATE-----", *lines, b"-----END CERTIFICATE-----", b""])


def _content(path: Path) -> bytes:
    """Return the content of a file of certificates, or nothing if the user may not read it."""
    try:
        return path.read_bytes()
    except OSError:  # programs pass it over as well
        return b""


def _system_files() -> Iterator[Path]:
    import certifi  # noqa: PLC0415 - it is requests' own

    defaults = ssl.get_default_verify_paths()
    # Not `cafile`, which SSL_CERT_FILE replaces.
    for path in map(Path, (defaults.openssl_cafile, *_USUAL, certifi.where())):
        if path.is_file():
            yield path
    directory = Path(defaults.openssl_capath)
    if directory.is_dir():
        yield from sorted(file for file in directory.iterdir() if file.is_file())


def _windows_roots() -> Iterator[bytes]:
    yield from ()
    if sys.platform == "win32":
        for store in ("CA", "ROOT"):
            for certificate, encoding, trust in ssl.enum_certificates(store):
                if encoding == "x509_asn" and (trust is True or _SERVER_AUTH in trust):
                    yield ssl.DER_cert_to_PEM_cert(certificate).encode()
