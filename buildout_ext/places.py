"""The indexes and links that one section of a buildout names for itself."""

from dataclasses import dataclass

from indexfallback.config.address import redact_text

REMOTE = ("http:", "https:")


@dataclass(frozen=True)
class Places:
    """What one section names, as it is written."""

    section: str
    index: str = ""
    #: The indexes of ``extra-index-url``.
    extra: tuple[str, ...] = ()
    links: tuple[str, ...] = ()

    @property
    def indexes(self) -> tuple[tuple[str, str], ...]:
        """Option and address of each index that is not a directory."""
        named = [("index", self.index), *(("extra-index-url", url) for url in self.extra)]
        return tuple((option, url) for option, url in named if url.startswith(REMOTE))

    @property
    def words(self) -> str:
        """The options with their addresses, for a message; empty if there are none."""
        named = [("index", self.index)] if self.index else []
        named += [("extra-index-url", url) for url in self.extra]
        named += [("find-links", url) for url in self.links]
        return "".join(f"\n  [{self.section}] {name} = {redact_text(url)}" for name, url in named)
