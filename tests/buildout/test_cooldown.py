"""A buildout whose public index has a cooldown."""

from datetime import datetime, timedelta, timezone

from tests.buildout.support import Project
from tests.fakes import FakeIndex, wheel
from tests.serving import config_text, index_table


def test_it_takes_the_newest_release_that_is_old_enough(
    project: Project, public: FakeIndex
) -> None:
    yesterday = datetime.now(timezone.utc) - timedelta(days=1)
    stated = yesterday.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    public.add(wheel("acme-lib", "4.0"), upload_time=stated)
    table = index_table("public", public.url, role="public", cooldown="7 days")
    (project.directory / "chain.toml").write_text(config_text(table), encoding="utf-8")
    project.write("", indexfallback={"indexes": "", "config": "chain.toml"})
    project.run().expect()
    assert project.version_of("acme_lib") == "3.1"
