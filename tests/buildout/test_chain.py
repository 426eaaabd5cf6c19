"""The index of each project in a buildout, and the messages about failures."""

from tests.buildout.support import WITH_SDIST, Project
from tests.fakes import FakeIndex, wheel
from tests.serving import config_text, index_table


def _private_first(project: Project, private: FakeIndex, public: FakeIndex, **part: str) -> None:
    indexes = f"private = {private.url}\npublic = {public.url}\nm = {public.base}/m/ of public"
    project.write(indexes, py=part)


def test_a_private_project_is_taken_though_a_higher_version_is_public(
    project: Project, first: FakeIndex, public: FakeIndex
) -> None:
    first.add(wheel("acme-app", "0.9"))
    _private_first(project, first, public)
    project.run().expect()
    assert project.version_of("acme_app") == "0.9"
    assert public.count("/files/acme_app-1.0-py3-none-any.whl") == 0


def test_what_was_installed_once_is_installed_again_without_any_index(
    project: Project, first: FakeIndex, public: FakeIndex
) -> None:
    _private_first(project, first, public, **WITH_SDIST)
    project.run().expect()
    project.forget_eggs()
    for index in (first, public):
        index.stop_listening()
    _private_first(project, first, public, **WITH_SDIST)
    text = project.config.read_text(encoding="utf-8")
    project.config.write_text(text.replace("[indexfallback]", "[indexfallback]\noffline = true"))
    project.run().expect()
    assert project.version_of("acme_built") == "2.0"


def test_a_private_index_that_is_down_is_named_with_cause_and_remedy(
    project: Project, first: FakeIndex, public: FakeIndex
) -> None:
    first.stop_listening()
    _private_first(project, first, public)
    output = project.run().expect(1).stdout
    error = output.index("Error: Couldn't find a distribution for 'zc.recipe.egg==6.0.0'")
    words = " ".join(output[error:].split())
    assert "indexfallback: zc-recipe-egg could not be looked up. private is unavailable:" in words
    assert f"connection refused (127.0.0.1:{first.port})" in words
    assert "What you can do: Start private, or correct the port" in words
    assert public.count("/simple/zc-recipe-egg/") == 0


def test_a_project_that_nobody_has_is_said_to_be_just_that(
    project: Project, public: FakeIndex
) -> None:
    project.write(f"public = {public.url}", py={"eggs": "nobody-has-it"})
    output = project.run().expect(1).stdout
    assert "indexfallback: nobody-has-it was not found.\n  No index has it.\n" in output


def test_a_project_that_its_owner_does_not_have_any_more_is_refused_and_explained(
    project: Project, first: FakeIndex, public: FakeIndex
) -> None:
    first.add(wheel("acme-app", "0.9"))
    config = project.directory / "chain.toml"
    private, pypi = index_table("private", first.url, role="private"), index_table("p", public.url)
    config.write_text(config_text(private, pypi, cache={"fresh": "0 s"}), encoding="utf-8")
    project.write("", indexfallback={"config": config.name})
    project.run().expect()
    project.forget_eggs()
    first.fail(404, path="/simple/acme-app/")
    words = " ".join(project.run().expect(1).stdout.split())
    assert "indexfallback: acme-app was not found. It belongs to private (known there" in words
    assert "which says 404 Not Found now" in words
    assert "`indexfallback cache disown acme-app` lets another index own it." in words
    assert public.count("/simple/acme-app/") == 0


def test_a_success_says_nothing_of_what_was_not_found_on_the_way(
    project: Project, public: FakeIndex
) -> None:
    project.write(f"public = {public.url}")
    assert "indexfallback:" not in project.run().expect().stdout


def test_with_newest_off_and_all_installed_no_shim_is_started_and_nothing_asked(
    project: Project, public: FakeIndex
) -> None:
    project.write(f"public = {public.url}")
    project.run().expect()
    project.forget_cache()
    public.clear()
    assert "Updating py." in project.run("-N").expect().stdout
    assert public.count() == 0
    assert not project.has_cache


def test_with_newest_off_what_is_missing_comes_from_the_chain(
    project: Project, public: FakeIndex
) -> None:
    project.write(f"public = {public.url}")
    project.run().expect()
    public.add(wheel("late"))
    project.write(f"public = {public.url}", py={"eggs": "acme-app\nlate"})
    project.run("-N").expect()
    assert project.version_of("late") == "1.0"


def test_offline_buildout_starts_nothing_and_says_nothing(
    project: Project, public: FakeIndex
) -> None:
    project.write(f"public = {public.url}", buildout={"parts": ""})
    output = project.run("-o").expect().stdout
    assert "indexfallback" not in output
    assert not project.has_cache


def test_a_yanked_file_is_left_out_and_said_so(project: Project, public: FakeIndex) -> None:
    public.add(wheel("acme-lib", "3.9"), yanked="broken")
    project.write(f"public = {public.url}", py={"eggs": "acme-lib"})
    project.run().expect()
    assert project.version_of("acme_lib") == "3.1"
    project.write(f"public = {public.url}", py={"eggs": "acme-lib >3.5"})
    output = " ".join(project.run().expect(1).stdout.split())
    assert (
        "acme-lib 3.9 was yanked by its publishers and is not used; [versions] acme-lib = 3.9"
        in output
    )


def test_a_yanked_file_is_taken_if_its_version_is_pinned(
    project: Project, public: FakeIndex
) -> None:
    public.add(wheel("acme-lib", "3.9"), yanked="broken")
    project.write(f"public = {public.url}", py={"eggs": "acme-lib"}, versions={"acme-lib": "3.9"})
    project.run().expect()
    assert project.version_of("acme_lib") == "3.9"


def test_hosts_that_the_buildout_does_not_allow_are_not_asked(
    project: Project, first: FakeIndex, public: FakeIndex
) -> None:
    first.add(wheel("acme-app", "0.9"))
    project.write(
        f"mirror = {first.url} of public\npublic = {public.url}",
        buildout={"allow-hosts": f"127.0.0.1:{public.port}"},
    )
    project.run().expect()
    assert first.count() == 0
    assert project.version_of("acme_app") == "1.0"


def test_the_index_of_the_buildout_is_the_last_one_where_the_section_names_none(
    project: Project, first: FakeIndex, public: FakeIndex
) -> None:
    first.add(wheel("acme-app", "0.9"))
    eggs = {"eggs": "acme-app\nacme-lib"}
    project.write("", buildout={"index": public.url}, indexfallback=None, py=eggs)
    project.run(PIP_EXTRA_INDEX_URL=first.url).expect()
    assert project.version_of("acme_app") == "0.9"
    assert project.version_of("acme_lib") == "3.1"
