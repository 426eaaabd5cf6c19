"""Real clients install, without any network, from a cache that came in an archive alone."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.buildout.support import BUILDOUT_SECONDS, NEWEST, Project
from tests.clients.conftest import Access
from tests.clients.support import (
    NO_NETWORK,
    Client,
    User,
    installed,
    may_have_own_network,
    write_config,
)
from tests.fakes import FakeIndex, wheel
from tests.serving import clean_environment

OURS = (sys.executable, "-m", "indexfallback")


@pytest.fixture
def there(tmp_path: Path) -> User:
    """Somebody on another machine, with a cache of their own."""
    if not may_have_own_network():
        pytest.skip("no network namespaces for this user on this system")
    home = tmp_path / "there"
    home.mkdir()
    return User(home)


@pytest.fixture
def here(tmp_path: Path, access: Access | None) -> User:
    """Somebody who has a network."""
    if access is None:
        pytest.skip("no network")
    home = tmp_path / "here"
    home.mkdir()
    here = User(home)
    here.environment |= access.environment()
    return here


@pytest.mark.network
def test_pip_and_uv_install_what_was_fetched_from_the_real_pypi(
    tmp_path: Path,
    here: User,
    there: User,
    environments: dict[str, Client],
    access: Access,
) -> None:
    archive = tmp_path / "packages.tar"
    with FakeIndex([wheel("acme-app", requires=["flask"])]) as private:
        indexes = {"private": {"url": private.url}, "pypi": {"url": access.url, "role": "public"}}
        write_config(here.config, indexes)
        write_config(there.config, indexes)
        target = here.target()
        here.run(*environments["pip"].install(target, "acme-app")).expect()
        found = installed(target)
        here.ours("cache", "export", str(archive)).expect()
    there.call(*NO_NETWORK, *OURS, "cache", "import", str(archive)).expect()
    there.call(*NO_NETWORK, *OURS, "cache", "verify").expect()
    for name in ("pip", "uv"):
        target = there.target()
        command = environments[name].install(target, "acme-app")
        there.call(*NO_NETWORK, *OURS, "run", "--", *command).expect()
        assert installed(target) == found
    assert found.keys() >= {"acme-app", "flask", "werkzeug"}


@pytest.mark.network
def test_buildout_installs_what_was_fetched_from_the_real_pypi(
    tmp_path: Path, here: User, there: User, project: Project, access: Access
) -> None:
    archive = str(tmp_path / "packages.tar")
    for user in (here, there):
        write_config(user.config, {"pypi": {"url": access.url, "role": "public"}})
    here.ours("fetch", "jinja2", f"zc.recipe.egg=={NEWEST.recipe}").expect()
    here.ours("cache", "export", archive).expect()
    there.call(*NO_NETWORK, *OURS, "cache", "import", archive).expect()
    project.environ |= there.environment
    section = {"config": str(there.config), "indexes": ""}
    project.write("", indexfallback=section, py={"eggs": "jinja2"})
    project.run(before=NO_NETWORK).expect()
    assert project.version_of("jinja2")
    assert project.version_of("markupsafe")


def test_buildout_installs_a_part_with_its_recipe(
    tmp_path: Path,
    there: User,
    project: Project,
    public: FakeIndex,
) -> None:
    archive = tmp_path / "packages.tar"
    there.environment |= clean_environment(there.home)
    write_config(there.config, {"public": {"url": public.url, "role": "public"}})
    section = {"config": str(there.config), "indexes": ""}
    project.write("", indexfallback=section)
    project.run().expect()
    export = [*OURS, "--config", str(there.config), "cache", "export", str(archive)]
    subprocess.run(export, env=project.environ, check=True, timeout=BUILDOUT_SECONDS)
    there.ours("cache", "import", str(archive)).expect()
    project.forget_eggs()
    project.forget_cache()
    project.environ |= there.environment
    command = [*NO_NETWORK, *project.command()]
    subprocess.run(
        command, cwd=project.directory, env=project.environ, check=True, timeout=BUILDOUT_SECONDS
    )
    assert project.version_of("acme_app") == "1.0"
