"""Whether clients of this user are set up for the configured address of the shim."""

from collections.abc import Mapping

from indexfallback.clients import record
from indexfallback.config import Settings
from indexfallback.config.address import is_at
from indexfallback.config.pip import PipConfig


def is_pointed_at(settings: Settings, environ: Mapping[str, str]) -> bool:
    """Tell whether ``setup`` has set up a client, or pip's own configuration has the address."""
    if record.is_any():
        return True
    pip = PipConfig(environ)
    found = " ".join(filter(None, map(pip.get, ("index-url", "extra-index-url"))))
    return any(is_at(url, settings.host, settings.port) for url in found.split())
