"""The proxies of requests: those of the environment, and that of pip's configuration."""

from urllib.request import getproxies

import requests.utils

from indexfallback.config.loopback import is_loopback
from indexfallback.upstream.credentials import MOST_ORIGINS, Origin, origin


class Proxies:
    """The proxies for each origin."""

    def __init__(self, pips: str | None) -> None:
        """``pips`` is the proxy of pip's configuration."""
        #: The environment's proxies are stronger: `requests` prefers one for the scheme.
        self._pips = {"all": pips} if pips else {}
        self._known: dict[Origin, dict[str, str]] = {}

    def of(self, url: str) -> dict[str, str]:
        """Return the proxies for an address by scheme, as `requests` takes them; none is direct."""
        where = origin(url)
        found = self._known.get(where)
        if found is None:
            # To a proxy, the loopback would be its own.
            is_direct = is_loopback(where[1]) or requests.utils.should_bypass_proxies(url, None)
            found = {} if is_direct else {**self._pips, **getproxies()}
            if len(self._known) >= MOST_ORIGINS:
                self._known.clear()
            self._known[where] = found
        return found
