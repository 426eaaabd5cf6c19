"""The rule of whose projects an index takes: none that another index of the chain owns. Pure."""

from collections.abc import Mapping, Sequence

from indexfallback.config import Index
from indexfallback.errors import UploadRefusedError
from indexfallback.store.ownership import Ownership


def check_owner(
    filename: str,
    project: str,
    index: Index,
    chain: Sequence[Index],
    owners: Mapping[str, Ownership],
    *,
    origin: Index | None = None,
) -> None:
    """Refuse a file of another index's project; raises `UploadRefusedError`.

    ``owners`` are those of the project by the ledger. ``origin``, an index from which the file is
    promoted, may own the project as well, but not claim it.
    """
    others = [each for each in chain if each is not index]
    for other in others:
        if other.claims(project) and not index.claims(project):
            raise UploadRefusedError(
                filename,
                f"{other.name} claims {project}, so {index.name} cannot serve it",
                f"Change projects of {other.name} or {index.name}, or the name",
            )
    for other in others:
        may_own = other.is_private and other is not origin
        known = owners.get(other.key) if may_own else None
        is_owner = known is not None and known.is_owner(other.defer_copies)
        if is_owner and index.key not in owners:
            raise UploadRefusedError(
                filename,
                f"{project} belongs to {other.name}",
                f"Choose another name. If the project moves here on purpose, run "
                f"`indexfallback cache disown {project}`",
            )
