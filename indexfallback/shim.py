"""The shim: store, chain, fallback and downloads, put together and closed together."""

from indexfallback.config import Settings
from indexfallback.download import Downloads
from indexfallback.fallback import Answer, Fallback
from indexfallback.hosted.shelf import Shelf
from indexfallback.members import Members
from indexfallback.network import Network
from indexfallback.offer import offered
from indexfallback.page import ProjectPage
from indexfallback.store import Store


class Shim:
    """Everything behind the server and the commands, for one configuration."""

    def __init__(self, settings: Settings) -> None:
        """Open the store; raises `StoreError` if the directory is not safe to use."""
        self.settings = settings
        self.network = Network(settings)
        self.store = Store(settings.cache_dir, settings.cache_size)
        self.members = Members(settings, self.store, self.network)
        self.fallback = Fallback(settings, self.store, self.members, self.network)
        self.downloads = Downloads(self.fallback)
        #: Name of each index that takes uploads to what takes them.
        self.shelves = {
            index.name: Shelf(index, settings, self.store, self.members[index.name])
            for index in settings.hosted
        }

    def offer(self, answer: Answer) -> ProjectPage:
        """Return the page of an answer as clients see it."""
        pins = self.store.pins.of_project(answer.project)
        held = None
        if answer.offline:
            wanted = {file.sha256 for file in answer.page.files if file.sha256 is not None}
            held = self.store.blobs.held([*wanted, *pins.values()])
        return offered(answer.page, pins, held)

    def close(self) -> None:
        """Close connections and files."""
        self.fallback.close()
        self.members.close()
        self.store.close()
