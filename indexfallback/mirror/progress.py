"""The interface by which a run shows how far it is, and asks for consent."""

from typing import Protocol

from indexfallback.mirror.result import Removal, Result


class Progress(Protocol):
    """Shows how far a run is, and asks the user."""

    def expect(self, projects: int) -> None:
        """Add projects to the total."""
        ...

    def advance(self, result: Result) -> None:
        """Count one project as done."""
        ...

    def agrees(self, removal: Removal) -> bool:
        """Return whether the user agrees to a large removal."""
        ...
