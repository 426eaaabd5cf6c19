"""A part's own indexes are asked by the shim, in the place where buildout would ask them."""

from collections.abc import Callable, Iterator

import pytest

from tests.buildout.conftest import oldest_and_newest
from tests.buildout.recipes import recipe
from tests.buildout.support import UNPACKING, Environment, Project, Version
from tests.fakes import FakeIndex, wheel


@pytest.fixture
def environment(
    request: pytest.FixtureRequest, make: Callable[[Version], Environment]
) -> Environment:
    """A buildout that unpacks wheels itself, unless a test is for several: newer ones call pip."""
    return make(getattr(request, "param", UNPACKING))


@pytest.fixture
def own() -> Iterator[FakeIndex]:
    """The index of one part."""
    dists = [wheel("acme-app", "0.5", requires=["acme-lib"]), wheel("acme-lib", "0.4")]
    with FakeIndex(dists, metadata=False) as index:
        yield index


def _public(public: FakeIndex) -> str:
    """Return lines for an index that owns nothing: it has a mirror."""
    return f"public = {public.url}\nmirror = {public.base}/mirror/ of public"


@oldest_and_newest
def test_a_parts_own_index_is_asked_for_its_eggs_and_not_for_its_recipe(
    project: Project, own: FakeIndex, public: FakeIndex
) -> None:
    project.write(_public(public), py={"index": own.url, "eggs": "acme-lib"})
    project.run().expect()
    assert project.version_of("acme_lib") == "0.4"
    assert public.count("/simple/acme-lib/") == own.count("/simple/zc-recipe-egg/") == 0


def test_a_parts_own_index_is_asked_for_no_other_part_and_serves_without_network(
    project: Project, own: FakeIndex, public: FakeIndex
) -> None:
    other = {"recipe": "zc.recipe.egg", "eggs": "acme.built"}
    public.add(wheel("acme.built", "3.0"))
    parts = {"parts": "py other"}
    project.write(_public(public), buildout=parts, py={"index": own.url}, other=other)
    project.run().expect()
    assert [project.version_of(name) for name in ("acme_app", "acme_lib")] == ["0.5", "0.4"]
    assert own.count("/simple/acme-built/") == public.count("/simple/acme-app/") == 0
    project.forget_eggs()
    for index in (own, public):
        index.stop_listening()
    project.run(INDEXFALLBACK_OFFLINE="1").expect()
    assert [project.version_of(name) for name in ("acme_app", "acme_lib")] == ["0.5", "0.4"]


def test_what_a_parts_index_does_not_have_is_told_with_part_option_and_no_password(
    project: Project, own: FakeIndex, public: FakeIndex
) -> None:
    index = own.url.replace("//", "//ci:s3cret@")
    project.write(_public(public), py={"index": index, "eggs": "acme-gone"})
    public.add(wheel("acme-gone"))
    output = project.run().expect(1).stdout
    assert (
        "Error: Couldn't find a distribution for 'acme-gone'.\n"
        f"  [py] index = {own.url}\n" in output
    )
    assert "indexfallback: acme-gone was not found.\n  py.index does not have it.\n" in output
    assert "s3cret" not in output
    asked = [each for each in own.requests if each.path == "/simple/acme-gone/"]
    assert asked[0].headers["Authorization"].startswith("Basic")


def test_a_recipe_is_looked_up_in_no_place_of_its_part(
    project: Project, own: FakeIndex, public: FakeIndex
) -> None:
    own.add(recipe())
    places = {"index": own.url, "extra-index-url": own.url, "recipe": "acme.recipe"}
    project.write(_public(public), py=places)
    output = project.run().expect(1).stdout
    assert "Error: Couldn't find a distribution for 'acme.recipe'.\n" in output
    assert "[py]" not in output
    assert own.count() == 0


def test_a_version_that_neither_index_nor_links_of_a_part_have_is_told_with_both(
    project: Project, own: FakeIndex, public: FakeIndex
) -> None:
    places = {"index": own.url, "find-links": f"{own.base}/links/"}
    project.write(_public(public), py={**places, "eggs": "acme-app >9"})
    output = project.run(no_proxy="127.0.0.1", NO_PROXY="127.0.0.1").expect(1).stdout
    assert (
        "Error: Couldn't find a distribution for 'acme-app>9'.\n"
        f"  [py] index = {own.url}\n  [py] find-links = {own.base}/links/\n" in output
    )


def test_an_index_of_the_chain_that_a_part_names_is_asked_alone(
    project: Project, first: FakeIndex, public: FakeIndex
) -> None:
    first.add(wheel("acme-app", "0.9"))
    chain = f"first = {first.url}\n{_public(public)}"
    project.write(chain, py={"index": public.url, "eggs": "acme-lib"})
    project.run().expect()
    assert project.version_of("acme_lib") == "3.1"
    assert first.count("/simple/acme-lib/") == 0


def test_what_a_private_index_of_the_chain_owns_is_not_taken_from_a_parts_index(
    project: Project, own: FakeIndex, first: FakeIndex, public: FakeIndex
) -> None:
    first.add(wheel("acme-lib", "0.1"))
    chain = f"private = {first.url}\n{_public(public)}"
    other = {"recipe": "zc.recipe.egg", "eggs": "acme-lib", "interpreter": "py2"}
    options = {"parts": "other py"}
    py = {"index": own.url, "eggs": "acme-lib >0.3"}
    project.write(chain, buildout=options, py=py, other=other)
    words = " ".join(project.run().expect(1).stdout.split())
    assert f"Couldn't find a distribution for 'acme-lib>0.3'. [py] index = {own.url}" in words
    assert "acme-lib was not found. It belongs to private" in words
    assert own.count("/simple/acme-lib/") == 0


def test_the_extra_index_of_a_part_is_asked_after_the_chain(
    project: Project, own: FakeIndex, public: FakeIndex
) -> None:
    own.add(wheel("acme-more", "1.5"))
    extra = {"extra-index-url": own.url, "eggs": "acme-app\nacme-more"}
    project.write(_public(public), py=extra)
    output = project.run().expect().stdout
    assert [project.version_of(name) for name in ("acme_app", "acme_more")] == ["1.0", "1.5"]
    assert own.count("/simple/acme-app/") == 0
    assert "misspelled" not in output


def test_the_extra_index_of_the_buildout_is_asked_for_parts_and_recipes(
    project: Project, own: FakeIndex, public: FakeIndex
) -> None:
    own.add(recipe())
    own.add(wheel("acme-more", "1.5"))
    other = {"recipe": "acme.recipe", "command": "-c pass"}
    options = {"extra-index-url": own.url, "parts": "py other"}
    project.write(_public(public), buildout=options, py={"eggs": "acme-more"}, other=other)
    project.run().expect()
    assert project.version_of("acme_more") == "1.5"


def test_an_extra_index_is_not_asked_while_the_chain_cannot_say(
    project: Project, own: FakeIndex, public: FakeIndex
) -> None:
    own.add(wheel("acme-more", "1.5"))
    public.fail(503, path="/simple/acme-more/")
    extra = {"extra-index-url": own.url, "eggs": "acme-more"}
    project.write(_public(public), py=extra)
    output = project.run().expect(1).stdout
    assert f"'acme-more'.\n  [py] extra-index-url = {own.url}\n" in output
    assert own.count("/simple/acme-more/") == 0


def test_options_of_parts_are_read_without_their_recipes_and_without_what_cannot_be_read(
    project: Project, own: FakeIndex, public: FakeIndex
) -> None:
    unread = {"recipe": "not.there"}
    public.add(recipe())
    project.write(
        _public(public),
        versions={"index": "1.0"},
        hosts={"own": own.base},
        base={**unread, "index": "${hosts:own}/simple/"},
        py={"<": "base", "find-links": "${place:location}"},  # the recipe of [place] sets it
        place={"recipe": "acme.recipe", "command": "-c pass"},
        circle={**unread, "index": "${circle:index}"},
        missing={**unread, "index": "${hosts:none}${nowhere:index}"},
        extended={**unread, "<": "nowhere"},
    )
    project.run().expect()
    assert project.version_of("acme_app") == "0.5"


def test_the_index_of_a_part_in_a_nested_buildout_is_told_to_be_unknown_to_the_shim(
    project: Project, own: FakeIndex, public: FakeIndex
) -> None:
    nested = "from zc.buildout.buildout import main; main(['-c', 'nested.cfg'])"
    public.add(recipe())
    project.write("", name="nested.cfg", indexfallback=None, py={"index": own.url})
    code = {"recipe": "acme.recipe", "command": f'-c "{nested}"'}
    project.write(_public(public), py=code)
    output = project.run().expect().stdout
    assert f"[py]: the local index of this run was started without {own.url}" in output
    assert project.version_of("acme_app") == "1.0"


def test_links_of_a_part_that_are_pages_are_read_beside_its_index(
    project: Project, own: FakeIndex, public: FakeIndex
) -> None:
    with FakeIndex([wheel("acme-app", "0.7", requires=["acme-lib"])]) as links:
        page = f"{links.url}acme-app/"
        project.write(_public(public), py={"index": own.url, "find-links": page})
        project.run(no_proxy="127.0.0.1", NO_PROXY="127.0.0.1").expect()
    assert project.version_of("acme_app") == "0.7"
    assert own.count("/simple/acme-app/") == 1
