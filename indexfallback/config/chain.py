"""The chain: checks the indexes from a file, pip or the command line, and completes them."""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from indexfallback.config import Index, Role
from indexfallback.config.address import Address, is_at, parse_address, redact_text
from indexfallback.config.naming import unique_name
from indexfallback.config.pip import is_default_url
from indexfallback.config.units import InvalidValueError
from indexfallback.config.values import suggest
from indexfallback.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One index as it is configured: the keys of ``[[index]]``, not yet checked together."""

    #: Its name in error messages: ``index "mirror"``.
    label: str
    values: Mapping[str, Any]
    #: Origin of each key.
    origins: Mapping[str, str]
    #: Origin of the entry.
    origin: str
    #: Base directory of relative paths.
    base: Path

    def error(self, key: str, problem: str, remedy: str) -> ConfigError:
        """Return an error about ``key``."""
        return ConfigError(self.origins.get(key, self.origin), f"{self.label}: {problem}", remedy)


@dataclass(frozen=True)
class Chain:
    """The indexes in order, and the origin of each of their settings."""

    indexes: tuple[Index, ...]
    #: Such as ``index.private.url`` to ``/path/config.toml:14``.
    origins: dict[str, str]


def build_chain(
    entries: Sequence[Entry], environ: Mapping[str, str], *, host: str, port: int
) -> Chain:
    """Return the chain of ``entries``; ``host`` and ``port`` are those of the shim.

    Raises:
        ConfigError: an entry is incomplete, or contradicts itself or another entry.

    """
    for entry in entries:
        for key in ("name", "url"):
            if key not in entry.values:
                raise entry.error(key, f"has no {key}", f'add {key} = "..."')
    _check_unique(entries, "name", [entry.values["name"] for entry in entries])
    addresses = [_address(entry, host, port) for entry in entries]
    _check_unique(entries, "url", [address.url for address in addresses])
    roles = _roles(entries, addresses)
    indexes = []
    origins: dict[str, str] = {}
    for entry, address in zip(entries, addresses, strict=True):
        index, came_from = _index(entry, address, roles, environ)
        indexes.append(index)
        origins |= {f"index.{index.name}.{key}": origin for key, origin in came_from.items()}
    return _with_cooldowns(Chain(tuple(indexes), origins))


def _with_cooldowns(chain: Chain) -> Chain:
    """Return a chain whose mirrors have the cooldown of their public index, unless their own.

    The page of a mirror without a cooldown would offer what the public index's page withholds.
    """
    by_name = {index.name: index for index in chain.indexes}
    origins = dict(chain.origins)
    indexes = []
    for index in chain.indexes:
        if index.mirror_of is not None and index.cooldown is None:
            public = by_name[index.mirror_of]
            keys = ("cooldown", "cooldown_except")
            index = replace(index, **{key: getattr(public, key) for key in keys})  # noqa: PLW2901
            for key in keys:
                origins[f"index.{index.name}.{key}"] = origins[f"index.{public.name}.{key}"]
        indexes.append(index)
    return Chain(tuple(indexes), origins)


def beside_chain(
    chain: Chain, entries: Iterable[Entry], environ: Mapping[str, str], *, host: str, port: int
) -> tuple[Index, ...]:
    """Return the indexes of ``entries`` that a chain does not have, one at each address.

    Each gets a name that no other index has. ``host`` and ``port`` are those of the shim.

    Raises:
        ConfigError: an entry is incomplete, or contradicts itself.

    """
    found: list[Index] = []
    for entry in entries:
        known = (*chain.indexes, *found)
        name = unique_name(entry.values["name"], {index.name for index in known})
        named = replace(entry, values={**entry.values, "name": name})
        (index,) = build_chain([named], environ, host=host, port=port).indexes
        if all(index.url != other.url for other in known):
            found.append(index)
    return tuple(found)


def _check_unique(entries: Iterable[Entry], key: str, values: Iterable[str]) -> None:
    """Refuse two entries with the same name or address: their stored pages would be mixed."""
    first: dict[str, Entry] = {}
    for entry, value in zip(entries, values, strict=True):
        if value in first:
            other = first[value]
            where = other.origins[key]
            problem = f'{key} = "{redact_text(entry.values[key])}" is the same as at {where}'
            remedy = (
                "give one of the two another name"
                if key == "name"
                else f'remove one of the two (the other is "{other.values["name"]}")'
            )
            raise entry.error(key, problem, remedy)
        first[value] = entry


def _address(entry: Entry, host: str, port: int) -> Address:
    text = entry.values["url"]
    try:
        address = parse_address(text, entry.base)
    except InvalidValueError as error:
        raise entry.error(
            "url", f'url = "{redact_text(text)}" {error.problem}', error.remedy
        ) from error
    if is_at(address.url, host, port):
        raise entry.error(
            "url",
            f'url = "{redact_text(text)}" is the address of indexfallback itself',
            "write the address of another index",
        )
    if address.username is not None and "username" in entry.values:
        raise entry.error("username", "url has a user name as well", "remove one of the two")
    if address.password is not None and "password_env" in entry.values:
        raise entry.error("password_env", "url has a password as well", "remove one of the two")
    return address


def _roles(entries: Sequence[Entry], addresses: Sequence[Address]) -> dict[str, Role]:
    """Return the role of each index by its name, checked against the other settings."""
    public = {entry.values["mirror_of"] for entry in entries if "mirror_of" in entry.values}
    pypi = {
        entry.values["name"]
        for entry, address in zip(entries, addresses, strict=True)
        if is_default_url(address.url)
    }
    roles = {entry.values["name"]: _role(entry, public | pypi) for entry in entries}
    for entry in entries:
        name = entry.values["name"]
        if "mirror_of" in entry.values:
            _check_mirror(entry, name, roles)
        _check_role(entry, roles[name], is_pypi=name in pypi)
    return roles


def _role(entry: Entry, public: AbstractSet[str]) -> Role:
    role: Role | None = entry.values.get("role")
    if role is not None:
        return role
    if "mirror_of" in entry.values:
        return "mirror"
    return "public" if entry.values["name"] in public else "private"


def _check_mirror(entry: Entry, name: str, roles: Mapping[str, Role]) -> None:
    target = entry.values["mirror_of"]
    setting = f'mirror_of = "{target}"'
    if target not in roles:
        others = tuple(other for other in roles if other != name)
        remedy = suggest(target, others) if others else "add the public index as well"
        raise entry.error("mirror_of", f"{setting} names no index", remedy)
    if target == name:
        raise entry.error("mirror_of", f"{setting} is the index itself", "name the public index")
    if roles[target] != "public":
        kind = "a private index" if roles[target] == "private" else "a mirror itself"
        raise entry.error("mirror_of", f"{setting} is {kind}", "name a public index")


def _check_role(entry: Entry, role: Role, *, is_pypi: bool) -> None:
    """Refuse settings that have no meaning for the role."""
    values = entry.values
    if role == "mirror" and "mirror_of" not in values:
        raise entry.error(
            "role",
            'role = "mirror" needs mirror_of',
            'add mirror_of = "..." with the name of the public index',
        )
    if role != "mirror" and "mirror_of" in values:
        raise entry.error("role", f'role = "{role}" contradicts mirror_of', "remove one of the two")
    if is_pypi and role == "private":
        raise entry.error("role", 'role = "private" is not possible for PyPI', "remove the role")
    if values.get("pages") == "authority" and role != "mirror":
        raise entry.error(
            "pages", f'pages = "authority" is for mirrors, and this one is {role}', "remove it"
        )
    for key in ("on_outage", "only", "defer_copies"):
        if key in values and role != "private":
            raise entry.error(
                key, f"{key} is for private indexes, and this one is {role}", "remove it"
            )


def _check_kind(entry: Entry, index: Index, role: Role) -> None:
    """Refuse settings that have no meaning for what is at the address of an index."""
    kind = "a directory" if index.is_directory else "a bucket" if index.is_bucket else ""
    if entry.values.get("upload") and not kind:
        raise entry.error(
            "upload",
            "upload = true needs a directory or a bucket",
            'write the path of a directory as url, like "/srv/packages", or "s3://bucket/prefix"',
        )
    if index.is_bucket and role != "private":
        raise entry.error("role", "a bucket has one's own packages only", "remove the role")
    if "fresh" in entry.values and kind:
        raise entry.error("fresh", f"fresh has no use: {kind} is read each time", "remove it")
    if "forbidden" in entry.values and kind:
        raise entry.error("forbidden", f"forbidden is for http, and this is {kind}", "remove it")
    for key in ("username", "password_env", "keyring"):
        if key in entry.values and index.is_bucket:
            raise entry.error(
                key,
                f"{key} is for http, and this is a bucket",
                "remove it: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are for buckets",
            )


def _index(
    entry: Entry, address: Address, roles: Mapping[str, Role], environ: Mapping[str, str]
) -> tuple[Index, dict[str, str]]:
    """Return the index and the origin of each of its fields."""
    values = dict(entry.values)
    origins = dict.fromkeys((field.name for field in fields(Index)), "default")
    origins |= {key: origin for key, origin in entry.origins.items() if key in origins}
    values |= {"url": address.url, "role": roles[values["name"]]}
    _check_kind(entry, Index(name="", url=address.url), roles[values["name"]])
    if "cooldown_except" in values and "cooldown" not in values:
        raise entry.error(
            "cooldown_except",
            "cooldown_except has no use without cooldown",
            'add cooldown = "7 days", or remove it',
        )
    if address.username is not None:
        values["username"] = address.username
        origins["username"] = origins["url"]
    if address.password is not None:
        values["password"] = address.password
        origins["password"] = origins["url"]
    elif "password_env" in entry.values:
        if "username" not in values:
            raise entry.error(
                "password_env",
                "password_env needs a user name",
                'add username = "..." (for a token often "__token__")',
            )
        values["password"] = _password(entry, environ)
        origins["password"] = entry.values["password_env"]
    return Index(**values), origins


def _password(entry: Entry, environ: Mapping[str, str]) -> str:
    variable = entry.values["password_env"]
    password = environ.get(variable)
    if not password:
        raise entry.error(
            "password_env",
            f'password_env = "{variable}" names an environment variable that is not set',
            f"set {variable}, or remove the line",
        )
    return password
