"""Whether a private index has projects of the public one, judged by names and by compared pages.

A private index owns every name that it lists. That is wrong for two kinds: a virtual repository,
which passes on all that the public index has, and an extra index that has old copies of some
public projects. No I/O.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from indexfallback.chain.copies import is_copy_of
from indexfallback.config import Index
from indexfallback.names import is_claimed
from indexfallback.page import ProjectPage
from indexfallback.words import counted, shortened

#: Projects of PyPI that almost every environment has. A private index that lists one of them has a
#: copy, or a fork, which `projects` can name.
WELL_KNOWN = frozenset(
    ("attrs", "boto3", "certifi", "charset-normalizer", "click", "cryptography", "django", "flask",
     "idna", "jinja2", "numpy", "packaging", "pandas", "pip", "pytest", "python-dateutil",
     "pyyaml", "requests", "setuptools", "six", "typing-extensions", "urllib3", "wheel")
)  # fmt: skip
#: An index that lists this many of `WELL_KNOWN` passes on the public one; PyTorch's has ten.
_MOST_WELL_KNOWN = 16
#: An index with more names than this passes on the public one, which has several hundred thousand;
#: a company has some thousand projects.
_MANY = 50_000
#: Names that are compared at most: the public index hears them.
SAMPLE = 20
#: Of these, at most as many that are probably public.
_LIKELY = 10
#: A copy with this share of the public index's files is no old one.
_WHOLE = 0.9
#: So many whole copies are no accident.
_WHOLE_COPIES = 3
#: Names in a message.
_SHOWN = 3
#: Names that are proposed for `only`; a longer list needs patterns.
_PROPOSED = 10


class Relation(Enum):
    """What a project of a private index is to the public index's project of the same name."""

    #: There is no such public project.
    OWN = "own"
    #: The public project has other files.
    NAMESAKE = "namesake"
    #: All files are the public project's, which has more.
    COPY = "copy"
    #: The same, and the public project has hardly more.
    WHOLE_COPY = "whole copy"


def relation(page: ProjectPage, public: ProjectPage | None) -> Relation:
    """Compare a page with the public index's; None if that does not have the project."""
    if public is None or not public.files:
        return Relation.OWN
    if not is_copy_of(page, public):
        return Relation.NAMESAKE
    is_whole = len(page.files) >= _WHOLE * len(public.files)
    return Relation.WHOLE_COPY if is_whole else Relation.COPY


@dataclass(frozen=True)
class Names:
    """What is known of the names of a private index."""

    index: Index
    #: The name of the public index.
    public: str
    #: The names that it lists or has served.
    listed: frozenset[str]
    #: Projects that the public index is known to have: their pages are in the cache.
    known_public: frozenset[str] = frozenset()
    #: Projects whose pages were compared.
    compared: Mapping[str, Relation] = field(default_factory=dict)
    #: Whether the public index was asked for the comparison.
    was_asked: bool = False

    @property
    def unclaimed(self) -> frozenset[str]:
        """The names that the configuration does not give to the index on purpose."""
        return frozenset(n for n in self.listed if not is_claimed(n, self.index.projects))


@dataclass(frozen=True)
class Judgement:
    """What the names of an index mean."""

    #: One clause, without a full stop.
    what: str
    #: What to write into the configuration, as a sentence; empty if nothing has to change.
    remedy: str = ""
    #: The names for ``only``, where there are copies and all names were compared; else empty.
    only: tuple[str, ...] = ()


def sample(names: Names, choose: Callable[[Sequence[str], int], list[str]]) -> list[str]:
    """Return the names to compare: some that are probably public, then any; none that is claimed.

    ``choose`` returns a number of random items (`random.Random.sample`).
    """
    first = sorted(names.unclaimed & (WELL_KNOWN | names.known_public))
    chosen = choose(first, min(len(first), _LIKELY))
    rest = sorted(names.unclaimed.difference(chosen))
    return chosen + choose(rest, min(len(rest), SAMPLE - len(chosen)))


def judge(names: Names) -> Judgement | None:
    """Return what to say of an index; None if nothing."""
    index = names.index
    if index.only:
        return None
    copies = _copies(names)
    suspects = sorted(names.unclaimed & (WELL_KNOWN | names.known_public) - names.compared.keys())
    if _is_virtual(names):
        return Judgement(_passes_on(names, copies or suspects), _remedy_of_virtual(names))
    if copies and not index.defer_copies:
        what = (
            f"has copies of projects of {names.public} ({shortened(copies, _SHOWN)}), and owns them"
        )
        return Judgement(what, _remedy(names), _own(names))
    if suspects and not names.was_asked and not index.defer_copies:
        what = f"owns names of public projects ({shortened(suspects, _SHOWN)})"
        return Judgement(what, _remedy_unless_forked(names))
    return _well(names, copies)


def _copies(names: Names) -> list[str]:
    kinds = (Relation.COPY, Relation.WHOLE_COPY)
    return sorted(n for n in names.unclaimed if names.compared.get(n) in kinds)


def _own(names: Names) -> tuple[str, ...]:
    """Return the names that are no copies, if all are known and few enough to be written down."""
    if names.unclaimed - names.compared.keys():
        return ()
    own = names.listed.difference(_copies(names))
    return tuple(sorted(own)) if len(own) <= _PROPOSED else ()


def _is_virtual(names: Names) -> bool:
    """Tell whether an index passes on all that the public one has."""
    whole = sum(names.compared[name] is Relation.WHOLE_COPY for name in _copies(names))
    return (
        len(names.listed) > _MANY
        or len(names.unclaimed & WELL_KNOWN) >= _MOST_WELL_KNOWN
        or (whole >= _WHOLE_COPIES and 2 * whole >= len(names.compared))
    )


def _passes_on(names: Names, public: list[str]) -> str:
    examples = f" ({shortened(public, _SHOWN)})" if public else ""
    count = counted(len(names.listed), "name")
    return f"passes on projects of {names.public}{examples}, and owns all {count} of its list"


def _remedy_of_virtual(names: Names) -> str:
    return (
        f"Give {names.index.name} the address of the repository without the remote, "
        f"or set {_only(_own(names))}."
    )


def _remedy(names: Names) -> str:
    return (
        f"Set {_only(_own(names))} if {names.index.name} is for these alone, "
        "else defer_copies = true."
    )


def _remedy_unless_forked(names: Names) -> str:
    name = names.index.name
    return (
        f"If they are copies, set {_only(())} or defer_copies = true for {name}; if they are its "
        f"own, add them to projects. `indexfallback config check --compare` tells: it asks "
        f"{names.public} for up to {SAMPLE} names of {name}."
    )


def _only(own: Sequence[str]) -> str:
    patterns = ", ".join(f'"{name}"' for name in own or ["its-name-*"])
    return f"only = [{patterns}]"


def _well(names: Names, copies: Sequence[str]) -> Judgement | None:
    """Return what a comparison found where nothing has to change."""
    if not names.was_asked:
        return None
    if not names.compared:
        return Judgement(f"none of its names could be compared with {names.public}")
    namesakes = sorted(n for n, kind in names.compared.items() if kind is Relation.NAMESAKE)
    parts = [f"{counted(len(names.compared), 'name')} compared with {names.public}"]
    if copies:
        parts.append(f"copies ({shortened(copies, _SHOWN)}) stay {names.public}'s")
    if namesakes:
        parts.append(f"its own beside public namesakes: {shortened(namesakes, _SHOWN)}")
    what = "; ".join(parts) if parts[1:] else f"{parts[0]}: no copies"
    return Judgement(what, only=_own(names) if copies else ())
