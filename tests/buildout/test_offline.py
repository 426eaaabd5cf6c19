"""In offline mode, a buildout installs the newest cached versions."""

from pathlib import Path

from tests.buildout.support import Project
from tests.fakes import FakeIndex, wheel
from tests.in_process import indexfallback
from tests.serving import config_text, index_table


def _command(project: Project, *arguments: str) -> None:
    indexfallback(*arguments, environ=project.environ).check_returncode()


def test_offline_the_newest_versions_in_the_cache_are_installed_and_online_the_newest(
    project: Project, public: FakeIndex, tmp_path: Path
) -> None:
    project.write(f"public = {public.url}")
    project.run().expect()
    public.add(wheel("acme-app", "2.0", requires=["acme-lib"]))
    public.add(wheel("acme-lib", "4.0"))
    config = tmp_path / "config.toml"
    config.write_text(config_text(index_table("public", public.url)), encoding="utf-8")
    for name in ("acme-app", "acme-lib"):  # the page that is kept has the new one
        _command(project, "--config", str(config), "why", name)
    _command(project, "offline", "on")
    public.clear()
    project.forget_eggs()
    project.run().expect()
    assert [project.version_of(name) for name in ("acme_app", "acme_lib")] == ["1.0", "3.1"]
    assert public.requests == []
    _command(project, "offline", "auto")
    project.forget_eggs()
    project.run().expect()
    assert [project.version_of(name) for name in ("acme_app", "acme_lib")] == ["2.0", "4.0"]
