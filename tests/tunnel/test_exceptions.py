"""NO_PROXY: which hosts its entries name."""

import ipaddress
import urllib.request

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexfallback.tunnel.exceptions import entries, is_excepted


@pytest.mark.parametrize(
    ("host", "port", "value", "excepted"),
    [
        ("a.example.com", 443, "*", True),
        ("example.com", 443, "example.com", True),
        ("a.example.com", 443, "example.com", True),
        ("a.example.com", 443, ".Example.COM", True),
        ("example.com", 443, ".example.com", True),
        ("a.example.com", 443, "*.example.com", True),
        ("anexample.com", 443, "example.com", False),
        ("example.com.org", 443, "example.com", False),
        ("example.com", 443, "example.com:443", True),
        ("example.com", 443, "example.com:80", False),
        ("10.1.2.3", 443, "10.0.0.0/8", True),
        ("11.1.2.3", 443, "10.0.0.0/8", False),
        ("10.1.2.3", 8080, "10.1.2.3:8080", True),
        ("10.1.2.3", 443, "2.3", False),
        ("::1", 443, "::1", True),
        ("::1", 443, "[::1]:443", True),
        ("::1", 443, "[::1]:80", False),
        ("fd00::5", 443, "fd00::/8", True),
        ("example.com", 443, "a.org , example.com", True),
        ("example.com", 443, "a.org example.com", True),
        ("example.com", 443, "", False),
        ("example.com", 443, ",,.,:80", False),
    ],
)
def test_an_entry_names_a_host(host: str, port: int, value: str, excepted: bool) -> None:
    assert is_excepted(host, port, entries(value)) is excepted


_LABELS = st.text("abc-1", min_size=1, max_size=3).filter(lambda label: label.strip("-1"))
_HOSTS = st.lists(_LABELS, min_size=1, max_size=3).map(".".join)
_ENTRIES = st.builds("{}{}{}".format, st.sampled_from(["", "."]), _HOSTS,
                     st.sampled_from(["", ":80", ":443"]))  # fmt: skip


@given(_HOSTS, st.sampled_from([80, 443]), st.lists(_ENTRIES, max_size=3))
def test_names_are_excepted_as_by_the_standard_library(
    host: str, port: int, listed: list[str]
) -> None:
    value = ",".join(listed)
    library = urllib.request.proxy_bypass_environment(  # type: ignore[attr-defined]
        f"{host}:{port}", {"no": value}
    )
    assert is_excepted(host, port, entries(value)) is bool(library)


@given(st.ip_addresses(), st.integers(0, 32))
def test_a_network_holds_its_addresses(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address, prefix: int
) -> None:
    network = ipaddress.ip_network((address, prefix), strict=False)
    assert is_excepted(str(address), 443, [str(network)])
    assert is_excepted(str(address), 443, [str(address)])
