"""Checks for settings that make a client bypass the shim."""

import re
from collections.abc import Iterator

from indexfallback.clients.environment import UV_VARIABLES
from indexfallback.doctor.finding import Finding, fail, ok, warn
from indexfallback.doctor.machine import Machine, PipOption, urls_in, uv_indexes
from indexfallback.doctor.project_file import Kind
from indexfallback.errors import redact

#: A line of a requirements file with an index.
_INDEX_LINE = re.compile(r"^\s*(?:-i|--index-url|--extra-index-url)[\s=]*(\S+)", re.MULTILINE)
#: pip caches the pages of these hosts if they are in trusted-host.
_LOOPBACK = frozenset(("127.0.0.1", "localhost"))


def pip(machine: Machine) -> Iterator[Finding]:
    """Find indexes that pip uses besides or instead of the shim."""
    options = [
        option
        for option in machine.pip_options("index-url", "extra-index-url")
        if not all(map(machine.is_shim, option.value.split()))
    ]
    pointed = any(
        any(map(machine.is_shim, option.value.split()))
        for option in machine.pip_options("index-url", "extra-index-url")
    )
    found = [finding for option in options for finding in _of_pip(machine, option, pointed)]
    yield from found
    if not found:
        yield ok("pip", "no setting bypasses the shim")


def _of_pip(machine: Machine, option: PipOption, pointed: bool) -> Iterator[Finding]:
    others = ", ".join(redact(url) for url in option.value.split() if not machine.is_shim(url))
    remedy = f"Remove {option.name} from {option.where}"
    if option.where.startswith("PIP_"):
        remedy = f"unset {option.where}"
    if option.name == "extra-index-url":
        if pointed:
            yield fail(
                "pip",
                f"{option.where} makes pip ask {others} besides the shim, and install the highest "
                "version of all, whichever index owns the project",
                f"{remedy}, and configure it as an index here",
            )
    elif option.in_environment or pointed:
        kind = "the file of a virtual environment, " * option.in_environment
        what = f"{kind}{option.where} makes pip ask {others} instead of the shim"
        yield warn("pip", what, remedy)


def trusted(machine: Machine) -> Iterator[Finding]:
    """Find the shim's address in pip's ``trusted-host``."""
    found = False
    for option in machine.pip_options("trusted-host"):
        hosts = {host.rpartition(":")[0] or host for host in option.value.split()}
        if hosts & _LOOPBACK:
            found = True
            yield warn(
                "pip",
                f"{option.where} trusts {' and '.join(sorted(hosts & _LOOPBACK))}: pip then "
                "caches pages of the shim and does not see changes",
                "Remove it from trusted-host: pip trusts this machine anyway",
            )
    if not found:
        yield ok("pip", "it caches no pages of the shim")


def uv(machine: Machine) -> Iterator[Finding]:
    """Find indexes that uv uses before or instead of the shim."""
    found = []
    for name in UV_VARIABLES:
        value = machine.environ.get(name, "")
        others = [url for url in urls_in(value) if not machine.is_shim(url)]
        if others:
            found.append((name, others, f"unset {name}"))
    for file in machine.uv:
        others = [url for url in uv_indexes(file.text) if not machine.is_shim(url)]
        if others:
            found.append((file.path, others, f"Remove the index from {file.path}"))
    for where, others, remedy in found:
        named = ", ".join(map(redact, others))
        what = f"{where} makes uv ask {named} before the shim"
        yield warn("uv", what, f"{remedy}, and configure it as an index here")
    if not found:
        yield ok("uv", "no setting bypasses the shim")


def requirements(machine: Machine) -> Iterator[Finding]:
    """Find requirements files with an index."""
    found = False
    for file in machine.project:
        if file.kind is not Kind.REQUIREMENTS:
            continue
        others = [url for url in _INDEX_LINE.findall(file.text) if not machine.is_shim(url)]
        if others:
            found = True
            named = ", ".join(map(redact, others))
            what = f"{file.path} names {named}, which overrides pip's configuration"
            yield warn("requirements", what, "Remove the line, and configure it as an index here")
    if not found:
        yield ok("requirements", "those of this project name no index")


CHECKS = (pip, trusted, uv, requirements)
