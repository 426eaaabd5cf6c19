"""The file that a pin and a target come to."""

import pytest

from indexfallback.errors import FileMissingError, FileRefusedError
from indexfallback.fetch.file_selection import is_wanted, select_file
from indexfallback.fetch.target import Target
from indexfallback.fetch.unsatisfied import Offer
from indexfallback.page import File, ProjectPage
from indexfallback.wanted import Origin, Pin, Wanted

HERE = Origin("lock", 3)
LINUX = Target("3.12", "manylinux_2_28_x86_64")
WINDOWS = Target("3.12", "win_amd64")
FILES = (
    "acme-1.0-cp312-cp312-manylinux_2_17_x86_64.whl",
    "acme-1.0-cp312-cp312-manylinux_2_28_x86_64.whl",
    "acme-1.0-1-cp312-cp312-manylinux_2_28_x86_64.whl",
    "acme-1.0-cp312-cp312-macosx_11_0_arm64.whl",
    "acme-1.0.zip",
    "acme-1.0.tar.gz",
    "acme-2.0-py3-none-any.whl",
)


def offer(*names: str, **more: str) -> Offer:
    files = [
        File(filename=name, url=f"https://example.com/{name}", hashes={"sha256": f"{n:064x}"},
             requires_python=more.get("requires_python"))
        for n, name in enumerate(names)
    ]  # fmt: skip
    page = ProjectPage(name="acme", files=tuple(files))
    return Offer(page, page)


def chosen(pin: Pin, target: Target, wanted: Wanted | None = None) -> str | None:
    file = select_file(offer(*FILES), pin, target, wanted or Wanted())
    return file.filename if file is not None else None


def pin(version: str = "1.0", *numbers: int, **more: object) -> Pin:
    hashes = frozenset(f"sha256:{number:064x}" for number in numbers)
    return Pin("acme", version, HERE, hashes, **more)  # type: ignore[arg-type]


def test_it_is_the_best_wheel_and_of_those_the_last_build() -> None:
    assert chosen(pin(), LINUX) == FILES[2]
    assert chosen(pin("2"), LINUX) == FILES[6]


def test_a_legacy_sdist_is_of_the_version_behind_its_project() -> None:
    legacy = offer("acme-1.0-2.tar.gz")
    file = select_file(legacy, pin("1.0.post2"), WINDOWS, Wanted())
    assert file is not None
    with pytest.raises(FileMissingError):
        select_file(legacy, pin("2"), WINDOWS, Wanted())


def test_without_a_wheel_for_the_target_it_is_the_sdist() -> None:
    assert chosen(pin(), WINDOWS) == "acme-1.0.tar.gz"


def test_only_files_with_one_of_the_hashes_are_taken() -> None:
    assert chosen(pin("1.0", 0, 5), LINUX) == FILES[0]
    assert chosen(pin("1.0", 0, 5), WINDOWS) == FILES[5]
    with pytest.raises(FileRefusedError, match=r"none of its 6 files has the hash that lock:3"):
        chosen(pin("1.0", 99), LINUX)
    with pytest.raises(FileRefusedError, match=r"one of the 2 hashes that lock:3 .*; acme-1\.0-1-"):
        chosen(pin("1.0", 98, 99), LINUX)


def test_for_a_lock_without_the_hash_of_the_targets_file_the_remedy_is_to_lock_again() -> None:
    with pytest.raises(FileMissingError) as caught:
        chosen(pin("1.0", 3), LINUX)
    assert caught.value.cause == f"lock:3 has the hashes of 1 file, which is not for {LINUX}"
    assert caught.value.remedy == f"{FILES[2]} is for it: lock again, for this target too."


def test_of_two_files_of_one_name_it_is_the_one_with_the_hash_or_the_first() -> None:
    twice = offer(FILES[0], FILES[0])
    for numbers, index in ((), 0), ((0,), 0), ((1,), 1), ((0, 1), 0):
        assert (
            select_file(twice, pin("1.0", *numbers), LINUX, Wanted()) is twice.listed.files[index]
        )


def test_formats_that_are_refused_are_not_taken() -> None:
    assert chosen(pin(), LINUX, Wanted(no_binary=frozenset(["acme"]))) == FILES[5]
    with pytest.raises(FileMissingError, match=r"1\.0 has no wheel for Python 3\.12 on win"):
        chosen(pin(), WINDOWS, Wanted(only_binary=frozenset([":all:"])))


def test_for_a_version_that_is_not_there_the_nearest_one_is_named() -> None:
    with pytest.raises(FileMissingError, match=r"acme 3\.0: there is no 3\.0; the nearest .* 2\.0"):
        chosen(pin("3.0"), LINUX)


def test_without_a_file_for_the_target_what_a_lock_may_not_need_is_left_out() -> None:
    only = offer("acme-1.0-cp312-cp312-macosx_11_0_arm64.whl")
    assert select_file(only, pin(is_needed=False), LINUX, Wanted()) is None
    with pytest.raises(FileMissingError):
        select_file(only, pin(), LINUX, Wanted())


def test_a_file_for_other_pythons_is_not_taken() -> None:
    older = offer("acme-1.0-py3-none-any.whl", requires_python="<3.12")
    with pytest.raises(FileMissingError):
        select_file(older, pin(), LINUX, Wanted())
    wrong = offer("acme-1.0-py3-none-any.whl", requires_python=">=3.x")
    assert select_file(wrong, pin(), LINUX, Wanted()) is not None


@pytest.mark.parametrize(
    ("marker", "wants"),
    [
        ("", True),
        ("sys_platform == 'win32'", False),
        ("'dev' in dependency_groups", True),
        ("'docs' in dependency_groups or 'all' in extras", False),
        ("extra == 'all'", True),  # of which a poetry.lock does not say who asks for it
    ],
)
def test_a_marker_decides_with_the_groups_that_are_asked_for(marker: str, wants: bool) -> None:
    assert is_wanted(pin(marker=marker), LINUX, (), ("dev",)) is wants
