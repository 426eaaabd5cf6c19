"""``cache export`` and ``cache import``."""

from pathlib import Path

import pytest

from indexfallback.store import Store
from indexfallback.store.ownership import Ownership
from tests.carry.support import (
    CHAIN,
    LIMIT,
    NEW,
    OLD,
    PRIVATE,
    PYPI,
    THEN,
    file_of,
    fill,
    keep_file,
    keep_page,
)
from tests.cli.support import COLUMNS, CommandLine
from tests.fakes import wheel
from tests.serving import index_table

NEWER = wheel("idna", "3.11")
SIX, FORGED = wheel("six", "1.17"), wheel("six", "1.17", size=5000)


def tables(*names: str) -> list[str]:
    return [
        index_table(index.name, index.url, role=index.role)
        for index in CHAIN
        if not names or index.name in names
    ]


@pytest.fixture
def here(cli: CommandLine) -> CommandLine:
    """Somebody with a cache."""
    cli.configure(*tables())
    store = Store(cli.cache, LIMIT)
    fill(store)
    store.close()
    return cli


@pytest.fixture
def there(tmp_path: Path) -> CommandLine:
    """Somebody with the same chain and an empty cache."""
    directory = tmp_path / "there"
    directory.mkdir()
    command_line = CommandLine(directory)
    command_line.configure(*tables())
    return command_line


@pytest.fixture
def archive(here: CommandLine, tmp_path: Path) -> str:
    path = str(tmp_path / "packages.tar")
    here("cache", "export", path).expect()
    return path


def test_both_say_what_they_did(here: CommandLine, there: CommandLine, tmp_path: Path) -> None:
    path = str(tmp_path / "packages.tar")
    done = here("cache", "export", path).expect()
    assert "packages.tar has 2 projects: 2 files (1.8 KB), 2 pages" in done.words
    done = there("cache", "import", path).expect()
    assert (
        "packages.tar had 2 projects: 2 files imported (1.8 KB), 0 cached before; 2 pages "
        "imported, 0 not newer than the cached ones"
    ) in done.words
    assert done.err == ""
    there("cache", "verify").expect()


def test_json(here: CommandLine, there: CommandLine, tmp_path: Path) -> None:
    path = str(tmp_path / "packages.tar")
    report = here("cache", "export", path, "--json").expect().json
    assert report["projects"] == ["acme-app", "idna"]
    assert (report["files"], report["earlier"], report["pages"]) == (2, 0, 2)
    assert report["manifest"] == f"{path}.manifest.json"
    report = there("cache", "import", path, "--json").expect().json
    assert (report["files"], report["pages"], report["not_in_chain"]) == (2, 2, [])


def test_since_takes_the_manifest_that_an_export_has_left_or_its_archive(
    here: CommandLine, there: CommandLine, archive: str, tmp_path: Path
) -> None:
    store = Store(here.cache, LIMIT)
    keep_file(store, PYPI, wheel("idna", "3.9"))
    store.close()
    manifest = tmp_path / "kept.json"
    (tmp_path / "packages.tar.manifest.json").rename(manifest)
    for since in (str(manifest), archive):
        more = str(tmp_path / "more.tar")
        report = here("cache", "export", more, "--since", since, "--json").expect().json
        assert (report["files"], report["earlier"]) == (1, 2)
    done = there("cache", "import", more).expect(1)
    assert "it adds to an earlier one" in done.words
    there("cache", "import", archive).expect()
    there("cache", "import", more).expect()


def test_a_manifest_of_something_else_is_refused(here: CommandLine, tmp_path: Path) -> None:
    other = tmp_path / "package.json"
    other.write_text('{"name": "x"}')
    done = here("cache", "export", str(tmp_path / "x.tar"), "--since", str(other)).expect(1)
    assert "name the manifest of an export, or its archive" in done.words
    assert not (tmp_path / "x.tar").exists()


def test_projects_are_names_and_patterns(here: CommandLine, tmp_path: Path) -> None:
    path = str(tmp_path / "some.tar")
    arguments = ("--projects", "IDNA", "--projects", "other-*", "--json")
    assert here("cache", "export", path, *arguments).expect().json["projects"] == ["idna"]
    done = here("cache", "export", path, "--projects", "nothing-*").expect()
    assert "nothing is cached of nothing-*: the export is empty" in done.words
    done = here("cache", "export", path, "--projects", "a/b").expect(2)
    assert "has an item that is not a pattern" in done.words


def test_projects_may_be_those_of_requirement_and_lock_files(
    here: CommandLine, tmp_path: Path
) -> None:
    path, requirements, lock = (
        str(tmp_path / "some.tar"),
        tmp_path / "r.txt",
        tmp_path / "pylock.toml",
    )
    requirements.write_text("IDNA>=3  # a comment\n")
    report = here("cache", "export", path, "-r", str(requirements), "--json").expect().json
    assert report["projects"] == ["idna"]
    lock.write_text('lock-version = "1.0"\n[[packages]]\nname = "acme-app"\nversion = "1.4"\n')
    arguments = ("-r", str(lock), "--no-deps", "--json")
    assert here("cache", "export", path, *arguments).expect().json["projects"] == ["acme-app"]
    requirements.write_text("# nothing\n")
    assert (
        "names no project" in here("cache", "export", path, "-r", str(requirements)).expect(2).words
    )


@pytest.mark.parametrize(
    ("path", "problem"), [(".", "is a directory: name a file"), ("no/x.tar", "is not a directory")]
)
def test_a_place_where_no_archive_can_be_is_refused_at_once(
    here: CommandLine, tmp_path: Path, path: str, problem: str
) -> None:
    assert problem in here("cache", "export", str(tmp_path / path)).expect(2).words


def test_an_index_that_the_chain_has_not_is_said(there: CommandLine, archive: str) -> None:
    there.configure(*tables("pypi"))
    done = there.to_terminal("cache", "import", archive).expect()
    assert "(https://packages.example.com/simple/) is not an index of this chain" in done.words
    assert "until then another index may answer for its names" in done.words
    assert all(len(line) <= COLUMNS for line in done.out.splitlines() if line != archive)


def test_a_private_index_that_is_public_here_is_said(there: CommandLine, archive: str) -> None:
    there.configure(index_table("open", CHAIN[0].url), *tables("pypi"))
    done = there("cache", "import", archive).expect()
    assert "private is private in the archive, but not here" in done.words
    assert "its names are not protected" in done.words


def test_map_takes_an_index_for_another_one(there: CommandLine, archive: str) -> None:
    own = "https://mirror.example.org/simple/"
    there.configure(*tables("private"), index_table("own", own))
    done = there("cache", "import", archive, "--map", "pypi=own").expect()
    assert done.err == ""
    assert "page of own" in there("cache", "list", "idna").expect().out


@pytest.mark.parametrize(
    ("pair", "problem"),
    [
        ("nobody=pypi", "the archive has no index 'nobody'; it has private, pypi"),
        ("pypi=nobody", "there is no index 'nobody' here, only private, pypi"),
        ("private=pypi", "private is private, and pypi is public"),
    ],
)
def test_a_map_that_cannot_be_is_refused(
    there: CommandLine, archive: str, pair: str, problem: str
) -> None:
    assert problem in there("cache", "import", archive, "--map", pair).expect(2).words


def test_a_wheelhouse_is_a_directory_of_files(here: CommandLine, tmp_path: Path) -> None:
    house = tmp_path / "house"
    done = here("cache", "export", "--format", "wheelhouse", str(house)).expect()
    assert "house has 2 projects and 2 files, 1.8 KB of them new" in done.words
    assert (house / NEW.filename).read_bytes() == NEW.data
    since = ("--since", str(house / NEW.filename))
    here("cache", "export", "--format", "wheelhouse", str(house), *since).expect(2)


def test_a_wheelhouse_is_taken_by_the_pages_that_are_here(
    here: CommandLine, tmp_path: Path
) -> None:
    house = tmp_path.with_name("house")  # a long path cannot be broken into lines
    house.mkdir()
    old, unknown = wheel("idna", "3.9"), wheel("idna", "99.0")
    for dist in (old, NEW, unknown):
        (house / dist.filename).write_bytes(dist.data)
    done = here.to_terminal("--offline", "cache", "import", str(house)).expect()
    assert "house: wheelhouse" in done.words
    assert "here already: pypi lists them" in done.words
    assert "taken: pypi lists them" in done.words
    assert f"left: pypi does not list it ({unknown.filename})" in done.words
    assert done.widest <= COLUMNS
    report = here("--offline", "cache", "import", str(house), "--json").expect().json
    assert (report["kind"], report["pages"], len(report["taken"])) == ("wheelhouse", 0, 2)
    (left,) = report["left"]
    assert left["reason"] == "pypi does not list it"


@pytest.mark.parametrize(
    ("option", "problem"),
    [
        (("--map", "a=b"), "--map is for archives"),
        (("--yes",), "--yes is for archives"),
        (("--dry-run",), "--dry-run is for archives"),
        (("--as", "pypi"), "--as is for bandersnatch trees"),
        (("--as", "nobody"), "--as nobody names no index; there are private, pypi"),
    ],
)
def test_options_that_mean_nothing_for_a_directory_are_refused(
    here: CommandLine, tmp_path: Path, option: tuple[str, str], problem: str
) -> None:
    house = tmp_path / "house"
    house.mkdir()
    assert problem in here("cache", "import", str(house), *option).expect(2).words


def test_what_is_not_there_is_said(there: CommandLine, tmp_path: Path) -> None:
    done = there("cache", "import", str(tmp_path / "nothing.tar")).expect(2)
    assert "does not exist" in done.words


class TestChanges:
    """An archive of somebody else, with two things that contradict what is here."""

    @pytest.fixture
    def ours(self, there: CommandLine) -> CommandLine:
        store = Store(there.cache, LIMIT)
        keep_page(store, PYPI, "urllib3", file_of(wheel("urllib3", "2.5")))
        keep_page(store, PYPI, "six", file_of(SIX))
        store.close()
        return there

    @pytest.fixture
    def theirs(self, here: CommandLine, tmp_path: Path) -> str:
        store = Store(here.cache, LIMIT)
        store.ledger.record_list(PRIVATE.key, ["acme-app", "acme-core", "urllib3"])
        keep_page(store, PYPI, "six", file_of(FORGED), checked=THEN + 1)
        keep_file(store, PYPI, FORGED)
        store.close()
        path = str(tmp_path / "theirs.tar")
        here("cache", "export", path).expect()
        return path

    def preview(self, words: str) -> None:
        """See that all changes are shown."""
        assert "theirs.tar to what is here of 2 projects:" in words
        assert "owner urllib3 comes from pypi now, and from private after the import" in words
        pin = f"sha256 {SIX.sha256[:12]} on the page here, {FORGED.sha256[:12]} in the archive"
        assert f"pin six {FORGED.filename}: {pin}" in words
        page = f"the page of pypi in the archive has other content for {SIX.filename}"
        assert f"page six {page}" in words

    def owners(self, cli: CommandLine) -> dict[str, Ownership]:
        store = Store(cli.cache, LIMIT)
        owners = store.ledger.owners("urllib3")
        store.close()
        return owners

    def test_without_a_terminal_they_are_shown_and_left(
        self, ours: CommandLine, theirs: str
    ) -> None:
        done = ours.to_terminal("cache", "import", theirs).expect(1)
        self.preview(done.words)
        assert "2 pages imported" in done.words
        assert "2 projects left as before (six, urllib3)" in done.words
        assert "import it again with --yes" in done.words
        assert done.widest <= max(COLUMNS, len(theirs) + 20)
        assert self.owners(ours) == {}

    def test_yes_makes_them_and_shows_them(self, ours: CommandLine, theirs: str) -> None:
        done = ours("cache", "import", theirs, "--yes").expect()
        self.preview(done.words)
        assert "3 pages imported" in done.words
        assert "left as before" not in done.words
        assert PRIVATE.key in self.owners(ours)
        assert ours("cache", "import", theirs).expect().err == ""

    def test_a_dry_run_shows_them_and_changes_nothing(self, ours: CommandLine, theirs: str) -> None:
        for option in ((), ("--yes",)):
            done = ours("cache", "import", theirs, "--dry-run", *option).expect()
            self.preview(done.words)
            pages = 3 if option else 2
            assert "3 files would be imported" in done.words
            assert f"{pages} pages would be imported" in done.words
            assert ("would be left as before" in done.words) == (not option)
            info = ours("cache", "info", "--json").expect().json
            assert (info["files"], info["pages"]) == (0, 2)
        assert self.owners(ours) == {}

    def test_on_a_terminal_it_asks(self, ours: CommandLine, theirs: str) -> None:
        done = ours.on_terminal("cache", "import", theirs, typed="n\n").expect(1)
        self.preview(done.words)
        assert "Make these changes, too? [y/N]" in done.words
        assert "left as before" in done.words
        assert self.owners(ours) == {}
        done = ours.on_terminal("cache", "import", theirs, typed="y\n").expect()
        assert "left as before" not in done.words
        assert PRIVATE.key in self.owners(ours)

    def test_json_has_the_same_and_asks_nobody(self, ours: CommandLine, theirs: str) -> None:
        changes = [
            {"kind": "owner", "project": "urllib3", "here": ["pypi"], "archive": ["private"]},
            {"kind": "pin", "project": "six", "filename": FORGED.filename, "here": SIX.sha256,
             "archive": FORGED.sha256},
            {"kind": "page", "project": "six", "index_name": "pypi", "removed": [],
             "altered": [SIX.filename]},
        ]  # fmt: skip
        left = ["six", "urllib3"]
        tried = ours("cache", "import", theirs, "--dry-run", "--json").expect().json
        assert (tried["dry_run"], tried["changes"], tried["left"]) == (True, changes, left)
        done = ours("cache", "import", theirs, "--json").expect(1).json
        assert done == {**tried, "dry_run": False}
        done = ours("cache", "import", theirs, "--json", "--yes").expect().json
        assert (done["changes"], done["left"]) == (changes, [])

    def test_a_second_machine_of_ones_own_is_not_asked(
        self, here: CommandLine, there: CommandLine, archive: str
    ) -> None:
        there("cache", "import", archive).expect()
        store = Store(here.cache, LIMIT)
        keep_page(store, PYPI, "idna", *map(file_of, (OLD, NEW, NEWER)), checked=THEN + 1)
        keep_file(store, PYPI, NEWER)
        store.close()
        here("cache", "export", archive).expect()
        done = there("cache", "import", archive).expect()
        assert done.err == ""
        assert "1 file imported" in done.words
