"""The user's own proxies."""

import pytest

from indexfallback.errors import ConfigError
from indexfallback.tunnel.origins import origin_of
from indexfallback.tunnel.route import ProxyAddress, route_of


def proxy_for(address: str, configured: dict[str, str], pip: str | None = None) -> str:
    return str(route_of(configured, pip).proxy_for(origin_of(address)) or "direct")


@pytest.mark.parametrize(
    ("configured", "pip", "expected"),
    [
        ({}, None, "direct"),
        ({"https": "http://a:1"}, None, "a:1"),
        ({"https": "a:1"}, None, "a:1"),
        ({"https": "http://a"}, None, "a:80"),
        ({"http": "http://a:1"}, None, "direct"),
        ({"http": "http://a:1"}, "http://p:3", "p:3"),
        ({"all": "http://b:2"}, None, "b:2"),
        ({"https": "http://a:1", "all": "http://b:2"}, "http://p:3", "a:1"),
        ({}, "p:3", "p:3"),
        ({"https": "http://a:1", "no": "example.com"}, None, "direct"),
        ({"https": "http://a:1", "no": "example.com:444"}, None, "a:1"),
    ],
)
def test_the_proxy_of_an_https_host(
    configured: dict[str, str], pip: str | None, expected: str
) -> None:
    assert proxy_for("https://packages.example.com", configured, pip) == expected


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_loopback_is_connected_to_directly(host: str) -> None:
    assert proxy_for(f"https://{host}:8443", {"https": "http://a:1"}) == "direct"


def test_name_and_password_are_decoded() -> None:
    found = route_of({"http": "http://me:p%40ss%3A@proxy.example.com:3128"}, None).proxies["http"]
    assert found == ProxyAddress("proxy.example.com", 3128, "Basic bWU6cEBzczo=")


@pytest.mark.parametrize(
    "address",
    ["socks5://me:secret@a:1", "socks5h://a", "https://a", "http://a:b", "http://"],
)
def test_another_kind_of_proxy_is_an_error_with_a_way_out(address: str) -> None:
    with pytest.raises(ConfigError, match="run --address") as caught:
        route_of({"https": address}, None)
    assert "secret" not in str(caught.value)
