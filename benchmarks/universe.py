"""The distributions of a soak: of a private index, and of a public index with a mirror.

They are the same in every process, so that a client knows each byte without asking.
"""

from dataclasses import dataclass
from functools import cache

from tests.fakes import Dist, wheel

#: Sizes of the public files, bytes, in turn: small ones are stored together, large ones are
#: transferred in parts. 80 files are 60 MB.
_SIZES = (2_000, 20_000, 200_000, 2_000, 50_000, 1_000_000, 20_000, 5_000_000)
_PROJECTS = 40
_PRIVATE_PROJECTS = 8
#: Private projects whose names the public index has too, with other bytes.
_IMPOSTORS = 4


@dataclass(frozen=True)
class Universe:
    """All files, by who offers them."""

    private: tuple[Dist, ...]
    public: tuple[Dist, ...]
    #: What the public index offers under names of the private one: never to be served.
    impostors: tuple[Dist, ...]

    @property
    def projects(self) -> dict[str, dict[str, Dist]]:
        """The right files by project and file name."""
        found: dict[str, dict[str, Dist]] = {}
        for dist in (*self.public, *self.private):
            found.setdefault(dist.project, {})[dist.filename] = dist
        return found


@cache
def universe() -> Universe:
    """Return the files; they are made once in each process."""
    public = [
        wheel(f"public-{number}", version, size=_SIZES[(2 * number + odd) % len(_SIZES)])
        for number in range(_PROJECTS)
        for odd, version in enumerate(("1.0", "2.0"))
    ]
    private = [
        wheel(f"private-{number}", size=_SIZES[number % len(_SIZES)])
        for number in range(_PRIVATE_PROJECTS)
    ]
    impostors = [
        wheel(dist.name, extra_files={"impostor.txt": b"not the owner's"})
        for dist in private[:_IMPOSTORS]
    ]
    return Universe(tuple(private), tuple(public), tuple(impostors))
