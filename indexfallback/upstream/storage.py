"""What a directory and a bucket have in common as indexes: they are storage, and no server."""

from indexfallback.outcome import Kind, Outcome
from indexfallback.page import File
from indexfallback.upstream.answers import ClientLogin, DocumentAnswer, Limits, Skipped, Upstream


class StorageIndex:
    """The part of `answers.Upstream` for which a server is needed: JSON, logins, a certificate."""

    def document(
        self,
        project: str,  # noqa: ARG002 - the interface
        version: str,  # noqa: ARG002
        limits: Limits,  # noqa: ARG002
        etag: str | None,  # noqa: ARG002
        last_modified: str | None,  # noqa: ARG002
    ) -> DocumentAnswer:
        """Return that there is no JSON."""
        return DocumentAnswer(Outcome(Kind.ABSENT, "storage has no JSON"))

    def link_login(self, file: File) -> str:  # noqa: ARG002 - the interface
        """Return that links have no login."""
        return ""

    def with_login(self: Upstream, login: ClientLogin) -> Upstream:  # noqa: ARG002 - the interface
        """Return this index: a client's login is for servers."""
        return self

    def skipped(self) -> tuple[Skipped, ...]:
        """Return nothing: what is no distribution is not listed."""
        return ()

    def certificate_end(self) -> None:
        """Return None: no certificate is known."""

    def close(self) -> None:
        """Do nothing: nothing is open between requests."""
