"""What ``config check``, ``doctor`` and ``init`` say of private indexes with public projects."""

import os
import random
from collections.abc import Iterator
from contextlib import closing

import pytest

from indexfallback.cli import init_steps, trial
from indexfallback.config import Index
from indexfallback.doctor.copies import (
    SAMPLE,
    WELL_KNOWN,
    Names,
    Relation,
    judge,
    relation,
    sample,
)
from indexfallback.page import File, ProjectPage
from tests.cli.initiating import NewUser
from tests.cli.support import COLUMNS, CommandLine
from tests.fakes import FakeIndex, wheel
from tests.serving import index_table

OLD, NEW = wheel("jinja2", "3.1.2"), wheel("jinja2", "3.1.6")
needs_terminal = pytest.mark.skipif(os.name == "nt", reason="a terminal as Unix has it")


def index(**values: object) -> Index:
    return Index(**{"name": "extra", "url": "https://extra.example.com/", **values})  # type: ignore[arg-type]


def names(*listed: str, **values: object) -> Names:
    made = {"index": index(), "public": "pypi", "listed": frozenset(listed)}
    return Names(**{**made, **values})  # type: ignore[arg-type]


def page(*digests: str | None) -> ProjectPage:
    files = tuple(
        File(filename=f"a-{n}.zip", url="https://x/", hashes={"sha256": d} if d else {})
        for n, d in enumerate(digests)
    )
    return ProjectPage(name="a", files=files)


# The judgement.


@pytest.mark.parametrize(
    ("own", "public", "expected"),
    [
        (page("1"), None, Relation.OWN),
        (page("1"), page(), Relation.OWN),
        (page("1"), page("1", "2"), Relation.COPY),
        (page("1", "2"), page("1", "2"), Relation.WHOLE_COPY),
        (page("1", "3"), page("1", "2"), Relation.NAMESAKE),
        (page("1", None), page("1", "2"), Relation.NAMESAKE),
    ],
)
def test_equal_sha256_tell_copies_from_namesakes(
    own: ProjectPage, public: ProjectPage | None, expected: Relation
) -> None:
    assert relation(own, public) is expected


def test_an_index_of_its_own_names_is_fine() -> None:
    assert judge(names("acme-app", "acme-lib")) is None


def test_a_well_known_name_is_warned_of_and_the_comparison_named() -> None:
    found = judge(names("torch", "jinja2"))
    assert found is not None
    assert found.what == "owns names of public projects (jinja2)"
    assert 'only = ["its-name-*"] or defer_copies = true for extra' in found.remedy
    assert "`indexfallback config check --compare`" in found.remedy


def test_a_name_whose_public_page_is_cached_is_warned_of() -> None:
    found = judge(names("torch", "markupsafe", known_public=frozenset({"markupsafe"})))
    assert found is not None
    assert "(markupsafe)" in found.what


@pytest.mark.parametrize("keys", [{"projects": ("jin*",)}, {"defer_copies": True}])
def test_a_name_that_is_claimed_or_deferred_is_not_warned_of(keys: dict[str, object]) -> None:
    assert judge(names("torch", "jinja2", index=index(**keys))) is None


def test_an_index_with_only_is_not_judged() -> None:
    assert judge(names(*WELL_KNOWN, index=index(only=("torch",)))) is None


def test_copies_are_named_with_the_names_that_are_the_indexs_own() -> None:
    compared = {"torch": Relation.NAMESAKE, "vision": Relation.OWN, "jinja2": Relation.COPY}
    found = judge(names(*compared, compared=compared, was_asked=True))
    assert found is not None
    assert found.what == "has copies of projects of pypi (jinja2), and owns them"
    assert 'only = ["torch", "vision"] if extra is for these alone' in found.remedy
    assert found.only == ("torch", "vision")


def test_names_that_were_not_all_compared_are_not_proposed() -> None:
    found = judge(names("torch", "vision", "jinja2", compared={"jinja2": Relation.COPY}))
    assert found is not None
    assert found.only == ()
    assert 'only = ["its-name-*"]' in found.remedy


def test_deferred_copies_are_no_problem_but_only_is_proposed() -> None:
    compared = {"torch": Relation.NAMESAKE, "jinja2": Relation.COPY}
    deferring = index(defer_copies=True)
    found = judge(names(*compared, compared=compared, was_asked=True, index=deferring))
    assert found is not None
    assert (found.remedy, found.only) == ("", ("torch",))
    assert "copies (jinja2) stay pypi's; its own beside public namesakes: torch" in found.what


@pytest.mark.parametrize(
    "virtual",
    [
        names(*(f"name-{n}" for n in range(50_001))),
        names(*WELL_KNOWN),
        names(*"abcd", compared=dict.fromkeys("abc", Relation.WHOLE_COPY)),
    ],
    ids=["many names", "well-known names", "whole copies"],
)
def test_a_virtual_repository_is_told_by_size_by_names_or_by_whole_copies(virtual: Names) -> None:
    found = judge(virtual)
    assert found is not None
    assert "passes on projects of pypi" in found.what
    assert "the address of the repository without the remote" in found.remedy


def test_old_copies_are_no_virtual_repository() -> None:
    found = judge(names(*"abcd", compared=dict.fromkeys("abc", Relation.COPY)))
    assert found is not None
    assert "has copies" in found.what


def test_a_sample_has_twenty_names_some_of_them_probably_public_and_none_that_is_claimed() -> None:
    listed = {*WELL_KNOWN, *(f"acme-{n}" for n in range(100))}
    made = names(*listed, index=index(projects=("acme-1*",)))
    chosen = sample(made, random.Random(1).sample)
    assert len(chosen) == len(set(chosen)) == SAMPLE
    assert len(WELL_KNOWN.intersection(chosen)) >= 10
    assert not [name for name in chosen if name.startswith("acme-1")]
    assert chosen == sample(made, random.Random(1).sample)
    assert chosen != sample(made, random.Random(2).sample)


def test_a_sample_of_a_short_list_is_all_of_it() -> None:
    assert set(sample(names("torch", "jinja2"), random.Random().sample)) == {"torch", "jinja2"}


# The commands.


@pytest.fixture
def extra() -> Iterator[FakeIndex]:
    """Return an index with a build of its own and an old copy."""
    with FakeIndex([OLD, wheel("torch", "2.9+cpu")]) as index:
        yield index


@pytest.fixture
def pypi() -> Iterator[FakeIndex]:
    """Return a public index that has both projects."""
    with FakeIndex([OLD, NEW, wheel("torch", "2.10"), wheel("pip", "26.3")]) as index:
        yield index


def configure(cli: CommandLine, extra: FakeIndex, pypi: FakeIndex, **keys: object) -> None:
    table = index_table("extra", extra.url, role="private", **keys)
    cli.configure(table, index_table("pypi", pypi.url))


def private_names_at(pypi: FakeIndex) -> int:
    return pypi.count("/simple/torch/") + pypi.count("/simple/jinja2/")


COMMANDS = [("config", "check"), ("doctor",)]


@pytest.mark.parametrize("command", COMMANDS)
def test_without_compare_the_public_index_hears_no_name(
    cli: CommandLine, extra: FakeIndex, pypi: FakeIndex, command: tuple[str, ...]
) -> None:
    configure(cli, extra, pypi)
    done = cli.to_terminal(*command).expect()
    assert "2 names; owns names of public projects (jinja2)" in done.words
    assert "config check --compare` tells: it asks pypi" in done.words
    assert done.widest <= COLUMNS
    assert private_names_at(pypi) == 0


@pytest.mark.parametrize("command", COMMANDS)
def test_with_compare_copies_are_told_from_namesakes(
    cli: CommandLine, extra: FakeIndex, pypi: FakeIndex, command: tuple[str, ...]
) -> None:
    configure(cli, extra, pypi)
    done = cli(*command, "--compare").expect()
    assert "has copies of projects of pypi (jinja2), and owns them" in done.words
    assert 'Set only = ["torch"] if extra is for these alone' in done.words
    assert private_names_at(pypi) == 2


def test_with_compare_an_index_without_copies_is_fine(
    cli: CommandLine, extra: FakeIndex, pypi: FakeIndex
) -> None:
    extra.remove_project("jinja2")
    configure(cli, extra, pypi)
    (check, _) = cli("config", "check", "--compare", "--json").expect().json["checks"]
    assert (check["verdict"], check["remedy"]) == ("ok", "")
    assert "its own beside public namesakes: torch" in check["what"]


def test_a_public_index_that_does_not_answer_is_no_proof_of_anything(
    cli: CommandLine, extra: FakeIndex, pypi: FakeIndex
) -> None:
    configure(cli, extra, pypi)
    pypi.fail(500)
    (check, _) = cli("config", "check", "--compare", "--json").expect(1).json["checks"]
    assert check["what"] == "2 names; none of its names could be compared with pypi"


def test_offline_nothing_is_compared(cli: CommandLine, extra: FakeIndex, pypi: FakeIndex) -> None:
    configure(cli, extra, pypi)
    cli("why", "torch").expect()
    before = extra.count(), pypi.count()
    cli("config", "check", "--compare", "--offline").expect()
    assert (extra.count(), pypi.count()) == before


def test_pages_that_are_cached_are_compared_without_asking(
    cli: CommandLine, extra: FakeIndex, pypi: FakeIndex
) -> None:
    copy = wheel("markupsafe", "3.0")
    extra.add(copy)
    extra.remove_project("jinja2")
    pypi.add(copy)
    configure(cli, extra, pypi, defer_copies=True)
    cli("why", "markupsafe").expect()
    configure(cli, extra, pypi)
    asked = pypi.count("/simple/markupsafe/")
    done = cli("config", "check").expect()
    assert "has copies of projects of pypi (markupsafe)" in done.words
    assert pypi.count("/simple/markupsafe/") == asked


def test_a_claimed_name_is_not_asked_for(
    cli: CommandLine, extra: FakeIndex, pypi: FakeIndex
) -> None:
    configure(cli, extra, pypi, projects=["torch"])
    cli("config", "check", "--compare").expect()
    assert (pypi.count("/simple/torch/"), pypi.count("/simple/jinja2/")) == (0, 1)


def pip_options(cli: CommandLine, extra: FakeIndex, pypi: FakeIndex) -> None:
    cli.environ |= {"PIP_INDEX_URL": pypi.url, "PIP_EXTRA_INDEX_URL": extra.url, "PATH": ""}


def written(cli: CommandLine) -> str:
    file = cli.directory / "home" / ".config" / "indexfallback" / "config.toml"
    return file.read_text("utf-8")


def test_init_with_a_yes_asks_the_public_index_for_no_name(
    cli: CommandLine, extra: FakeIndex, pypi: FakeIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = NewUser(cli, monkeypatch)
    monkeypatch.setattr(init_steps, "install_something", trial.install_something)
    pip_options(cli, extra, pypi)
    with closing(user.way):
        cli("init", "--yes").expect()
    assert pypi.count() > 0  # the test install
    assert private_names_at(pypi) == 0
    assert "defer_copies = true" in written(cli)


@needs_terminal
def test_init_asks_first_and_no_is_the_default(
    cli: CommandLine, extra: FakeIndex, pypi: FakeIndex
) -> None:
    pip_options(cli, extra, pypi)
    done = cli.on_terminal("init", typed="\ny\nn\n").expect()
    assert "Look for copies of public projects? It asks 127.0.0.1" in " ".join(done.out.split())
    assert pypi.count() == 0
    assert "defer_copies = true" in written(cli)


@needs_terminal
@pytest.mark.parametrize(
    ("typed", "key"),
    [("y\ny\ny\nn\n", 'only = ["torch"]'), ("y\nn\ny\nn\n", "defer_copies = true")],
)
def test_init_proposes_only_after_a_comparison(
    cli: CommandLine, extra: FakeIndex, pypi: FakeIndex, typed: str, key: str
) -> None:
    pip_options(cli, extra, pypi)
    done = cli.on_terminal("init", typed=typed).expect()
    assert "for nothing but torch (only)?" in done.out
    assert private_names_at(pypi) == 2
    assert [line for line in written(cli).splitlines() if "only" in line or "defer" in line] == [
        key
    ]
