"""Configurations by which a client goes past the shim, or beside it."""

import re
from collections.abc import Iterator

from indexfallback.doctor.finding import Finding, fail, ok, warn
from indexfallback.doctor.machine import Machine, PipOption, urls_in, uv_indexes
from indexfallback.errors import redact

#: A line of a requirements file that names an index.
_INDEX_LINE = re.compile(r"^\s*(?:-i|--index-url|--extra-index-url)[\s=]*(\S+)", re.MULTILINE)
#: What pip, told to trust it, keeps the shim's pages of.
_OURS = frozenset(("127.0.0.1", "localhost"))
#: What uv asks before or instead of its default index.
_UV_VARIABLES = ("UV_INDEX", "UV_EXTRA_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL")


def pip(machine: Machine) -> Iterator[Finding]:
    """Find indexes that pip asks besides the shim, or in its place."""
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
        yield ok("pip", "no setting goes past the shim")


def _of_pip(machine: Machine, option: PipOption, pointed: bool) -> Iterator[Finding]:
    others = ", ".join(redact(url) for url in option.value.split() if not machine.is_shim(url))
    remedy = f"Remove {option.name} from {option.where}"
    if option.where.startswith("PIP_"):
        remedy = f"unset {option.where}"
    if option.name == "extra-index-url":
        if pointed:
            yield fail(
                "pip",
                f"{option.where} has pip ask {others} beside the shim and take the higher version "
                "of either, whoever owns the name",
                f"{remedy}, and configure it as an index here",
            )
    elif option.in_environment or pointed:
        above = "an environment's file, which is above the user's, " * option.in_environment
        yield warn("pip", f"{above}{option.where} points pip at {others}, past the shim", remedy)


def trusted(machine: Machine) -> Iterator[Finding]:
    """Find that pip is told to trust the shim's address."""
    found = False
    for option in machine.pip_options("trusted-host"):
        hosts = {host.rpartition(":")[0] or host for host in option.value.split()}
        if hosts & _OURS:
            found = True
            yield warn(
                "pip",
                f"{option.where} trusts {' and '.join(sorted(hosts & _OURS))}, so that pip keeps "
                "pages of the shim and does not ask again",
                "Remove it from trusted-host: pip trusts this machine anyway",
            )
    if not found:
        yield ok("pip", "it keeps no pages of the shim")


def uv(machine: Machine) -> Iterator[Finding]:
    """Find indexes that uv asks before the shim, or in its place."""
    found = []
    for name in _UV_VARIABLES:
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
        what = f"{where} has uv ask {named} before the shim, and take what that has"
        yield warn("uv", what, f"{remedy}, and configure it as an index here")
    if not found:
        yield ok("uv", "no setting goes past the shim")


def requirements(machine: Machine) -> Iterator[Finding]:
    """Find requirements files that name an index themselves."""
    found = False
    for file in machine.requirements:
        others = [url for url in _INDEX_LINE.findall(file.text) if not machine.is_shim(url)]
        if others:
            found = True
            named = ", ".join(map(redact, others))
            what = f"{file.path} names {named}, which pip asks whatever is configured"
            yield warn("requirements", what, "Remove the line, and configure it as an index here")
    if not found:
        yield ok("requirements", "those in this directory name no index")


CHECKS = (pip, trusted, uv, requirements)
