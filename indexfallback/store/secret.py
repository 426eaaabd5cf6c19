"""The secret of this user, by which the user's own processes recognise each other.

One file of the state directory that only the user can read. Other users of this machine can listen
on any port of loopback and repeat whatever they have read there, but they cannot compute a keyed
digest (HMAC, RFC 2104) of this secret. It never leaves this user's processes.
"""

import hashlib
import hmac
import logging
import os
import secrets
import stat
import time
from base64 import urlsafe_b64encode
from functools import lru_cache
from pathlib import Path

import msgspec
import platformdirs

from indexfallback.store.locks import FileLock
from indexfallback.store.tokens import PREFIX

log = logging.getLogger("indexfallback.store")

#: As long as the digest: more adds nothing (RFC 2104, 3).
_BYTES = 32
#: Another process writes the file within milliseconds; it may be suspended, seconds.
_LOCK_SECONDS = 2.0


class Secret:
    """A secret, and what is derived from it."""

    def __init__(self, key: bytes, *, is_kept: bool = True) -> None:
        #: 32 random bytes, for a child process alone.
        self.key = key
        #: Whether other processes of the user can read it, too.
        self.is_kept = is_kept

    def digest(self, purpose: str, *parts: str | int) -> str:
        """Return a keyed digest, 64 hexadecimal digits; equal only for the same arguments."""
        return self._hmac(purpose, *parts).hex()

    @property
    def token(self) -> str:
        """The user's own token, which reads from a shim of theirs; it uploads nothing."""
        return PREFIX + urlsafe_b64encode(self._hmac("token")).decode().rstrip("=")

    def _hmac(self, *parts: str | int) -> bytes:
        # JSON tells where each part ends.
        return hmac.digest(self.key, msgspec.json.encode(parts), hashlib.sha256)


def secret_file() -> Path:
    """Return the path of the file."""
    return platformdirs.user_state_path("indexfallback") / "secret"


def user_secret() -> Secret:
    """Return the secret of this user, which is made when it is first needed.

    Where it can be neither read nor written, as with a read-only home directory, it is one of this
    process alone: running shims are then not recognised.
    """
    file = secret_file()
    try:
        return Secret(_read(file) or _made(file))
    except OSError as error:
        return _of_this_process(file, str(error.strerror or error))


@lru_cache(maxsize=1)  # one for the whole life of the process, and said once
def _of_this_process(file: Path, reason: str) -> Secret:
    log.warning(
        "%s: your secret cannot be kept (%s): a running shim is not recognised as yours; make the "
        "directory writable, or set XDG_STATE_HOME to one that is",
        file, reason,
    )  # fmt: skip
    return Secret(secrets.token_bytes(_BYTES), is_kept=False)


def _read(file: Path) -> bytes | None:
    """Return the secret in the file, or None if there is none that only this user knows."""
    try:
        descriptor = os.open(file, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
    except (FileNotFoundError, NotADirectoryError):
        return None
    with os.fdopen(descriptor, "rb") as stream:
        status = os.fstat(descriptor)
        text = stream.read(2 * _BYTES + 1)
    if os.name == "posix":  # the directories of a user are private on Windows
        if status.st_uid != os.geteuid():
            raise PermissionError(0, f"it belongs to user {status.st_uid}")
        if stat.S_IMODE(status.st_mode) & 0o077:  # others may know it
            return None
    try:
        key = bytes.fromhex(text.decode("ascii"))
    except ValueError:  # damaged
        return None
    return key if len(key) == _BYTES else None


def _made(file: Path) -> bytes:
    """Return a new secret, or that of a process that has just made one; raises OSError."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if os.name == "posix":
        file.parent.chmod(0o700)
    lock = FileLock(file.with_suffix(".lock"))
    ends = time.monotonic() + _LOCK_SECONDS
    while not lock.acquire():
        if time.monotonic() > ends:
            raise TimeoutError(0, "another process takes too long to write it")
        time.sleep(0.01)  # a file lock cannot be waited for with a deadline
    try:
        known = _read(file)
        if known is None and file.exists():
            log.warning(
                "%s: your secret is damaged, or other users could read it: it is replaced; restart "
                "running shims, and set up clients again that have a token",
                file,
            )
        return known or _write(file, secrets.token_bytes(_BYTES))
    finally:
        lock.release()


def _write(file: Path, key: bytes) -> bytes:
    """Write the file as a whole: a process that reads it meanwhile finds none, or all of it."""
    partial = file.with_suffix(".new")
    partial.unlink(missing_ok=True)  # of a process that was killed here
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(key.hex().encode("ascii"))
        stream.flush()
        os.fsync(descriptor)
    partial.replace(file)
    return key
