"""``cache export`` of requirement files: what of them is not cached is said."""

import pytest

from indexfallback.store import Store
from tests.carry.support import CHAIN, LIMIT, PYPI, keep_file
from tests.cli.support import CommandLine
from tests.fakes import Dist, sdist, wheel
from tests.serving import index_table


class Exporter:
    """Somebody with a cache, who exports it."""

    def __init__(self, cli: CommandLine) -> None:
        cli.configure(*(index_table(index.name, index.url, role=index.role) for index in CHAIN))
        self._cli = cli
        self._archive = cli.directory / "x.tar"

    def keep(self, *dists: Dist) -> None:
        store = Store(self._cli.cache, LIMIT)
        for dist in dists:
            keep_file(store, PYPI, dist)
        store.close()

    def file(self, name: str, text: str) -> str:
        path = self._cli.directory / name
        path.write_text(text, encoding="utf-8")
        return str(path)

    def export(self, *arguments: str, code: int = 0) -> str:
        """Return what is said besides the result."""
        done = self._cli("cache", "export", str(self._archive), *arguments).expect(code)
        return " ".join(done.err.split())

    def exported(self, *arguments: str, code: int = 0) -> list[str]:
        """Return the exported projects."""
        done = self._cli("cache", "export", str(self._archive), *arguments, "--json").expect(code)
        projects: list[str] = done.json["projects"]
        return projects


@pytest.fixture
def exporter(cli: CommandLine) -> Exporter:
    return Exporter(cli)


def test_what_builds_an_sdist_is_exported_with_it_and_said_if_it_is_not_cached(
    exporter: Exporter,
) -> None:
    exporter.keep(sdist("web", build_requires=["builder>=2", "tools"]), wheel("builder", "2.0"))
    requirements = exporter.file("r.txt", "web\n")
    said = exporter.export("-r", requirements)
    assert "not cached: tools, which web-1.0.tar.gz requires to be built" in said
    assert "Fetch it with `indexfallback fetch`, and export again." in said
    assert "builder" not in said
    assert exporter.exported("-r", requirements) == ["builder", "web"]
    assert exporter.exported("--projects", "w*") == ["builder", "web"]
    assert exporter.export("-r", requirements, "--no-deps") == ""
    assert exporter.exported("-r", requirements, "--no-deps") == ["web"]
    assert exporter.export() == ""


def test_a_requirement_of_a_file_that_is_not_cached_is_named_and_the_exit_code_is_1(
    exporter: Exporter,
) -> None:
    exporter.keep(wheel("web", "1.0"))
    text = "web>=2\napi; sys_platform != 'no'\nother; sys_platform == 'no'\nweb\n"
    requirements = exporter.file("r.txt", text)
    said = exporter.export("-r", requirements, code=1)
    assert f"not cached: web>=2, which {requirements}:1 requires" in said
    assert f"not cached: api, which {requirements}:2 requires" in said
    assert "other" not in said
    assert exporter.exported("-r", requirements, code=1) == ["web"]


def test_a_named_project_that_is_not_cached_makes_the_exit_code_1(exporter: Exporter) -> None:
    exporter.keep(wheel("web", "1.0"))
    named = ("--projects", "web", "--projects", "API")
    assert "not cached: api, which --projects requires" in exporter.export(*named, code=1)
    assert exporter.export("--projects", "web", "--projects", "api*") == ""


def test_a_direct_reference_is_not_cached(exporter: Exporter) -> None:
    exporter.keep(wheel("web", "1.0"))
    requirements = exporter.file("r.txt", "web\napi @ https://example.com/api.zip\n")
    said = exporter.export("-r", requirements, code=1)
    assert f"not cached: api @ https://example.com/api.zip, which {requirements}:2 requires" in said


def test_what_a_lock_lists_for_all_platforms_is_said_in_one_line(exporter: Exporter) -> None:
    exporter.keep(wheel("web", "1.0"))
    registry = 'source = { registry = "https://example.com/simple" }'
    packages = [f'[[package]]\nname = "p{number}"\nversion = "1.{number}"\n{registry}\n'
                for number in range(12)]  # fmt: skip
    own = f'[[package]]\nname = "web"\nversion = "1.0"\n{registry}\n'
    lock = exporter.file("uv.lock", "version = 1\n" + "".join([own, *packages]))
    said = exporter.export("-r", lock)
    assert "not cached, and perhaps not needed here: 12 listed releases: p0==1.0, p1==1.1" in said
    assert said.endswith("p9==1.9 and 2 more")


def test_a_file_of_which_nothing_is_cached_makes_the_exit_code_1(exporter: Exporter) -> None:
    registry = 'source = { registry = "https://example.com/simple" }'
    package = f'[[package]]\nname = "web"\nversion = "1.0"\n{registry}\n'
    lock = exporter.file("uv.lock", f"version = 1\n{package}")
    assert "nothing is cached of web: the export is empty" in exporter.export("-r", lock, code=1)


def test_extras_and_groups_of_a_project_are_selected_as_fetch_does(exporter: Exporter) -> None:
    exporter.keep(*map(wheel, ("web", "speed", "tests", "setuptools", "wheel")))
    exporter.keep(wheel("setuptools", "80"))
    project = exporter.file(
        "pyproject.toml",
        """
[project]
name = "app"
dependencies = ["web"]
optional-dependencies = { fast = ["speed"] }
[dependency-groups]
dev = ["tests"]
""",
    )
    plain = ["setuptools", "web", "wheel"]
    assert exporter.exported("-r", project) == plain
    more = exporter.exported("-r", project, "--extra", "fast", "--group", "dev")
    assert more == sorted([*plain, "speed", "tests"])


def test_a_wheelhouse_has_what_builds_its_sdists_and_says_what_it_lacks(
    exporter: Exporter, cli: CommandLine
) -> None:
    exporter.keep(sdist("web", build_requires=["builder", "tools"]), wheel("builder"))
    house = cli.directory / "house"
    arguments = ("--format", "wheelhouse", "--projects", "web")
    done = cli("cache", "export", str(house), *arguments).expect()
    assert "not cached: tools, which web-1.0.tar.gz requires to be built" in done.words
    assert "builder" not in (house / "requirements.txt").read_text(encoding="utf-8")
    assert {path.name for path in house.iterdir()} >= {
        "web-1.0.tar.gz",
        "builder-1.0-py3-none-any.whl",
    }


def test_json_lists_what_is_missing(exporter: Exporter, cli: CommandLine) -> None:
    exporter.keep(sdist("web", build_requires=["builder"]))
    requirements = exporter.file("r.txt", "web\napi\n")
    arguments = ("cache", "export", str(cli.directory / "x.tar"), "-r", requirements, "--json")
    report = cli(*arguments).expect(1).json
    by = [f"{requirements}:2"]
    assert report["missing"] == [{"requirement": "api", "required_by": by, "purpose": ""}]
    assert report["missing_to_build"] == [
        {"requirement": "builder", "required_by": ["web-1.0.tar.gz"], "purpose": "to be built"}
    ]
    assert report["missing_perhaps"] == []


def test_a_buildout_is_exported_with_what_its_parts_ask_for_and_names_what_only_a_recipe_sets(
    exporter: Exporter,
) -> None:
    exporter.keep(wheel("acme.recipe"), wheel("web", "1.0"), wheel("web", "2.0"), wheel("other"))
    text = "[buildout]\nparts = app\n[app]\nrecipe = acme.recipe\neggs = web\n  ${app:more}\n"
    buildout = exporter.file("buildout.cfg", f"{text}[versions]\nweb = 1.0\n")
    said = exporter.export("-r", buildout, code=1)
    assert f"not cached: ${{app:more}}, which {buildout} [app] (a recipe or an extension" in said
    assert exporter.exported("-r", buildout, code=1) == ["acme-recipe", "web"]
