"""One request through its redirects: which headers, logins and cookies each origin gets."""

from typing import Literal

from indexfallback import __version__
from indexfallback.upstream.answers import ClientLogin
from indexfallback.upstream.cookies import Cookies
from indexfallback.upstream.credentials import Origin, is_upgrade, login_in, origin

Method = Literal["GET", "HEAD", "POST"]
_USER_AGENT = f"indexfallback/{__version__}"


class Journey:
    """One request through its redirects: what is sent, and what it has received on the way."""

    def __init__(
        self,
        headers: dict[str, str],
        timeout: tuple[float, float],
        *,
        carried: dict[Origin, str] | None = None,
        client: ClientLogin | None = None,
        method: Method = "GET",
        body: bytes | None = None,
    ) -> None:
        """``timeout`` is seconds to connect and between bytes.

        ``carried`` has the login in the link to the first address, by its origin; those in
        redirects are added to it. ``client`` is sent to its origin in the place of all other
        logins.
        """
        self.method = method
        self.body = body
        self.timeout = timeout
        self.cookies = Cookies()
        self._client = client
        self._headers = {"User-Agent": _USER_AGENT, **headers}
        self._carried = {} if carried is None else carried

    def carry(self, url: str) -> None:
        """Take the login in an address, if it has one, for its origin."""
        if login := login_in(url):
            self._carried[origin(url)] = login

    def carried(self, where: Origin) -> str:
        """Return the login that an address of this request carried for an origin, or nothing."""
        found = (to for start, to in self._carried.items() if is_upgrade(start, where))
        return self._carried.get(where) or next(found, "")

    def of_client(self, where: Origin) -> str:
        """Return the header that a client has brought for an origin, or nothing."""
        if self._client is None:
            return ""
        own = origin(self._client.origin)
        return self._client.header if where == own or is_upgrade(own, where) else ""

    def headers(self, where: Origin, login: str) -> dict[str, str]:
        """Return the headers for an origin."""
        own = {"Authorization": login, "Cookie": self.cookies.header(where)}
        return {**self._headers, **{name: value for name, value in own.items() if value}}
