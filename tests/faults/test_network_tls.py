"""An index whose TLS is wrong is left alone for five minutes, said loudly, and never downgraded."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER, SSLContext

import pytest
import trustme

from indexfallback.health import INSECURE_WAIT, State
from tests.chain.chain import ask, how, mirror, private, pypi
from tests.conftest import MakeShim
from tests.fakes import FakeIndex, wheel

PAST = datetime(2020, 1, 1, tzinfo=timezone.utc)
DEMO = wheel("demo")


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """The authority that the shim is told to trust."""
    return trustme.CA()


@pytest.fixture
def trusting(shim: MakeShim, authority: trustme.CA, tmp_path: Path) -> MakeShim:
    """Return a factory of shims that trust the authority."""
    bundle = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    return partial(shim, ca_bundle=bundle)


def _expired(authority: trustme.CA) -> SSLContext:
    return _presenting(authority.issue_cert("127.0.0.1", not_after=PAST))


def _of_another_host(authority: trustme.CA) -> SSLContext:
    return _presenting(authority.issue_cert("packages.example.com"))


def _self_signed(_: trustme.CA) -> SSLContext:
    own = trustme.CA()
    context = SSLContext(PROTOCOL_TLS_SERVER)
    with own.cert_pem.tempfile() as certificate, own.private_key_pem.tempfile() as key:
        context.load_cert_chain(certificate, key)
    return context


def _presenting(certificate: trustme.LeafCert) -> SSLContext:
    context = SSLContext(PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


#: What the server presents, and the word for it.
WRONG: dict[str, tuple[Callable[[trustme.CA], SSLContext | None], str]] = {
    "TLS expired": (_expired, "certificate has expired (on 2020-01-01)"),
    "wrong host": (_of_another_host, "not valid for '127.0.0.1'"),
    "self-signed": (_self_signed, "self-signed"),
    "plaintext on 443": (lambda _: None, "TLS with 127.0.0.1:"),
}
EVERY_FAULT = pytest.mark.parametrize(
    "fault",
    [pytest.param(name, marks=pytest.mark.fault(row)) for row, name in enumerate(WRONG, 5)],
)


@contextmanager
def presenting(context: SSLContext | None, port: int = 0) -> Iterator[tuple[FakeIndex, str]]:
    """Give an index with that TLS, or without any, and its address as it was configured."""
    with FakeIndex([DEMO], tls=context, port=port) as index:
        yield index, index.url.replace("http:", "https:")


@pytest.fixture
def far() -> Iterator[FakeIndex]:
    with FakeIndex([DEMO, wheel("other")]) as index:
        yield index


@EVERY_FAULT
def test_wrong_tls__is_left_alone_for_five_minutes_while_the_next_index_answers(
    trusting: MakeShim,
    far: FakeIndex,
    authority: trustme.CA,
    caplog: pytest.LogCaptureFixture,
    fault: str,
) -> None:
    present, word = WRONG[fault]
    with presenting(present(authority)) as (index, url):
        made = trusting(mirror(index, url=url), pypi(far))
        assert ask(made, "demo") == "pypi"
        health = made.members["mirror"].health
        assert health.state is State.OPEN
        assert health.until - health.since == pytest.approx(INSECURE_WAIT)
        assert ask(made, "other") == "pypi"
        # A second connection reads the date of an expired certificate.
        assert index.connections == (2 if fault == "TLS expired" else 1)
        assert index.requests == []
    (said,) = [record for record in caplog.records if "mirror" in record.getMessage()]
    assert said.levelno == logging.ERROR
    assert word in said.getMessage()
    assert "not asked for 300 s, never without TLS. Check the certificate" in said.getMessage()


@EVERY_FAULT
def test_wrong_tls__of_a_private_index_leaves_its_projects_with_it(
    trusting: MakeShim, far: FakeIndex, authority: trustme.CA, fault: str
) -> None:
    right = _presenting(authority.issue_cert("127.0.0.1"))
    with presenting(right) as (index, url):
        made = trusting(private(index, url=url), pypi(far), fresh=0.0)
        assert ask(made, "demo") == "private"
    made.close()
    with presenting(WRONG[fault][0](authority), index.port) as (index, _):
        again = trusting(*made.settings.indexes, fresh=0.0)
        assert how(again, "demo") == "stale"
        assert again.fallback.page("demo").owner.name == "private"
        assert index.requests == []
    assert far.count("/simple/demo/") == 0
