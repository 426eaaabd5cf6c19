"""What a cooldown withholds from a mirror is left for a later run."""

from tests.fakes import FakeIndex, wheel
from tests.mirror.support import Mirrored
from tests.serving import index_table

OLD, NEW = wheel("demo", "1.0"), wheel("demo", "2.0")


def test_a_young_release_is_neither_fetched_nor_listed_until_it_is_accepted(
    mirror: Mirrored, upstream: FakeIndex
) -> None:
    upstream.serials = True
    upstream.add(OLD)
    upstream.add(NEW, upload_time="2999-01-01T00:00:00Z")
    mirror.cli.configure(
        index_table("upstream", mirror.source, cooldown="7 days"),
        mirror={"index": "upstream", "projects": ["demo"], "latest": 1},
    )
    first = mirror("--quiet").expect()
    assert f"1 file is withheld by the cooldown of the index, for a later run: {NEW.filename}" in (
        first.words
    )
    assert mirror.listed("demo") == [OLD.filename]
    assert not mirror.held(NEW.sha256)
    assert mirror.run()["withheld"] == [NEW.filename]
    mirror.cli("cache", "accept", "demo", "2.0").expect()
    assert mirror.run()["withheld"] == []
    assert mirror.listed("demo") == [NEW.filename]
    assert mirror.run()["changed"] == 0
