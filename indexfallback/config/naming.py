"""Names for the indexes of clients' configurations, which have only an address."""

import re
from collections.abc import Collection, Sequence
from urllib.parse import unquote, urlsplit

from indexfallback.config.address import PYPI
from indexfallback.config.pip import PipIndex, is_default_url

#: Path segments that are common on index servers, and so do not identify an index.
_GENERIC = frozenset(
    ("simple", "+simple", "pypi", "python", "api", "packages", "package", "projects", "groups",
     "repository", "repositories", "repo", "artifactory", "index", "root", "-", "basic", "public")
)  # fmt: skip
#: Longer segments are more likely to be tokens than names.
_MAX_LENGTH = 24


def derive_names(indexes: Sequence[PipIndex]) -> list[str]:
    """Return a readable, unique name for each index; only PyPI is named ``pypi``."""
    names: list[str] = []
    for index in indexes:
        is_pypi = is_default_url(index.url)
        names.append(PYPI if is_pypi else unique_name(_base_name(index.url), {PYPI, *names}))
    return names


def unique_name(base: str, taken: Collection[str]) -> str:
    """Return ``base``, or ``base-2``, ``base-3``, ... if it is taken."""
    name, number = base, 1
    while name in taken:
        number += 1
        name = f"{base}-{number}"
    return name


def _base_name(url: str) -> str:
    """Return the last path segment that can be a name, else the host, else ``local``."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return "index"
    segments = [slug(unquote(segment)) for segment in parts.path.split("/")]
    names = [segment for segment in segments if _can_be_name(segment)]
    return names[-1] if names else slug(host) or "local"


def _can_be_name(segment: str) -> bool:
    is_version = re.fullmatch(r"v?[0-9.]*", segment) is not None
    return not is_version and segment not in _GENERIC and len(segment) <= _MAX_LENGTH


def slug(text: str) -> str:
    """Return a text with only the characters that the name of an index may have."""
    return re.sub(r"[^a-z0-9._-]+", "-", text.lower()).lstrip("._-").rstrip("-")
