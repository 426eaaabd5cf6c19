"""The server with a certificate of its own."""

import http.client
import json
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import trustme

from indexfallback.config.load import load_settings
from indexfallback.errors import ConfigError
from tests.conftest import Serve
from tests.fakes import FakeIndex, wheel
from tests.in_process import indexfallback
from tests.serving import Served, clean_environment, config_text, index_table

NOBODY = index_table("pypi", "http://127.0.0.1:9/simple/")


class Certificate(NamedTuple):
    """The files of a certificate, and of the authority behind it."""

    cert: Path
    key: Path
    authority: Path

    @property
    def server(self) -> dict[str, object]:
        return {"tls_cert": str(self.cert), "tls_key": str(self.key)}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return _issued(tmp_path_factory.mktemp("tls"))


def _issued(directory: Path) -> Certificate:
    made = Certificate(directory / "cert.pem", directory / "key.pem", directory / "ca.pem")
    authority = trustme.CA()
    leaf = authority.issue_cert("127.0.0.1")
    made.cert.write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
    made.key.write_bytes(leaf.private_key_pem.bytes())
    made.authority.write_bytes(authority.cert_pem.bytes())
    return made


@pytest.fixture
def secure(served: Serve, certificate: Certificate) -> Iterator[Served]:
    """A shim with TLS, and the wheel of acme-app behind it."""
    with FakeIndex([wheel("acme-app")]) as index:
        yield served(index_table("pypi", index.url), server=certificate.server)


def test_pip_downloads_through_it(secure: Served, certificate: Certificate, tmp_path: Path) -> None:
    assert secure.url.startswith("https://127.0.0.1:")
    subprocess.run(
        [sys.executable, "-m", "pip", "download", "--no-deps", "--dest", str(tmp_path / "got"),
         "--cert", str(certificate.authority), "--index-url", secure.url, "acme-app"],
        env=clean_environment(tmp_path), check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    assert [path.name for path in (tmp_path / "got").iterdir()] == ["acme_app-1.0-py3-none-any.whl"]


def test_plain_http_gets_no_answer(secure: Served) -> None:
    answer = secure.raw(b"GET /-/health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    assert not answer.startswith(b"HTTP/1.1 200")


def test_old_clients_with_tls_1_2_are_served(secure: Served, certificate: Certificate) -> None:
    context = ssl.create_default_context(cafile=certificate.authority)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    connection = http.client.HTTPSConnection("127.0.0.1", secure.port, timeout=60, context=context)
    connection.request("GET", "/-/health")
    assert connection.getresponse().status == 200
    connection.close()


def test_the_commands_find_it(served: Serve, certificate: Certificate, tmp_path: Path) -> None:
    shim = served(NOBODY, server=certificate.server)
    config = tmp_path / "served" / "config.toml"
    environ = clean_environment(tmp_path / "served", INDEXFALLBACK_PORT=str(shim.port))
    done = indexfallback("--config", str(config), "status", "--json", environ=environ)
    assert json.loads(done.stdout)["running"] is True


def test_run_has_a_shim_of_its_own_without_tls(certificate: Certificate, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(config_text(NOBODY, server=certificate.server), encoding="utf-8")
    script = "import os; print(os.environ['PIP_INDEX_URL'])"
    done = subprocess.run(
        [sys.executable, "-m", "indexfallback", "--config", str(config), "run", "--address", "--",
         sys.executable, "-c", script],
        env=clean_environment(tmp_path), capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert done.stdout.startswith("http://127.0.0.1:")


def _refused(tmp_path: Path, server: dict[str, object]) -> str:
    """Return what serve says to a configuration that it does not take."""
    config = tmp_path / "config.toml"
    config.write_text(config_text(NOBODY, server=server), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "indexfallback", "--config", str(config), "serve", "--port", "0"],
        env=clean_environment(tmp_path), stdin=subprocess.DEVNULL,
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    return " ".join(done.stderr.split())


def test_the_key_of_another_certificate_is_refused_at_the_start(
    certificate: Certificate, tmp_path: Path
) -> None:
    other = _issued(tmp_path)
    said = _refused(tmp_path, {**certificate.server, "tls_key": str(other.key)})
    assert "config.toml:2" in said
    assert "name a certificate and its own key" in said


def test_an_invalid_certificate_is_refused_at_the_start(
    certificate: Certificate, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong.pem"
    wrong.write_text("no certificate", encoding="utf-8")
    said = _refused(tmp_path, {**certificate.server, "tls_cert": str(wrong)})
    assert "name a certificate and its own key" in said


@pytest.mark.parametrize(("given", "other"), [("tls_cert", "tls_key"), ("tls_key", "tls_cert")])
def test_one_of_the_two_files_is_not_enough(
    certificate: Certificate, tmp_path: Path, given: str, other: str
) -> None:
    config = tmp_path / "config.toml"
    server = {given: certificate.server[given]}
    config.write_text(config_text(NOBODY, server=server), encoding="utf-8")
    with pytest.raises(ConfigError, match=f"config.toml:2: .*{given} is set without {other}"):
        load_settings(config=config, environ={})


def test_a_key_that_is_not_there_is_named(certificate: Certificate, tmp_path: Path) -> None:
    said = _refused(tmp_path, {**certificate.server, "tls_key": "gone.pem"})
    assert f"No such file or directory: '{tmp_path / 'gone.pem'}'" in said


def test_a_key_with_a_password_is_refused_and_asked_for_nowhere(
    certificate: Certificate, tmp_path: Path
) -> None:
    key = tmp_path / "locked.pem"
    subprocess.run(
        ["openssl", "pkey", "-in", str(certificate.key), "-aes256", "-passout", "pass:secret",
         "-out", str(key)],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    assert "without a password" in _refused(tmp_path, {**certificate.server, "tls_key": str(key)})
