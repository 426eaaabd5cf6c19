"""Two files of one name: each at its own address, with its own metadata and its own pin."""

import pytest

from indexfallback.errors import FileRefusedError
from indexfallback.flight import start
from indexfallback.shim import Shim
from indexfallback.store.pins import Pin
from tests.chain.chain import mirror, private, pypi
from tests.conftest import MakeShim
from tests.fakes import Dist, FakeIndex, wheel
from tests.files.support import fetch
from tests.serving import wait_until

ONE = wheel("demo", requires=["one"])
TWO = wheel("demo", requires=["two"], extra_files={"two.py": b""})
THREE = wheel("demo", requires=["three"], extra_files={"three.py": b""})


def index_of(*dists: Dist) -> FakeIndex:
    """Return an index that lists these files of one name."""
    index = FakeIndex()
    for number, dist in enumerate(dists):
        index.add(dist, folder=f"{number}/")
    return index


def settle(shim: Shim) -> None:
    wait_until(lambda: not shim.downloads._running, 10, "a transfer does not end")


def offered(shim: Shim) -> list[str | None]:
    """Return the sha256 on the page, asked anew."""
    answer = shim.fallback.page("demo", again=True)
    return [file.sha256 for file in shim.offer(answer).files]


@pytest.mark.parametrize("order", [(ONE, TWO), (TWO, ONE)])
@pytest.mark.parametrize("ending", ["", ".metadata"])
def test_each_address_gives_its_own_file(
    shim: MakeShim, order: tuple[Dist, Dist], ending: str
) -> None:
    with index_of(ONE, TWO) as index:
        made = shim(index)
        assert offered(made) == [ONE.sha256, TWO.sha256]
        for _ in ("cold", "warm"):
            for dist in order:
                expected = dist.metadata if ending else dist.data
                assert fetch(made, dist, ending=ending) == expected
                settle(made)
        assert offered(made) == [ONE.sha256, TWO.sha256]
    offline = shim(index, offline=True)
    for dist in order:
        assert fetch(offline, dist, ending=ending) == (dist.metadata if ending else dist.data)


def test_an_address_without_a_sha256_keeps_what_it_gave_first(shim: MakeShim) -> None:
    with index_of(ONE, TWO) as index:
        made = shim(index)
        assert fetch(made, TWO) == TWO.data
        settle(made)
        for dist in (ONE, TWO):
            assert fetch(made, dist, hashed=False) == TWO.data
        # An archive may bring a pin that is older.
        older = Pin("demo", ONE.filename, ONE.sha256, ONE.sha256, 0.0, index.url)
        made.store.pins.merge([older])
        assert fetch(made, ONE) == ONE.data
        settle(made)
        assert fetch(made, ONE, hashed=False) == TWO.data
        assert fetch(made, ONE, hashed=False, ending=".metadata") == TWO.metadata


def test_another_file_that_comes_to_a_page_beside_the_first_is_offered(shim: MakeShim) -> None:
    with index_of(ONE) as index:
        made = shim(index)
        assert fetch(made, ONE) == ONE.data
        settle(made)
        index.add(TWO, folder="other/")
        # By an address from a lock: the page here is fresh, and does not list it.
        assert fetch(made, TWO) == TWO.data
        settle(made)
        assert fetch(made, TWO, ending=".metadata") == TWO.metadata
        assert offered(made) == [ONE.sha256, TWO.sha256]


@pytest.mark.parametrize("ending", ["", ".metadata"])
def test_another_file_in_the_place_of_the_first_is_refused(shim: MakeShim, ending: str) -> None:
    with index_of(ONE) as index:
        made = shim(index)
        assert fetch(made, ONE) == ONE.data
        settle(made)
        index.add(TWO, folder="0/")
        assert offered(made) == []
        with pytest.raises(FileRefusedError, match="first seen with sha256"):
            fetch(made, TWO, ending=ending)
        assert fetch(made, ONE) == ONE.data
        (refused,) = made.fallback.refusals.report()
        assert (refused["first"], refused["offered"]) == (ONE.sha256, TWO.sha256)


def test_one_of_two_may_go_and_the_other_one_stays(shim: MakeShim) -> None:
    with index_of(ONE, TWO) as index:
        made = shim(index)
        fetch(made, ONE)
        settle(made)
        fetch(made, TWO)
        settle(made)
        index.remove(f"0/{ONE.filename}")
        index.add(THREE, folder="2/")
        assert offered(made) == [TWO.sha256, THREE.sha256]
        assert fetch(made, ONE) == ONE.data
        index.remove(f"1/{TWO.filename}")
        assert offered(made) == []


def test_a_mirror_s_file_beside_a_right_one_is_replaced_by_that_of_the_public_index(
    shim: MakeShim,
) -> None:
    with index_of(ONE, THREE) as near, index_of(ONE, TWO) as far:
        made = shim(mirror(near), pypi(far))
        made.fallback.page("demo", "pypi")
        assert offered(made) == [ONE.sha256, TWO.sha256]
        assert fetch(made, TWO) == TWO.data
        assert fetch(made, ONE) == ONE.data
        settle(made)
        with pytest.raises(FileRefusedError):
            fetch(made, THREE)


def test_each_comes_from_whichever_index_of_the_group_lists_it(shim: MakeShim) -> None:
    with index_of(TWO) as near, index_of(ONE, TWO) as far:
        made = shim(mirror(near), pypi(far))
        made.fallback.page("demo", "pypi")
        for dist in (ONE, TWO):
            assert fetch(made, dist) == dist.data
        settle(made)
        pins = {pin.sha256: pin.source for pin in made.store.pins}
        assert pins[ONE.sha256] == far.url


def test_a_private_index_s_pin_says_nothing_of_a_public_file_and_stays(shim: MakeShim) -> None:
    with index_of() as own, index_of(ONE, TWO) as far:
        made = shim(private(own), pypi(far))
        key = THREE.sha256
        made.store.pins.record("demo", ONE.filename, THREE.sha256, own.url, key=key)
        assert offered(made) == [ONE.sha256, TWO.sha256]
        for hashed in (True, False):
            assert fetch(made, ONE, hashed=hashed) == ONE.data
            settle(made)
        assert made.store.pins.find("demo", ONE.filename, key) is not None


def test_a_file_in_flight_is_pinned_only_if_its_name_was_not_pinned_otherwise(
    shim: MakeShim,
) -> None:
    with index_of(ONE) as index:
        made = shim(index)
        hang = index.hang(path=f"/files/0/{ONE.filename}")
        reader = start(lambda: fetch(made, ONE), "reader")
        index.wait_for(f"/files/0/{ONE.filename}")
        source = made.members["pypi"].index.key
        made.store.pins.record("demo", ONE.filename, TWO.sha256, source, key=TWO.sha256)
        index.add(TWO, folder="0/")
        made.fallback.page("demo", again=True)
        hang.lift()
        reader.result(10)
        settle(made)
        assert [pin.sha256 for pin in made.store.pins] == [TWO.sha256]
