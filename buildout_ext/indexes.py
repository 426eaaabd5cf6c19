"""Replaces buildout's remote package index by the shim."""

import functools
import logging
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from html import unescape
from http import HTTPStatus
from typing import Any, Protocol
from urllib.parse import unquote

from zc.buildout import easy_install

from buildout_ext.name import NAME
from buildout_ext.places import REMOTE
from indexfallback.config import has_login, without_credentials
from indexfallback.names import normalize
from indexfallback.upstream.credentials import authorization, login_in

log = logging.getLogger(NAME)

#: A yanked link on a page of the shim, and its text, the file name.
_YANKED = re.compile(r"<a [^>]*\bdata-yanked=[^>]*>([^<]*)</a>")


class Chooser(Protocol):
    """Knows the shim, and which of its indexes buildout asks now."""

    def start(self) -> str:
        """Start the shim unless it runs, and return the address of its root.

        The address has a login if the shim asks for one.
        """

    def choose(self, index: str) -> Sequence[str]:
        """Return where to ask in the place of an index, in this order: paths below the root."""

    def places(self) -> str:
        """Return the places that the part at work names, as lines for a message."""


class _Page:
    """A response whose body has been read."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer
        self._body: bytes = answer.read()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._answer, name)

    def read(self) -> bytes:
        return self._body


class ShimIndex(easy_install.AllowHostsPackageIndex):  # type: ignore[misc] # it is untyped
    """A package index that finds projects in the shim; ``find-links`` work as before.

    Yanked files are left out unless their version is pinned (PEP 592).
    """

    chooser: Chooser
    #: setuptools': opens a request.
    opener: Callable[..., Any]

    def __init__(self, index_url: str, *args: Any, **options: Any) -> None:
        #: Address of the shim's root; empty before the first look-up.
        self._shim = ""
        self._yanked: set[str] = set()
        self._is_pinned = False
        #: Addresses in the shim that were 404.
        self._absent: set[str] = set()
        self._is_last = True
        self._stated = index_url
        super().__init__(index_url, *args, **options)

    def find_packages(self, requirement: Any) -> None:
        """Look a project up, where the index is one, then where it is not; starts the shim."""
        # The shim does not replace a directory, such as the download cache (install-from-cache).
        if not self._stated.startswith(REMOTE):
            super().find_packages(requirement)
            return
        if not self._shim:
            self._use(self.chooser.start())
        paths = self.chooser.choose(self._stated)
        for path in paths:
            self.index_url = f"{self._shim}{path}"
            self._is_last = path == paths[-1]
            super().find_packages(requirement)
            if f"{self.index_url}{normalize(requirement.project_name)}/" not in self._absent:
                break

    def not_found_in_index(self, requirement: Any) -> None:
        """Report a project that the last of the indexes does not have."""
        if self._is_last:
            super().not_found_in_index(requirement)

    def _use(self, address: str) -> None:
        self._shim = without_credentials(address)
        if has_login(address):
            # Not in the addresses, which buildout prints.
            login = authorization(login_in(address))
            self.opener = functools.partial(self._opened, self.opener, login)

    def _opened(self, opener: Callable[..., Any], login: str, request: Any) -> Any:
        if self._is_shims(request.full_url):
            request.add_header("Authorization", login)
        return opener(request)

    def url_ok(self, url: str, *args: Any, **options: Any) -> bool:
        """Allow the shim, which obeys allow-hosts itself, and all that buildout allows."""
        return self._is_shims(url) or bool(super().url_ok(url, *args, **options))

    def open_url(self, url: str, *args: Any, **options: Any) -> Any:
        """Open an address; if it is a page of the shim, remember its yanked files."""
        answer = super().open_url(url, *args, **options)
        if answer is None or not self._is_shims(url):
            return answer
        if getattr(answer, "code", None) == HTTPStatus.NOT_FOUND:
            self._absent.add(url)
        if "html" not in answer.headers.get("Content-Type", ""):
            return answer
        page = _Page(answer)
        self._yanked |= set(map(unescape, _YANKED.findall(page.read().decode())))
        return page

    def obtain(self, requirement: Any, *args: Any, **options: Any) -> Any:
        """Return a distribution for the requirement, or None."""
        self._is_pinned = [operator for operator, _ in requirement.specs] == ["=="]
        found = super().obtain(requirement, *args, **options)
        if found is None and self._yanked:
            self._tell_of_yanked(requirement)
        return found

    def __getitem__(self, project: str) -> Any:
        """Return the distributions of a project, for the requirement of the last `obtain`."""
        found = super().__getitem__(project)
        if self._is_pinned or not self._yanked:
            return found
        return [each for each in found if not self._is_yanked(each)]

    def _is_yanked(self, distribution: Any) -> bool:
        location = distribution.location.partition("#")[0]
        return self._is_shims(location) and unquote(location.rpartition("/")[2]) in self._yanked

    def _is_shims(self, url: str) -> bool:
        return bool(self._shim) and url.startswith(self._shim)

    def _tell_of_yanked(self, requirement: Any) -> None:
        versions = {
            each.version
            for each in super().__getitem__(requirement.key)
            if each in requirement and self._is_yanked(each)
        }
        for version in sorted(versions):
            log.warning(
                "%s %s was yanked by its publishers and is not used; [versions] %s = %s uses it "
                "anyway.",
                requirement.project_name, version, requirement.project_name, version,
            )  # fmt: skip


@contextmanager
def repointed(chooser: Chooser) -> Iterator[None]:
    """Let buildout and its pip use the shim, which is started when they first need it."""
    index, pip = easy_install.AllowHostsPackageIndex, easy_install.call_pip_install
    missing = easy_install.MissingDistribution

    @functools.wraps(pip)
    def call_pip_install(*args: Any, **options: Any) -> Any:
        chooser.start()
        return pip(*args, **options)

    class MissingDistribution(missing):  # type: ignore[misc, valid-type] # it is untyped
        """The error with the places that the part names."""

        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            self._places = chooser.places()

        def __str__(self) -> str:
            return f"{super().__str__()}{self._places}"

    # The option `index` is not changed: zc.recipe.egg copies it into parts, which would then be
    # reinstalled in each run.
    easy_install.AllowHostsPackageIndex = type("ShimIndex", (ShimIndex,), {"chooser": chooser})
    easy_install.call_pip_install = call_pip_install
    easy_install.MissingDistribution = MissingDistribution
    easy_install.clear_index_cache()
    try:
        yield
    finally:
        easy_install.AllowHostsPackageIndex, easy_install.call_pip_install = index, pip
        easy_install.MissingDistribution = missing
        easy_install.clear_index_cache()


@contextmanager
def pip_without_index(url: str) -> Iterator[None]:
    """Let buildout pass only the shim to pip, which asks every index that it is given."""
    installer = easy_install.Installer
    before = getattr(installer, "_index_url", None)  # since zc.buildout 5
    if before:
        installer._index_url = url  # noqa: SLF001 - index_url() cannot reset it to None
    try:
        yield
    finally:
        if before:
            installer._index_url = before  # noqa: SLF001 - as above
