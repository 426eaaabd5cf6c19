"""Who has published the files of a project, on its page and on that of a release."""

from indexfallback.server.browse.provenance import provenance_section
from tests.conftest import Serve
from tests.fakes import FakeIndex, wheel
from tests.fakes.provenance import provenance_of
from tests.server.browse.conftest import BROWSER
from tests.serving import index_table

DEMO, OLD = wheel("demo", "2.0"), wheel("demo", "1.0")
ACME = {
    "kind": "GitHub", "repository": "acme/<app>", "workflow": "release.yml", "environment": None,
    "email": None,
}  # fmt: skip


def test_both_pages_name_the_publisher_of_what_is_kept(served: Serve) -> None:
    with FakeIndex([OLD]) as index:
        path = index.attest(DEMO, provenance_of(DEMO))
        shim = served(index_table("pypi", index.url))
        assert "Provenance" not in shim.get("/projects/demo/1.0/", BROWSER).body.decode()
        page = shim.get("/projects/demo/", BROWSER).body.decode()
        assert "Stated for 1 file, 0 in the cache." in page
        shim.get(f"/files/pypi/demo.{DEMO.sha256}/{DEMO.filename}.provenance")
        assert index.count(path) == 1
        for address in ("/projects/demo/", "/projects/demo/2.0/"):
            page = shim.get(address, BROWSER).body.decode()
            assert "Stated for 1 file, 1 in the cache." in page
            assert "<li>GitHub acme/app, release.yml, environment pypi</li>" in page


def test_names_are_escaped_and_nothing_is_shown_without_provenance() -> None:
    known = {"stated": 2, "kept": 1, "version": "1.0", "publishers": [ACME]}
    assert "<li>GitHub acme/&lt;app&gt;, release.yml</li>" in provenance_section(known)
    assert not provenance_section({"stated": 0, "kept": 0, "version": None, "publishers": []})
