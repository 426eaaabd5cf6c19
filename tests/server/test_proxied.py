"""The server below a path, and behind proxies that are trusted or not."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from indexfallback.config import Settings
from indexfallback.config.load import load_settings
from indexfallback.errors import ConfigError
from indexfallback.server.proxied import Proxied
from tests.conftest import Serve
from tests.fakes import FakeIndex, wheel
from tests.fakes.provenance import provenance_of
from tests.server.conftest import DEMO
from tests.serving import Served, config_text, index_table, serving

FORWARDED = {"X-Forwarded-Host": "packages.example.com", "X-Forwarded-Proto": "https"}
PUBLIC = "https://packages.example.com/pypi/simple/"


@pytest.fixture(scope="module")
def index() -> Iterator[FakeIndex]:
    with FakeIndex([wheel("Zope.Interface")]) as made:
        made.attest(DEMO, provenance_of(DEMO))
        yield made


def behind(*trusted: str, base: str = "/pypi") -> dict[str, object]:
    """Return the settings of a server that believes these proxies."""
    return {"base_path": base, "trusted_proxies": list(trusted)}


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory, index: FakeIndex) -> Iterator[Served]:
    """A shim below a path that believes a proxy on this machine."""
    config = config_text(index_table("pypi", index.url), server=behind("127.0.0.1"))
    with serving(tmp_path_factory.mktemp("below"), config) as made:
        yield made


@pytest.fixture(scope="module")
def at_root(tmp_path_factory: pytest.TempPathFactory, index: FakeIndex) -> Iterator[Served]:
    """A shim at the root that believes every proxy of a network."""
    server = behind("127.0.0.0/8", base="/")
    config = config_text(index_table("pypi", index.url), server=server)
    with serving(tmp_path_factory.mktemp("root"), config) as made:
        yield made


def test_every_page_is_there_with_the_base_and_without(shim: Served) -> None:
    for path in ("/", "/simple/demo/", "/projects/demo/", "/-/health"):
        assert shim.get(path).status == 200
        assert shim.get(f"/pypi{path}").status == 200
    assert shim.get("/pypi/simple/demo/").body == shim.get("/simple/demo/").body
    assert shim.get("/pypix/simple/demo/").status == 404


def test_a_redirect_stays_below_the_base(shim: Served) -> None:
    paths = ("/simple/Demo/", "/simple/demo", "/projects/Demo/", "/projects", "/index/pypi/simple")
    for path in paths:
        direct = shim.get(path).headers["Location"]
        assert not direct.startswith("/pypi")
        assert shim.get(f"/pypi{path}").headers["Location"] == f"/pypi{direct}"
        assert shim.get(path, FORWARDED).headers["Location"] == f"/pypi{direct}"


def test_a_trusted_proxy_states_the_public_address(shim: Served) -> None:
    for path in ("/", "/pypi/", "/projects/demo/"):
        assert PUBLIC in shim.get(path, FORWARDED).body.decode()
        assert PUBLIC not in shim.get(path).body.decode()


def test_provenance_is_stated_at_the_address_that_each_client_uses(shim: Served) -> None:
    for headers, root in ((FORWARDED, PUBLIC.removesuffix("simple/")), ({}, None)):
        page = shim.get("/simple/demo/", headers).body.decode()
        (stated,) = re.findall('data-provenance="([^"]*)"', page)
        assert stated.startswith(root or f"http://127.0.0.1:{shim.port}/files/")
        assert stated.endswith(f"/{DEMO.filename}.provenance")


def test_another_sender_of_the_same_headers_is_not_believed(
    served: Serve, index: FakeIndex
) -> None:
    shim = served(index_table("pypi", index.url), server=behind("192.0.2.7", "2001:db8::/32"))
    for headers in (FORWARDED, {"Forwarded": "host=packages.example.com;proto=https"}):
        assert "packages.example.com" not in shim.get("/", headers).body.decode()
        assert shim.get("/simple/demo", headers).headers["Location"] == "/simple/demo/"


def test_untrusted_forwarded_headers_are_ignored(served: Serve, index: FakeIndex) -> None:
    shim = served(index_table("pypi", index.url))
    assert "packages.example.com" not in shim.get("/", FORWARDED).body.decode()


def test_a_foreign_host_is_refused_whatever_a_proxy_says(shim: Served) -> None:
    for headers in (FORWARDED, {"X-Forwarded-Host": "127.0.0.1"}):
        refused = shim.get("/simple/demo/", {**headers, "Host": "evil.example.com"})
        assert refused.problem["status"] == 421


@pytest.mark.parametrize(
    ("sent", "root"),
    [
        ({"X-Forwarded-Host": "evil.example.com, a.example.com"}, "http://a.example.com/"),
        ({"X-Forwarded-Host": "[2001:db8::1]:8080"}, "http://[2001:db8::1]:8080/"),
        ({**FORWARDED, "X-Forwarded-Proto": "javascript"}, "http://packages.example.com/"),
        ({"X-Forwarded-Host": 'x"><script>'}, "http://127.0.0.1:"),
        ({"X-Forwarded-Host": "a.example.com/path"}, "http://127.0.0.1:"),
        ({"X-Forwarded-Host": ""}, "http://127.0.0.1:"),
    ],
)
def test_an_invalid_forwarded_address_is_ignored(
    at_root: Served, sent: dict[str, str], root: str
) -> None:
    page = at_root.get("/", sent).body.decode()
    assert f"--index-url {root}" in page
    assert "<script>" not in page


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("base_path", "pypi", 'is not a URL path; write a path like "/index"'),
        ("base_path", "/a/../b", "is not a URL path"),
        ("base_path", "/a b", "is not a URL path"),
        ("trusted_proxies", "127.0.0.1", "is not a list"),
        ("trusted_proxies", ["nginx"], "has an item that is neither address nor network"),
        ("trusted_proxies", ["10.0.0.1/8"], "has an item that is neither address nor network"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, key: str, value: object, message: str) -> None:
    config = tmp_path / "config.toml"
    config.write_text(config_text(server={key: value}), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_settings(config=config, environ={})
    assert f"{config}:2" in str(caught.value)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("peer", "stated", "client"),
    [
        ("10.0.0.2", "192.0.2.7", "192.0.2.7"),
        ("10.0.0.2", "203.0.113.9, 192.0.2.7", "192.0.2.7"),
        ("10.0.0.2", "192.0.2.7, 10.0.0.3", "192.0.2.7"),
        ("10.0.0.2", "10.0.0.4, 10.0.0.3", "10.0.0.4"),
        ("10.0.0.2", "2001:db8::1", "2001:db8::1"),
        ("10.0.0.2", "192.0.2.7, unknown", "10.0.0.2"),
        ("10.0.0.2", "", "10.0.0.2"),
        ("::ffff:10.0.0.2", "192.0.2.7, ::ffff:10.0.0.3", "192.0.2.7"),
        ("198.51.100.1", "192.0.2.7", "198.51.100.1"),
        ("", "192.0.2.7", ""),
    ],
)
def test_the_client_is_the_last_one_before_the_trusted_proxies(
    peer: str, stated: str, client: str
) -> None:
    seen: list[str] = []

    def application(environ: dict[str, Any], _start: object) -> list[bytes]:
        seen.append(environ["REMOTE_ADDR"])
        return []

    settings = Settings(indexes=(), cache_dir=Path(), trusted_proxies=("10.0.0.0/8",))
    environ = {"PATH_INFO": "/", "REMOTE_ADDR": peer, "HTTP_X_FORWARDED_FOR": stated}
    Proxied(application, settings)(environ, lambda *_: None)
    assert seen == [client]
