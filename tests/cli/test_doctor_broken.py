"""What ``doctor`` prints of twelve broken set-ups: each cause once, complete, and nothing else."""

import os
import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from tests.cli.broken_setups import BROKEN, Site
from tests.cli.doctoring import Patient
from tests.cli.support import CommandLine, Done
from tests.conftest import Serve

#: All that is printed before the number of checks that found nothing wrong.
#: PORT, DIR and SOON stand for what differs from one run to the next.
PRINTED = {
    "a misspelt key in config.toml": (
        'FAIL configuration DIR/user/config.toml:17: [cache]: unknown key "frash" did you'
        ' mean "fresh"?'
    ),
    "another program on the shim's port": (
        "FAIL shim THIS uses 127.0.0.1:PORT, and clients use it as an index "
        "(PIP_INDEX_URL) Stop it, or set server.port and set the clients up again"
    ),
    "clients use a shim that does not run": (
        "FAIL shim none runs on 127.0.0.1:PORT, but clients use it (PIP_INDEX_URL, "
        "UV_DEFAULT_INDEX): pip waits 7.5 s for each project and then does not find it "
        "indexfallback serve --background, or at each login: indexfallback service install"
    ),
    "the host of two indexes is down": (
        "FAIL indexes private and tools are down: connection refused (127.0.0.1:PORT) "
        "Start private, or correct the port in its url: nothing listens there"
    ),
    "a private index answers 403, no login": (
        "FAIL index private refused: 403 Forbidden If private wants a login, give it one:"
        " username and password_env, or an entry in netrc. Otherwise, ask whoever runs "
        "private for access. If private answers 403 for what it does not have (S3, "
        'CloudFront), set forbidden = "absent" for it'
    ),
    "a captive portal": (
        "FAIL network no index answers as an index, as before a login to the network: "
        "private and pypi are down: not an index: its HTML links to no distribution (a "
        "login page, a captive portal, an error?) Log in to the network with a browser, "
        "or correct the addresses"
    ),
    "an expired certificate of an index": (
        "FAIL index private down: TLS with 127.0.0.1:PORT failed: certificate has expired"
        " (on 2024-03-04) Check the certificate of private: whoever runs it must renew "
        "it. If it is valid, correct the clock of this machine"
    ),
    "an unknown CA": (
        "FAIL index private down: TLS with 127.0.0.1:PORT failed: unable to get local "
        "issuer certificate Check the certificate of private, and name its CA in pip's "
        "cert setting"
    ),
    "a CA bundle without certificates": (
        "FAIL certificates the CA bundle DIR/ca.pem (REQUESTS_CA_BUNDLE) cannot be used: "
        "no certificate can be read from it This is also the reason for: index private, "
        "index pypi Correct it, or remove the setting to use the system's certificates"
    ),
    "a clock that is 6 hours ahead": (
        "warn clock 6 h ahead of the clocks of private and pypi: certificates and tokens "
        "may fail Set the clock, or enable its synchronisation"
    ),
    "the shim's own certificate ends soon": (
        "warn certificate the shim's own (DIR/shim.pem) ends on SOON, in 5 days Renew it,"
        " and restart the shim"
    ),
    "pip has another index beside the shim": (
        "FAIL pip PIP_EXTRA_INDEX_URL makes pip ask https://packages.example.com/simple/ "
        "besides the shim, and install the highest version of all, whichever index owns "
        "the project unset PIP_EXTRA_INDEX_URL, and configure it as an index here"
    ),
}


@pytest.fixture
def site(cli: CommandLine, tmp_path: Path, served: Serve) -> Iterator[Site]:
    """Return the site of a user whose configured port is free."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        cli.environ["INDEXFALLBACK_PORT"] = str(free.getsockname()[1])
    with ExitStack() as stack:
        yield Site(Patient(cli, tmp_path / "project"), stack, tmp_path, served)


@pytest.mark.parametrize("broken", BROKEN)
def test_a_broken_setup_is_told_once_with_its_remedy(site: Site, broken: str) -> None:
    BROKEN[broken](site)
    done = site.patient.cli("doctor")
    assert _printed(done, site) == PRINTED[broken]
    assert done.code == (1 if "FAIL" in done.out else 0)


def _printed(done: Done, site: Site) -> str:
    """Return the findings, with one word for each cell's spaces and for what differs."""
    *findings, last = done.out.splitlines()
    assert last.endswith("found nothing wrong (--all shows them)")
    text = " ".join(" ".join(findings).split())
    soon = datetime.now(timezone.utc).date() + timedelta(days=5)
    for word, found in (("DIR", str(site.directory)), ("SOON", str(soon))):
        text = text.replace(found, word)
    text = re.sub(rf"\S+ \(process {os.getpid()}\)", "THIS", text)
    return re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT", text)
