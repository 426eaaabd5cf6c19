"""Buildouts as Plone and Zope have them: cold, warm, and without network, with identical eggs."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256

import pytest

from tests.buildout.support import UNPACKING, Environment, Project, Version
from tests.clients.support import Done
from tests.fakes import Dist, FakeIndex, wheel

#: Ten pins of the ``versions.cfg`` of Plone 6.1.2, and what each requires.
_PLONE: dict[tuple[str, str], tuple[str, ...]] = {
    ("Products.CMFPlone", "6.1.2"): ("plone.restapi", "Products.PlonePAS", "Zope"),
    ("plone.recipe.zope2instance", "7.0.1"): ("zc.recipe.egg", "ZEO"),
    ("plone.restapi", "9.13.4"): ("plone.rest", "PyJWT"),
    ("plone.rest", "5.1.2"): ("setuptools",),
    ("plone.api", "2.5.3"): ("decorator",),
    ("Products.PlonePAS", "8.0.6"): (),
    ("ZEO", "6.0.0"): ("zope.interface (>=5.5.0)",),
    ("PyJWT", "2.10.1"): (),
    ("decorator", "5.2.1"): (),
    ("Plone", "6.1.2"): ("Products.CMFPlone", "plone.api"),
}
#: What the two parts of Zope's own pins have, of which Plone's extend one.
_ZOPE_PROD: dict[tuple[str, str], tuple[str, ...]] = {
    ("Zope", "5.13"): ("AccessControl (>=7.0)", "zope.interface"),
    ("AccessControl", "7.2"): ("zope.interface",),
    ("zope.interface", "7.2"): ("setuptools",),
}
_ZOPE_DEVELOPMENT: dict[tuple[str, str], tuple[str, ...]] = {
    ("WSGIProxy2", "0.5.1"): (),
    ("zope.testrunner", "6.6.1"): ("zope.interface",),
}
#: Newer than all pins, so that a lost pin is seen.
_NEWER = "99.0"
_RECIPE = b"""\
import zc.recipe.egg

class Recipe(zc.recipe.egg.Scripts):
    def install(self):
        return [*super().install(), *self.options.created(self.note())]

    def note(self):
        path = f"{self.buildout['buildout']['parts-directory']}/{self.name}.conf"
        with open(path, "w") as file:
            file.write(self.options["user"])
        return path
"""


def _pins(*tables: Mapping[tuple[str, str], object]) -> str:
    return "".join(f"{name} = {version}\n" for table in tables for name, version in table)


def _dists() -> Iterator[Dist]:
    for (name, version), requires in (_PLONE | _ZOPE_PROD | _ZOPE_DEVELOPMENT).items():
        module = name.replace(".", "_").lower()
        extra = {}
        if name == "plone.recipe.zope2instance":
            points = b"[zc.buildout]\ndefault = zope2instance_recipe:Recipe\n"
            extra = {
                "zope2instance_recipe.py": _RECIPE,
                f"{module}-{version}.dist-info/entry_points.txt": points,
            }
        yield wheel(name, version, requires=requires, extra_files=extra)
        yield wheel(name, _NEWER, requires=requires)


def _write_plone(project: Project, web: FakeIndex) -> None:
    """Write a project whose buildout extends Plone's release, which extends Zope's, over http."""
    releases = {
        "/release/6.1.2/versions.cfg": f"[buildout]\nextends = {web.base}/Zope/versions-prod.cfg\n"
        f"[versions]\nzc.recipe.egg = {UNPACKING.recipe}\nZope = 5.13\n{_pins(_PLONE)}"
        "[versions:python_version<'3']\nPlone = 5.2\n",
        "/Zope/versions-prod.cfg": f"[versions]\nZope = 5.12\n{_pins(_ZOPE_PROD)}",
    }
    for path, text in releases.items():
        web.answer(200, {"Content-Type": "text/plain"}, text.encode(), path=path)
    (project.directory / "extends").mkdir()
    project.config.write_text(
        f"""\
[buildout]
extends = {web.base}/release/6.1.2/versions.cfg
extends-cache = extends
extensions = indexfallback
parts = instance zopepy
eggs = Plone
index = {web.url}
show-picked-versions = true

[instance]
recipe = plone.recipe.zope2instance
user = admin:admin
eggs =
    ${{buildout:eggs}}
    PyJWT

[zopepy]
recipe = zc.recipe.egg
eggs = ${{instance:eggs}}
interpreter = py
""",
        encoding="utf-8",
    )


def _write_zope(project: Project, web: FakeIndex) -> None:
    """Write a project with the files that Zope's repository has, and the sections of its parts."""
    files = {
        "versions-prod.cfg": f"[versions]\n{_pins(_ZOPE_PROD)}",
        "versions.cfg": "[buildout]\nextends = versions-prod.cfg\n"
        f"[versions]\nzc.recipe.egg = {UNPACKING.recipe}\n{_pins(_ZOPE_DEVELOPMENT)}",
        "buildout.cfg": f"""\
[buildout]
extends = versions.cfg
extensions = indexfallback
parts = alltests
index = {web.url}
show-picked-versions = true

[testenv]
eggs =
    Zope
    WSGIProxy2

[zopepy]
<= testenv
recipe = zc.recipe.egg
interpreter = py

[alltests]
=> zopepy
<= testenv
recipe = zc.recipe.egg
eggs += zope.testrunner
scripts =
""",
    }
    for name, text in files.items():
        (project.directory / name).write_text(text, encoding="utf-8")


@dataclass(frozen=True)
class Story:
    """Three runs of one buildout, each without eggs at the start."""

    project: Project
    cold: Done
    warm: Done
    offline: Done
    #: Digests of all files of the eggs after each run.
    eggs: tuple[dict[str, str], ...]
    #: Distributions that the index was asked for in the second run.
    downloads: int


@pytest.fixture(scope="module", params=[_write_plone, _write_zope], ids=["plone", "zope"])
def story(
    request: pytest.FixtureRequest,
    make: Callable[[Version], Environment],
    tmp_path_factory: pytest.TempPathFactory,
) -> Story:
    """Install a buildout cold, warm, and with every server gone."""
    environment = make(UNPACKING)
    directory = tmp_path_factory.mktemp("buildout")
    project = Project(directory / "project", environment)
    with FakeIndex([*environment.recipe, *_dists()], metadata=False) as web:
        request.param(project, web)
        cold, eggs = project.run(no_proxy="127.0.0.1").expect(), _eggs(project)
        web.clear()
        project.forget_eggs()
        warm, again = project.run(no_proxy="127.0.0.1").expect(), _eggs(project)
        downloads = web.count("/files/")
        web.stop_listening()
        project.forget_eggs()
        offline = project.run(no_proxy="127.0.0.1").expect()
    return Story(project, cold, warm, offline, (eggs, again, _eggs(project)), downloads)


def _eggs(project: Project) -> dict[str, str]:
    """Return the digest of each file of the eggs."""
    eggs = project.directory / "eggs"
    return {
        str(path.relative_to(eggs)): sha256(path.read_bytes()).hexdigest()
        for path in eggs.rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }


def test_the_eggs_are_the_same_cold_warm_and_without_network(story: Story) -> None:
    cold, warm, offline = story.eggs
    assert cold == warm == offline
    assert story.downloads == 0


def test_what_is_pinned_is_installed_in_the_version_of_its_pin(story: Story) -> None:
    assert story.project.version_of("zope") == "5.13"
    assert story.project.version_of("zope_interface") == "7.2"
    assert not [path for path in story.eggs[0] if _NEWER in path]


def test_all_parts_are_installed_in_each_run(story: Story) -> None:
    parts = set((story.project.directory / ".installed.cfg").read_text("utf-8").split())
    assert "zopepy" in parts
    assert parts & {"instance", "alltests"}
    for done in (story.cold, story.warm, story.offline):
        assert "Versions had to be automatically picked" not in done.stdout
