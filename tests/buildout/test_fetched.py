"""A buildout whose pins were fetched is installed while no index can be reached."""

from tests.buildout.support import WITH_SDIST, Project
from tests.fakes import FakeIndex, wheel
from tests.in_process import indexfallback
from tests.serving import config_text, index_table


def test_all_that_versions_pins_is_fetched_and_then_installed_offline(
    project: Project, public: FakeIndex
) -> None:
    public.add(wheel("acme-lib", "3.2"))  # which is newer than what is pinned
    for required in (wheel("zc.buildout", "6.0.0"), wheel("setuptools", "1.0")):  # by the recipe
        public.add(required)
    pins = {"acme-app": "1.0", "acme-lib": "3.1", "acme.built": "2.0"}
    project.write(f"public = {public.url}", versions=pins, py=WITH_SDIST)
    config = project.directory / "indexfallback.toml"
    config.write_text(config_text(index_table("public", public.url)), encoding="utf-8")
    fetch = ("--config", str(config), "fetch", "-r", str(project.config))
    done = indexfallback(*fetch, environ=project.environ)
    assert done.returncode == 0, done.stderr
    public.stop_listening()
    project.run(INDEXFALLBACK_OFFLINE="1").expect()
    assert project.version_of("acme_app") == "1.0"
    assert project.version_of("acme_lib") == "3.1"
    assert project.version_of("acme_built") == "2.0"
