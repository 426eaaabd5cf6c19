"""What becomes of the text of a file, by what the store tells."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexfallback.doctor.addresses import FileAddress, ShimAddresses
from indexfallback.doctor.mending import Left, Mended, OwnAddress, found_in, mended
from indexfallback.doctor.project_file import Kind, ProjectFile

SHA256 = "a" * 64
ROOT = "http://127.0.0.1:5503"
PYPI, PRIVATE = "https://pypi.example.com/simple", "https://private.example.com/simple/"
SHIM = ShimAddresses(
    host="127.0.0.1", ports=frozenset((5503,)), owners=frozenset(("pypi", "private"))
)


class Known:
    """A chain of PyPI and a private index, which owns acme-app; ``lost`` is on no page."""

    def chain(self) -> OwnAddress:
        return OwnAddress(PYPI, is_pypi=True)

    def index(self, name: str) -> OwnAddress:
        known = {"pypi": self.chain(), "private": OwnAddress(PRIVATE)}
        return known.get(name) or OwnAddress(problem=f"no index {name}", remedy="write it")

    def owner(self, project: str) -> OwnAddress:
        return self.index("private" if project == "acme-app" else "pypi")

    def file(self, file: FileAddress) -> OwnAddress:
        if file.key.project == "lost":
            return OwnAddress(problem="not listed", remedy="refresh")
        return OwnAddress(f"https://{file.owner}.example.com/{file.key.project}/{file.filename}")


def result(text: str, kind: Kind = Kind.SETTINGS) -> Mended:
    return mended(ProjectFile("file", kind, text), SHIM, Known())


@pytest.mark.parametrize(
    ("path", "address"),
    [
        ("/simple/", PYPI),
        ("/simple", PYPI),
        ("/direct/simple/", PYPI),
        ("/simple/foo/", f"{PYPI}/foo/"),
        ("/index/private/simple/", PRIVATE),
        ("/index/private/simple", PRIVATE.rstrip("/")),
        (f"/files/pypi/foo.{SHA256}/foo-1.0.zip", "https://pypi.example.com/foo/foo-1.0.zip"),
    ],
)
def test_each_form_becomes_the_address_at_its_index(path: str, address: str) -> None:
    assert result(f"a {ROOT}{path}#b\r\n") == Mended(f"a {address}#b\r\n", 1, ())


def test_what_cannot_be_told_stays_and_is_named_without_credentials() -> None:
    text = f"http://u:p@127.0.0.1:5503/index/gone/simple/ {ROOT}/simple/"
    done = result(text)
    assert done.text == f"http://u:p@127.0.0.1:5503/index/gone/simple/ {PYPI}"
    assert done.left == (Left(f"{ROOT}/index/gone/simple/", "no index gone", "write it"),)


def test_credentials_of_the_shims_address_go_with_it() -> None:
    assert result("-i http://u:p@127.0.0.1:5503/simple/").text == f"-i {PYPI}"


def test_the_registry_of_a_package_is_the_index_that_owns_it() -> None:
    lock = f"""[[package]]
name = "acme_app"
source = {{ registry = "{ROOT}/simple/" }}
dependencies = [
    {{ name = "foo", source = {{ registry = "{ROOT}/simple/" }} }},
]

[[package]]
name = "bar"
source = {{ registry = "{ROOT}/direct/simple/" }}
"""
    done = result(lock, Kind.LOCK)
    expected = lock.replace(f"{ROOT}/simple/", PRIVATE, 1)
    assert done.text == expected.replace(f"{ROOT}/simple/", PYPI).replace(
        f"{ROOT}/direct/simple/", PYPI
    )


def test_a_lock_file_of_pdm_with_static_urls_is_mended() -> None:
    """As pdm writes it with ``--strategy static_urls``."""
    lock = f"""[metadata]
groups = ["default"]
strategy = ["static_urls"]
content_hash = "sha256:1"

[[package]]
name = "foo"
version = "1.0"
files = [
    {{url = "{ROOT}/files/pypi/foo.{SHA256}/foo-1.0.zip", hash = "sha256:{SHA256}"}},
]
"""
    old, new = f"{ROOT}/files/pypi/foo.{SHA256}", "https://pypi.example.com/foo"
    assert result(lock, Kind.LOCK) == Mended(lock.replace(old, new), 1, ())


def test_the_source_of_a_package_of_poetry_is_the_index_that_owns_it() -> None:
    source = '[package.source]\ntype = "legacy"\nurl = "{}"\nreference = "shim"\n'
    lock = f'[[package]]\nname = "acme-app"\nversion = "1.0"\n\n{source}'
    shims = lock.format(f"{ROOT}/simple")
    assert result(shims, Kind.LOCK).text == lock.format(PRIVATE.rstrip("/"))


def test_a_name_in_settings_is_no_package() -> None:
    text = f'[[tool.uv.index]]\nname = "acme-app"\nurl = "{ROOT}/simple/"\n'
    assert result(text).text == text.replace(f"{ROOT}/simple/", PYPI)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_script_is_mended_in_its_block_alone(end: str) -> None:
    script = end.join(
        ("# /// script", "# [[tool.uv.index]]", f'# url = "{ROOT}/simple/"', "# ///", "")
    )
    code = f'# {ROOT}/simple/{end}URL = "{ROOT}/simple/"{end}'
    done = result(script + code, Kind.SCRIPT)
    assert done.text == script.replace(f"{ROOT}/simple/", PYPI) + code
    assert result(code, Kind.SCRIPT) == Mended(code, 0, ())


ADDRESSES = st.sampled_from(
    [
        f"{ROOT}/simple/", f"{ROOT}/simple", f"{ROOT}/index/private/simple/foo/",
        "http://ci:pw@localhost:5503/direct/simple/", f"{ROOT}/index/gone/simple/",
        f"http://127.0.0.1:49999/files/pypi/foo.{SHA256}/foo-1.0.zip",
        f"{ROOT}/files/pypi/lost/lost-1.0.zip",
    ]
)  # fmt: skip
OTHERS = st.one_of(
    st.text(),
    st.sampled_from(
        ["http://127.0.0.1:3141/team/dev/+simple/", "http://127.0.0.1:8080/simple/", "http://",
         "https://x.example.com/simple/", 'name = "acme-app"', "# /// script\n", "# ///\n", "/",
         '"', "\r\n", "[[source]]\n", "verify_ssl = false\n", 'name = "pip_conf_index_x"\n', "."]
    ),
)  # fmt: skip
FILES = st.builds(
    lambda kind, parts: ProjectFile("file", kind, "".join(parts)),
    st.sampled_from(Kind),
    st.lists(st.one_of(ADDRESSES, OTHERS), max_size=12),
)


@given(FILES)
def test_a_text_without_an_address_of_the_shim_is_never_changed(file: ProjectFile) -> None:
    done = mended(file, SHIM, Known())
    if not any(found_in(file, SHIM)):
        assert done == Mended(file.text, 0, ())


@given(FILES)
def test_no_address_of_the_shim_is_left_that_is_not_named(file: ProjectFile) -> None:
    done = mended(file, SHIM, Known())
    after = file._replace(text=done.text)
    assert len(list(found_in(after, SHIM))) == len(done.left)
    assert done.replaced + len(done.left) == len(list(found_in(file, SHIM)))


@given(FILES)
def test_a_second_time_changes_nothing(file: ProjectFile) -> None:
    done = mended(file, SHIM, Known())
    again = mended(file._replace(text=done.text), SHIM, Known())
    assert again == Mended(done.text, 0, done.left)
