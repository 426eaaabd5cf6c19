"""Predicts what one client will ask for next, from its requests and their answers. Pure.

A `Planner` gets the requests of its client, and the pages and metadata that answer them; its steps
are what to fetch before the client asks. A page leads to the metadata of the wheel that the client
would take from it; metadata lead to the pages of what they require; the first wheel that the client
downloads leads to the wheels whose metadata it asked for last.

A client decides for itself: it has requirements that this server never sees, such as those on its
command line. A planner therefore follows the client's own choice where it differs, and guesses no
more when most guesses were wrong.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from indexfallback.dists.fitting import newest_wheel
from indexfallback.dists.requirements import applies
from indexfallback.files.pinned import FileAddress
from indexfallback.files.profile import Profile
from indexfallback.names import METADATA_ENDING, FileKey, is_project_name, normalize
from indexfallback.page import ProjectPage

#: A larger file, bytes, is not fetched ahead: that would save one of many round trips, and cost
#: much if no client asks for the file. Nine of ten wheels are smaller.
LARGEST_FILE = 32 * 1024**2
#: Steps that wait for their client to ask for them, at first and for each request of the client: a
#: client that has most of a tree installed already asks for little of it.
WINDOW, WINDOW_PER_REQUEST = 32, 3
#: A planner that has so many more wrong guesses than right ones stops guessing: the client has
#: pins.
MOST_WRONG = 3
#: How often the choice of one project's wheel is made anew for a specifier that came later; more
#: is backtracking, which is the client's own work.
MOST_CHOICES = 3
#: Projects of one planner, requirements in one metadata file, and bytes that a planner keeps,
#: roughly: more than those of the largest install.
MOST_PROJECTS, MOST_REQUIREMENTS, MOST_BYTES = 2000, 2000, 2 * 1024**2
#: Bytes of a requirement or a step with all that belongs to it, beside its text.
_ENTRY = 500


class PageAddress(NamedTuple):
    """A page as a client asks for it."""

    project: str
    #: The one index that is asked for it; None for the chain.
    alone: str | None
    #: The index that is asked before the others of its group; None for the order of the chain.
    first: str | None = None


Step = PageAddress | FileAddress


@dataclass(slots=True)
class _Project:
    """What a planner knows of one project."""

    page: PageAddress
    #: Whether the page was read.
    is_seen: bool = False
    #: The address of the metadata of the wheel that is followed, of the client's choice or ours.
    metadata: FileAddress | None = None
    #: Whether the client has asked for these metadata, and whether they were read.
    is_asked: bool = False
    is_read: bool = False
    #: Whether the client has asked for a wheel.
    is_downloaded: bool = False
    choices: int = 0
    #: The extras that requirements ask for.
    extras: set[str] = field(default_factory=set)
    #: The specifiers for it, by the project that states them.
    demands: dict[str, SpecifierSet] = field(default_factory=dict)
    #: The requirements that depend on an extra, and the projects that are required.
    optional: tuple[Requirement, ...] = ()
    required: set[str] = field(default_factory=set)
    #: The files on its page that are too large to fetch ahead.
    large: frozenset[str] = frozenset()

    @property
    def allowed(self) -> SpecifierSet:
        """The specifiers of all requirements together."""
        allowed = SpecifierSet()
        for specifiers in self.demands.values():
            allowed &= specifiers
        return allowed


class Planner:
    """Plans what to fetch for one client; its methods are called in one thread."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._projects: dict[str, _Project] = {}
        #: What the client has asked for, and what was fetched ahead that it has not asked for.
        self._asked: set[Step] = set()
        self._unclaimed: set[Step] = set()
        #: Steps to take, in their order; those whose content is needed are taken in any case.
        self._steps: deque[Step] = deque()
        self._planned: set[Step] = set()
        self._needed: set[Step] = set()
        self._downloads = False
        self._right = self._wrong = 0
        self._bytes = 0

    @property
    def is_full(self) -> bool:
        """Whether it keeps so much that it plans no more; its client gets a new one."""
        return self._bytes > MOST_BYTES or len(self._projects) >= MOST_PROJECTS

    def has_asked(self, step: Step) -> bool:
        """Tell whether the client has asked for a page or a file."""
        return step in self._asked

    def has_seen(self, address: PageAddress) -> bool:
        """Tell whether a page was read."""
        project = self._projects.get(address.project)
        return project is not None and project.is_seen

    # What the client does.

    def asks(self, step: Step) -> None:
        """Note that the client asks for a page or a file."""
        if self.is_full:
            return
        self._asked.add(step)
        self._bytes += _ENTRY
        self._unclaimed.discard(step)
        if isinstance(step, PageAddress):
            self._project(step).page = step
            return
        project = self._project(PageAddress(step.key.project, None))
        if step.is_metadata:
            self._follow(project, step)
            if self._downloads:
                self._plan_wheels([project])
        else:
            project.is_downloaded = True
            if not self._downloads:
                self._downloads = True
                self._plan_wheels(self._projects.values())

    # What the answers are.

    def read_page(self, address: PageAddress, owner: str, page: ProjectPage) -> None:
        """Plan what follows a page, whose files have addresses with ``owner``."""
        if self.is_full:
            return
        project = self._project(address)
        self._planned.add(address)
        self._needed.discard(address)
        project.is_seen = True
        project.large = frozenset(f.filename for f in page.files if (f.size or 0) > LARGEST_FILE)
        if project.is_asked or self._wrong > self._right + MOST_WRONG:
            return
        file = newest_wheel(page, self._profile.interpreter, project.allowed)
        if file is None or file.core_metadata is False:
            return
        key = FileKey(address.project, file.sha256)
        metadata = FileAddress(owner, key, file.filename + METADATA_ENDING)
        if metadata != project.metadata:
            self._choose(project, metadata)
            self._plan(metadata)

    def read_metadata(self, address: FileAddress, requirements: Iterable[Requirement]) -> None:
        """Plan what follows metadata."""
        project = self._projects.get(address.key.project)
        if self.is_full or project is None or project.metadata != address or project.is_read:
            return
        project.is_read = True
        self._needed.discard(address)
        required, optional = [], []
        for requirement in islice(requirements, MOST_REQUIREMENTS):
            if self._applies(requirement, ""):
                required.append(requirement)
            elif "extra" in str(requirement.marker):
                optional.append(requirement)
                self._bytes += 2 * _ENTRY
        project.optional = tuple(optional)
        self._require(project, [*required, *self._optional(project, project.extras)])

    # What to do.

    def next(self) -> Step | None:
        """Return the next step, or None if there is none for now."""
        window = WINDOW + WINDOW_PER_REQUEST * len(self._asked)
        while self._steps:
            step = self._steps[0]
            is_ahead = step not in self._asked
            if is_ahead and len(self._unclaimed) >= window:
                return None
            self._steps.popleft()
            if is_ahead:
                self._unclaimed.add(step)
            if is_ahead or step in self._needed:
                self._needed.discard(step)
                return step
        return None

    def failed(self, step: Step) -> None:
        """Note that a step was not taken, or has failed."""
        self._unclaimed.discard(step)

    # The tree of requirements.

    def _project(self, page: PageAddress) -> _Project:
        if page.project not in self._projects:
            self._projects[page.project] = _Project(page)
            self._bytes += _ENTRY
        return self._projects[page.project]

    def _plan(self, step: Step) -> None:
        if step not in self._planned:
            self._steps.append(step)
            self._planned.add(step)
            self._bytes += _ENTRY

    def _need(self, step: Step) -> None:
        """Plan to read what is known by now, whether the client has asked for it or not."""
        self._needed.add(step)
        self._planned.add(step)
        self._steps.appendleft(step)

    def _follow(self, project: _Project, metadata: FileAddress) -> None:
        """Follow the client's own choice of a wheel."""
        if project.metadata is not None and not project.is_asked:
            self._right += project.metadata == metadata
            self._wrong += project.metadata != metadata
        project.is_asked = True
        if project.metadata != metadata:
            self._choose(project, metadata)
        if not project.is_read:
            self._need(metadata)

    def _choose(self, project: _Project, metadata: FileAddress) -> None:
        """Take a wheel in place of the one before, with what that required."""
        for name in project.required:
            self._projects[name].demands.pop(project.page.project, None)
        project.required.clear()
        project.metadata, project.is_read, project.optional = metadata, False, ()

    def _require(self, parent: _Project, requirements: Iterable[Requirement]) -> None:
        """Plan the pages of requirements, and of what they require by extras."""
        left = deque((parent, requirement) for requirement in requirements)
        while left:
            by, requirement = left.popleft()
            name = normalize(requirement.name)
            if requirement.url is not None or not is_project_name(name):
                continue
            project = self._project(by.page._replace(project=name))
            by.required.add(name)
            stated = by.page.project
            known = project.demands.get(stated, SpecifierSet())
            project.demands[stated] = known & requirement.specifier
            self._bytes += _ENTRY
            self._plan(project.page)
            self._choose_again(project)
            extras = {normalize(extra) for extra in requirement.extras} - project.extras
            project.extras |= extras
            left.extend((project, each) for each in self._optional(project, extras))

    def _optional(self, project: _Project, extras: Iterable[str]) -> Iterator[Requirement]:
        """Yield the requirements that apply with one of some extras."""
        for requirement in project.optional:
            if any(self._applies(requirement, extra) for extra in extras):
                yield requirement

    def _applies(self, requirement: Requirement, extra: str) -> bool:
        return applies(requirement, {**self._profile.interpreter.markers, "extra": extra})

    def _choose_again(self, project: _Project) -> None:
        """Look at a page again if a specifier excludes the wheel that was chosen from it."""
        chosen = project.metadata
        if chosen is None or project.is_asked or project.choices >= MOST_CHOICES:
            return
        version = chosen.filename.split("-", 2)[1]
        if not project.allowed.contains(version, prereleases=True):
            project.choices += 1
            self._need(project.page)

    def _plan_wheels(self, projects: Iterable[_Project]) -> None:
        """Plan the wheels whose metadata the client asked for last, before all other steps."""
        wheels = []
        for project in projects if self._profile.installs else ():
            if project.is_downloaded or not project.is_asked or project.metadata is None:
                continue
            wheel = project.metadata._replace(filename=project.metadata.listed)
            if wheel.filename not in project.large and wheel not in self._planned:
                wheels.append(wheel)
        self._planned.update(wheels)
        self._steps.extendleft(reversed(wheels))
        self._bytes += len(wheels) * _ENTRY
