"""A permit: who changes a hosted index, and which projects they may change."""

from typing import NamedTuple

from indexfallback.errors import UploadForbiddenError
from indexfallback.names import is_claimed
from indexfallback.store.events import Actor


class Permit(NamedTuple):
    """Who sends a request or runs a command, and for which projects that is allowed."""

    actor: Actor
    #: Normalised names and patterns such as ``acme-*``; empty for all projects.
    projects: tuple[str, ...] = ()

    def covers(self, project: str) -> bool:
        """Tell whether it is for a normalised project."""
        return not self.projects or is_claimed(project, self.projects)

    def check(self, filename: str, project: str) -> None:
        """Refuse the file of a project that it is not for; raises `UploadForbiddenError`."""
        if not self.covers(project):
            raise UploadForbiddenError(
                filename,
                f"token {self.actor.token} is for {', '.join(self.projects)} alone, and not for "
                f"{project}",
                "Use a token for this project",
            )
