"""Real clients install through a tunnel, with the addresses that they always used."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.support import installed, uv_executable
from tests.fakes import FakeIndex, wheel
from tests.tunnel.support import SECONDS, Tunnelled, tunnelled

_HOSTS = ("https://packages.example.com", "https://my_index.example.com", "https://127.0.0.1:8443",
          "https://localhost:8444", "http://10.9.8.7:8080")  # fmt: skip


@pytest.fixture
def chain() -> Iterator[FakeIndex]:
    """Return a stand-in for the shim, which has a page and a file at every address."""
    with FakeIndex([wheel("acme-app")]) as real, FakeIndex() as local:
        name = "acme_app-1.0-py3-none-any.whl"
        for origin in _HOSTS:
            place = f"/via/{origin.replace('://', '/')}"
            page = f'<!DOCTYPE html><a href="/files/{name}">{name}</a>'.encode()
            local.answer(200, {"Content-Type": "text/html"}, page, path=f"{place}/simple/acme-app/")
            content = real.project("acme-app").files[name].dist.data
            local.answer(200, {"Content-Type": "application/zip"}, content, path=f"{place}/files/")
        yield local


@pytest.mark.parametrize("origin", _HOSTS)
@pytest.mark.parametrize("client", ["pip", "uv"])
def test_a_client_installs(chain: FakeIndex, tmp_path: Path, client: str, origin: str) -> None:
    command = {
        "pip": [sys.executable, "-m", "pip", "install", "--no-cache-dir", "--no-compile"],
        "uv": [uv_executable(), "pip", "install", "--no-cache", "--python", sys.executable],
    }[client]
    with tunnelled(chain, *_HOSTS) as tunnel:
        trusted = ["--trusted-host", "10.9.8.7"] if client == "pip" else []
        done = subprocess.run(
            [*command, *trusted, "--target", str(tmp_path / "target"), "acme-app",
             "--index-url", f"{origin}/simple/"],
            env=tunnel.environment, capture_output=True, text=True, check=False, timeout=SECONDS,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert tunnel.tunnel.report().refusals == ()
    assert installed(tmp_path / "target") == {"acme-app": "1.0"}


@pytest.mark.parametrize("variable", ["UV_SYSTEM_CERTS", "UV_NATIVE_TLS"])
def test_uv_may_use_the_certificates_of_the_system(
    chain: FakeIndex, tmp_path: Path, variable: str
) -> None:
    with tunnelled(chain, *_HOSTS) as tunnel:
        subprocess.run(
            [uv_executable(), "pip", "install", "--no-cache", "--python", sys.executable,
             "--target", str(tmp_path / "target"), "acme-app",
             "--index-url", f"{_HOSTS[0]}/simple/"],
            env={**tunnel.environment, variable: "1"}, check=True, timeout=SECONDS,
        )  # fmt: skip
    assert installed(tmp_path / "target") == {"acme-app": "1.0"}


def test_pips_own_proxy_is_not_stronger(
    chain: FakeIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pip.conf").write_text("[global]\nproxy = http://127.0.0.1:9\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    with tunnelled(chain, *_HOSTS) as tunnel:
        subprocess.run(
            [sys.executable, "-m", "pip", "download", "--no-cache-dir", "--no-deps", "acme-app",
             "-d", str(tmp_path), "--index-url", f"{_HOSTS[0]}/simple/"],
            env=tunnel.environment, check=True, timeout=SECONDS,
        )  # fmt: skip
    assert (tmp_path / "acme_app-1.0-py3-none-any.whl").exists()


def test_curl_and_the_standard_library_trust_the_bundle(tunnel: Tunnelled) -> None:
    url = "https://packages.example.com/"
    code = f"import urllib.request as u; print(u.urlopen({url!r}).read().decode(), end='')"
    for command in (["curl", "-sS", url], [sys.executable, "-c", code]):
        done = subprocess.run(
            command, env={**os.environ, **tunnel.environment}, capture_output=True, check=True,
            timeout=SECONDS,
        )  # fmt: skip
        assert done.stdout == b"by the shim"
