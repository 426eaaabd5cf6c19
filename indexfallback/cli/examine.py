"""Collects the data for ``doctor``: files, ports, indexes and disks."""

import os
import shutil
import ssl
import sys
import time
from collections.abc import Iterable
from contextlib import closing, suppress
from datetime import date
from pathlib import Path

from indexfallback import __version__
from indexfallback.chain.network import Network
from indexfallback.cli.check_advisories import check_advisories
from indexfallback.cli.index_checks import check_all
from indexfallback.cli.mending import shim_addresses
from indexfallback.cli.options import Options
from indexfallback.cli.output import tilde
from indexfallback.cli.port_holder import port_holder
from indexfallback.cli.project_files import project_files
from indexfallback.cli.running import found
from indexfallback.cli.shared import examined
from indexfallback.clients.machine import this_machine
from indexfallback.clients.places import uv_file
from indexfallback.config import Settings
from indexfallback.config.basic import readable_settings
from indexfallback.config.load import config_path
from indexfallback.config.people import accounts, own_uid
from indexfallback.config.pip import configuration_files, reads_no_file
from indexfallback.doctor import Machine
from indexfallback.doctor.machine import Cache, TextFile
from indexfallback.errors import ConfigError, StoreError
from indexfallback.server.asking import Kind
from indexfallback.upstream.certificates import expiry_of
from indexfallback.upstream.credentials import Logins, origin

#: Bytes read of a file of a client, which has some KB.
_MOST = 1024**2


def examine_machine(options: Options, *, compare: bool) -> Machine:
    """Return the data that the checks need; ``compare`` is as of `compare.judged`."""
    settings, wrong = _settings(options)
    here = Path.cwd()
    shim = found(settings)
    is_own = shim is not None and shim.kind is Kind.OWN
    is_other = shim is not None and shim.kind is Kind.OTHER
    in_environments = _pip_files_of_environments(here)
    own = _read([config_path(options.config)])
    project = tuple(file.content for file in project_files(here))
    return Machine(
        settings=settings,
        wrong_setting=wrong,
        environ=os.environ,
        now=time.time(),
        installed=Path(__file__).stat().st_mtime,
        version=__version__,
        health=shim.health if shim is not None and is_own else None,
        has_settings=wrong is not None or (shim is not None and shim.has(settings.identity)),
        other=shim.kind.value if shim is not None and not is_own else "",
        holder=port_holder(settings.host, settings.port) if is_other else None,
        platform=sys.platform,
        with_login=_with_login(settings),
        accounts=accounts(),
        uid=own_uid(),
        offline_state=Network(settings).offline_state,
        indexes=tuple(check_all(settings, compare=compare)),
        advisories=check_advisories(settings),
        trust_problem=_trust_problem(settings.ca_bundle),
        certificate_end=_certificate_end(settings.tls_cert),
        certificate_problem=_certificate_problem(settings),
        config=own[0] if own else None,
        pip=_read(path for path in configuration_files() if path not in in_environments),
        pip_of_environments=_read(in_environments),
        uv=_read([Path(uv_file(this_machine())), here / "uv.toml", here / "pyproject.toml"]),
        project=project,
        addresses=shim_addresses(settings, project),
        cache=_cache(settings),
        shared=examined(settings),
    )


def _settings(options: Options) -> tuple[Settings, ConfigError | None]:
    """Return the settings; if some are not valid, the readable ones and the error."""
    try:
        return options.settings(), None
    except ConfigError as error:  # it is a finding, and not the only one
        return readable_settings(config_path(options.config)), error


def _with_login(settings: Settings) -> tuple[str, ...]:
    """Return the private indexes for which there is a login, in whatever place."""
    asked = (i for i in settings.indexes if i.is_private and not i.is_read_each_time)
    return tuple(i.name for i in asked if Logins(i).header(origin(i.url)))


def _read(paths: Iterable[Path]) -> tuple[TextFile, ...]:
    """Return the files that can be read, sorted by path, without duplicates."""
    return tuple(file for path in sorted(set(paths)) if (file := _text(path)) is not None)


def _text(path: Path) -> TextFile | None:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode & 0o777 if os.name == "posix" else None
            text = file.read(_MOST).decode("utf-8", "replace")
    except OSError:  # it does not exist, or the clients cannot read it either
        return None
    return TextFile(_shown(path), text, mode)


def _shown(path: Path) -> str:
    """Return a path relative to the current directory, if it is in it."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else tilde(path)


def _pip_files_of_environments(here: Path) -> list[Path]:
    if reads_no_file():
        return []
    name = "pip.ini" if os.name == "nt" else "pip.conf"
    active = os.environ.get("VIRTUAL_ENV")
    environments = [here / ".venv", here / "venv", *([Path(active)] if active else [])]
    return [environment / name for environment in environments]


def _trust_problem(bundle: Path | None) -> str:
    """Return why the CA bundle cannot be used; empty if it can."""
    if bundle is None:
        return ""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        if bundle.is_dir():  # OpenSSL reads each certificate when it needs it
            return "" if any(bundle.iterdir()) else "it is an empty directory"
        context.load_verify_locations(bundle)
    except ssl.SSLError:
        return "no certificate can be read from it"
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _certificate_end(path: Path | None) -> date | None:
    """Return the last day of the first certificate in a file, which is the server's own."""
    if path is None:
        return None
    with suppress(OSError, ValueError):  # `_certificate_problem` states it
        pem, end, _ = path.read_text(encoding="ascii").partition(ssl.PEM_FOOTER)
        return expiry_of(ssl.PEM_cert_to_DER_cert(pem[pem.index(ssl.PEM_HEADER) :] + end))
    return None


def _certificate_problem(settings: Settings) -> ConfigError | None:
    if settings.tls_cert is None:
        return None
    from indexfallback.server.process import check_certificate  # noqa: PLC0415 - imports a server

    try:
        check_certificate(settings)
    except ConfigError as error:
        return error
    return None


def _cache(settings: Settings) -> Cache:
    directory = settings.cache_dir
    there = next(path for path in (directory, *directory.parents) if path.exists())
    free = shutil.disk_usage(there).free
    if not directory.exists():
        return Cache(directory=tilde(directory), free=free, exists=False)
    try:
        return _opened(settings, free)
    except StoreError as error:
        return Cache(directory=error.where, free=free, problem=error.problem, remedy=error.remedy)


def _opened(settings: Settings, free: int) -> Cache:
    from indexfallback.store import Store  # noqa: PLC0415 - only where there is one
    from indexfallback.store.examination import problems  # noqa: PLC0415 - as above
    from indexfallback.store.inventory import info  # noqa: PLC0415 - as above

    with closing(Store(settings.cache_dir, settings.cache_size)) as store:
        held = info(store, settings.cache_size)
        own = settings.cache_dir
        return Cache(
            directory=tilde(own),
            free=free,
            files=held.files,
            quarantined=held.quarantined,
            problems=tuple(problem.text for problem in problems(store, thorough=False)),
            damaged=tuple(sorted(path.name for path in own.glob("*.damaged-*[0-9]"))),
            is_temporary=store.is_temporary,
            is_newer=not store.is_temporary and store.directory != own,
        )
