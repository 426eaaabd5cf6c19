"""What holds of all that is fetched ahead, whatever an index has and whatever clients do."""

from collections.abc import Iterator

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from packaging.tags import parse_tag

from indexfallback.files.pinned import FileAddress
from indexfallback.files.planner import LARGEST_FILE, PageAddress, Step
from indexfallback.files.profile import Profile
from indexfallback.files.schedule import (
    FOLLOWED_SECONDS,
    MOST_AT_ONCE,
    MOST_CLIENTS,
    Client,
    Schedule,
    Task,
)
from indexfallback.names import METADATA_ENDING, normalize
from tests.files.planning import (
    INSTALLING,
    LINUX,
    LOCKING,
    Release,
    World,
    answer,
    metadata,
    page,
    wheel,
)

NAMES = ("a", "b", "c", "d", "e", "f", "zope-interface")
#: Far more than the projects and releases of a world, each with some choices made anew.
MOST_TASKS = 500
MARKERS = ("", '; sys_platform == "win32"', '; extra == "x"', '; python_version >= "3"')

names = st.sampled_from(NAMES)
requirements = st.builds(
    "{}{}{}{}".format,
    st.sampled_from((*NAMES, "Zope.Interface", "nowhere")),
    st.sampled_from(("", "[x]", "[x,y]")),
    st.sampled_from(("", "<2", ">=2", "==1.0", "!=2.0,<3")),
    st.sampled_from(MARKERS),
)
releases = st.builds(
    Release,
    st.sampled_from(("1.0", "1.5", "2.0", "3.0rc1")),
    st.lists(requirements, max_size=4).map(tuple),
    size=st.none() | st.sampled_from((1, LARGEST_FILE, LARGEST_FILE + 1)),
    tag=st.sampled_from(("py3-none-any", "cp311-cp311-win_amd64", "cp311-abi3-linux_x86_64")),
    is_sdist=st.booleans(),
    yanked=st.booleans(),
    has_metadata=st.sampled_from((True, True, False)),
)
pages = st.lists(releases, max_size=4, unique_by=lambda each: (each.version, each.is_sdist))
clients = st.sampled_from([Client("127.0.0.1", f"pip/{n}") for n in range(3)])
profiles = st.sampled_from((INSTALLING, LOCKING))


class Machine(RuleBasedStateMachine):
    """Clients that ask for anything, answers in any order, indexes that come and go."""

    @initialize(projects=st.dictionaries(names, pages, min_size=1), profile=profiles)
    def begin(self, projects: dict[str, list[Release]], profile: Profile) -> None:
        self.world = World(dict(projects))
        self.profile = profile
        self.now = 0.0
        self.troubled: frozenset[str] = frozenset()
        self.schedule = Schedule(lambda step: _project(step) not in self.troubled)
        self.running: list[Task] = []
        self.taken = 0
        self.seen: dict[Client, float] = {}
        self.missed: dict[Client, float] = {}
        #: For each client, what it asked for, the names that its requirements have, and the pages
        #: that were read.
        self.asked: dict[Client, set[Step]] = {}
        self.named: dict[Client, set[str]] = {}
        self.read: dict[Client, set[str]] = {}

    def files(self) -> Iterator[tuple[str, Release]]:
        for project, listed in self.world.projects.items():
            yield from ((project, release) for release in listed)

    @rule(client=clients, name=names, is_held=st.booleans(), data=st.data())
    def ask(self, client: Client, name: str, is_held: bool, data: st.DataObject) -> None:
        choices: list[Step] = [page(name)]
        for project, release in self.files():
            choices += [wheel(project, release), metadata(project, release)]
        step = data.draw(st.sampled_from(choices))
        self.seen[client] = self.now
        if not is_held:
            self.missed[client] = self.now
        self.asked.setdefault(client, set()).add(step)
        is_followed = self.schedule.asks(client, self.profile, step, self.now, is_held=is_held)
        assert is_followed is self.is_followed(client)
        if isinstance(step, PageAddress) and is_followed:
            self.give(client, step)
        self.begin_tasks()

    def give(self, client: Client, step: Step) -> None:
        planner = self.schedule.planner(client)
        if planner is None:
            return
        if isinstance(step, FileAddress) and step.is_metadata:
            for requirement in self.world.requirements(step):
                self.named.setdefault(client, set()).add(normalize(requirement.name))
        if isinstance(step, PageAddress):
            self.read.setdefault(client, set()).add(step.project)
        answer(planner, self.world, step)

    def is_followed(self, client: Client) -> bool:
        missed = self.now - self.missed.get(client, float("-inf"))
        return missed < FOLLOWED_SECONDS

    def begin_tasks(self) -> None:
        while (task := self.schedule.next(self.now)) is not None:
            self.taken += 1
            self.check(task)
            self.running.append(task)

    def check(self, task: Task) -> None:
        client, step = task.client, task.step
        asked = self.asked[client]
        assert self.now - self.seen[client] < FOLLOWED_SECONDS, "a client that is silent"
        assert self.is_followed(client), "a client for which everything is held"
        assert _project(step) not in self.troubled, "an index in trouble"
        if isinstance(step, PageAddress):
            assert step.project in self.named.get(client, ()) or step in asked, "an unknown name"
            return
        project = step.key.project
        listed = {wheel(project, release): release for release in self.world.projects[project]}
        dist = step._replace(filename=step.filename.removesuffix(METADATA_ENDING))
        release = listed[dist]
        if step.is_metadata:
            fits = any(tag in LINUX.tags for tag in parse_tag(release.tag))
            by_itself = release.has_metadata and not release.is_sdist and not release.yanked
            assert step in asked or (fits and by_itself and project in self.read[client])
            return
        assert self.profile.installs, "a client that only resolves"
        assert dist._replace(filename=dist.filename + METADATA_ENDING) in asked
        assert any(isinstance(s, FileAddress) and not s.is_metadata for s in asked)
        assert project not in self.read.get(client, ()) or (release.size or 0) <= LARGEST_FILE

    @precondition(lambda self: self.running)
    @rule(data=st.data(), comes=st.booleans())
    def finish(self, data: st.DataObject, comes: bool) -> None:
        task = self.running.pop(data.draw(st.integers(0, len(self.running) - 1)))
        self.end(task, comes=comes)

    def end(self, task: Task, *, comes: bool) -> None:
        self.schedule.ended()
        planner = self.schedule.planner(task.client)
        if comes:
            self.give(task.client, task.step)
        elif planner is not None:
            planner.failed(task.step)
        self.begin_tasks()

    @rule(seconds=st.sampled_from((0.1, 9.0, 10.0, 400.0)))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule(troubled=st.frozensets(names))
    def have_trouble(self, troubled: frozenset[str]) -> None:
        self.troubled = troubled

    @invariant()
    def no_more_at_once_than_the_bound(self) -> None:
        assert len(getattr(self, "running", ())) <= MOST_AT_ONCE

    def teardown(self) -> None:
        """Answer all that is under way: it comes to an end."""
        if not hasattr(self, "schedule"):
            return
        before = self.taken
        while self.running:
            self.end(self.running.pop(0), comes=True)
            assert self.taken - before < MOST_TASKS
        assert self.schedule.is_idle


def _project(step: Step) -> str:
    return step.project if isinstance(step, PageAddress) else step.key.project


TestSchedule = Machine.TestCase
TestSchedule.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)


def _ask(schedule: Schedule, client: Client, step: Step, now: float) -> None:
    schedule.asks(client, INSTALLING, step, now, is_held=False)


def test_clients_take_turns() -> None:
    many = Release("1.0", tuple(f"p{n}" for n in range(100)))
    known = World({"a": [many]})
    schedule = Schedule(lambda _: True)
    first, second = Client("127.0.0.1", "pip/1"), Client("127.0.0.1", "pip/2")
    for client in (first, second):
        _ask(schedule, client, page("a"), 0.0)
        planner = schedule.planner(client)
        assert planner is not None
        answer(planner, known, page("a"))
        answer(planner, known, metadata("a", many))
    tasks = [schedule.next(1.0) for _ in range(MOST_AT_ONCE)]
    assert [task.client for task in tasks if task] == [first, second] * (MOST_AT_ONCE // 2)
    assert schedule.next(1.0) is None


def test_a_client_that_was_silent_goes_on_with_its_downloads_and_begins_anew_with_a_page() -> None:
    schedule, client = Schedule(lambda _: True), Client("127.0.0.1", "pip/1")
    _ask(schedule, client, page("a"), 0.0)
    before = schedule.planner(client)
    _ask(schedule, client, wheel("a"), 60.0)
    assert schedule.planner(client) is before
    _ask(schedule, client, page("a"), 120.0)
    assert schedule.planner(client) is not before


def test_the_planners_of_the_latest_clients_are_kept() -> None:
    schedule = Schedule(lambda _: True)
    asking = [Client("127.0.0.1", f"pip/{n}") for n in range(MOST_CLIENTS + 2)]
    for client in asking:
        _ask(schedule, client, page("a"), 0.0)
    assert [schedule.planner(client) is not None for client in asking] == [
        False, False, *[True] * MOST_CLIENTS,
    ]  # fmt: skip
    _ask(schedule, asking[0], page("a"), 1000.0)
    assert [client for client in asking if schedule.planner(client)] == [asking[0]]


def test_a_full_planner_gives_way_to_a_new_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indexfallback.files.planner.MOST_PROJECTS", 3)
    schedule, client = Schedule(lambda _: True), Client("127.0.0.1", "pip/1")
    for name in NAMES:
        _ask(schedule, client, page(name), 0.0)
    planner = schedule.planner(client)
    assert planner is not None
    assert planner.has_asked(page(NAMES[-1]))
