"""What tests of both formats share."""

from indexfallback.formats import parse_listing


def project_names(body: bytes, content_type: str, url: str) -> tuple[str, ...]:
    """Return the sorted names of a root page."""
    return tuple(sorted({name for name, _ in parse_listing(body, content_type, url)[0]}))
