"""Names for indexes that have none: those of pip's configuration."""

import re
from collections.abc import Sequence
from urllib.parse import unquote, urlsplit

from indexfallback.config.address import PYPI
from indexfallback.config.pip import PipIndex, is_default_url

#: Path segments that index servers have in common and that tell no two indexes apart.
_GENERIC = frozenset(
    ("simple", "+simple", "pypi", "python", "api", "packages", "package", "projects", "groups",
     "repository", "repositories", "repo", "artifactory", "index", "root", "-", "basic", "public")
)  # fmt: skip
#: Longer segments are keys and tokens rather than names.
_MAX_LENGTH = 24


def derive_names(indexes: Sequence[PipIndex]) -> list[str]:
    """Return a readable, unique name for each index; ``pypi`` is kept for PyPI."""
    taken = {PYPI}
    names = []
    for index in indexes:
        base = PYPI if is_default_url(index.url) else _base_name(index.url)
        name, number = base, 1
        while name in taken and not is_default_url(index.url):
            number += 1
            name = f"{base}-{number}"
        taken.add(name)
        names.append(name)
    return names


def _base_name(url: str) -> str:
    """Return the last telling segment of the path, else the host, else ``local``."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return "index"
    segments = [_slug(unquote(segment)) for segment in parts.path.split("/")]
    telling = [segment for segment in segments if _is_telling(segment)]
    return telling[-1] if telling else _slug(host) or "local"


def _is_telling(segment: str) -> bool:
    is_version = re.fullmatch(r"v?[0-9.]*", segment) is not None
    return not is_version and segment not in _GENERIC and len(segment) <= _MAX_LENGTH


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9._-]+", "-", text.lower()).lstrip("._-").rstrip("-")
