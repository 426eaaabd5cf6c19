"""Who owns a name, with real clients: no public package is installed in place of a private one."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.clients.support import (
    Client,
    Done,
    Served,
    User,
    installed,
    write_config,
)
from tests.fakes import FakeIndex, wheel
from tests.fakes.pages import HTML_ONLY
from tests.serving import START_SECONDS, wait_until

#: The words of an empty page, as some hosts answer for every name.
EMPTY = b"<!DOCTYPE html><html><body><h1>Links for it</h1></body></html>"
HTML = {"Content-Type": "text/html"}


class Site:
    """A user, a private index in front of a public one, and others where a test has them."""

    def __init__(self, user: User, indexes: ExitStack) -> None:
        self.user = user
        self._indexes = indexes
        self.own = self.index()
        self.public = self.index()
        # A client that gives up at the first 503, where pip would wait for 7.5 s.
        user.environment |= {"PIP_RETRIES": "0", "UV_HTTP_RETRIES": "0"}
        self.configure()

    def index(self, **options: object) -> FakeIndex:
        """Return another index that listens."""
        return self._indexes.enter_context(FakeIndex(**options))  # type: ignore[arg-type]

    def configure(
        self, own: Mapping[str, object] | None = None, **more: Mapping[str, object]
    ) -> None:
        """Write the configuration; ``own`` adds keys to the private index, ``more`` mirrors."""
        indexes = {
            "private": {"url": self.own.url, **(own or {})},
            **more,
            "public": {"url": self.public.url, "role": "public"},
        }
        write_config(self.user.config, indexes, cache_fresh="0 s")

    def offer(self, **versions: str) -> None:
        """Offer wheels at the public index; an underscore stands for a dash."""
        for name, version in versions.items():
            self.public.add(wheel(name.replace("_", "-"), version))

    def offer_own(self, **versions: str) -> None:
        """Offer wheels at the private index, and others of these names at the public one."""
        for name, version in versions.items():
            self.own.add(wheel(name.replace("_", "-"), version))
        self.offer(**dict.fromkeys(versions, "9.0"))

    def learn(self, names: int) -> None:
        """Have a shim learn the private index's list of so many names."""

        def knows(served: Served) -> bool:
            private, *_ = served.get("/-/why/any-name")["indexes"]
            return bool(private["names"] == names)

        with self.user.serve() as served:
            wait_until(lambda: knows(served), START_SECONDS, f"the list of {names} is not known")

    def install(self, client: Client, *requirements: str) -> dict[str, str]:
        """Return what a client installs, with a shim of its own."""
        target = self.user.target()
        self.user.run(*client.install(target, *requirements)).expect()
        return installed(target)

    def refused(self, client: Client, *requirements: str) -> str:
        """Return what `run` says when a client could not install."""
        target = self.user.target()
        done = self.user.run(*client.install(target, *requirements))
        assert done.code != 0, done.stdout
        assert installed(target) == {}
        return done.said

    def command(self, *arguments: str) -> Done:
        """Call the command."""
        return self.user.ours(*arguments).expect()


@pytest.fixture
def site(user: User) -> Iterator[Site]:
    with ExitStack() as indexes:
        yield Site(user, indexes)


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory, uv: Client) -> Iterator[Site]:
    """A site where projects were installed from the private index, before it said otherwise."""
    with ExitStack() as indexes:
        site = Site(User(tmp_path_factory.mktemp("left")), indexes)
        names = [f"gone-{way}" for way in WAYS]
        site.offer_own(**dict.fromkeys(names, "1.0"))
        assert site.install(uv, *names) == dict.fromkeys(names, "1.0")
        for name, (answer, _) in zip(names, WAYS.values(), strict=True):
            site.own.remove_project(name)
            answer(site, f"/simple/{name}/")
        site.public.clear()
        yield site


@pytest.fixture(scope="module")
def pip(environments: dict[str, Client]) -> Client:
    return environments["pip"]


@pytest.fixture(scope="module")
def uv(environments: dict[str, Client]) -> Client:
    return environments["uv"]


def forward(site: Site, path: str) -> None:
    """Have the private index send to the public one, as GitLab does for what it does not have."""
    site.own.redirect(f"{site.public.base}{{path}}", path=path)


def empty(site: Site, path: str) -> None:
    site.own.answer(200, HTML, EMPTY, path=path)


#: Ways to say that a project is not there any more, and what is told of each.
WAYS: dict[str, tuple[Callable[[Site, str], object], str]] = {
    "404": (lambda site, path: site.own.fail(404, path=path), "says 404 Not Found"),
    "410": (lambda site, path: site.own.fail(410, path=path), "says 410 Gone"),
    "empty": (empty, "says a page without files"),
    "forward": (forward, "says 302 redirect to public now"),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_project_that_its_index_says_it_does_not_have_is_installed_from_nowhere(
    left: Site, uv: Client, way: str
) -> None:
    name = f"gone-{way}"
    said = left.refused(uv, name)
    assert f"{name} was not found. It belongs to private (known there since 20" in said
    assert WAYS[way][1] in said
    assert f"`indexfallback cache disown {name}`" in said
    assert left.public.count(f"/simple/{name}/") == 0


def test_pip_is_refused_such_a_project_at_every_address_of_the_shim(
    left: Site, pip: Client
) -> None:
    target = left.user.target()
    with left.user.serve() as served:
        for address in ("/simple/", "/direct/simple/", "/index/public/simple/"):
            url = ("--index-url", served.base + address)
            assert left.user.call(*pip.install(target, *url, "gone-410")).code != 0
    assert installed(target) == {}
    assert left.public.count("/simple/gone-410/") == 0


def test_after_disown_the_public_package_is_installed(site: Site, uv: Client) -> None:
    site.offer_own(acme_app="1.0")
    assert site.install(uv, "acme-app") == {"acme-app": "1.0"}
    site.own.remove_project("acme-app")
    said = site.refused(uv, "acme-app")
    assert "If the project has left private for good, `indexfallback cache disown acme-app`" in said
    site.command("cache", "disown", "acme-app", "--yes")
    assert site.install(uv, "acme-app") == {"acme-app": "9.0"}


def test_a_login_that_lost_its_rights_leaves_what_was_installed_and_makes_nothing_public(
    site: Site, uv: Client
) -> None:
    site.offer_own(acme_app="1.0", acme_lib="1.0")
    assert site.install(uv, "acme-app") == {"acme-app": "1.0"}
    site.learn(2)
    site.own.fail(403, path="/simple/acme-")
    assert site.install(uv, "acme-app") == {"acme-app": "1.0"}
    said = site.refused(uv, "acme-lib")
    assert "belongs to private (known there since 20" in said
    assert "ask whoever runs private for access." in said
    assert site.public.count("/simple/acme-lib/") == 0


def test_an_empty_list_of_names_makes_nothing_public_in_an_outage(site: Site, uv: Client) -> None:
    site.offer(harmless="2.0", acme_new="9.0")
    with site.user.serve() as served:
        served.get("/-/why/harmless")
        site.own.wait_for("/simple/")
    site.own.stop_listening()
    assert "its list of names is not known" in site.refused(uv, "acme-new")
    assert site.public.count("/simple/acme-new/") == 0


def test_a_name_that_leaves_the_list_stays_private_in_an_outage(site: Site, uv: Client) -> None:
    site.offer_own(acme_app="1.0", acme_lib="1.0")
    site.offer(harmless="2.0")
    site.learn(2)
    site.own.remove_project("acme-lib")
    _make_lists_old(site.user)
    site.learn(1)
    site.own.stop_listening()
    assert "it belongs to private (known there since 20" in site.refused(uv, "acme-lib").lower()
    assert site.install(uv, "harmless") == {"harmless": "2.0"}
    assert site.public.count("/simple/acme-lib/") == 0


def _make_lists_old(user: User) -> None:
    """Have the lists of names fetched again, which happens once an hour."""
    directory = Path(user.environment["INDEXFALLBACK_CACHE_DIR"])
    with closing(sqlite3.connect(directory / "index.sqlite3")) as database, database:
        database.execute("UPDATE name_list SET fetched = fetched - 7200")


def test_an_index_that_forwards_keeps_its_own_and_leaves_the_rest_public(
    site: Site, uv: Client
) -> None:
    site.configure(own={"projects": ["acme-*"]})
    site.offer_own(acme_app="1.0")
    site.offer(harmless="2.0", other="3.0")
    for name in ("harmless", "other"):
        forward(site, f"/simple/{name}/")
    assert site.install(uv, "acme-app", "harmless") == {"acme-app": "1.0", "harmless": "2.0"}
    site.own.stop_listening()
    site.offer(harmless="2.1")
    expected = {"acme-app": "1.0", "harmless": "2.1", "other": "3.0"}
    assert site.install(uv, *expected) == expected


def test_an_index_with_an_empty_page_for_every_name_owns_what_it_has_files_of(
    site: Site, uv: Client
) -> None:
    site.offer_own(acme_app="1.0")
    site.offer(harmless="2.0")
    empty(site, "/simple/harmless/")
    expected = {"acme-app": "1.0", "harmless": "2.0"}
    assert site.install(uv, *expected) == expected
    site.own.stop_listening()
    site.offer(harmless="2.1")
    assert site.install(uv, *expected) == {"acme-app": "1.0", "harmless": "2.1"}


def _offer_torch(site: Site, extra: FakeIndex) -> None:
    """Offer a library at both indexes, which differs, and what it needs, of which one is older."""
    old, new = wheel("jinja", "3.0"), wheel("jinja", "3.1")
    extra.add(wheel("torch", "2.0+cpu", requires=["jinja"]))
    extra.add(old)
    extra.add(wheel("acme-app", "1.0"))
    for dist in (
        *(wheel("torch", "1.9", requires=["jinja"]), old, new),
        *(wheel("flask", "3.0", requires=["jinja>=3.1"]), wheel("acme-app", "9.0")),
    ):
        site.public.add(dist)


#: What is installed of that.
_WITH_TORCH = {"torch": "2.0+cpu", "flask": "3.0", "jinja": "3.1", "acme-app": "1.0"}


def test_an_extra_index_with_old_copies_of_public_projects_owns_what_differs(
    site: Site, uv: Client
) -> None:
    site.configure(own={"defer_copies": True})
    _offer_torch(site, site.own)
    assert site.install(uv, "torch", "flask", "acme-app") == _WITH_TORCH


def test_an_index_is_asked_for_nothing_that_only_does_not_name(site: Site, uv: Client) -> None:
    site.configure(own={"only": ["torch", "acme-*"]})
    _offer_torch(site, site.own)
    assert site.install(uv, "torch", "flask", "acme-app") == _WITH_TORCH
    assert site.own.count("/simple/jinja/") == 0
    assert site.public.count("/simple/torch/") == site.public.count("/simple/acme-app/") == 0


def _mirrored(site: Site, **options: object) -> FakeIndex:
    """Return a mirror of the public index, between both."""
    mirror = site.index(**options)
    site.configure(mirror={"url": mirror.url, "mirror_of": "public"})
    return mirror


def _content(site: Site, client: Client, name: str) -> bytes:
    """Return the module that a client installs of a project."""
    target = site.user.target()
    site.user.run(*client.install(target, name)).expect()
    return (target / f"{name}.py").read_bytes()


def test_a_file_that_a_mirror_without_hashes_cuts_short_is_not_kept(site: Site, uv: Client) -> None:
    right = wheel("idna", "4.0", size=20_000)
    mirror = _mirrored(site, formats=HTML_ONLY, metadata=False, ranges=False)
    mirror.add(right, hashes={})
    site.public.add(right)
    path = f"/files/{right.filename}"
    mirror.unframed(path=path)
    mirror.cut(len(right.data) * 6 // 10, path=path)
    assert site.install(uv, "idna") == {"idna": "4.0"}
    mirror.stop_listening()
    assert site.install(uv, "idna") == {"idna": "4.0"}


def test_what_a_mirror_had_otherwise_is_replaced_by_what_the_public_index_has(
    site: Site, uv: Client
) -> None:
    module = b"__version__ = '4.0'  # by a mirror\n"
    mirror = _mirrored(site)
    mirror.add(wheel("idna", "4.0", extra_files={"idna.py": module}))
    assert _content(site, uv, "idna") == module
    site.public.add(wheel("idna", "4.0"))
    mirror.stop_listening()
    right = b'__version__ = "4.0"\n'
    assert _content(site, uv, "idna") == right
    mirror.start_again()
    assert _content(site, uv, "idna") == right


@pytest.mark.parametrize("digest", ["deadbeef", "x" * 64])
def test_a_file_with_a_malformed_hash_is_not_installed_and_run_says_why(
    site: Site, uv: Client, digest: str
) -> None:
    site.public.add(wheel("idna", "4.0"), hashes={"sha256": digest})
    said = site.refused(uv, "idna")
    assert "idna has no file that can be installed." in said
    assert "Of the files that public lists, 1 left out (1: a malformed sha256)." in said


def test_a_file_that_changed_is_not_installed_and_run_says_why(site: Site, uv: Client) -> None:
    site.offer(idna="4.0")
    assert site.install(uv, "idna") == {"idna": "4.0"}
    site.public.add(wheel("idna", "4.0", size=10))
    said = site.refused(uv, "idna")
    assert "idna-4.0-py3-none-any.whl of public is withheld. It was first seen with sha256" in said
    assert "`indexfallback cache accept idna idna-4.0-py3-none-any.whl`" in said
