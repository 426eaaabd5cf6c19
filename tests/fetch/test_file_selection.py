"""The file that a pin and a target come to."""

import pytest

from indexfallback.errors import FileMissingError, FileRefusedError
from indexfallback.fetch.file_selection import is_wanted, select_file
from indexfallback.fetch.target import Target
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


def page(*names: str, **more: str) -> ProjectPage:
    files = [
        File(filename=name, url=f"https://example.com/{name}", hashes={"sha256": f"{n:064x}"},
             requires_python=more.get("requires_python"))
        for n, name in enumerate(names)
    ]  # fmt: skip
    return ProjectPage(name="acme", files=tuple(files))


def chosen(pin: Pin, target: Target, wanted: Wanted | None = None) -> str | None:
    file = select_file(page(*FILES), pin, target, wanted or Wanted())
    return file.filename if file is not None else None


def pin(version: str = "1.0", *numbers: int, **more: object) -> Pin:
    hashes = frozenset(f"sha256:{number:064x}" for number in numbers)
    return Pin("acme", version, HERE, hashes, **more)  # type: ignore[arg-type]


def test_it_is_the_best_wheel_and_of_those_the_last_build() -> None:
    assert chosen(pin(), LINUX) == FILES[2]
    assert chosen(pin("2"), LINUX) == FILES[6]


def test_without_a_wheel_for_the_target_it_is_the_sdist() -> None:
    assert chosen(pin(), WINDOWS) == "acme-1.0.tar.gz"


def test_only_files_with_one_of_the_hashes_are_taken() -> None:
    assert chosen(pin("1.0", 0, 5), LINUX) == FILES[0]
    assert chosen(pin("1.0", 0, 5), WINDOWS) == FILES[5]
    with pytest.raises(FileRefusedError, match=r"lock:3 requires; acme-1\.0-cp312"):
        chosen(pin("1.0", 99), LINUX)


def test_of_two_files_of_one_name_it_is_the_one_with_the_hash_or_the_first() -> None:
    twice = page(FILES[0], FILES[0])
    for numbers, index in ((), 0), ((0,), 0), ((1,), 1), ((0, 1), 0):
        assert select_file(twice, pin("1.0", *numbers), LINUX, Wanted()) is twice.files[index]


def test_formats_that_are_refused_are_not_taken() -> None:
    assert chosen(pin(), LINUX, Wanted(no_binary=frozenset(["acme"]))) == FILES[5]
    with pytest.raises(FileMissingError, match=r"none of its 6 files is for Python 3\.12 on win"):
        chosen(pin(), WINDOWS, Wanted(only_binary=frozenset([":all:"])))


def test_a_version_that_is_not_there_is_missing_and_who_asks_for_it_is_named() -> None:
    with pytest.raises(FileMissingError, match=r"acme 3\.0: it is not on the page .*lock:3"):
        chosen(pin("3.0"), LINUX)


def test_without_a_file_for_the_target_what_a_lock_may_not_need_is_left_out() -> None:
    only = page("acme-1.0-cp312-cp312-macosx_11_0_arm64.whl")
    assert select_file(only, pin(is_needed=False), LINUX, Wanted()) is None
    with pytest.raises(FileMissingError):
        select_file(only, pin(), LINUX, Wanted())


def test_a_file_for_other_pythons_is_not_taken() -> None:
    older = page("acme-1.0-py3-none-any.whl", requires_python="<3.12")
    with pytest.raises(FileMissingError):
        select_file(older, pin(), LINUX, Wanted())
    wrong = page("acme-1.0-py3-none-any.whl", requires_python=">=3.x")
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
