"""The real clients upload, and uv installs the result before a higher public version."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TypeAlias

import mousebender.simple
import pypi_simple
import pytest
import requests

from tests.clients.conftest import Access
from tests.clients.support import User, installed, make_environment, uv_executable
from tests.fakes import Dist, FakeIndex, wheel
from tests.fakes.object_store import WRITER, ObjectStore
from tests.fakes.provenance import attestation
from tests.serving import config_text, index_table, serving

LIB = wheel("acme-lib", "1.0")
INSTALL_SECONDS = 300
#: The client's command line: from its directory, the address and the token.
Command: TypeAlias = Callable[[Path, str, str], list[str]]
Upload: TypeAlias = Callable[[Command], "subprocess.CompletedProcess[str]"]
_PYPROJECT = """\
[build-system]
requires = ["flit_core"]
build-backend = "flit_core.buildapi"
[project]
name = "acme-lib"
version = "1.0"
description = "demo"
"""


@pytest.fixture(scope="session")
def bin_directory(tmp_path_factory: pytest.TempPathFactory, access: Access | None) -> Path:
    """An environment with the upload clients, made once."""
    if access is None:
        pytest.skip("no network")
    python = make_environment(tmp_path_factory.mktemp("uploaders") / "env")
    environment = {**os.environ, **access.environment(), "UV_DEFAULT_INDEX": access.url}
    command = [uv_executable(), "pip", "install", "--quiet", "--python", str(python)]
    subprocess.run(
        [*command, "twine", "flit", "poetry", "hatch"],
        env=environment, check=True, timeout=INSTALL_SECONDS,
    )  # fmt: skip
    return python.parent


@pytest.fixture
def project(user: User) -> Path:
    """A project with a built wheel in ``dist``."""
    path = user.home / "project"
    (path / "dist").mkdir(parents=True)
    write(path, LIB)
    (path / "pyproject.toml").write_text(_PYPROJECT, "utf-8")
    (path / "acme_lib.py").write_text('"""Demo."""\n', "utf-8")
    return path


def write(project: Path, dist: Dist) -> None:
    """Write a wheel and its attestation, as those who sign with build tools have them."""
    (project / "dist" / dist.filename).write_bytes(dist.data)
    stated = json.dumps(attestation(dist.filename, dist.sha256))
    (project / "dist" / f"{dist.filename}.publish.attestation").write_text(stated, "utf-8")


@pytest.fixture
def public() -> Iterator[FakeIndex]:
    with FakeIndex([wheel("acme-lib", "99.0")]) as index:
        yield index


def _twine(path: Path, url: str, token: str) -> list[str]:
    login = ["--non-interactive", "-u", "__token__", "-p", token]
    files = [f"dist/{LIB.filename}{end}" for end in ("", ".publish.attestation")]
    return [
        str(path / "twine"),
        "upload",
        "--attestations",
        "--repository-url",
        url,
        *login,
        *files,
    ]


def _uv(_path: Path, url: str, token: str) -> list[str]:
    return [uv_executable(), "publish", "--publish-url", url, "--token", token]


def _flit(path: Path, _url: str, _token: str) -> list[str]:
    return [str(path / "flit"), "publish", "--format", "wheel"]


def _poetry(path: Path, _url: str, token: str) -> list[str]:
    login = ["-u", "__token__", "-p", token]
    return [str(path / "poetry"), "publish", "--no-interaction", "-r", "local", *login]


def _hatch(path: Path, url: str, token: str) -> list[str]:
    return [str(path / "hatch"), "publish", "-n", "-r", url, "-u", "__token__", "-a", token]


@pytest.fixture
def upload(user: User, project: Path, bin_directory: Path, public: FakeIndex) -> Iterator[Upload]:
    """Return what uploads the project by a client, to an index in front of a public one."""
    packages = user.home / "packages"
    packages.mkdir()
    user.config.write_text(
        f'[[index]]\nname = "local"\nurl = "{packages.as_uri()}"\nupload = true\n'
        f'[[index]]\nname = "public"\nurl = "{public.url}"\nrole = "public"\n',
        encoding="utf-8",
    )
    done = user.ours("token", "create").expect()
    token = done.stdout.strip()
    with user.serve() as served:
        url = f"{served.base}/upload/"
        user.environment |= {
            "UV_DEFAULT_INDEX": served.url,
            "FLIT_INDEX_URL": url,
            "FLIT_USERNAME": "__token__",
            "FLIT_PASSWORD": token,
            "POETRY_REPOSITORIES_LOCAL_URL": url,
        }

        def run(command: Command) -> "subprocess.CompletedProcess[str]":
            return subprocess.run(
                command(bin_directory, url, token), cwd=project, env=user.environment,
                check=False, capture_output=True, text=True, timeout=INSTALL_SECONDS,
                stdin=subprocess.DEVNULL,
            )  # fmt: skip

        yield run


def check_pages(root: str, *, attested: bool) -> None:
    """Check that other programs read all fields of the page in each form."""
    url = f"{root}acme-lib/"
    types = ("application/vnd.pypi.simple.v1+json", "application/vnd.pypi.simple.v1+html")
    answers = [requests.get(url, headers={"Accept": kind}, timeout=60) for kind in types]
    pages = [pypi_simple.ProjectPage.from_response(answer, "acme-lib") for answer in answers]
    for page, answer in zip(pages, answers, strict=True):
        (package,) = page.packages
        assert page.repository_version == "1.4"
        assert (package.version, package.has_metadata) == ("1.0", True)
        assert (package.provenance_url is not None) == attested
        read = mousebender.simple.parse_project_details(
            answer.text, answer.headers["Content-Type"], "acme-lib"
        )
        assert [file["hashes"] for file in read["files"]] == [package.digests]
    size, uploaded = pages[0].packages[0].size, pages[0].packages[0].upload_time
    assert (pages[0].versions, bool(size), bool(uploaded)) == (["1.0"], True, True)


@pytest.mark.filterwarnings("ignore::mousebender.simple.APIVersionWarning")
@pytest.mark.network
@pytest.mark.parametrize(
    ("command", "words"),
    [
        # These two show the status alone, and that without words of ours.
        (_twine, "400 Bad Request"),
        (_hatch, "400"),
        *((command, "already exists") for command in (_uv, _flit, _poetry)),
    ],
)
def test_an_upload_is_installed_before_a_higher_version_and_again_is_well_and_another_is_refused(
    user: User, project: Path, upload: Upload, command: Command, words: str
) -> None:
    for _ in range(2):
        done = upload(command)
        assert done.returncode == 0, done.stdout + done.stderr
        target = user.target()
        user.call(uv_executable(), "pip", "install", "--no-cache", "--target", str(target),
                  "acme-lib").expect()  # fmt: skip
        assert installed(target) == {"acme-lib": "1.0"}
    check_pages(user.environment["UV_DEFAULT_INDEX"], attested=command in (_twine, _uv))
    other = wheel("acme-lib", "1.0", requires_python=">=3.9")
    write(project, other)
    (project / "acme_lib.py").write_text('"""Another."""\n', "utf-8")
    done = upload(command)
    assert done.returncode != 0
    assert words in " ".join((done.stdout + done.stderr).split())


@pytest.fixture
def copies(user: User, object_store: ObjectStore) -> Iterator[tuple[str, str, str]]:
    """Two shims on one bucket: where the first takes uploads, its token, and the second's index."""
    with FakeIndex([wheel("acme-lib", "99.0")]) as public, ExitStack() as stack:
        config = config_text(
            index_table("own", object_store.new_url(), role="private", upload=True),
            index_table("public", public.url),
        )
        user.config.write_text(config, encoding="utf-8")
        environ = {**WRITER, "AWS_ENDPOINT_URL": object_store.endpoint}
        user.environment |= environ
        token = user.ours("token", "create").expect().stdout.strip()
        first = stack.enter_context(user.serve())
        second = stack.enter_context(serving(user.home / "copy", config, port=0, **environ))
        yield f"{first.base}/upload/", token, second.url


@pytest.mark.network
@pytest.mark.parametrize("command", [_twine, _uv])
def test_an_upload_to_a_bucket_is_installed_by_pip_from_another_copy_at_once(
    user: User, project: Path, bin_directory: Path, copies: tuple[str, str, str], command: Command
) -> None:
    upload, token, index = copies
    done = subprocess.run(
        command(bin_directory, upload, token), cwd=project, env=user.environment, check=False,
        capture_output=True, text=True, timeout=INSTALL_SECONDS, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    target = user.target()
    user.call(str(bin_directory / "pip"), "install", "--no-compile", "--no-deps", "--no-cache-dir",
              "--index-url", index, "--target", str(target), "acme-lib").expect()  # fmt: skip
    assert installed(target) == {"acme-lib": "1.0"}
