"""What a tunnel's process and its parent say to each other: lines of JSON through pipes."""

import msgspec


class Task(msgspec.Struct):
    """What a tunnel is to do; the first line to it."""

    #: Address of the shim's simple API: ``http://127.0.0.1:5503/simple/``.
    shim: str
    #: The secret of its user, in hexadecimal digits.
    secret: str
    #: The origins to answer for: ``https://packages.example.com``.
    origins: list[str]


class Opened(msgspec.Struct, tag="opened"):
    """How to reach the tunnel; its first line."""

    port: int
    #: Address of the proxy, with user name and password.
    url: str
    #: Path of the bundle of certificates.
    bundle: str


class Failed(msgspec.Struct, tag="failed"):
    """Why there is no tunnel, in place of `Opened`; the parts of a `LocatedError`."""

    where: str
    problem: str
    remedy: str
