"""What pipenv derives from the address of a source, in a Pipfile and its lock file; no I/O.

Seen with pipenv 2026.10.3, in ``pipenv/project.py`` and ``plette/pipfiles.py``.
"""

import hashlib
import json
import re
from collections.abc import Iterator

from indexfallback.clients import toml
from indexfallback.config.units import InvalidValueError
from indexfallback.doctor.edits import Edit

#: Name of the source for PyPI in a Pipfile that pipenv makes.
PYPI = '"pypi"'
#: The key as in TOML and in JSON.
_VERIFY = re.compile(r'\bverify_ssl"?\s*[=:]\s*(false)\b')
#: A name that pipenv makes up for an index of pip's configuration or environment.
_MADE_UP = re.compile(r'\bname"?\s*[=:]\s*("pip_(?:conf_)?(?:extra_)?index_[^"\n]*")')
_ENDS = re.compile(r"^\[|\}", re.MULTILINE)
#: Tables of a Pipfile that its hash does not cover by their own names.
_OTHER = frozenset(
    ("source", "packages", "dev-packages", "requires", "scripts", "pipfile", "pipenv")
) | {"default", "develop"}


def beside(text: str, position: int, address: str, *, is_pypi: bool) -> Iterator[Edit]:
    """Yield the edits that a new address of the source at a position brings with it.

    pipenv does not verify TLS of an address on plain http, and makes up a name for an address from
    the environment.
    """
    start, stop = _source(text, position)
    verify = _VERIFY.search(text, start, stop)
    if verify and address.startswith("https:"):
        yield Edit(*verify.span(1), "true")
    name = _MADE_UP.search(text, start, stop)
    if name and is_pypi and PYPI not in text:
        for match in re.finditer(re.escape(name[1]), text):
            yield Edit(*match.span(), PYPI)


def _source(text: str, position: int) -> tuple[int, int]:
    """Return where the table or object with a position begins and ends."""
    start = max(text.rfind("\n[", 0, position), text.rfind("{", 0, position), 0)
    end = _ENDS.search(text, position)
    return start, end.start() if end else len(text)


def rehashed(lock: str, before: str, after: str) -> str:
    """Return a lock file with the hash of its Pipfile, if it had that of the Pipfile before.

    Without it, ``pipenv install --deploy`` calls the lock file out of date.
    """
    old, new = _hash(before), _hash(after)
    return lock.replace(f'"{old}"', f'"{new}"') if old and new else lock


def _hash(pipfile: str) -> str:
    """Return the hash of a Pipfile as its lock file has it; empty if it cannot be read."""
    try:
        data = toml.parse(pipfile).unwrap()
        hashed = {
            "_meta": {"sources": data.get("source", []), "requires": data.get("requires", {})},
            "default": data.get("packages", {}),
            "develop": data.get("dev-packages", {}),
            **{category: data[category] for category in data.keys() - _OTHER},
        }
        text = json.dumps(hashed, sort_keys=True, separators=(",", ":"))
    except (InvalidValueError, TypeError):  # no TOML, or with a date: pipenv refuses both
        return ""
    return hashlib.sha256(text.encode()).hexdigest()
