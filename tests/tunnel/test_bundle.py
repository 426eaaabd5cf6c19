"""The bundle holds every certificate that the user's programs trust, each once."""

import os
import re
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import certifi
import pytest
import trustme

from indexfallback.config.pip import PipConfig
from indexfallback.errors import ConfigError
from indexfallback.tunnel.bundle import bundle, certificates_in, named_by_user, user_files

_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
Write: TypeAlias = Callable[[str], bytes]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Return a function that writes a new certificate to a file and returns it."""

    def make(name: str) -> bytes:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        pem = trustme.CA().cert_pem.bytes()
        path.write_bytes(b"# a comment\n" + pem.replace(b"\n", b"\r\n") + b"rest")
        return der(pem)[0]

    return make


def der(pem: bytes) -> list[bytes]:
    return [ssl.PEM_cert_to_DER_cert(found) for found in _PEM.findall(pem.decode())]


def files(**environ: str) -> list[Path]:
    return user_files(named_by_user(environ, PipConfig(environ)))


@pytest.mark.parametrize(
    "variable",
    ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PIP_CERT", "NODE_EXTRA_CA_CERTS"],
)
def test_it_holds_what_a_variable_names(variable: str, write: Write, tmp_path: Path) -> None:
    wanted = write("own/a.pem")
    for path in ("own/a.pem", "own"):
        text = bundle(files(**{variable: str(tmp_path / path)}), b"")
        assert wanted in der(text)


def test_it_holds_what_pips_configuration_names(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = write("a.pem")
    (tmp_path / "pip.conf").write_text(f"[global]\ncert = {tmp_path / 'a.pem'}\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    assert wanted in der(bundle(files(), b""))


def test_it_holds_all_directories_of_openssl(write: Write, tmp_path: Path) -> None:
    wanted = {write("one/a.0"), write("two/b.0")}
    directories = os.pathsep.join((str(tmp_path / "one"), str(tmp_path / "two")))
    assert wanted <= set(der(bundle(files(SSL_CERT_DIR=directories), b"")))


def test_it_holds_the_systems_roots_and_certifis(monkeypatch: pytest.MonkeyPatch) -> None:
    # This variable must not hide the system's.
    monkeypatch.setenv("SSL_CERT_FILE", os.devnull)
    found = set(der(bundle([], b"")))
    assert set(der(Path(certifi.where()).read_bytes())) <= found
    context = ssl.create_default_context()
    context.load_default_certs()
    assert set(context.get_ca_certs(binary_form=True)) <= found


def test_each_certificate_is_there_once_and_the_own_one_last(write: Write, tmp_path: Path) -> None:
    own = trustme.CA().cert_pem.bytes()
    write("a.pem")
    text = bundle([tmp_path / "a.pem", tmp_path / "a.pem", Path(certifi.where())], own)
    found = der(text)
    assert len(found) == len(set(found))
    assert found[-1] == der(own)[0]
    ssl.create_default_context(cadata=text.decode())


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CERT_DIR", "PIP_CERT"])
def test_a_missing_file_is_an_error_that_names_the_variable(variable: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        files(**{variable: str(tmp_path / "missing.pem")})
    assert caught.value.where == variable
    assert "missing.pem cannot be read (No such file or directory)" in str(caught.value)


def test_what_is_no_certificate_is_left_out(tmp_path: Path, write: Write) -> None:
    wanted = write("own/a.pem")
    (tmp_path / "own/key.pem").write_bytes(trustme.CA().private_key_pem.bytes())
    assert der(certificates_in(files(SSL_CERT_FILE=str(tmp_path / "own")))) == [wanted]
