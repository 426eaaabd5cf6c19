"""The rule for what an archive adds freely, and what it would change."""

from typing import Any

import msgspec
import pytest

from indexfallback.carry.changes import (
    OwnerChange,
    PageChange,
    PinChange,
    Sha256s,
    agrees,
    answering,
    owner_change,
    page_change,
    pin_change,
    sha256s,
)
from indexfallback.config import Index
from indexfallback.page import File, ProjectPage
from indexfallback.store.evidence import Evidence
from indexfallback.store.ownership import Ownership
from indexfallback.store.pins import Pin

OWN = Index(name="own", url="https://own.example.com/")
OTHER = Index(name="other", url="https://other.example.com/")
EXTRA = Index(name="extra", url="https://extra.example.com/", role="public")
MIRROR = Index(name="mirror", url="https://mirror.example.com/", role="mirror", mirror_of="pypi")
PYPI = Index(name="pypi", url="https://pypi.example.com/", role="public")
CHAIN = (OWN, OTHER, EXTRA, MIRROR, PYPI)
#: An index that is not in the chain.
AWAY = "https://away.example.com/"

SERVED, LISTED, COPY = Ownership(served=1.0), Ownership(listed=1.0), Ownership(1.0, None, 2.0)
A, B = "a" * 64, "b" * 64


def pages(*indexes: Index) -> Evidence:
    return Evidence(sources=frozenset(index.key for index in indexes))


def owned(**owners: Ownership) -> Evidence:
    keys = {"own": OWN.key, "other": OTHER.key, "pypi": PYPI.key, "away": AWAY}
    return Evidence(ownerships={keys[name]: known for name, known in owners.items()})


@pytest.mark.parametrize(
    ("known", "groups"),
    [
        (Evidence(), set()),
        (pages(MIRROR, PYPI), {"pypi"}),
        (pages(PYPI, EXTRA), {"extra"}),
        (owned(own=SERVED)._replace(sources=frozenset((PYPI.key,))), {"own"}),
        (owned(own=SERVED, other=LISTED), {"own", "other"}),
        (owned(away=LISTED)._replace(sources=frozenset((PYPI.key,))), {"pypi", AWAY}),
        (owned(pypi=SERVED), set()),  # by our configuration it owns nothing
    ],
)
def test_a_project_comes_from_its_owners_or_the_first_index_that_has_it(
    known: Evidence, groups: set[str]
) -> None:
    assert answering(CHAIN, "urllib3", known) == groups


def test_a_claim_decides_whatever_is_known() -> None:
    claiming = Index(name="own", url=OWN.url, projects=("acme-*",))
    chain = (OTHER, claiming, PYPI)
    assert answering(chain, "acme-app", owned(other=SERVED)) == {"own"}
    assert owner_change(chain, "acme-app", Evidence(), OTHER.key, SERVED) is None


class TestOwners:
    def change(
        self, known: Evidence, source: str, ownership: Ownership | None = None
    ) -> OwnerChange | None:
        return owner_change(CHAIN, "urllib3", known, source, ownership)

    def test_a_private_index_gets_what_the_public_one_has(self) -> None:
        for ownership in (SERVED, LISTED):
            assert self.change(pages(PYPI), OWN.key, ownership) == OwnerChange(
                "urllib3", ("pypi",), ("own",)
            )

    def test_an_unknown_name_is_new_knowledge(self) -> None:
        assert self.change(Evidence(), OWN.key, SERVED) is None
        assert self.change(Evidence(), PYPI.key) is None

    def test_an_owner_that_is_known_here_is_none(self) -> None:
        known = owned(own=LISTED)._replace(sources=frozenset((PYPI.key,)))
        assert self.change(known, OWN.key, SERVED) is None

    def test_another_private_index_gets_a_share_of_an_owned_name(self) -> None:
        change = self.change(owned(own=SERVED), OTHER.key, LISTED)
        assert change is not None
        assert change.archive == ("other", "own")

    def test_a_page_of_an_index_before_the_one_that_has_it(self) -> None:
        change = self.change(pages(PYPI), EXTRA.key)
        assert change == OwnerChange("urllib3", ("pypi",), ("extra",))
        assert self.change(pages(PYPI), OWN.key) is not None

    def test_a_page_of_the_same_group_or_a_later_index_is_none(self) -> None:
        assert self.change(pages(PYPI), MIRROR.key) is None
        assert self.change(pages(EXTRA), PYPI.key) is None
        assert self.change(owned(own=SERVED), PYPI.key) is None

    def test_a_name_of_an_index_that_is_not_in_the_chain(self) -> None:
        change = self.change(pages(PYPI), AWAY, LISTED)
        assert change is not None
        assert change.archive == (AWAY, "pypi")
        assert self.change(Evidence(), AWAY, LISTED) is None
        assert self.change(pages(PYPI), AWAY) is None

    def test_with_defer_copies_a_copy_is_none_and_an_owner_that_becomes_one_is(self) -> None:
        defers = Index(name="own", url=OWN.url, defer_copies=True)
        chain = (defers, PYPI)
        assert owner_change(chain, "jinja2", pages(PYPI), OWN.key, COPY) is None
        assert owner_change(chain, "jinja2", pages(PYPI), OWN.key, LISTED) is not None
        lost = owner_change(chain, "acme-app", owned(own=LISTED), OWN.key, COPY)
        assert lost == OwnerChange("acme-app", ("own",), ())


class TestPins:
    def test_a_page_that_lists_another_sha256(self) -> None:
        change = pin_change(pin(A), [{}, {("x-1.whl", ""): [B]}])
        assert change == PinChange("x", "x-1.whl", B, A)

    def test_what_pages_list_so_or_not_at_all_is_none(self) -> None:
        listed: list[Sha256s] = [{("x-1.whl", ""): [B, A]}, {("x-2.whl", ""): [B]}]
        assert pin_change(pin(A), listed) is None

    def test_two_files_of_one_name_are_no_change_where_a_page_lists_both(self) -> None:
        both = sha256s([page(file(), file(sha256=B))])
        assert both == {("x-1.whl", ""): [A, B]}
        assert pin_change(pin(B), [both]) is None

    @pytest.mark.parametrize(
        ("listed", "may_stand"), [([A, B], True), ([B], False), ([A], False), ([], False)]
    )
    def test_a_pin_stands_beside_another_where_a_page_lists_both(
        self, listed: list[str], may_stand: bool
    ) -> None:
        assert agrees(pin(B), [pin(A)], [{("x-1.whl", ""): listed}]) == may_stand
        assert agrees(pin(A), [pin(A, key="")], [])
        assert agrees(pin(B), [], [])

    def test_the_last_page_of_a_group_and_the_metadata_count(self) -> None:
        wrong, right = file(sha256=A), file(sha256=B, core_metadata={"sha256": A})
        listed = sha256s([page(wrong), page(right)])
        assert listed == {("x-1.whl", ""): [B], ("x-1.whl.metadata", B): [A]}


def pin(sha256: str, name: str = "x-1.whl", key: str | None = None) -> Pin:
    return Pin("x", name, sha256 if key is None else key, sha256, 0.0, PYPI.key)


def file(name: str = "x-1.whl", sha256: str | None = A, **more: Any) -> File:
    hashes = {"sha256": sha256} if sha256 is not None else {}
    values = {"url": f"https://files.example.com/{name}", "hashes": hashes, **more}
    return File(filename=name, **values)


def page(*files: File) -> ProjectPage:
    return ProjectPage(name="x", files=files)


@pytest.mark.parametrize(
    "after",
    [
        page(file(), file("x-2.whl", B)),
        page(file(yanked="a reason", requires_python=">=3.10", size=5)),
        page(file(hashes={"sha256": A, "blake2b": "0"})),
        page(file(url="https://cdn.example.com/x-1.whl")),
        page(file(core_metadata={"sha256": B})),
        msgspec.structs.replace(page(file()), status="archived", versions=("1", "2")),
    ],
)
def test_a_page_that_says_more_is_no_change(after: ProjectPage) -> None:
    assert page_change("pypi", page(file()), after, {}) is None


@pytest.mark.parametrize(
    ("after", "removed", "altered"),
    [
        (page(), ("x-1.whl",), ()),
        (page(file("x-2.whl")), ("x-1.whl",), ()),
        (page(file(sha256=B)), (), ("x-1.whl",)),
        (page(file(sha256=None)), (), ("x-1.whl",)),
        (page(file(hashes={"md5": "0"})), (), ("x-1.whl",)),
        (page(file(sha256=B), file()), (), ("x-1.whl",)),
        (page(file(), file(sha256=B)), (), ("x-1.whl",)),
    ],
)
def test_a_page_that_removes_or_alters_a_file_is_one(
    after: ProjectPage, removed: tuple[str, ...], altered: tuple[str, ...]
) -> None:
    change = page_change("pypi", page(file()), after, {})
    assert change == PageChange("x", "pypi", removed, altered)


def test_two_files_of_one_name_stay_as_they_are_or_one_is_removed() -> None:
    both = page(file(), file(sha256=B))
    assert page_change("pypi", both, page(file(sha256=B), file()), {}) is None
    assert page_change("pypi", both, page(file()), {}) == PageChange("x", "pypi", ("x-1.whl",), ())
    third = page(*both.files, file(sha256="c" * 64))
    assert page_change("pypi", both, third, {}) == PageChange("x", "pypi", (), ("x-1.whl",))


def test_other_metadata_of_a_file_is_a_change_and_none_at_all_is_not() -> None:
    before = page(file(core_metadata={"sha256": A}))
    for metadata, changes in (({"sha256": B}, True), (True, True), (False, False)):
        after = page(file(core_metadata=metadata))
        assert (page_change("pypi", before, after, {}) is not None) == changes


def test_a_file_without_hashes_is_another_one_at_another_address() -> None:
    before = page(file(sha256=None))
    elsewhere = page(file(sha256=B, url="https://evil.example.com/x-1.whl"))
    assert page_change("own", before, elsewhere, {}) is not None
    assert page_change("own", before, page(file(sha256=A)), {}) is None


def test_a_file_that_a_pin_or_another_page_of_the_group_has_otherwise_is_altered() -> None:
    change = page_change("mirror", None, page(file(sha256=B)), {("x-1.whl", ""): [A]})
    assert change == PageChange("x", "mirror", (), ("x-1.whl",))
    assert page_change("mirror", None, page(file(sha256=None)), {("x-1.whl", ""): [A]}) is None
    assert (
        page_change("mirror", None, page(file(), file("x-2.whl", B)), {("x-1.whl", ""): [A]})
        is None
    )
