"""One shim and one fake index for all tests that add no faults."""

import re
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import urljoin

import pytest

from tests.fakes import Dist, FakeIndex, sdist, wheel
from tests.serving import Served, config_text, index_table, serving

DEMO = wheel("demo", requires_python=">=3.8", size=100_000)
DEMO_SDIST = sdist("demo")
ZOPE = wheel("Zope.Interface", "5.0")


class World(NamedTuple):
    """A shim with PyPI and a private index behind it."""

    shim: Served
    pypi: FakeIndex
    private: FakeIndex

    def href(self, page: str, filename: str) -> str:
        """Return the path that a page's link to a file leads to, without the fragment."""
        body = self.shim.get(page).body.decode()
        href: str
        (href,) = re.findall(rf'<a href="([^"#]*{re.escape(filename)})[#"]', body)
        return urljoin(page, href)

    def path_of(self, dist: Dist) -> str:
        """Return the path of a file."""
        return self.href(f"/simple/{dist.project}/", dist.filename)


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with (
        FakeIndex([DEMO, DEMO_SDIST, ZOPE]) as pypi,
        FakeIndex([wheel("acme-core")]) as private,
        serving(
            tmp_path_factory.mktemp("world"),
            config_text(
                index_table("private", private.url, role="private"), index_table("pypi", pypi.url)
            ),
        ) as shim,
    ):
        yield World(shim, pypi, private)
