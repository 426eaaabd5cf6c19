"""What is fetched ahead of a client, step by step."""

import pytest

from indexfallback.files.pinned import FileAddress
from indexfallback.files.planner import (
    LARGEST_FILE,
    MOST_CHOICES,
    MOST_PROJECTS,
    MOST_WRONG,
    WINDOW,
    WINDOW_PER_REQUEST,
    Planner,
)
from tests.files.planning import (
    INSTALLING,
    LOCKING,
    Release,
    get,
    metadata,
    page,
    take,
    wheel,
    world,
)


def test_a_page_leads_to_metadata_to_the_pages_of_what_they_require_and_so_on() -> None:
    known = world(a="b c", b="d", c="d", d="")
    planner = Planner(INSTALLING)
    get(planner, known, page("a"))
    assert take(planner, known) == [
        metadata("a"), page("b"), page("c"), metadata("b"), metadata("c"), page("d"), metadata("d"),
    ]  # fmt: skip


def test_nothing_is_fetched_twice_or_once_the_client_has_asked_for_it() -> None:
    known = world(a="b c", b="a", c="")
    planner = Planner(INSTALLING)
    get(planner, known, page("a"))
    assert planner.next() == metadata("a")
    planner.read_metadata(metadata("a"), known.requirements(metadata("a")))
    get(planner, known, page("b"))
    assert take(planner, known) == [page("c"), metadata("b"), metadata("c")]
    get(planner, known, page("c"))
    assert take(planner, known) == []


def test_the_newest_version_that_is_allowed_is_followed() -> None:
    known = world(a="b<2", b=[Release("1.9", ("c",)), Release("2.0", ("d",))], c="", d="")
    planner = Planner(INSTALLING)
    get(planner, known, page("a"))
    assert take(planner, known) == [
        metadata("a"), page("b"), metadata("b", "1.9"), page("c"), metadata("c"),
    ]  # fmt: skip


def test_a_specifier_that_comes_later_has_the_choice_made_again() -> None:
    releases = [Release("1.9"), Release("2.0")]
    known = world(a="b c", b=releases, c=Release("1.0", ("d",)), d="b<2")
    planner = Planner(INSTALLING)
    get(planner, known, page("a"))
    taken = take(planner, known)
    assert taken.index(metadata("b", "2.0")) < taken.index(metadata("d"))
    assert taken[-2:] == [page("b"), metadata("b", "1.9")]


def test_the_choice_is_made_again_a_few_times_only() -> None:
    releases = [Release(f"{n}.0", (f"c{n}",)) for n in range(1, 10)]
    limits = {f"c{n}": f"a<{n}" for n in range(1, 10)}
    known = world(a=releases, **limits)
    planner = Planner(INSTALLING)
    get(planner, known, page("a"))
    files = [step for step in take(planner, known) if isinstance(step, FileAddress)]
    chosen = [file for file in files if file.key.project == "a"]
    assert len(chosen) == 1 + MOST_CHOICES


def test_a_marker_is_evaluated_for_the_client() -> None:
    requires = ('b; sys_platform == "win32"', 'c; python_version >= "3.11"')
    known = world(a=Release("1.0", requires), b="", c="")
    planner = Planner(INSTALLING)
    get(planner, known, page("a"))
    assert take(planner, known) == [metadata("a"), page("c"), metadata("c")]


def test_extras_are_followed_as_far_as_they_are_requested() -> None:
    optional = ('d; extra == "fast"', 'e; extra == "slow"', 'f; extra == "Fast.er"')
    known = world(a="b c", b="", c="b[fast,fast_er]", d="", e="", f="")
    known.projects["b"] = (Release("1.0", optional),)
    planner = Planner(INSTALLING)
    get(planner, known, page("a"))
    taken = take(planner, known)
    assert page("d") in taken
    assert page("f") in taken
    assert page("e") not in taken


def test_an_extra_may_be_requested_before_its_project_is_known() -> None:
    known = world(a="b[fast]", b=Release("1.0", ('c; extra == "fast"',)), c="")
    planner = Planner(INSTALLING)
    get(planner, known, page("a"))
    assert page("c") in take(planner, known)


def test_extras_of_extras_are_followed_however_deep_they_go() -> None:
    depth = 500
    chain = {
        f"p{n}": Release("1.0", (f"p{n + 1}", f'p{n + 1}[x]; extra == "x"')) for n in range(depth)
    }
    last = {f"p{depth}": Release("1.0", ('end; extra == "x"',))}
    known = world(a="p0[x]", **chain, **last)
    planner = Planner(INSTALLING)
    for name in (*chain, *last, "a"):
        get(planner, known, page(name))
        get(planner, known, metadata(name))
    assert page("end") in take(planner, known)


@pytest.mark.parametrize(
    "requirement", ["b @ https://example.com/b-1.0-py3-none-any.whl", "-b", "b; python_version<'3'"]
)
def test_a_requirement_that_no_index_is_asked_for_leads_nowhere(requirement: str) -> None:
    known = world(a="", b="")
    if not requirement.startswith("-"):
        known.projects["a"] = (Release("1.0", (requirement,)),)
    planner = Planner(INSTALLING)
    get(planner, known, page("a"))
    assert take(planner, known) == [metadata("a")]


@pytest.mark.parametrize(
    "release",
    [
        Release("1.0", is_sdist=True),
        Release("1.0", has_metadata=False),
        Release("1.0", yanked=True),
        Release("1.0", tag="cp311-cp311-win_amd64"),
        Release("1.0", requires_python="<3"),
    ],
)
def test_what_the_client_would_not_take_as_a_wheel_with_metadata_leads_nowhere(
    release: Release,
) -> None:
    planner = Planner(INSTALLING)
    get(planner, world(a=release), page("a"))
    assert planner.next() is None


def test_the_choice_of_the_client_is_followed_in_place_of_ours() -> None:
    old, new = Release("1.0", ("b<2",)), Release("2.0", ("b>=2",))
    known = world(a=[old, new], b=[Release("1.0"), Release("2.0")])
    planner = Planner(INSTALLING)
    get(planner, known, page("a"))
    assert planner.next() == metadata("a", new)
    planner.read_metadata(metadata("a", new), known.requirements(metadata("a", new)))
    planner.asks(metadata("a", old))
    assert take(planner, known) == [metadata("a", old), page("b"), metadata("b", "1.0")]


def test_a_client_that_chooses_otherwise_is_not_guessed_for_any_more() -> None:
    names = [f"p{n}" for n in range(10)]
    known = world(**{name: [Release("1.0"), Release("2.0")] for name in names})
    planner = Planner(INSTALLING)
    guessed = 0
    for name in names:
        get(planner, known, page(name))
        guessed += metadata(name, "2.0") in take(planner, known)
        get(planner, known, metadata(name, "1.0"))
        take(planner, known)
    assert guessed == MOST_WRONG + 1


def test_an_index_that_is_asked_alone_is_asked_for_what_follows() -> None:
    known = world(a="b", b="")
    planner = Planner(INSTALLING)
    get(planner, known, page("a", "private"))
    assert take(planner, known)[1] == page("b", "private")


def test_the_first_wheel_leads_to_those_whose_metadata_the_client_asked_for_last() -> None:
    known = world(a="b c", b=[Release("1.0"), Release("2.0")], c="")
    planner = Planner(INSTALLING)
    for step in (page("a"), metadata("a"), page("b"), metadata("b", "2.0"), metadata("b", "1.0")):
        get(planner, known, step)
    get(planner, known, page("c"))
    take(planner, known)
    planner.asks(wheel("a"))
    assert take(planner, known) == [wheel("b", "1.0")]
    planner.asks(metadata("c"))
    assert take(planner, known) == [wheel("c")]


def test_no_wheel_is_fetched_for_a_client_that_only_resolves() -> None:
    planner, known = Planner(LOCKING), world(a="b", b="")
    for step in (page("a"), metadata("a"), page("b"), metadata("b")):
        get(planner, known, step)
    planner.asks(wheel("a"))
    assert take(planner, known) == []


def test_no_wheel_is_fetched_before_the_client_downloads_one() -> None:
    planner, known = Planner(INSTALLING), world(a="b", b="")
    for step in (page("a"), metadata("a"), page("b"), metadata("b")):
        get(planner, known, step)
    assert take(planner, known) == []


@pytest.mark.parametrize(("size", "is_fetched"), [(LARGEST_FILE, True), (LARGEST_FILE + 1, False)])
def test_a_wheel_is_fetched_up_to_a_size(size: int, is_fetched: bool) -> None:
    known = world(a="b", b=Release("1.0", size=size))
    planner = Planner(INSTALLING)
    for step in (page("a"), metadata("a"), page("b"), metadata("b")):
        get(planner, known, step)
    planner.asks(wheel("a"))
    assert (wheel("b") in take(planner, known)) is is_fetched


def test_wheels_come_before_pages_that_are_left() -> None:
    known = world(a="b c d", b="", c="", d="")
    planner = Planner(INSTALLING)
    for step in (page("a"), metadata("a"), page("b"), metadata("b")):
        get(planner, known, step)
    planner.asks(wheel("a"))
    assert planner.next() == wheel("b")


def test_a_client_that_asks_for_little_is_not_far_ahead_of() -> None:
    names = [f"p{n}" for n in range(500)]
    known = world(a=Release("1.0", tuple(names)), **dict.fromkeys(names, ""))
    planner = Planner(INSTALLING)
    get(planner, known, page("a"))
    before = len(take(planner, known))
    assert before == WINDOW + WINDOW_PER_REQUEST
    get(planner, known, page("p0"))
    assert len(take(planner, known)) == WINDOW_PER_REQUEST + 1


def test_a_step_that_came_to_nothing_makes_room_for_another() -> None:
    names = [f"p{n}" for n in range(500)]
    known = world(a=Release("1.0", tuple(names)))
    planner = Planner(INSTALLING)
    get(planner, known, page("a"))
    last = take(planner, known)[-1]
    planner.failed(last)
    assert len(take(planner, known)) == 1


def test_a_planner_is_full_before_it_takes_much_memory() -> None:
    planner = Planner(INSTALLING)
    known = world(**{f"p{n}": "" for n in range(MOST_PROJECTS + 10)})
    for name in known.projects:
        get(planner, known, page(name))
    assert planner.is_full
    assert planner.next() is not None
