"""The keys of the configuration file: the table of each, and the function that reads its value."""

from typing import get_args

from indexfallback.config import Forbidden, OnOutage, Pages, Role, SharedMode, mirror
from indexfallback.config.values import (
    Reader,
    base_path,
    bucket,
    choice,
    directory,
    duration,
    endpoint,
    file,
    flag,
    host,
    index_name,
    networks,
    patterns,
    port,
    project,
    size,
    text,
    variable,
    wait,
    web_address,
)

#: Fields of `config.Settings` with another name than their key.
_RENAMED = {"dir": "cache_dir", "max_size": "cache_size"}

#: Table and key to the reader of the value.
TABLES: dict[str, dict[str, Reader]] = {
    "server": {
        "host": host,
        "port": port,
        "tls_cert": file,
        "tls_key": file,
        "base_path": base_path,
        "trusted_proxies": networks,
        "private": flag,
        "public_read": flag,
        "max_upload_size": size,
    },
    "cache": {
        "dir": directory,
        "max_size": size,
        "fresh": duration,
        "keep": duration,
        "shared": bucket,
        "shared_endpoint": endpoint,
        "shared_mode": choice(*get_args(SharedMode)),
        "shared_timeout": wait,
        "strict_pins": flag,
    },
    "limits": {"deadline": wait, "page_size": size, "read_ahead": flag},
    "policy": {"notices": flag, "advisories": web_address},
    "mirror": {
        "index": index_name,
        "projects": mirror.wanted,
        "exclude": mirror.excluded,
        "files": mirror.file_patterns,
        "platforms": mirror.platforms,
        "pythons": mirror.pythons,
        "latest": mirror.count,
        "since": mirror.day,
        "prereleases": flag,
        "max_file_size": size,
        "on_removed": choice(*mirror.ON_REMOVED),
        "requirements": mirror.paths,
        "dependencies": flag,
        "connections": mirror.count,
        "rate": mirror.count,
    },
}
#: The field of `config.Settings` that a key sets; the keys of ``[mirror]`` together set ``mirror``.
FIELDS = {
    f"{table}.{key}": _RENAMED.get(key, key)
    for table, keys in TABLES.items()
    if table != "mirror"
    for key in keys
}
#: Key of ``[[index]]`` to the reader of the value.
INDEX_KEYS: dict[str, Reader] = {
    "name": index_name,
    "url": text,
    "role": choice(*get_args(Role)),
    "projects": patterns,
    "only": patterns,
    "defer_copies": flag,
    "on_outage": choice(*get_args(OnOutage)),
    "forbidden": choice(*get_args(Forbidden)),
    "cooldown": duration,
    "cooldown_except": patterns,
    "username": text,
    "password_env": variable,
    "keyring": flag,
    "connect_timeout": wait,
    "read_timeout": wait,
    "fresh": duration,
    "probe": project,
    "mirror_of": text,
    "pages": choice(*get_args(Pages)),
    "upload": flag,
}
