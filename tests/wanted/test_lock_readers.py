"""Lock files: which versions, with which hashes, for whom."""

import contextlib
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexfallback.errors import WantedError
from indexfallback.wanted import Wanted
from indexfallback.wanted.reading import read_file

A, B = "a" * 64, "b" * 64


def read(
    directory: Path, name: str, text: str, groups: Sequence[str] = (), extras: Sequence[str] = ()
) -> Wanted:
    path = directory / name
    path.write_text(text, encoding="utf-8")
    return read_file(path, extras, groups)


def projects(wanted: Wanted) -> list[str]:
    return [pin.project for pin in wanted.pins]


def pins(wanted: Wanted) -> list[tuple[str, str, set[str], str]]:
    return [(pin.project, pin.version, set(pin.hashes), pin.marker) for pin in wanted.pins]


def test_a_pylock_has_the_hashes_of_all_files_and_the_marker(tmp_path: Path) -> None:
    text = f"""
        lock-version = "1.0"
        [[packages]]
        name = "Acme.App"
        version = "1.4"
        marker = "'dev' in dependency_groups"
        [packages.sdist]
        url = "https://example.com/acme_app-1.4.tar.gz"
        hashes = {{ sha256 = "{A}" }}
        [[packages.wheels]]
        url = "https://example.com/acme_app-1.4-py3-none-any.whl"
        hashes = {{ sha256 = "{B}" }}
    """
    (pin,) = pins(read(tmp_path, "pylock.dev.toml", text))
    assert pin == (
        "acme-app", "1.4", {f"sha256:{A}", f"sha256:{B}"}, "'dev' in dependency_groups"
    )  # fmt: skip


def test_of_a_uv_lock_what_comes_from_an_index_is_pinned(tmp_path: Path) -> None:
    text = f"""
        version = 1
        [[package]]
        name = "idna"
        version = "3.10"
        source = {{ registry = "https://example.com/simple" }}
        resolution-markers = ["python_version < '3.9'", "sys_platform == 'win32'"]
        sdist = {{ url = "https://example.com/idna-3.10.tar.gz", hash = "sha256:{A}" }}
        wheels = [{{ url = "https://example.com/idna.whl", hash = "sha256:{B}" }}]
        [[package]]
        name = "me"
        version = "0.1"
        source = {{ editable = "." }}
        [[package]]
        name = "forked"
        version = "2"
        source = {{ git = "https://example.com/forked" }}
    """
    wanted = read(tmp_path, "uv.lock", text)
    assert pins(read(tmp_path, "script.py.lock", text)) == pins(wanted)
    marker = "(python_version < '3.9') or (sys_platform == 'win32')"
    assert pins(wanted) == [("idna", "3.10", {f"sha256:{A}", f"sha256:{B}"}, marker)]
    assert [each.what for each in wanted.direct_references] == ["forked"]


def test_a_poetry_lock_of_either_age_is_read(tmp_path: Path) -> None:
    new = f"""
        [[package]]
        name = "idna"
        version = "3.10"
        files = [{{ file = "idna-3.10.tar.gz", hash = "sha256:{A}" }}]
        markers = {{ main = "os_name == 'nt'", dev = "python_version > '3'" }}
    """
    either = "(os_name == 'nt') or (python_version > '3')"
    assert pins(read(tmp_path, "poetry.lock", new)) == [("idna", "3.10", {f"sha256:{A}"}, either)]
    old = f"""
        [[package]]
        name = "idna"
        version = "3.10"
        [metadata.files]
        idna = [{{ file = "idna-3.10.tar.gz", hash = "sha256:{B}" }}]
    """
    assert pins(read(tmp_path, "poetry.lock", old)) == [("idna", "3.10", {f"sha256:{B}"}, "")]


POETRY = """
    [[package]]
    name = "app"
    version = "1.0"
    groups = ["main", "dev"]
    markers = { dev = "python_version < '3'" }
    [[package]]
    name = "test"
    version = "1.0"
    groups = ["dev", "ci"]
    markers = { dev = "os_name == 'nt'", ci = "os_name == 'posix'" }
    [[package]]
    name = "docs"
    version = "1.0"
    groups = ["docs"]
"""


def test_groups_of_a_poetry_lock_are_selected_each_with_its_marker(tmp_path: Path) -> None:
    both = "(os_name == 'nt') or (os_name == 'posix')"
    for groups, expected in (
        ((), {"app": "", "test": both, "docs": ""}),
        (["main"], {"app": ""}),
        (["Docs"], {"app": "", "docs": ""}),
        (["dev"], {"app": "", "test": "os_name == 'nt'"}),
    ):
        found = read(tmp_path, "poetry.lock", POETRY, groups).pins
        assert {pin.project: pin.marker for pin in found} == expected, groups


@pytest.mark.parametrize("name", ["poetry.lock", "pdm.lock"])
def test_of_a_lock_without_groups_all_packages_are_taken(tmp_path: Path, name: str) -> None:
    text = '[[package]]\nname = "idna"\nversion = "3.10"\n'
    assert projects(read(tmp_path, name, text, ["dev"])) == ["idna"]


#: As pdm 2.29 writes it, shortened.
PDM = f"""
    [metadata]
    groups = ["default", "dev", "web"]
    strategy = ["inherit_metadata"]
    lock_version = "4.5.1"
    [[metadata.targets]]
    requires_python = ">=3.10"
    [[package]]
    name = "Acme.App"
    version = "1.4"
    requires_python = ">=3.7"
    groups = ["default"]
    files = [
        {{file = "acme_app-1.4-py3-none-any.whl", hash = "sha256:{A}"}},
        {{file = "acme_app-1.4.tar.gz", hash = "sha256:{B}"}},
    ]
    [[package]]
    name = "colorama"
    version = "0.4.6"
    groups = ["default", "dev"]
    marker = "sys_platform == \\"win32\\""
    files = [{{url = "https://example.com/colorama-0.4.6.tar.gz", hash = "sha256:{A}"}}]
    [[package]]
    name = "flask"
    version = "3.0"
    extras = ["async"]
    groups = ["web"]
    [[package]]
    name = "pytest"
    version = "9.0"
    groups = ["dev"]
    [[package]]
    name = "forked"
    version = "2.0"
    git = "https://example.com/forked.git"
    revision = "0123"
    groups = ["default"]
    [[package]]
    name = "beside"
    version = "0.1"
    path = "./beside"
    editable = true
    groups = ["dev"]
    [[package]]
    name = "built"
    version = "0.1"
    path = "./built-0.1-py3-none-any.whl"
    groups = ["dev"]
"""


def test_a_pdm_lock_has_the_hashes_and_the_markers_of_its_packages(tmp_path: Path) -> None:
    wanted = read(tmp_path, "pdm.lock", PDM)
    assert pins(wanted)[:2] == [
        ("acme-app", "1.4", {f"sha256:{A}", f"sha256:{B}"}, ""),
        ("colorama", "0.4.6", {f"sha256:{A}"}, 'sys_platform == "win32"'),
    ]
    assert [each.what for each in wanted.direct_references] == ["forked", "built"]
    assert all(pin.is_needed for pin in wanted.pins)


def test_a_pdm_lock_without_inherited_markers_may_have_packages_that_a_target_does_not_need(
    tmp_path: Path,
) -> None:
    wanted = read(tmp_path, "pdm.lock", PDM.replace("inherit_metadata", "static_urls"))
    assert not any(pin.is_needed for pin in wanted.pins)


@pytest.mark.parametrize(
    ("groups", "extras", "expected"),
    [
        ((), (), {"acme-app", "colorama", "flask", "pytest"}),
        (["default"], (), {"acme-app", "colorama"}),
        (["dev"], (), {"acme-app", "colorama", "pytest"}),
        ((), ["web"], {"acme-app", "colorama", "flask"}),
        (["Dev"], ["WEB"], {"acme-app", "colorama", "flask", "pytest"}),
    ],
)
def test_groups_and_extras_select_from_a_pdm_lock(
    tmp_path: Path, groups: Sequence[str], extras: Sequence[str], expected: set[str]
) -> None:
    assert set(projects(read(tmp_path, "pdm.lock", PDM, groups, extras))) == expected


def test_the_files_of_an_older_pdm_lock_are_in_a_table_of_their_own(tmp_path: Path) -> None:
    text = f"""
        [[package]]
        name = "Idna"
        version = "3.10"
        [metadata]
        lock_version = "4.0"
        [metadata.files]
        "Idna 3.10" = [{{url = "https://example.com/idna-3.10.tar.gz", hash = "sha256:{B}"}}]
    """
    assert pins(read(tmp_path, "pdm.dev.lock", text)) == [("idna", "3.10", {f"sha256:{B}"}, "")]


#: As pipenv 2026 writes it, shortened.
PIPFILE = {
    "_meta": {"hash": {"sha256": A}, "pipfile-spec": 6, "requires": {}, "sources": []},
    "default": {
        "acme.app": {
            "extras": ["socks"], "hashes": [f"sha256:{A}", f"sha256:{B}"], "index": "private",
            "markers": "python_version >= '3.10'", "version": "==1.4",
        },
        "colorama": {"markers": "sys_platform == 'win32'", "version": "*"},
        "any": {"version": "==2.*"},
        "forked": {"git": "https://example.com/forked.git", "ref": "0123"},
        "mine": {"editable": True, "path": "."},
        "built": {"file": "https://example.com/built-0.1-py3-none-any.whl"},
    },
    "develop": {"pytest": {"hashes": [f"sha256:{A}"], "version": "==9.0"}},
    "docs": {"docutils": {"version": "==0.23"}},
}  # fmt: skip


def test_of_a_pipfile_lock_the_default_category_is_read(tmp_path: Path) -> None:
    wanted = read(tmp_path, "Pipfile.lock", json.dumps(PIPFILE))
    assert pins(wanted) == [
        ("acme-app", "1.4", {f"sha256:{A}", f"sha256:{B}"}, "python_version >= '3.10'")
    ]
    assert [each.what for each in wanted.direct_references] == ["forked", "built"]


def test_what_a_pipfile_lock_does_not_pin_is_resolved(tmp_path: Path) -> None:
    wanted = read(tmp_path, "Pipfile.lock", json.dumps(PIPFILE))
    assert [demand.text for demand in wanted.demands] == [
        "colorama; sys_platform == 'win32'", "any==2.*"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        (["default"], []), (["packages"], []), (["develop"], ["pytest"]), (["dev"], ["pytest"]),
        (["dev-packages"], ["pytest"]), (["docs", "dev"], ["pytest", "docutils"]),
    ],
)  # fmt: skip
def test_groups_are_the_categories_of_a_pipfile_lock_beside_the_default_one(
    tmp_path: Path, groups: Sequence[str], expected: list[str]
) -> None:
    wanted = read(tmp_path, "Pipfile.lock", json.dumps(PIPFILE), groups)
    assert projects(wanted) == ["acme-app", *expected]


@pytest.mark.parametrize(
    ("name", "text", "known"),
    [
        ("Pipfile.lock", json.dumps(PIPFILE), "default, develop, docs"),
        ("pdm.lock", PDM, "default, dev, web"),
        ("poetry.lock", POETRY, "ci, dev, docs, main"),
    ],
)
def test_a_group_that_a_lock_does_not_have_is_refused_with_those_it_has(
    tmp_path: Path, name: str, text: str, known: str
) -> None:
    with pytest.raises(WantedError, match=f"has no group tests; use one of: {known}$"):
        read(tmp_path, name, text, ["tests"])


_SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=8)
_NAMES = st.sampled_from(["default", "develop", "idna", "version", "hashes", "markers", "path"])
_DOCUMENTS = st.recursive(
    _SCALARS, lambda inner: st.lists(inner) | st.dictionaries(_NAMES, inner), max_leaves=12
)


@given(document=_DOCUMENTS)
def test_json_of_any_shape_is_a_lock_or_refused(
    tmp_path_factory: pytest.TempPathFactory, document: object
) -> None:
    path = tmp_path_factory.getbasetemp() / "Pipfile.lock"
    path.write_text(json.dumps(document), encoding="utf-8")
    with contextlib.suppress(WantedError):
        read_file(path)


def test_what_is_no_lock_is_named_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(WantedError, match=r"uv\.lock: it is not a valid .*; lock again"):
        read(tmp_path, "uv.lock", '[[package]]\nname = "idna"\n')
    with pytest.raises(WantedError, match=r"poetry\.lock: it is not TOML"):
        read(tmp_path, "poetry.lock", "<html>")
    for text in "<html>", "[" * 100_000:
        with pytest.raises(WantedError, match=r"Pipfile\.lock: it is not JSON"):
            read(tmp_path, "Pipfile.lock", text)
    with pytest.raises(WantedError, match=r"uv\.lock: it cannot be read"):
        read_file(tmp_path / "none" / "uv.lock")


@pytest.mark.parametrize(
    "line", ['name = "../etc"', 'name = "idna"\nmarkers = "python >> 3"', "name = 3"]
)
def test_names_and_markers_that_are_none_are_refused(tmp_path: Path, line: str) -> None:
    with pytest.raises(WantedError, match=r"poetry\.lock: it is not a valid poetry\.lock"):
        read(tmp_path, "poetry.lock", f'[[package]]\nversion = "1"\n{line}\n')
