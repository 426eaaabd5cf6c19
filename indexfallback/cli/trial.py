"""A test install through a running shim, by a real client, into a temporary directory."""

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import msgspec
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from indexfallback.cli.running import client_address, root
from indexfallback.clients.environment import client_environment
from indexfallback.config import Settings
from indexfallback.errors import LocatedError, PageError
from indexfallback.formats import parse_page
from indexfallback.names import version_in
from indexfallback.page import File, ProjectPage
from indexfallback.server.asking import Answer, NoAnswer, fetch

#: Small projects of PyPI, a wheel each of which every Python can install; the first is 11 KB.
_SMALL = ("six", "idna", "packaging")
#: Projects of private indexes that are tried if there is none of `_SMALL`.
_MOST_NAMES = 5
#: Bytes of the largest file that is fetched for a test.
_MOST_BYTES = 5_000_000
_JSON = "application/vnd.pypi.simple.v1+json"
#: Added to the deadline of an answer; and the limit of a client, seconds: pip takes one or two.
_MORE_SECONDS = 5.0
_CLIENT_SECONDS = 30.0
#: A shell's exit code for a program that is not there, as that of a version manager's wrapper.
_NOT_FOUND = 127
_AGAIN = "when that is mended, run `indexfallback init` again"

#: The arguments of each client that fetch one version into a directory, without its cache.
_ARGUMENTS: Mapping[str, tuple[str, ...]] = {
    "pip": (
        "download", "--quiet", "--no-deps", "--no-cache-dir", "--no-input",
        "--disable-pip-version-check", "--only-binary=:all:", "--ignore-requires-python", "--dest",
    ),
    "uv": (
        "pip", "install", "--quiet", "--no-deps", "--no-cache", "--no-build",
        "--python", sys.executable, "--target",
    ),
}  # fmt: skip


class TrialError(LocatedError):
    """The test install failed; ``where`` is the client, or the address of the page or file."""


@dataclass(frozen=True)
class Sample:
    """The file that is installed as a test."""

    project: str
    version: str
    file: File

    @property
    def index(self) -> str:
        """The name of the index that it comes from: its address is ``/files/INDEX/KEY/NAME``."""
        return unquote(urlsplit(self.file.url).path.split("/")[2])


def install_something(settings: Settings, clients: Sequence[str], names: Iterable[str]) -> str:
    """Install a small project through the shim, and return what was done.

    ``clients`` are those that are installed; without pip and uv, the file is fetched by HTTP.
    ``names`` are projects of private indexes. Raises `TrialError`.
    """
    sample = _sample(settings, (*_SMALL, *list(names)[:_MOST_NAMES]))
    if sample is None:
        return "no project to install as a test was found; the indexes have answered"
    done = f"{sample.project} {sample.version} from {sample.index}"
    if sample.file.filename.endswith("-none-any.whl") and settings.tls_cert is None:
        for client in clients:
            if client in _ARGUMENTS and _by_client(client, sample, settings):
                return f"{client} has installed {done} as a test"
    _by_http(sample, settings)
    return f"{sample.file.filename} was fetched as a test: {done}"


def _sample(settings: Settings, names: Iterable[str]) -> Sample | None:
    """Return a file of the first of the projects that has a suitable one."""
    for name in names:
        page = _page(settings, name)
        found = page and _suitable(page)
        if found:
            return found
    return None


def _page(settings: Settings, project: str) -> ProjectPage | None:
    """Return the page of a project; None if no index has it."""
    path = f"/simple/{project}/"
    answer = _answer(settings, path)
    url = f"{root(settings)}{path}"
    if answer.status == 404:  # noqa: PLR2004 - HTTP's
        return None
    if answer.status != 200:  # noqa: PLR2004 - HTTP's
        raise TrialError(url, _detail(answer), _AGAIN)
    try:
        return parse_page(answer.body, answer.content_type, url, project)
    except PageError as error:
        raise TrialError(url, error.problem, _AGAIN) from error


def _answer(settings: Settings, path: str) -> Answer:
    url = root(settings)
    try:
        return fetch(url, path, _JSON, settings.deadline + _MORE_SECONDS)
    except NoAnswer as error:
        problem = f"the shim does not answer ({error})"
        raise TrialError(f"{url}{path}", problem, _AGAIN) from error


def _detail(answer: Answer) -> str:
    """Return the detail of a problem document: the index, the cause and the remedy."""
    try:
        detail: str = msgspec.json.decode(answer.body)["detail"]
    except (msgspec.DecodeError, KeyError, TypeError):
        return f"status {answer.status}"
    return detail.rstrip(".")


def _suitable(page: ProjectPage) -> Sample | None:
    """Return the newest file of moderate size, a wheel for every platform if there is one."""
    found = [
        ((file.filename.endswith("-none-any.whl"), not version.is_prerelease, version), file)
        for file in page.files
        if (version := _version(file, page.name)) is not None
        and not file.yanked
        and (file.size or 0) <= _MOST_BYTES
        and _fits(file)
    ]
    if not found:
        return None
    (_, _, version), file = max(found, key=lambda each: each[0])
    return Sample(page.name, str(version), file)


def _version(file: File, project: str) -> Version | None:
    try:
        return Version(version_in(file.filename, project) or "")
    except InvalidVersion:
        return None


def _fits(file: File) -> bool:
    try:
        wanted = SpecifierSet(file.requires_python or "")
    except InvalidSpecifier:
        return False
    return wanted.contains(platform.python_version(), prereleases=True)


def _by_client(client: str, sample: Sample, settings: Settings) -> bool:
    """Let a client fetch the file; tell whether it could be run. Raises `TrialError`."""
    program = shutil.which(client)
    if program is None:
        return False
    # The address is in a variable: it may have a token, and other users see arguments.
    environ = {
        name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "UV_"))
    }
    environ |= {"PIP_CONFIG_FILE": os.devnull, "UV_NO_CONFIG": "1"}
    with tempfile.TemporaryDirectory(prefix="indexfallback-") as directory:
        command = [program, *_ARGUMENTS[client], directory, f"{sample.project}=={sample.version}"]
        try:
            done = subprocess.run(  # noqa: S603 - the client, our own arguments
                command, check=False, capture_output=True, text=True, errors="replace",
                stdin=subprocess.DEVNULL, timeout=_CLIENT_SECONDS,
                env=client_environment(environ, client_address(settings)),
            )  # fmt: skip
        except OSError:
            return False
        except subprocess.TimeoutExpired:
            problem = f"the test install did not end within {_CLIENT_SECONDS:.0f} s"
            raise TrialError(client, problem, _AGAIN) from None
        if done.returncode == _NOT_FOUND:
            return False
        if done.returncode or not any(Path(directory).iterdir()):
            said = (done.stderr or done.stdout).split("\n")
            last = next((line.strip() for line in reversed(said) if line.strip()), "no file")
            raise TrialError(client, f"the test install failed: {last}", _AGAIN)
    return True


def _by_http(sample: Sample, settings: Settings) -> None:
    """Fetch the file, and check its hash. Raises `TrialError`."""
    path = urlsplit(sample.file.url).path
    answer = _answer(settings, path)
    url = f"{root(settings)}{path}"
    if answer.status != 200:  # noqa: PLR2004 - HTTP's
        raise TrialError(url, _detail(answer), _AGAIN)
    if sample.file.sha256 not in (None, hashlib.sha256(answer.body).hexdigest()):
        raise TrialError(url, "the file is not the one of the page", _AGAIN)
