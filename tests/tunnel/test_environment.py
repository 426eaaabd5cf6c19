"""The variables that lead a command to a tunnel."""

import pytest

from indexfallback.tunnel.environment import BUNDLES, Door, tunnel_environment
from indexfallback.tunnel.origins import origin_of

DOOR = Door("127.0.0.1:7", "http://indexfallback:secret@127.0.0.1:7", "/run/ca-bundle.pem")


def changed(environ: dict[str, str], *origins: str) -> dict[str, str]:
    return tunnel_environment(environ, DOOR, map(origin_of, origins))


def test_every_spelling_names_the_proxy_and_the_bundle() -> None:
    found = changed({"PATH": "/bin", "PIP_INDEX_URL": "https://a.example.com/simple/"})
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "PIP_PROXY"):
        assert found.pop(name) == DOOR.url
    for name in BUNDLES:
        assert found.pop(name) == DOOR.bundle
    assert found.pop("NO_PROXY") == found.pop("no_proxy") == "127.0.0.1,localhost,::1"
    assert found == {
        "PATH": "/bin", "PIP_INDEX_URL": "https://a.example.com/simple/",
        "INDEXFALLBACK_TUNNEL": "127.0.0.1:7",
    }  # fmt: skip


def test_a_proxy_for_all_schemes_is_named_only_if_the_user_has_one() -> None:
    found = changed({"ALL_PROXY": "http://proxy.example.com"})
    assert (found["ALL_PROXY"], "all_proxy" in found) == (DOOR.url, False)


@pytest.mark.parametrize(
    ("before", "origin", "after"),
    [
        ("a.org", "https://b.example.com", "a.org,127.0.0.1,localhost,::1"),
        ("a.org,.example.com", "https://b.example.com", "a.org,127.0.0.1,localhost,::1"),
        ("example.com:80", "https://b.example.com", "example.com:80,127.0.0.1,localhost,::1"),
        ("*", "https://b.example.com", "127.0.0.1,localhost,::1"),
        ("localhost", "https://b.example.com", "localhost,127.0.0.1,::1"),
        ("127.0.0.1,a.org", "http://127.0.0.1:8080", "a.org"),
    ],
)
def test_no_origin_is_excepted(before: str, origin: str, after: str) -> None:
    for spelling in ("NO_PROXY", "no_proxy"):
        found = changed({spelling: before}, origin)
        assert (found["NO_PROXY"], found["no_proxy"]) == (after, after)


def test_on_windows_names_are_upper_case() -> None:
    found = tunnel_environment({"NO_PROXY": "a.org"}, DOOR, (), windows=True)
    assert all(name == name.upper() for name in found)
    assert found["NO_PROXY"].startswith("a.org,")
