"""The setting allow-hosts: other hosts are not asked, with a message."""

from collections.abc import Callable
from pathlib import Path

import pytest

from indexfallback.config import Index, Settings
from indexfallback.errors import FileUnavailableError
from indexfallback.names import FileKey
from indexfallback.outcome import Kind, Outcome
from indexfallback.shim import Shim
from indexfallback.upstream.http import HttpIndex
from tests.chain.chain import ask, mirror, private, pypi, refusal
from tests.fakes import FakeIndex, wheel
from tests.upstream.conftest import within

MakeShim = Callable[..., Shim]


def outcome(tmp_path: Path, url: str, *allowed: str) -> Outcome:
    index = Index(name="remote", url=url)
    upstream = HttpIndex(index, Settings(indexes=(index,), cache_dir=tmp_path, allow_hosts=allowed))
    try:
        return upstream.page("acme-app", within(), None, None).outcome
    finally:
        upstream.close()


def test_an_index_whose_host_is_not_allowed_is_not_asked(remote: FakeIndex, tmp_path: Path) -> None:
    found = outcome(tmp_path, remote.url, "*.example.com")
    assert found.kind is Kind.NOT_ALLOWED
    assert found.detail == f"allow-hosts does not allow 127.0.0.1:{remote.port}"
    assert remote.count() == 0


@pytest.mark.parametrize("pattern", ["*", "127.0.0.1:*", "*.0.1:[0-9]*"])
def test_patterns_match_host_and_port_as_in_buildout(
    pattern: str, remote: FakeIndex, tmp_path: Path
) -> None:
    assert outcome(tmp_path, remote.url, "packages.example.com", pattern).kind is Kind.FOUND


def test_a_pattern_without_the_port_does_not_match_a_host_with_one(
    remote: FakeIndex, tmp_path: Path
) -> None:
    assert outcome(tmp_path, remote.url, "127.0.0.1").kind is Kind.NOT_ALLOWED


def test_a_redirect_to_a_host_that_is_not_allowed_is_not_followed(
    remote: FakeIndex, tmp_path: Path
) -> None:
    with FakeIndex([wheel("acme-app")]) as elsewhere:
        remote.redirect(elsewhere.base + "{path}")
        found = outcome(tmp_path, remote.url, f"127.0.0.1:{remote.port}")
        assert found.kind is Kind.NOT_ALLOWED
        assert str(elsewhere.port) in found.detail
        assert elsewhere.count() == 0


def test_behind_a_mirror_that_is_not_allowed_the_public_index_is_asked(
    remote: FakeIndex, shim: MakeShim
) -> None:
    with FakeIndex([wheel("acme-app")]) as lagging:
        allowed = (f"127.0.0.1:{remote.port}",)
        walk = shim(mirror(lagging), pypi(remote), allow_hosts=allowed)
        assert ask(walk) == "pypi"
        assert lagging.count() == 0


def test_a_private_index_that_is_not_allowed_stops_the_walk_and_is_named(
    remote: FakeIndex, shim: MakeShim
) -> None:
    with FakeIndex([wheel("acme-app")]) as owner:
        allowed = (f"127.0.0.1:{remote.port}",)
        walk = shim(private(owner), pypi(remote), allow_hosts=allowed)
        error = refusal(walk)
        assert error.status == 503
        assert "allow-hosts does not allow" in str(error)
        assert "Add the host to allow-hosts, or leave private out." in error.remedy


def test_a_file_on_a_host_that_is_not_allowed_is_not_fetched(
    remote: FakeIndex, shim: MakeShim
) -> None:
    with FakeIndex([wheel("acme-app")]) as files:
        remote.files_url = f"{files.base}/files/"
        walk = shim(pypi(remote), allow_hosts=(f"127.0.0.1:{remote.port}",))
        file = walk.fallback.page("acme-app").page.files[0]
        key = FileKey("acme-app", file.sha256)
        with pytest.raises(FileUnavailableError, match="allow-hosts does not allow"):
            walk.downloads.get("pypi", key, file.filename)
        assert files.count() == 0
