"""Replaces buildout's remote package index by the shim."""

import functools
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import unescape
from typing import Any
from urllib.parse import unquote

from zc.buildout import easy_install

from buildout_ext.name import NAME
from indexfallback.config import has_login, without_credentials
from indexfallback.upstream.credentials import authorization, login_in

log = logging.getLogger(NAME)

#: A yanked link on a page of the shim, and its text, the file name.
_YANKED = re.compile(r"<a [^>]*\bdata-yanked=[^>]*>([^<]*)</a>")


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

    #: Starts the shim unless it runs, and returns the address of its simple API, which has a login
    #: if the shim asks for one.
    start: Callable[[], str]
    #: setuptools': opens a request.
    opener: Callable[..., Any]

    def __init__(self, index_url: str, *args: Any, **options: Any) -> None:
        #: Address of the shim's root; empty before the first look-up.
        self._shim = ""
        self._yanked: set[str] = set()
        self._is_pinned = False
        # The shim does not replace a directory, such as the download cache (install-from-cache).
        self._is_remote = index_url.startswith(("http:", "https:"))
        super().__init__(index_url, *args, **options)

    def find_packages(self, requirement: Any) -> None:
        """Look a project up; the first look-up starts the shim."""
        if self._is_remote and not self._shim:
            address = self.start()
            self.index_url = without_credentials(address)
            if has_login(address):
                # Not in the addresses, which buildout prints.
                login = authorization(login_in(address))
                self.opener = functools.partial(self._opened, self.opener, login)
            self._shim = self.index_url.removesuffix("simple/")
        super().find_packages(requirement)

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
def repointed(start: Callable[[], str]) -> Iterator[None]:
    """Let buildout and its pip use the shim; ``start`` is called when they first need it."""
    index, pip = easy_install.AllowHostsPackageIndex, easy_install.call_pip_install

    @functools.wraps(pip)
    def call_pip_install(*args: Any, **options: Any) -> Any:
        start()
        return pip(*args, **options)

    # The option `index` is not changed: zc.recipe.egg copies it into parts, which would then be
    # reinstalled in each run.
    easy_install.AllowHostsPackageIndex = type(
        "ShimIndex", (ShimIndex,), {"start": staticmethod(start)}
    )
    easy_install.call_pip_install = call_pip_install
    easy_install.clear_index_cache()
    try:
        yield
    finally:
        easy_install.AllowHostsPackageIndex, easy_install.call_pip_install = index, pip
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
