"""A running shim proves to programs of its user that it is theirs.

The program sends a challenge, and the shim answers with a keyed digest of it by the user's secret.
What another user's process on some port could do is pass the challenge on to the real shim and
return its answer. The digest is therefore also of the place where the shim listens: address and
port as numbers, and the network of the machine or container that they belong to, since a home
directory may be on several machines. The program compares it with the place that it is connected
to, and only the shim itself is there.
"""

import hmac
import os
import re
import socket
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Any, NamedTuple

from indexfallback.config import Settings
from indexfallback.store.secret import Secret

#: 32 random bytes, in hexadecimal digits.
_CHALLENGE = re.compile("[0-9a-f]{64}", re.ASCII)


class Place(NamedTuple):
    """Where a server listens, or a client is connected to."""

    #: As a number: ``127.0.0.1``.
    host: str
    port: int

    def includes(self, other: "Place") -> bool:
        """Tell whether a server here is the one there: also if it listens on all addresses."""
        own, address = ip_address(self.host), ip_address(other.host)
        is_at = own == address or (own.is_unspecified and own.version == address.version)
        return is_at and self.port == other.port


class Prover:
    """Proves that this process is a shim of the user who knows the secret."""

    def __init__(self, secret: Secret, place: Place, settings: Settings) -> None:
        self._secret = secret
        self._place = place
        self._configuration = configuration_digest(secret, settings.identity)

    def health(self, challenge: str | None) -> dict[str, Any]:
        """Return what ``/-/health`` says of the process; with a challenge, also the proof."""
        found: dict[str, Any] = {"pid": os.getpid(), "configuration": self._configuration}
        if challenge is not None and _CHALLENGE.fullmatch(challenge):
            found |= {"listens_on": list(self._place)}
            found["proof"] = _proof(self._secret, challenge, found)
        return found


def configuration_digest(secret: Secret, identity: str) -> str:
    """Return the keyed digest of `Settings.identity`, by which equal settings are recognised."""
    return secret.digest("configuration", identity)


def is_proven(
    secret: Secret, challenge: str, health: Mapping[str, Any], connected_to: Place
) -> bool:
    """Tell whether a shim's answer to a challenge proves that it is the user's, and is there."""
    try:
        expected = _proof(secret, challenge, health)
        place = Place(*health["listens_on"])
        is_there = place.includes(connected_to)
        return hmac.compare_digest(expected, health["proof"]) and is_there
    except (KeyError, TypeError, ValueError):  # of another form
        return False


def _proof(secret: Secret, challenge: str, health: Mapping[str, Any]) -> str:
    host, port = health["listens_on"]
    return secret.digest(
        "proof", challenge, _network(), host, port, health["pid"], health["configuration"]
    )


def _network() -> str:
    """Return what names the network that loopback is of, on this machine since its start."""
    try:  # a container on Linux has a loopback of its own
        booted = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        return f"{booted} {os.readlink('/proc/self/ns/net')}"  # noqa: PTH115 - no path: net:[4026]
    except OSError:
        return socket.gethostname()
