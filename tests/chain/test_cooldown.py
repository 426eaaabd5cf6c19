"""Which files are too young for the cooldown of their index: the decision, and what it rests on."""

from datetime import datetime, timedelta, timezone

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexfallback.chain.cooldown import (
    Cooldown,
    Young,
    releases,
    undated,
    with_times,
    withheld_files,
    withheld_until,
    young_files,
)
from indexfallback.chain.offer import Available, hidden, offered
from indexfallback.page import File, ProjectPage
from indexfallback.store.pins import Pin

DAY = 86400.0
WEEK = 7 * DAY
#: 2026-11-29 12:00 UTC.
NOW = 1795953600.0


def stated(when: float) -> str:
    """Return a time as a page states it."""
    moment = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=when)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def file(version: str, uploaded: float | str | None, *, ending: str = ".tar.gz") -> File:
    name = f"acme-{version}{ending}"
    time = stated(uploaded) if isinstance(uploaded, float) else uploaded
    hashes = {"sha256": version.encode().hex().zfill(64)}
    return File(filename=name, url=f"https://example.com/{name}", hashes=hashes, upload_time=time)


def page(*files: File, versions: tuple[str, ...] | None = None) -> ProjectPage:
    return ProjectPage(name="acme", files=files, versions=versions)


def cooldown(*accepted: str, now: float = NOW, **seen: float) -> Cooldown:
    """Return a cooldown of a week; ``seen`` has versions as ``v1_0``."""
    names = {f"acme-{name[1:].replace('_', '.')}.tar.gz": when for name, when in seen.items()}
    return Cooldown("pypi", WEEK, now, names, {}, accepted)


def young(listed: ProjectPage, of: Cooldown) -> list[Young]:
    return list(withheld_files(young_files(listed, of), {}, of))


@given(st.floats(0.0, 4 * WEEK), st.booleans())
def test_a_file_is_withheld_until_its_upload_time_and_the_cooldown_are_over(
    age: float, has_fraction: bool
) -> None:
    uploaded = NOW - age if has_fraction else float(int(NOW - age))
    found = young(page(file("1.0", uploaded)), cooldown())
    assert bool(found) == (NOW - uploaded < WEEK - 1e-6)
    for each in found:
        assert each.until == pytest.approx(uploaded + WEEK, abs=1e-3)
        assert each.is_stated


def test_without_an_upload_time_it_counts_when_the_file_was_first_seen() -> None:
    listed = page(file("1.0", None), file("2.0", None), file("3.0", "yesterday"))
    found = young(listed, cooldown(v1_0=NOW - WEEK, v2_0=NOW - DAY, v3_0=NOW - 2 * DAY))
    assert [(each.version, each.until, each.is_stated) for each in found] == [
        ("2.0", NOW + 6 * DAY, False),
        ("3.0", NOW + 5 * DAY, False),
    ]
    assert undated(listed, {}, NOW) == ([each.filename for each in listed.files], [])


def test_a_time_in_the_future_withholds_a_file_for_one_cooldown_from_when_it_was_seen() -> None:
    listed = page(file("1.0", NOW + 100 * WEEK))
    assert undated(listed, {}, NOW) == ([], ["acme-1.0.tar.gz"])
    assert [each.until for each in young(listed, cooldown())] == [NOW + WEEK]
    assert young(listed, cooldown(v1_0=NOW - WEEK)) == []


def test_a_time_in_the_future_that_another_index_states_counts_as_none_either() -> None:
    """Else what the first page of a mirror without times lists would be old at once."""
    listed = page(file("1.0", None), file("2.0", None))
    times = {"acme-1.0.tar.gz": stated(NOW - WEEK), "acme-2.0.tar.gz": stated(NOW + WEEK)}
    assert undated(listed, times, NOW) == (["acme-1.0.tar.gz"], ["acme-2.0.tar.gz"])


def test_a_time_that_an_index_states_no_more_counts_for_the_same_file() -> None:
    old = file("1.0", NOW - WEEK)
    other = msgspec.structs.replace(old, hashes={"sha256": "f" * 64}, upload_time=None)
    no_hash = msgspec.structs.replace(old, hashes={}, upload_time=None)
    later = msgspec.structs.replace(old, upload_time=stated(NOW))
    assert with_times(page(file("1.0", None), file("2.0", None)), page(old)).files == (
        old,
        file("2.0", None),
    )
    assert with_times(page(other), page(old)) == page(other)
    assert with_times(page(no_hash), page(old)).files[0].upload_time == old.upload_time
    assert with_times(page(later), page(old)) == page(later)


def test_a_file_that_was_served_is_never_withheld_and_another_one_of_its_name_is() -> None:
    new = file("1.0", NOW)
    known = young_files(page(new), cooldown())
    served = Pin("acme", new.filename, "", new.sha256 or "", NOW, "")
    of = cooldown()._replace(held={served.sha256, "f" * 64})
    assert withheld_files(known, {new.filename: [served]}, of) == ()
    other = served._replace(sha256="f" * 64)
    assert withheld_files(known, {new.filename: [other]}, of) == known


def test_a_file_that_is_pinned_and_not_stored_is_withheld() -> None:
    new = file("1.0", NOW)
    known = young_files(page(new), cooldown())
    stated = Pin("acme", new.filename, "", new.sha256 or "", NOW, "")
    assert withheld_files(known, {new.filename: [stated]}, cooldown()) == known


def test_an_accepted_release_is_offered() -> None:
    listed = page(file("1.0", NOW), file("1.1", NOW))
    assert [each.version for each in young(listed, cooldown("1.1"))] == ["1.0"]


def test_a_resolver_that_takes_another_version_is_told_what_offers_the_withheld_one() -> None:
    (found,) = young(page(file("1.0", NOW)), cooldown())
    said = withheld_until("acme", found, "pypi")
    assert said.startswith("is withheld until 2026-12-0")
    assert said.endswith(
        "by the cooldown of pypi (`indexfallback cache accept acme 1.0` offers it now)"
    )
    assert "accept" not in withheld_until("acme", found._replace(version=None), "pypi")


def test_the_page_lists_no_version_all_of_whose_files_are_withheld() -> None:
    files = (
        file("1.0", NOW - WEEK),
        file("1.0", NOW, ending=".zip"),
        file("2.0", NOW),
        file("3.0", NOW - WEEK),
    )
    listed = page(*files, versions=("0.9", "1.0", "2.0.0", "3.0"))
    found = offered(listed, {}, cooldown=cooldown())
    assert [each.filename for each in found.files] == ["acme-1.0.tar.gz", "acme-3.0.tar.gz"]
    # 0.9 had no file before.
    assert found.versions == ("0.9", "1.0", "3.0")


def test_what_is_too_young_is_not_said_to_be_left_out_for_want_of_a_network() -> None:
    listed = page(file("1.0", NOW), file("0.9", NOW - WEEK))
    left_out = hidden(listed, {}, Available(()), cooldown())
    assert [each.file.filename for each in left_out] == ["acme-0.9.tar.gz"]


def test_the_releases_say_which_one_clients_would_choose() -> None:
    listed = page(
        file("1.0", NOW - WEEK),
        file("1.0", NOW, ending=".zip"),
        file("0.5", NOW),
        file("2.0", NOW - DAY),
        file("2.0", NOW, ending=".zip"),
    )
    of = cooldown()
    found = releases(offered(listed, {}, cooldown=of), young(listed, of))
    assert [(r.version, len(r.files), r.is_whole, r.is_newest) for r in found] == [
        ("2.0", 2, True, True),
        ("1.0", 1, False, False),
        ("0.5", 1, True, False),
    ]
    assert found[0].until == NOW + 6 * DAY


@pytest.mark.parametrize(
    ("offered_version", "yanked", "young_version", "is_newest"),
    [
        ("1.0", False, "2.0", True),
        ("1.0", False, "2.0rc1", False),
        ("1.0rc1", False, "2.0rc1", True),
        ("2.0rc1", False, "1.0", True),
        ("2.0", "broken", "1.0", True),
        ("2.0", False, "1.0", False),
    ],
)
def test_a_release_is_the_newest_one_if_clients_would_choose_it(
    offered_version: str, yanked: str | bool, young_version: str, is_newest: bool
) -> None:
    old = msgspec.structs.replace(file(offered_version, NOW - WEEK), yanked=yanked)
    listed = page(old, file(young_version, NOW))
    of = cooldown()
    (found,) = releases(offered(listed, {}, cooldown=of), young(listed, of))
    assert found.is_newest == is_newest


def test_a_yanked_release_is_not_what_clients_would_choose() -> None:
    listed = page(msgspec.structs.replace(file("2.0", NOW), yanked="broken"))
    of = cooldown()
    (found,) = releases(offered(listed, {}, cooldown=of), young(listed, of))
    assert not found.is_newest


def test_a_quarantined_project_is_not_said_to_be_young() -> None:
    listed = ProjectPage(name="acme", files=(file("1.0", NOW),), status="quarantined")
    assert young_files(listed, cooldown()) == ()
