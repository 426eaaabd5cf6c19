"""Twelve broken set-ups of one user, each with one cause."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime, timedelta, timezone
from email.utils import formatdate
from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER, SSLContext
from typing import TypeAlias

import trustme

from tests.cli.doctoring import Patient
from tests.conftest import Serve
from tests.fakes import FakeIndex, wheel
from tests.serving import index_table


class Site:
    """The indexes of the user's company, which live until the end of the test."""

    def __init__(self, patient: Patient, stack: ExitStack, directory: Path, served: Serve) -> None:
        self.patient = patient
        self.directory = directory
        self._stack = stack
        self._served = served
        self._authority: trustme.CA | None = None

    def index(self, project: str = "acme-app", tls: SSLContext | None = None) -> FakeIndex:
        """Start an index with a project."""
        return self._stack.enter_context(FakeIndex([wheel(project)], tls=tls))

    def two(self, tls: SSLContext | None = None) -> tuple[FakeIndex, FakeIndex]:
        """Start a private and a public index, and configure them."""
        private, public = self.index(tls=tls), self.index("pip")
        self.chain(private=private.url, pypi=public.url)
        return private, public

    def chain(self, **urls: str) -> None:
        """Configure the indexes; the last one is public, and the others are private."""
        last = list(urls)[-1]
        roles = {name: "public" if name == last else "private" for name in urls}
        tables = (index_table(name, url, role=roles[name]) for name, url in urls.items())
        self.patient.cli.configure(*tables)

    def point(self, *variables: str) -> None:
        """Point clients at the shim."""
        environ = self.patient.cli.environ
        url = f"http://127.0.0.1:{environ['INDEXFALLBACK_PORT']}/simple/"
        environ.update(dict.fromkeys(variables, url))

    def serve(self) -> None:
        """Start the user's shim."""
        cli = self.patient.cli
        text = cli.config.read_text(encoding="utf-8")
        cli.use(self._served(text, cache_dir=cli.cache))

    def certificate(self, until: datetime | None = None) -> trustme.LeafCert:
        """Issue a certificate of the authority that the user's machine trusts."""
        if self._authority is None:
            self._authority = trustme.CA()
            self._authority.cert_pem.write_to_path(str(self.directory / "ca.pem"))
            self.patient.cli.environ["REQUESTS_CA_BUNDLE"] = str(self.directory / "ca.pem")
        return self._authority.issue_cert("127.0.0.1", not_after=until)


def presented(certificate: trustme.LeafCert) -> SSLContext:
    """Return the TLS of a server with a certificate."""
    context = SSLContext(PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


Break: TypeAlias = Callable[[Site], None]


def _wrong_setting(site: Site) -> None:
    site.two()
    with site.patient.cli.config.open("a", encoding="utf-8") as file:
        file.write('[cache]\nfrash = "1 min"\n')


def _taken_port(site: Site) -> None:
    site.two()
    port = site.index().port
    site.patient.cli.environ["INDEXFALLBACK_PORT"] = str(port)
    site.point("PIP_INDEX_URL")


def _no_shim(site: Site) -> None:
    site.two()
    site.point("PIP_INDEX_URL", "UV_DEFAULT_INDEX")


def _host_down(site: Site) -> None:
    down = site.index()
    site.chain(
        private=f"{down.base}/private/simple/", tools=f"{down.base}/tools/simple/",
        pypi=site.index("pip").url,
    )  # fmt: skip
    down.stop_listening()


def _no_login(site: Site) -> None:
    private, _ = site.two()
    private.fail(403)


def _portal(site: Site) -> None:
    for index in site.two():
        index.answer(200, {"Content-Type": "text/html"}, b"<form>Log in to the Wi-Fi</form>")


def _expired(site: Site) -> None:
    certificate = site.certificate(datetime(2024, 3, 4, tzinfo=timezone.utc))
    site.two(presented(certificate))


def _unknown_authority(site: Site) -> None:
    site.certificate()
    other = trustme.CA().issue_cert("127.0.0.1")
    site.two(presented(other))


def _bad_bundle(site: Site) -> None:
    tls = presented(site.certificate())
    site.chain(private=site.index(tls=tls).url, pypi=site.index("pip", tls).url)
    (site.directory / "ca.pem").write_text("nothing", encoding="utf-8")


def _wrong_clock(site: Site) -> None:
    for index in site.two():
        # A cache has had the answer for an hour.
        index.header("Date", formatdate(time.time() - 7 * 3600 - 30, usegmt=True))
        index.header("Age", "3600")


def _own_certificate(site: Site) -> None:
    end = datetime.now(timezone.utc) + timedelta(days=5)
    pem = site.certificate(end).private_key_and_cert_chain_pem
    file = site.directory / "shim.pem"
    file.write_bytes(pem.bytes())
    site.patient.cli.configure(
        index_table("private", site.index().url, role="private"),
        index_table("pypi", site.index("pip").url),
        server={"tls_cert": str(file), "tls_key": str(file)},
    )


def _beside_the_shim(site: Site) -> None:
    site.two()
    site.serve()
    site.point("PIP_INDEX_URL")
    other = "https://ci:hunter2@packages.example.com/simple/"
    site.patient.cli.environ["PIP_EXTRA_INDEX_URL"] = other


#: What is broken, in the words of the table.
BROKEN: dict[str, Break] = {
    "a misspelt key in config.toml": _wrong_setting,
    "another program on the shim's port": _taken_port,
    "clients use a shim that does not run": _no_shim,
    "the host of two indexes is down": _host_down,
    "a private index answers 403, no login": _no_login,
    "a captive portal": _portal,
    "an expired certificate of an index": _expired,
    "an unknown CA": _unknown_authority,
    "a CA bundle without certificates": _bad_bundle,
    "a clock that is 6 hours ahead": _wrong_clock,
    "the shim's own certificate ends soon": _own_certificate,
    "pip has another index beside the shim": _beside_the_shim,
}
