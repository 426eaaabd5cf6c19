"""What is written is read back, by this package and by others."""

import hashlib
from collections.abc import Callable
from urllib.parse import quote, urljoin

import mousebender.simple
import msgspec
import pypi_simple
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.utils import parse_sdist_filename, parse_wheel_filename

from indexfallback.formats import Media, parse_page, render_names, render_page
from indexfallback.names import is_distribution, is_safe_filename, project_of
from indexfallback.page import File, ProjectPage
from tests.formats.support import project_names

URL = "https://example.com/simple/foo/"
#: Pages are large values: as many as a second makes. A loaded machine's pauses are no failures.
few = settings(max_examples=25)

#: Any text that both formats can carry: HTML has no NUL, and its parsers do not agree on C1.
TEXT = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), include_characters="\n\t"), max_size=20
)
STATED = TEXT.map(str.strip).filter(bool)
HEX = {name: hashlib.new(name).digest_size * 2 for name in ("sha256", "md5", "blake2b", "sha3_384")}
HASHES = st.sets(st.sampled_from(sorted(HEX))).flatmap(
    lambda names: st.fixed_dictionaries(
        {
            name: st.text("0123456789abcdef", min_size=HEX[name], max_size=HEX[name])
            for name in names
        }
    )
)
ADDRESS = st.text("abc/?&=<>\"'%20é", max_size=12).map(lambda path: f"https://example.com/{path}")
VERSION = st.from_regex(r"(0|[1-9][0-9]?)(\.(0|[1-9][0-9]?)){0,2}", fullmatch=True)
FILENAME = st.one_of(
    VERSION.map(lambda version: f"foo-{version}-py3-none-any.whl"),
    VERSION.map(lambda version: f"foo-{version}.tar.gz"),
)
ODD_FILENAME = st.builds(
    "{}{}".format,
    st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9._+!~@=,() -]{0,10}", fullmatch=True),
    st.sampled_from([".egg", ".exe", ".rpm", ".tar.Z", ".zip"]),
)
TIME = st.datetimes().map(lambda time: time.isoformat(timespec="microseconds") + "Z")
STATUS = st.sampled_from(["active", "archived", "quarantined", "deprecated"])
JSON_VALUE = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63) + 1, 2**63 - 1) | TEXT,
    lambda values: st.lists(values, max_size=3) | st.dictionaries(TEXT, values, max_size=3),
    max_leaves=5,
)
EXTRA = st.dictionaries(TEXT.map("x-{}".format), JSON_VALUE, max_size=2)


def url_of(filename: str) -> str:
    return f"https://example.com/files/{quote(filename)}"


def files(filename: st.SearchStrategy[str]) -> st.SearchStrategy[tuple[File, ...]]:
    file = filename.flatmap(
        lambda name: st.builds(
            File,
            filename=st.just(name),
            url=st.just(url_of(name)),
            hashes=HASHES,
            requires_python=st.none() | STATED,
            core_metadata=st.booleans() | HASHES.filter(bool),
            gpg_sig=st.none() | st.booleans(),
            yanked=st.booleans() | STATED,
            size=st.none() | st.integers(0, 2**63 - 1),
            upload_time=st.none() | TIME,
            provenance=st.none() | ADDRESS,
            extra=EXTRA,
        )
    )
    return st.lists(file, max_size=4, unique_by=lambda file: file.filename).map(tuple)


def pages(filename: st.SearchStrategy[str]) -> st.SearchStrategy[ProjectPage]:
    any_status = st.tuples(STATUS, st.none() | STATED) | st.just((None, None))
    return any_status.flatmap(
        lambda status: st.builds(
            ProjectPage,
            name=st.just("foo"),
            files=files(filename),
            versions=st.none() | st.lists(VERSION).map(tuple),
            tracks=st.lists(ADDRESS, max_size=2).map(tuple),
            alternate_locations=st.lists(ADDRESS, max_size=2).map(tuple),
            status=st.just(status[0]),
            status_reason=st.just(status[1]),
            serial=st.none() | st.integers(0, 2**63 - 1),
            extra=EXTRA,
            meta_extra=EXTRA,
        )
    )


PAGES = pages(FILENAME | ODD_FILENAME)


def address(file: File) -> str:
    return file.url


def in_html(page: ProjectPage) -> ProjectPage:
    """Return what HTML can carry of a page."""

    def one(hashes: dict[str, str]) -> dict[str, str]:
        order = ("sha256", "blake2b", "sha3_384", "md5")
        return {
            name: hashes[name]
            for name in order
            if name in hashes and name == min(hashes, key=order.index)
        }

    return msgspec.structs.replace(
        page,
        files=tuple(
            msgspec.structs.replace(
                file,
                hashes=one(file.hashes),
                core_metadata=one(file.core_metadata)
                if isinstance(file.core_metadata, dict)
                else file.core_metadata,
                size=None,
                extra={},
            )
            for file in page.files
        ),
        versions=None,
        serial=None,
        extra={},
        meta_extra={},
    )


@pytest.mark.fault(34)
@few
@given(PAGES)
def test_json_is_read_back_whole(page: ProjectPage) -> None:
    body = render_page(page, Media.JSON_V1, address)
    assert parse_page(body, Media.JSON_V1.value, URL, "foo") == page


@pytest.mark.fault(34)
@few
@given(PAGES, st.sampled_from([Media.HTML, Media.HTML_V1]))
def test_html_is_read_back_as_far_as_it_carries(page: ProjectPage, media: Media) -> None:
    body = render_page(page, media, address)
    assert parse_page(body, media.value, URL, "foo") == in_html(page)


@few
@given(PAGES, st.sampled_from(Media))
def test_a_page_is_written_alike_every_time(page: ProjectPage, media: Media) -> None:
    assert render_page(page, media, address) == render_page(page, media, address)


def relative(file: File) -> str:
    return f"../../files/pypi/foo/{quote(file.filename)}"


@few
@given(PAGES, st.sampled_from(Media))
def test_relative_links_lead_where_they_should(page: ProjectPage, media: Media) -> None:
    read = parse_page(render_page(page, media, relative), media.value, URL, "foo")
    assert [file.url for file in read.files] == [
        urljoin(URL, relative(file)) for file in page.files
    ]


@few
@given(pages(FILENAME), st.sampled_from(Media))
def test_packaging_reads_the_names_of_the_files(page: ProjectPage, media: Media) -> None:
    for file in parse_page(render_page(page, media, address), media.value, URL, "foo").files:
        parse: Callable[[str], tuple[object, ...]] = (
            parse_wheel_filename if file.filename.endswith(".whl") else parse_sdist_filename
        )
        assert parse(file.filename)[0] == project_of(file.filename) == "foo"


@few
@given(pages(FILENAME))
def test_pypi_simple_reads_the_html(page: ProjectPage) -> None:
    body = render_page(page, Media.HTML, address).decode()
    read = pypi_simple.ProjectPage.from_html("foo", body, base_url=URL)
    assert [
        (
            package.filename,
            package.url,
            package.requires_python,
            package.has_sig,
            package.is_yanked,
            package.yanked_reason or None,
            bool(package.has_metadata),
        )
        for package in read.packages
    ] == [
        (
            file.filename,
            file.url,
            file.requires_python,
            file.gpg_sig,
            file.yanked is not False,
            file.yanked if isinstance(file.yanked, str) else None,
            file.core_metadata is not False,
        )
        for file in page.files
    ]
    assert [package.digests for package in read.packages] == [
        file.hashes for file in in_html(page).files
    ]


@few
@given(pages(FILENAME))
def test_pypi_simple_reads_the_json(page: ProjectPage) -> None:
    body = msgspec.json.decode(render_page(page, Media.JSON_V1, address))
    read = pypi_simple.ProjectPage.from_json_data(body, URL)
    assert read.versions == (None if page.versions is None else list(page.versions))
    assert [
        (package.filename, package.url, package.digests, package.requires_python, package.size)
        for package in read.packages
    ] == [
        (file.filename, file.url, file.hashes, file.requires_python, file.size)
        for file in page.files
    ]
    assert [package.is_yanked for package in read.packages] == [
        file.yanked is not False for file in page.files
    ]


@pytest.mark.filterwarnings("ignore::mousebender.simple.APIVersionWarning")
@few
@given(pages(FILENAME))
def test_mousebender_reads_the_html(page: ProjectPage) -> None:
    body = render_page(page, Media.HTML, address).decode()
    read = mousebender.simple.from_project_details_html(body, "foo")
    assert [(file["filename"], file["hashes"]) for file in read["files"]] == [
        (file.filename, file.hashes) for file in in_html(page).files
    ]


@pytest.mark.filterwarnings("ignore::mousebender.simple.APIVersionWarning")
@pytest.mark.parametrize("media", Media)
def test_others_read_the_names(media: Media) -> None:
    names = ["a", "foo-bar", "x1"]
    body = render_names(names, media)
    assert project_names(body, media.value, URL) == tuple(names)
    if media.is_json:
        index = pypi_simple.IndexPage.from_json_data(msgspec.json.decode(body))
        projects = [
            item["name"]
            for item in mousebender.simple.parse_project_index(body.decode(), media.value)[
                "projects"
            ]
        ]
    else:
        index = pypi_simple.IndexPage.from_html(body.decode())
        projects = [
            item["name"]
            for item in mousebender.simple.parse_project_index(body.decode(), media.value)[
                "projects"
            ]
        ]
    assert index.projects == projects == names


@few
@given(PAGES)
def test_the_version_is_the_highest_whose_required_fields_are_there(page: ProjectPage) -> None:
    complete = page.versions is not None and all(file.size is not None for file in page.files)
    version = "1.4" if complete else "1.0"
    wire = msgspec.json.decode(render_page(page, Media.JSON_V1, address))
    assert wire["meta"]["api-version"] == version
    html = render_page(page, Media.HTML, address).decode()
    assert f'<meta name="pypi:repository-version" content="{version}">' in html


def test_core_metadata_has_both_names() -> None:
    file = File(filename="foo-1.0.zip", url="https://example.com/f", core_metadata=True)
    page = ProjectPage(name="foo", files=(file,))
    entry = msgspec.json.decode(render_page(page, Media.JSON_V1, address))["files"][0]
    assert entry["core-metadata"] is entry["dist-info-metadata"] is True
    html = render_page(page, Media.HTML, address)
    assert b'data-core-metadata="true" data-dist-info-metadata="true"' in html


def test_html_states_the_strongest_hash_there_is() -> None:
    hashes = {"md5": "0" * 32, "sha512": "1" * 128, "sha384": "2" * 96}
    file = File(filename="foo-1.0.zip", url="https://example.com/f", hashes=hashes)
    html = render_page(ProjectPage(name="foo", files=(file,)), Media.HTML, address)
    assert b"#sha512=111" in html


HOSTILE = "\"><script>alert(1)</script>\r\n<a href='x'>&amp;"


@pytest.mark.fault(41)
def test_everything_in_html_is_escaped() -> None:
    file = File(
        filename=HOSTILE,
        url=HOSTILE,
        requires_python=HOSTILE,
        yanked=HOSTILE,
        upload_time=HOSTILE,
        provenance=HOSTILE,
    )
    page = ProjectPage(
        name=HOSTILE,
        files=(file,),
        tracks=(HOSTILE,),
        alternate_locations=(HOSTILE,),
        status=HOSTILE,
        status_reason=HOSTILE,
    )
    html = render_page(page, Media.HTML, address) + render_names([HOSTILE], Media.HTML)
    assert b"<script" not in html
    assert b"\r" not in html
    assert html.count(b"<a ") == 2


@pytest.mark.fault(40)
def test_a_carriage_return_in_a_reason_survives_html() -> None:
    file = File(filename="foo-1.0.zip", url="https://example.com/f", yanked="a\r\nb")
    body = render_page(ProjectPage(name="foo", files=(file,)), Media.HTML, address)
    assert parse_page(body, "text/html", URL, "foo").files[0].yanked == "a\r\nb"


@few
@given(ODD_FILENAME)
def test_the_odd_names_in_these_tests_are_names_that_pass(filename: str) -> None:
    assert is_distribution(filename)
    assert is_safe_filename(filename)
