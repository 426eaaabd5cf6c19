"""What a run makes of what the index has changed since the last one."""

import pytest

from tests.fakes import wheel
from tests.mirror.support import Mirrored


def names(project: str, *versions: str) -> list[str]:
    return [f"{project.replace('-', '_')}-{version}-py3-none-any.whl" for version in versions]


def test_the_first_run_fetches_every_file(mirror: Mirrored) -> None:
    result = mirror.run()
    assert (result["projects"], result["files"], result["failed"]) == (3, 14, {})
    assert mirror.listed("other") == names("other", "1.0")


def test_a_second_run_asks_for_the_list_of_names_alone(mirror: Mirrored) -> None:
    mirror.run()
    mirror.upstream.clear()
    assert mirror.run()["asked"] == 0
    assert [request.path for request in mirror.upstream.requests] == ["/simple/"]


def test_a_list_of_names_that_has_not_changed_is_not_sent_again(mirror: Mirrored) -> None:
    mirror.run()
    mirror.upstream.clear()
    result = mirror.run()
    (request,) = mirror.upstream.requests
    assert "If-None-Match" in request.headers
    assert (result["projects"], result["asked"], result["failed"]) == (3, 0, {})


def test_what_failed_is_asked_for_again_although_the_list_is_the_same(mirror: Mirrored) -> None:
    with mirror.upstream.fail(403, path="/simple/other/"):
        assert list(mirror.run(code=1)["failed"]) == ["other"]
        assert list(mirror.run(code=1)["failed"]) == ["other"]
    assert mirror.run()["files"] == 1
    assert mirror.run()["asked"] == 0


def test_what_was_removed_from_the_cache_is_mirrored_again(mirror: Mirrored) -> None:
    mirror.run()
    mirror.cli("cache", "remove", "other", "--yes").expect()
    assert mirror.run()["asked"] == 1
    assert mirror.listed("other") == names("other", "1.0")


def test_other_settings_are_compared_with_all_that_is_mirrored(mirror: Mirrored) -> None:
    mirror.run()
    mirror.configure(projects=["acme-*"], latest=1)
    result = mirror.run("--yes")
    assert (result["projects"], result["asked"]) == (2, 2)
    assert result["removed_projects"] == ["other"]


def test_only_the_project_that_changed_is_asked_for(mirror: Mirrored) -> None:
    mirror.run()
    mirror.upstream.add(wheel("other", "1.1"))
    mirror.upstream.clear()
    assert mirror.run()["files"] == 1
    assert mirror.upstream.count("/simple/acme-app/") == 0
    assert mirror.listed("other") == names("other", "1.0", "1.1")


def test_without_serials_an_etag_saves_the_page(mirror: Mirrored) -> None:
    mirror.upstream.serials = False
    mirror.run()
    result = mirror.run()
    assert (result["asked"], result["changed"], result["files"]) == (3, 0, 0)


def test_without_serials_and_etags_a_page_that_is_the_same_counts_as_unchanged(
    mirror: Mirrored,
) -> None:
    mirror.upstream.serials = mirror.upstream.validators = False
    assert mirror.run()["changed"] == 3
    result = mirror.run()
    assert (result["asked"], result["changed"], result["files"]) == (3, 0, 0)
    mirror.upstream.add(wheel("other", "1.1"))
    assert mirror.run()["changed"] == 1


def test_an_html_index_is_mirrored(mirror: Mirrored) -> None:
    mirror.upstream.formats = frozenset({"html"})
    assert mirror.run()["files"] == 14
    assert mirror.run()["changed"] == 0


def test_a_yank_follows_the_index(mirror: Mirrored) -> None:
    mirror.run()
    mirror.upstream.add(wheel("other", "1.0"), yanked="broken")
    mirror.run()
    page = mirror.state()["pages"]["other"]
    assert page.files[0].yanked == "broken"


def test_of_two_files_of_one_name_the_first_is_mirrored_and_the_other_is_said(
    mirror: Mirrored,
) -> None:
    first, second = wheel("other", "1.0"), wheel("other", "1.0", size=10)
    mirror.upstream.add(second, folder="more/")
    result = mirror.run()
    assert result["left_out"] == [f"{second.filename} (sha256 {second.sha256})"]
    assert (result["files"], result["refused"], result["failed"]) == (14, [], {})
    (file,) = mirror.state()["pages"]["other"].files
    assert file.sha256 == first.sha256
    assert mirror.run()["asked"] == 0
    mirror.upstream.add(wheel("other", "1.1"))
    done = mirror().expect()
    assert f"left out: {second.filename} (sha256 {second.sha256})" in done.words
    assert mirror.listed("other") == names("other", "1.0", "1.1")


def test_a_removed_file_goes_with_its_bytes(mirror: Mirrored) -> None:
    mirror.run()
    mirror.upstream.remove(names("acme-app", "1.0")[0])
    assert mirror.run()["removed_files"] == names("acme-app", "1.0")
    assert names("acme-app", "1.0")[0] not in (mirror.listed("acme-app") or [])
    assert not mirror.held(wheel("acme-app", "1.0").sha256)


def test_a_removed_project_goes(mirror: Mirrored) -> None:
    mirror.run()
    mirror.upstream.remove_project("other")
    assert mirror.run("--yes")["removed_projects"] == ["other"]
    assert mirror.listed("other") is None


@pytest.mark.parametrize(("policy", "listed"), [("keep", True), ("keep-hidden", False)])
def test_what_the_index_removed_is_kept_by_policy(
    mirror: Mirrored, policy: str, listed: bool
) -> None:
    mirror.configure(projects=["*"], on_removed=policy)
    mirror.run()
    gone = names("acme-app", "1.0")[0]
    mirror.upstream.remove(gone)
    mirror.upstream.remove_project("other")
    result = mirror.run()
    assert result["removed_files"] == result["removed_projects"] == []
    assert (gone in (mirror.listed("acme-app") or [])) is listed
    assert mirror.listed("other") == (names("other", "1.0") if listed else [])
    assert mirror.held(wheel("acme-app", "1.0").sha256)
    assert mirror.held(wheel("other", "1.0").sha256)


def test_more_than_a_fifth_is_not_removed_unasked(mirror: Mirrored) -> None:
    mirror.run()
    before = mirror.state()
    mirror.upstream.remove_project("acme-lib")
    done = mirror().expect(1)
    assert "7 files of 14 would be removed" in done.words
    assert "--yes" in done.words
    assert mirror.state() == before
    assert mirror.run("--yes")["removed_projects"] == ["acme-lib"]


def test_more_than_a_fifth_of_the_files_is_not_removed_without_consent(mirror: Mirrored) -> None:
    mirror.run()
    for minor in range(3):
        mirror.upstream.remove(wheel("acme-lib", f"2.{minor}").filename)
    result = mirror.run(code=1)
    assert (result["stopped"]["projects"], len(result["stopped"]["files"])) == ([], 3)
    assert len(mirror.state()["files"]) == 14


def test_a_typo_in_the_patterns_removes_nothing(mirror: Mirrored) -> None:
    mirror.run()
    mirror.configure(projects=["amce-*"])
    result = mirror.run(code=1)
    assert len(result["stopped"]["projects"]) == 3
    assert mirror.listed("acme-app") is not None


def test_the_newest_take_the_place_of_older_ones_without_a_question(mirror: Mirrored) -> None:
    mirror.configure(projects=["acme-app"], latest=2)
    mirror.run()
    mirror.upstream.add(wheel("acme-app", "1.6"))
    result = mirror.run()
    assert result["removed_files"] == names("acme-app", "1.4")
    assert mirror.listed("acme-app") == names("acme-app", "1.5", "1.6")


def test_a_file_that_is_replaced_under_its_name_is_refused(mirror: Mirrored) -> None:
    mirror.run()
    mirror.upstream.add(wheel("other", "1.0", size=9))
    result = mirror.run(code=1)
    assert result["refused"][0].startswith(names("other", "1.0")[0])
    assert mirror.held(wheel("other", "1.0").sha256)
    assert mirror.state()["pages"]["other"].files[0].sha256 == wheel("other", "1.0").sha256


def test_a_replaced_file_is_taken_once_it_is_accepted(mirror: Mirrored) -> None:
    mirror.run()
    other = wheel("other", "1.0", size=9)
    mirror.upstream.add(other)
    mirror.run(code=1)
    mirror.cli("cache", "accept", "other", other.filename, "--yes").expect()
    mirror.run()
    assert mirror.state()["pages"]["other"].files[0].sha256 == other.sha256


def test_an_older_list_of_names_stops_the_run(mirror: Mirrored) -> None:
    mirror.run()
    mirror.upstream.add(wheel("other", "1.1"))
    mirror.run()
    before = mirror.state()
    old = b'{"meta": {"api-version": "1.0", "_last-serial": 7}, "projects": []}'
    json_type = {"Content-Type": "application/vnd.pypi.simple.v1+json"}
    mirror.upstream.answer(200, json_type, old, path="/simple/")
    done = mirror().expect(1)
    assert "older than at the last run: serial 7" in done.words
    assert mirror.state() == before


def test_a_file_without_a_hash_is_pinned(mirror: Mirrored) -> None:
    mirror.upstream.add(wheel("other", "1.0"), hashes={})
    mirror.run()
    assert mirror.state()["pages"]["other"].files[0].sha256 == wheel("other", "1.0").sha256


def test_another_policy_takes_effect_at_the_next_run(mirror: Mirrored) -> None:
    mirror.configure(projects=["*"], on_removed="keep")
    mirror.run()
    gone = wheel("acme-app", "1.0")
    mirror.upstream.remove(gone.filename)
    mirror.run()
    mirror.configure(projects=["*"], on_removed="delete")
    mirror.run("--yes")
    assert not mirror.held(gone.sha256)


def test_a_project_that_was_removed_from_the_cache_comes_again(mirror: Mirrored) -> None:
    mirror.run()
    mirror.cli("cache", "remove", "other", "--yes").expect()
    assert mirror.run()["files"] == 1
