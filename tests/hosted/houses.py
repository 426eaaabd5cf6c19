"""Two hosted indexes in this process, with a release to promote from one to the other."""

import os
import time
from pathlib import Path
from typing import Any

from packaging.version import Version

from indexfallback.chain.members import Members
from indexfallback.chain.network import Network
from indexfallback.config.load import load_settings
from indexfallback.hosted.index import HostedIndex
from indexfallback.hosted.permit import Permit
from indexfallback.hosted.promotion import promote
from indexfallback.hosted.recovery import recover
from indexfallback.store import Store
from indexfallback.store.events import Actor
from tests.fakes import Dist, sdist, wheel
from tests.serving import config_text, index_table

VERSION = Version("1.0")
LIB, SOURCE = wheel("acme-lib", "1.0"), sdist("acme-lib", "1.0")
RELEASER = Permit(Actor("releaser", "0a1b2c3d", "192.0.2.7"))


class House:
    """Two hosted indexes, staging and prod."""

    def __init__(self, tmp_path: Path, **staging: Any) -> None:
        """Make both, or open them again; ``staging`` are other keys of its configuration."""
        self.directories = {name: tmp_path / name for name in ("prod", "staging")}
        for path in self.directories.values():
            path.mkdir(exist_ok=True)
        prod, url = (path.as_uri() for path in self.directories.values())
        tables = [
            index_table("prod", prod, role="private", upload=True),
            index_table("staging", **{"url": url, "role": "private", "upload": True, **staging}),
        ]
        config = tmp_path / "config.toml"
        config.write_text(config_text(*tables), encoding="utf-8")
        settings = load_settings(config=config, environ=os.environ)
        self.store = Store(tmp_path / "cache", 1 << 30)
        self._members = Members(settings, self.store, Network(settings))
        self.prod, self.staging = (
            HostedIndex(index, settings, self.store, self._members[index.name])
            for index in settings.indexes
        )

    def put(self, index: HostedIndex, *dists: Dist) -> None:
        """Upload distributions."""
        for dist in dists:
            with index.receive() as incoming:
                incoming.write(dist.data)
                index.publish(incoming, dist.filename, None, RELEASER)

    def fill(self) -> "House":
        """Upload a release of two files to staging."""
        self.put(self.staging, LIB, SOURCE)
        return self

    def promote(self, permit: Permit = RELEASER) -> list[bool]:
        """Promote the release; return of each file whether it was there."""
        files = promote(self.staging, self.prod, "acme-lib", VERSION, permit)
        return [file.was_there for file in files]

    def recover(self) -> None:
        """Do what the start of a server does after a kill."""
        recover({"prod": self.prod, "staging": self.staging}, time.time())

    def lying(self, name: str = "prod") -> list[str]:
        """Return what lies in a directory, hidden files too."""
        return sorted(path.name for path in self.directories[name].iterdir())

    def actions(self) -> list[str]:
        """Return what was done, the latest first."""
        return [event.action for event in self.store.hosting.events.read()]

    def close(self) -> None:
        """Close the store."""
        self._members.close()
        self.store.close()
