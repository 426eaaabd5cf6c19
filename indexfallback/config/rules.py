"""What settings must be together, and those that follow from others."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from typing import Any, NamedTuple

from indexfallback.config import Index, Settings
from indexfallback.config.address import redact_text
from indexfallback.config.bucket_url import parse_endpoint
from indexfallback.config.loopback import is_loopback
from indexfallback.config.mirror import Mirror
from indexfallback.config.people import accounts, named, own_uid, people
from indexfallback.config.units import InvalidValueError
from indexfallback.config.values import suggest
from indexfallback.errors import ConfigError

#: The prefix of the keys of ``[mirror]``.
MIRROR = "mirror."
#: The variable with the address of a server that speaks S3, as AWS's own programs have it.
ENDPOINT = "AWS_ENDPOINT_URL"
_CLIENT = "obstore"


class Setting(NamedTuple):
    """A value, and where it is set: a file and its line, an option, a variable."""

    value: Any
    origin: str


def check_tls(found: Mapping[str, Setting]) -> None:
    """Return if certificate and key are both set, or neither; raises `ConfigError`."""
    for key, other in (("tls_cert", "tls_key"), ("tls_key", "tls_cert")):
        given = found.get(f"server.{key}")
        if given is not None and f"server.{other}" not in found:
            raise ConfigError(
                given.origin, f"[server]: {key} is set without {other}", f"name the {other} as well"
            )


def check_readers(found: Mapping[str, Setting]) -> None:
    """Return if at most one setting says who may read; raises `ConfigError`."""
    private, public = (found.get(f"server.{key}") for key in ("private", "public_read"))
    if private is not None and private.value and public is not None and public.value:
        raise ConfigError(
            private.origin,
            "[server]: private = true contradicts public_read = true",
            "remove one of the two",
        )


def why_private(values: Mapping[str, Any], indexes: Sequence[Index]) -> str:
    """Return why readers need a token on loopback although no setting says so; empty if not.

    ``indexes`` are those that may show to a login what others must not read.
    """
    if values.get("public_read") or not is_loopback(values.get("host", Settings.host)):
        return ""
    with_login = [index.name for index in indexes if index.has_login]
    others = people(accounts(), own_uid(), sys.platform) if with_login else []
    if not others:
        return ""
    have = "have an account" if len(others) > 1 else "has an account"
    return f"default: {named(others)} {have} here, and {' and '.join(with_login)} a login"


def mirror_of(found: Mapping[str, Setting], indexes: Sequence[Index]) -> Mirror | None:
    """Return the table ``[mirror]``, whose index must be in the chain and behind HTTP."""
    keys = {key: found[key] for key in found if key.startswith(MIRROR)}
    if not keys:
        return None
    names = tuple(index.name for index in indexes if not index.is_read_each_time)
    origin = keys.get(f"{MIRROR}index", next(iter(keys.values()))).origin
    if f"{MIRROR}index" not in keys:
        raise ConfigError(
            origin, "[mirror]: index is missing", f'add index = "...", {suggest("", names)}'
        )
    name = keys[f"{MIRROR}index"].value
    if name not in names:
        is_read = any(index.name == name for index in indexes)
        kind = "a directory or a bucket" if is_read else "no index"
        problem = f'[mirror]: index = "{name}" names {kind}'
        raise ConfigError(origin, problem, suggest(name, names))
    mirror = Mirror(**{key.removeprefix(MIRROR): value for key, (value, _) in keys.items()})
    extra = next((wanted for wanted in mirror.projects if wanted.extras), None)
    if extra is not None and not mirror.dependencies:
        raise ConfigError(
            keys[f"{MIRROR}projects"].origin,
            f'[mirror]: projects = "{extra}" has extras, and the dependencies are not mirrored',
            f'add dependencies = true, or write "{extra._replace(extras=())}"',
        )
    return mirror


def endpoint_of(found: Mapping[str, Setting], environ: Mapping[str, str]) -> str:
    """Return the address of the server of buckets, empty for AWS; raises `ConfigError`."""
    if (given := found.get("cache.shared_endpoint")) is not None:
        return str(given.value)
    text = environ.get(ENDPOINT, "")
    try:
        return parse_endpoint(text) if text else ""
    except InvalidValueError as error:
        problem = f'"{redact_text(text)}" {error.problem}'
        raise ConfigError(ENDPOINT, problem, error.remedy) from error


def check_client(where: str) -> None:
    """Return if the client of buckets is installed; raises `ConfigError` for the setting."""
    if find_spec(_CLIENT) is None:
        raise ConfigError(
            where,
            f"a bucket needs {_CLIENT}, which is not installed",
            f"install {_CLIENT} beside indexfallback (its extra [shared])",
        )


def with_endpoint(indexes: Iterable[Index], endpoint: str) -> tuple[Index, ...]:
    """Return the indexes, those in a bucket with the address of its server."""
    return tuple(replace(i, endpoint=endpoint) if i.is_bucket else i for i in indexes)
