"""The credentials of an index: from its settings, the keyring, or netrc."""

import importlib
import logging
from base64 import b64encode

import requests.utils

from indexfallback.config import Index

log = logging.getLogger("indexfallback.upstream")


def authorization(index: Index) -> str:
    """Return the value of the Authorization header for an index; empty if it needs no login.

    This may take long: a keyring may ask the user.
    """
    login = _find(index)
    # UTF-8 (RFC 7617): the library encodes as Latin-1, which some passwords are not part of.
    return f"Basic {b64encode(':'.join(login).encode()).decode()}" if login else ""


def _find(index: Index) -> tuple[str, str] | None:
    """Return user name and password."""
    if index.username is not None and index.password is not None:
        return index.username, index.password
    found = _from_keyring(index) if index.keyring else None
    if found is not None:
        return found
    if index.username is not None:
        return index.username, ""
    return requests.utils.get_netrc_auth(index.url)


def _from_keyring(index: Index) -> tuple[str, str] | None:
    try:
        keyring = importlib.import_module("keyring")
        found = keyring.get_credential(index.url, index.username)
    except Exception as error:  # noqa: BLE001 - keyring back ends raise any exception
        log.warning(
            "index %s: the keyring gave no password (%s); asking without one: install "
            "keyring beside indexfallback (its extra [keyring]), or set password_env",
            index.name, error,
        )  # fmt: skip
        return None
    return (found.username, found.password) if found else None
