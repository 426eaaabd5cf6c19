"""Which file of a version a target installs, and why it installs none of them. Pure."""

import platform
from collections.abc import Sequence

from indexfallback.dists.fitting import SDISTS, best_wheel, takes_python
from indexfallback.fetch.target import Target
from indexfallback.page import File
from indexfallback.wanted import ALL, Wanted


def best_file(files: Sequence[File], project: str, target: Target, wanted: Wanted) -> File | None:
    """Return the best wheel for a target, else the sdist that is preferred; None if none fits."""
    allowed = [each for each in _for_python(files, target) if _is_allowed(each, project, wanted)]
    wheel = best_wheel(allowed, target.tags)
    sdists = (file for ending in SDISTS for file in allowed if file.filename.endswith(ending))
    return wheel or next(sdists, None)


def obstacle(files: Sequence[File], project: str, target: Target, wanted: Wanted) -> str | None:
    """Return why a target installs none of a version's files; None if it installs one.

    It is the predicate of a sentence: ``needs Python >=3.13, and this is 3.11.7``.
    """
    if best_file(files, project, target, wanted) is not None:
        return None
    fitting = _for_python(files, target)
    if not fitting:
        limits = sorted({file.requires_python or "" for file in files})
        python = target.python or platform.python_version()
        ours = "this" if target.is_here else "the target"
        return f"needs Python {' or '.join(limits)}, and {ours} is {python}"
    if not any(_is_allowed(file, project, wanted) for file in fitting):
        has_wheel = any(file.filename.endswith(".whl") for file in fitting)
        return f"has only {'wheels' if has_wheel else 'an sdist'}, which an option refuses"
    if any(file.filename.endswith(SDISTS) for file in fitting):
        return f"has no wheel for {target}, and sdists are refused"
    return f"has no wheel for {target}, and no sdist"


def _for_python(files: Sequence[File], target: Target) -> list[File]:
    python = target.markers["python_full_version"]
    return [file for file in files if takes_python(file, python)]


def _is_allowed(file: File, project: str, wanted: Wanted) -> bool:
    """Tell whether the options for formats allow a file."""
    refused = wanted.no_binary if file.filename.endswith(".whl") else wanted.only_binary
    return refused.isdisjoint((ALL, project))
