"""Files that real clients write through the shim, mended: as the client writes them directly."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from tests.clients.conftest import Chain
from tests.clients.support import Client, Served, User, uv_executable, write_config
from tests.fakes import FakeIndex, sdist, wheel

FOO = wheel("foo", requires=["bar"])
DISTS = (FOO, wheel("bar"), sdist("bar"))
_PROJECT = '[project]\nname = "mine"\nversion = "1"\nrequires-python = ">=3.10"\n'

#: Makes files in a directory, with the index at an address.
Make = Callable[[Path, str], None]


@pytest.fixture
def served(user: User, chain: Chain) -> Iterator[Served]:
    """Give a shim in front of the public index of both projects, and a private one of none."""
    for dist in DISTS:
        chain.public.add(dist)
    write_config(
        user.config,
        {
            "private": {"url": chain.private.login_url, "projects": ["acme-*"]},
            "public": {"url": chain.public.url, "role": "public"},
        },
    )
    with user.serve() as served:
        yield served


def made(user: User, name: str, url: str, make: Make) -> Path:
    """Return a directory in which a client has made files."""
    directory = user.home / name / "mine"
    directory.mkdir(parents=True)
    make(directory, url)
    return directory


def texts(directory: Path) -> dict[str, bytes]:
    """Return the content of the files of a project, by their paths."""
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file() and ".venv" not in path.parts
    }


def is_as_direct(user: User, chain: Chain, shim: str, make: Make) -> None:
    """Check that what is made through the shim and mended is what is made directly."""
    directly = texts(made(user, "directly", chain.public.url, make))
    through = made(user, "through", shim, make)
    assert shim.partition("/simple")[0].encode() in b"".join(texts(through).values())
    # The files are mended while no index can be asked.
    chain.stop()
    done = user.ours("doctor", "--mend", directory=through).expect()
    assert "replaced" in done.stdout
    assert texts(through) == directly
    before = texts(through)
    again = user.ours("doctor", "--mend", directory=through).expect()
    assert "no file of this project" in again.stdout
    assert texts(through) == before


def uv(user: User, *arguments: str, at: Path) -> str:
    """Call uv for a project, and return what it prints."""
    command = (uv_executable(), "--directory", str(at), *arguments, "--no-cache")
    return user.call(*command).expect().stdout


def test_a_project_and_lock_of_uv_add(user: User, chain: Chain, served: Served) -> None:
    def make(directory: Path, url: str) -> None:
        (directory / "pyproject.toml").write_text(_PROJECT, encoding="utf-8")
        uv(user, "add", "--no-sync", "--default-index", url, "foo", at=directory)

    is_as_direct(user, chain, served.url, make)


@pytest.mark.parametrize("root", ["/simple", "/direct/simple/", "/index/public/simple/"])
def test_a_lock_of_uv_by_every_api_of_the_shim(
    user: User, chain: Chain, served: Served, root: str
) -> None:
    slash = root[len(root.rstrip("/")) :]

    def make(directory: Path, url: str) -> None:
        text = f'{_PROJECT}dependencies = ["foo"]\n'
        (directory / "pyproject.toml").write_text(text, encoding="utf-8")
        url = url.rstrip("/") + slash
        uv(user, "lock", "--default-index", url, at=directory)

    is_as_direct(user, chain, f"{served.base}{root}", make)


def test_a_lock_by_a_mirror_where_the_public_index_was_asked_as_well(
    user: User, chain: Chain
) -> None:
    def make(directory: Path, url: str) -> None:
        text = f'{_PROJECT}dependencies = ["foo"]\n'
        (directory / "pyproject.toml").write_text(text, encoding="utf-8")
        uv(user, "lock", "--default-index", url, at=directory)

    for dist in DISTS:
        chain.public.add(dist)
    with FakeIndex(DISTS) as mirror:
        indexes = {
            "mirror": {"url": mirror.url, "mirror_of": "public"},
            "public": {"url": chain.public.url},
        }
        write_config(user.config, indexes)
        with user.serve() as served:
            for project in ("foo", "bar"):
                page = f"{served.base}/index/public/simple/{project}/"
                assert requests.get(page, timeout=10).ok
            is_as_direct(user, chain, served.url, make)


def test_a_script_of_uv_add_and_its_lock(user: User, chain: Chain, served: Served) -> None:
    def make(directory: Path, url: str) -> None:
        (directory / "tool.py").write_text('print("hello")\n', encoding="utf-8")
        uv(user, "add", "--default-index", url, "--script", "tool.py", "foo", at=directory)
        uv(user, "lock", "--default-index", url, "--script", "tool.py", at=directory)

    is_as_direct(user, chain, served.url, make)


def test_a_pylock_and_requirements_of_uv(user: User, chain: Chain, served: Served) -> None:
    def make(directory: Path, url: str) -> None:
        (directory / "wanted.in").write_text("foo\n", encoding="utf-8")
        for name, more in {
            "pylock.toml": ("--format", "pylock.toml"),
            "requirements.txt": ("--emit-index-url", "--generate-hashes"),
        }.items():
            # Not by --output-file, which stands in the first lines of the file.
            options = ("--no-header", "--default-index", url, *more)
            text = uv(user, "pip", "compile", *options, "wanted.in", at=directory)
            (directory / name).write_text(text, encoding="utf-8")

    is_as_direct(user, chain, served.url, make)


def test_a_pylock_of_pip(
    user: User, chain: Chain, served: Served, environments: dict[str, Client]
) -> None:
    if "old-pip" not in environments:
        pytest.skip("no network: no pip that is known to lock")

    def make(directory: Path, url: str) -> None:
        output = ("--output", str(directory / "pylock.toml"))
        command = environments["pip"].command("lock", "--index-url", url, *output, "foo")
        user.call(*command).expect()

    is_as_direct(user, chain, served.url, make)


@pytest.mark.skipif(os.name == "nt", reason="an entry point of these wheels does not start there")
def test_the_receipt_of_a_tool_of_uv(user: User, chain: Chain, served: Served) -> None:
    scripts = {"tool-1.0.dist-info/entry_points.txt": b"[console_scripts]\ntool = tool:main\n"}
    chain.public.add(wheel("tool", extra_files=scripts))

    def make(directory: Path, url: str) -> None:
        user.environment |= {
            "UV_TOOL_DIR": str(directory / "tools"),
            "UV_TOOL_BIN_DIR": str(user.home / "bin"),
        }
        uv(user, "tool", "install", "--force", "--default-index", url, "tool", at=directory)
        receipt = next(directory.glob("tools/*/uv-receipt.toml"))
        kept = receipt.read_text("utf-8")
        for path in sorted(directory.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
        receipt.parent.mkdir(parents=True)
        receipt.write_text(kept, encoding="utf-8")

    is_as_direct(user, chain, served.url, make)


def test_the_registry_of_a_private_project_is_the_private_index(user: User, chain: Chain) -> None:
    """What uv writes for a project whose index is named in ``tool.uv.sources``."""
    acme = wheel("acme-app")
    chain.private.add(acme)
    chain.public.add(wheel("foo", requires=["acme-app"]))
    write_config(
        user.config,
        {
            "private": {"url": chain.private.login_url},
            "public": {"url": chain.public.url, "role": "public"},
        },
    )
    text = f'{_PROJECT}dependencies = ["foo"]\n'
    through = user.home / "through"
    through.mkdir()
    (through / "pyproject.toml").write_text(text, encoding="utf-8")
    with user.serve() as served:
        uv(user, "lock", "--default-index", served.url, at=through)
    user.ours("doctor", "--mend", directory=through).expect()
    packages = (through / "uv.lock").read_text("utf-8").split("[[package]]")
    named = {part.split('"')[1]: part for part in packages[1:]}
    assert f'registry = "{chain.private.url}"' in named["acme-app"]
    assert chain.private.file_url(acme.filename) in named["acme-app"]
    assert f'registry = "{chain.public.url}"' in named["foo"]
    assert chain.private.login_url not in str(packages)
