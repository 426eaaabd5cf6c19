"""A buildout whose shim asks for the user's own token."""

from pathlib import Path

from tests.buildout.conftest import oldest_and_newest
from tests.buildout.support import WITH_SDIST, Project
from tests.fakes import FakeIndex
from tests.serving import config_text, index_table


@oldest_and_newest
def test_the_extension_has_the_token_and_leaves_it_in_no_file(
    project: Project, public: FakeIndex, tmp_path: Path
) -> None:
    config = tmp_path / "config.toml"
    table = index_table("public", public.url)
    config.write_text(config_text(table, server={"private": True}), encoding="utf-8")
    project.write("", indexfallback={"config": str(config)}, py=WITH_SDIST)
    done = project.run().expect()
    assert project.version_of("acme_app") == "1.0"
    assert project.version_of("acme_built") == "2.0"
    files = [path for path in project.directory.glob("*") if path.is_file()]
    text = "".join(path.read_text("utf-8", "replace") for path in files)
    assert "ifb_" not in text + done.stdout
