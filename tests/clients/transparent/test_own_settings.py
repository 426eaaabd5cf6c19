"""A user's own proxy and certificates are in force inside a run, and nothing else is trusted."""

import shutil

import pytest

from tests.clients.support import Client, installed
from tests.clients.transparent.support import FILES, PYPI, WEB, Developer, Internet
from tests.fakes import wheel

#: Lies at a host that belongs to no index.
OTHER = wheel("other", "1.0")
OTHER_URL = f"https://{WEB}/files/{OTHER.filename}"
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")
_BUNDLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")


@pytest.fixture(autouse=True)
def _other(internet: Internet) -> None:
    internet.web.add(OTHER)


def without(developer: Developer, *variables: str) -> None:
    for variable in variables:
        del developer.environment[variable]


def install(developer: Developer, client: Client, *options: str) -> None:
    """Install a project of the chain, and a file from another host, by one client."""
    target = developer.target()
    command = client.install(target, *options, "bar", f"other @ {OTHER_URL}")
    developer.through(*command).expect()
    assert installed(target) == {"bar": "1.1", "other": "1.0"}


@pytest.mark.parametrize(
    ("variable", "client", "options"),
    [
        ("SSL_CERT_FILE", "uv", ()),
        ("SSL_CERT_FILE", "uv", ("--system-certs",)),
        ("REQUESTS_CA_BUNDLE", "pip", ()),
        ("PIP_CERT", "pip", ()),
    ],
    indirect=["client"],
)
def test_one_setting_of_a_bundle_vouches_for_all_hosts_and_they_are_reached_by_the_users_proxy(
    developer: Developer,
    internet: Internet,
    client: Client,
    variable: str,
    options: tuple[str, ...],
) -> None:
    without(developer, *_BUNDLES)
    developer.environment[variable] = str(internet.bundle)
    install(developer, client, *options)
    asked = {forwarded.authority for forwarded in internet.proxy.forwarded}
    assert asked == {f"{PYPI}:443", f"{FILES}:443", f"{WEB}:443"}
    assert internet.proxy.refused == 0


@pytest.mark.skipif(not shutil.which("curl"), reason="no curl")
def test_a_host_that_the_user_does_not_trust_is_not_trusted_inside_a_run(
    developer: Developer,
) -> None:
    without(developer, *_BUNDLES)
    unknown_authority = 60
    done = developer.through("curl", "--silent", "--show-error", OTHER_URL)
    done.expect(unknown_authority)


def test_a_proxy_that_pips_settings_alone_name_is_used(
    developer: Developer, internet: Internet, environments: dict[str, Client]
) -> None:
    without(developer, *_PROXIES)
    developer.environment["PIP_PROXY"] = internet.proxy.url
    install(developer, environments["pip"])
