"""Lock files: which versions, with which hashes, for whom."""

from pathlib import Path

import pytest

from indexfallback.errors import WantedError
from indexfallback.wanted import Wanted
from indexfallback.wanted.reading import read_file

A, B = "a" * 64, "b" * 64


def read(directory: Path, name: str, text: str) -> Wanted:
    path = directory / name
    path.write_text(text, encoding="utf-8")
    return read_file(path)


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


def test_what_is_no_lock_is_named_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(WantedError, match=r"uv\.lock: it is not a valid .*; lock again"):
        read(tmp_path, "uv.lock", '[[package]]\nname = "idna"\n')
    with pytest.raises(WantedError, match=r"poetry\.lock: it is not TOML"):
        read(tmp_path, "poetry.lock", "<html>")
    with pytest.raises(WantedError, match=r"uv\.lock: it cannot be read"):
        read_file(tmp_path / "none" / "uv.lock")


@pytest.mark.parametrize(
    "line", ['name = "../etc"', 'name = "idna"\nmarkers = "python >> 3"', "name = 3"]
)
def test_names_and_markers_that_are_none_are_refused(tmp_path: Path, line: str) -> None:
    with pytest.raises(WantedError, match=r"poetry\.lock: it is not a valid poetry\.lock"):
        read(tmp_path, "poetry.lock", f'[[package]]\nversion = "1"\n{line}\n')


def test_a_buildout_pins_what_its_versions_say_over_those_that_it_extends(tmp_path: Path) -> None:
    base = "[versions]\nZope.Interface = 7.0\nold = 1.0\nfree =\n"
    (tmp_path / "base.cfg").write_text(base, encoding="utf-8")
    text = """
[buildout]
extends = base.cfg
    https://example.com/more.cfg
parts = py
[versions]
zope.interface = 7.2   # as on the server
some = >=1,<2
[versions:python_version < "3.10"]
some = 0.9
"""
    wanted = read(tmp_path, "buildout.cfg", text)
    assert [pin[:2] for pin in pins(wanted)] == [
        ("old", "1.0"), ("zope-interface", "7.2"), ("some", "0.9"),
    ]  # fmt: skip
    assert [demand.text for demand in wanted.demands] == ["some<2,>=1"]
    assert "https://example.com/more.cfg" in wanted.remarks[0]


def test_a_buildout_may_call_its_versions_otherwise(tmp_path: Path) -> None:
    text = "[buildout]\nversions = ours\n[ours]\nidna = 3.10\n"
    assert [pin[:2] for pin in pins(read(tmp_path, "b.cfg", text))] == [("idna", "3.10")]
    with pytest.raises(WantedError, match=r"it has no \[versions\]"):
        read(tmp_path, "b.cfg", "[buildout]\nparts =\n")
