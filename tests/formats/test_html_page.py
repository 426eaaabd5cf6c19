"""What is read from an HTML project page."""

import pytest

from indexfallback.errors import PageError
from indexfallback.formats import parse_page
from indexfallback.page import File, ProjectPage

URL = "https://example.com/simple/foo/"
SHA = "ab" * 32
MD5 = "cd" * 16
META = '<meta name="pypi:repository-version" content="1.0">'


def page(
    body: str | bytes, content_type: str = "text/html", url: str = URL, *, public: bool = False
) -> ProjectPage:
    encoded = body.encode() if isinstance(body, str) else body
    return parse_page(encoded, content_type, url, "foo", public=public)


def only(body: str, url: str = URL) -> File:
    (file,) = page(META + body, url=url).files
    return file


def anchor(attributes: str) -> File:
    return only(f'<a href="foo-1.0.zip" {attributes}>foo-1.0.zip</a>')


def test_every_field_is_read() -> None:
    read = page(f"""<!DOCTYPE html><html><head>
        <meta name="pypi:repository-version" content="1.4">
        <meta name="pypi:tracks" content="https://example.com/a/foo/">
        <meta name="pypi:tracks" content="https://example.com/b/foo/">
        <meta name="pypi:alternate-locations" content="https://example.com/c/foo/">
        <meta name="pypi:project-status" content="archived">
        <meta name="pypi:project-status-reason" content="Use &quot;bar&quot;">
        </head><body>
        <a href="/files/foo-1.0-py3-none-any.whl#sha256={SHA}" data-requires-python="&gt;=3.8,&lt;4"
           data-core-metadata="sha256={SHA}" data-gpg-sig="true" data-yanked="broken &amp; bad"
           data-upload-time="2024-01-02T03:04:05.000006Z"
           data-provenance="https://example.com/integrity/foo">foo-1.0-py3-none-any.whl</a><br>
        </body></html>""")
    assert read == ProjectPage(
        name="foo",
        files=(
            File(
                filename="foo-1.0-py3-none-any.whl",
                url="https://example.com/files/foo-1.0-py3-none-any.whl",
                hashes={"sha256": SHA},
                requires_python=">=3.8,<4",
                core_metadata={"sha256": SHA},
                gpg_sig=True,
                yanked="broken & bad",
                upload_time="2024-01-02T03:04:05.000006Z",
                provenance="https://example.com/integrity/foo",
            ),
        ),
        tracks=("https://example.com/a/foo/", "https://example.com/b/foo/"),
        alternate_locations=("https://example.com/c/foo/",),
        status="archived",
        status_reason='Use "bar"',
    )


def test_a_bare_link_states_nothing() -> None:
    assert anchor("") == File(filename="foo-1.0.zip", url=f"{URL}foo-1.0.zip")


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ('data-core-metadata="true"', True),
        ('data-dist-info-metadata="true"', True),
        (f'data-dist-info-metadata="sha256={SHA}"', {"sha256": SHA}),
        (f'data-core-metadata="sha256={SHA}" data-dist-info-metadata="true"', {"sha256": SHA}),
        ('data-core-metadata="sha256=short"', False),
        (f'data-core-metadata="md5={SHA}"', False),
        ('data-core-metadata="crc=1"', True),
        ('data-core-metadata="false"', False),
        ('data-core-metadata=""', False),
        ("data-core-metadata", False),
    ],
)
def test_the_metadata_file_is_read_in_both_spellings(
    attributes: str, expected: bool | dict[str, str]
) -> None:
    assert anchor(attributes).core_metadata == expected


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ("", False),
        ("data-yanked", True),
        ('data-yanked=""', True),
        ('data-yanked=" "', True),
        ('data-yanked="why"', "why"),
        ('DATA-YANKED="why"', "why"),
    ],
)
def test_a_file_is_yanked_with_or_without_a_reason(attributes: str, expected: bool | str) -> None:
    assert anchor(attributes).yanked == expected


@pytest.mark.parametrize(
    ("stated", "expected"), [("true", True), ("false", False), ("maybe", None), ("", None)]
)
def test_the_signature_is_stated_or_not(stated: str, expected: bool | None) -> None:
    assert anchor(f'data-gpg-sig="{stated}"').gpg_sig is expected


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ("2024-01-02T03:04:05.123456Z", "2024-01-02T03:04:05.123456Z"),
        ("2024-01-02T03:04:05Z", "2024-01-02T03:04:05Z"),
        ("2024-01-02T03:04:05.1Z", "2024-01-02T03:04:05.100000Z"),
        ("2024-01-02T03:04:05.123456789Z", "2024-01-02T03:04:05.123456Z"),
        ("2024-01-02T03:04:05+00:00", "2024-01-02T03:04:05Z"),
        ("2024-01-02T03:04:05+02:00", "2024-01-02T01:04:05Z"),
        ("2024-01-02T03:04:05.5-0530", "2024-01-02T08:34:05.500000Z"),
        ("2024-01-01T01:00:00+02:00", "2023-12-31T23:00:00Z"),
        ("2024-01-02T03:04:05+02", "2024-01-02T01:04:05Z"),
        ("2024-01-02 03:04:05z", "2024-01-02T03:04:05Z"),
        ("0001-01-01T00:00:00+02:00", None),
        ("2024-01-02T03:04:05+02:99", None),
        ("2024-01-02T03:04:05 CET", None),
        ("2024-13-02T03:04:05Z", None),
        ("2024-01-02", None),
        ("2024-01-02T03:04:05", None),
        ("yesterday", None),
    ],
)
def test_an_upload_time_is_read_as_pep_700_spells_it(stated: str, expected: str | None) -> None:
    assert anchor(f'data-upload-time="{stated}"').upload_time == expected


@pytest.mark.fault(36)
@pytest.mark.parametrize(
    ("fragment", "expected"),
    [
        (f"sha256={SHA.upper()}", {"sha256": SHA}),
        (f"SHA256={SHA}", {"sha256": SHA}),
        (f"md5={MD5}", {"md5": MD5}),
        ("blake2b=" + "0" * 128, {"blake2b": "0" * 128}),
        ("sha3_512=" + "0" * 128, {"sha3_512": "0" * 128}),
        (f"egg=foo&sha256={SHA}", {"sha256": SHA}),
        (f"sha256={SHA} ", {"sha256": SHA}),
        (f"sha257={SHA}", {}),
        ("shake_128=" + "0" * 32, {}),
        ("sha256", {}),
        ("", {}),
    ],
)
def test_only_a_known_hash_of_the_right_form_is_kept(
    fragment: str, expected: dict[str, str]
) -> None:
    assert only(f'<a href="foo-1.0.zip#{fragment}">foo-1.0.zip</a>').hashes == expected


@pytest.mark.fault(36)
@pytest.mark.parametrize(
    ("fragment", "reason"),
    [
        ("sha256=deadbeef", "a malformed sha256"),
        ("sha256=" + "0" * 63, "a malformed sha256"),
        ("sha256=" + "g" * 64, "a malformed sha256"),
        ("sha256=" + "0" * 65, "a malformed sha256"),
        ("sha256=", "a malformed sha256"),
        ("SHA256=0", "a malformed sha256"),
        ("egg=foo&sha256=0", "a malformed sha256"),
        ("md5=" + "0" * 64, "a malformed md5"),
        (f"sha256={SHA}&md5=0", "a malformed md5"),
    ],
)
def test_a_malformed_digest_of_a_known_algorithm_withholds_the_file(
    fragment: str, reason: str
) -> None:
    read = page(f'<a href="foo-1.0.zip#{fragment}">x</a><a href="foo-2.0.zip">y</a>')
    assert [file.filename for file in read.files] == ["foo-2.0.zip"]
    assert read.dropped == {reason: 1}


def test_a_query_stays_in_the_address() -> None:
    file = only('<a href="foo-1.0.zip?token=1&amp;b=2#x">foo-1.0.zip</a>')
    assert file.url == f"{URL}foo-1.0.zip?token=1&b=2"


def test_the_text_names_the_file_where_the_address_does_not() -> None:
    file = only('<a href="/download/4711">\n  foo-1.0.zip\n</a>')
    assert (file.filename, file.url) == ("foo-1.0.zip", "https://example.com/download/4711")


@pytest.mark.parametrize("text", ["download", "", "../../foo-2.0.zip", "foo-2.0.zip is here!"])
def test_the_address_names_the_file_where_the_text_does_not(text: str) -> None:
    assert only(f'<a href="x/foo-1.0%2Blocal.zip?a=/b">{text}</a>').filename == "foo-1.0+local.zip"


def test_the_address_names_the_file_also_where_the_text_is_the_name_of_another() -> None:
    file = only('<a href="x/foo-1.0.zip#sha256=' + SHA + '">foo-1.0-py3-none-any.whl</a>')
    assert (file.filename, file.hashes) == ("foo-1.0.zip", {"sha256": SHA})


def test_a_text_makes_no_name_with_unsafe_characters_a_safe_one() -> None:
    read = page(META + '<a href="..%2f..%2ffoo-1.0.zip">foo-1.0.zip</a>')
    assert read.files == ()
    assert read.dropped == {"a name with characters that no distribution's has": 1}


@pytest.mark.parametrize(
    "body",
    [
        '<!DOCTYPE html><html><body><a href="foo-1.0.zip">foo-1.0.zip</a><br/>\n',
        '<html><head><title>Links for foo</title><body><a href="foo-1.0.zip">x</a> by hand',
        '<html><a href="foo-1.0.zip">x</a><header>old</header>',
    ],
)
def test_an_end_tag_counts_only_where_no_length_shows_that_the_page_is_whole(body: str) -> None:
    (file,) = parse_page(body.encode(), "text/html", URL, "foo", whole=True).files
    assert file.filename == "foo-1.0.zip"
    with pytest.raises(PageError, match="cut short"):
        parse_page(body.encode(), "text/html", URL, "foo")


@pytest.mark.parametrize(
    "body",
    [
        '<html><body><a href="foo-1.0.zip">x</a><a href="foo-2.0',
        '<html><body><a href="foo-1.0.zip">x</a><a href="foo-2.0.zip">foo',
        "<html><head><title>Links for foo",
        "<html><head><title>Links for foo</title>",
    ],
)
def test_a_page_that_ends_inside_an_element_is_cut_short_whatever_length_it_states(
    body: str,
) -> None:
    with pytest.raises(PageError, match="cut short"):
        parse_page(body.encode(), "text/html", URL, "foo", whole=True)


@pytest.mark.parametrize("end", ["</body></html>\n", "</body>", "</HTML><!-- by hand -->"])
def test_a_page_that_has_its_end_may_leave_a_link_open(end: str) -> None:
    body = f'<html><body><a href="foo-1.0.zip">foo-1.0.zip<br>{end}'
    (file,) = parse_page(body.encode(), "text/html", URL, "foo", whole=True).files
    assert file.filename == "foo-1.0.zip"


def test_a_page_may_begin_with_text() -> None:
    body = b'Files of foo: <a href="foo-1.0.zip">foo</a>'
    (file,) = parse_page(body, "text/html", URL, "foo", whole=True).files
    assert file.filename == "foo-1.0.zip"


def test_the_text_may_be_marked_up() -> None:
    assert only('<a href="1"><b>foo-</b><i>1.0</i>.zip</a>').filename == "foo-1.0.zip"


@pytest.mark.fault(39)
@pytest.mark.parametrize(
    "link",
    [
        '<a href="..%2f..%2ffoo-1.0.zip">x</a>',
        '<a href="%2e%2e%5cfoo-1.0.zip">x</a>',
        '<a href="foo-1.0.zip%00">x</a>',
        '<a href="f%D0%BE%D0%BE-1.0.zip">x</a>',
        '<a href="README.html">README.html</a>',
        '<a href="foo-1.0.zip.asc">foo-1.0.zip.asc</a>',
        '<a href="javascript:foo()">foo-1.0.zip</a>',
        '<a href="data:,foo-1.0.zip">foo-1.0.zip</a>',
        '<a href="file:///foo-1.0.zip">foo-1.0.zip</a>',
        '<a href="foo&#13;&#10;-1.0.zip">foo-1.0.zip</a>',
        '<a href="">foo-1.0.zip</a>',
        "<a href>foo-1.0.zip</a>",
        "<a>foo-1.0.zip</a>",
        '<!-- <a href="foo-1.0.zip">foo-1.0.zip</a> -->',
    ],
)
def test_a_link_to_no_file_is_dropped(link: str) -> None:
    assert page(META + link).files == ()


def test_a_link_to_a_local_address_is_dropped_from_a_public_page() -> None:
    body = META + '<a href="http://169.254.169.254/foo-1.0.zip">foo-1.0.zip</a>'
    read = page(body, public=True)
    assert (read.files, read.dropped) == ((), {"a link to a private address": 1})
    assert len(page(body).files) == 1


@pytest.mark.parametrize(
    ("link", "reason"),
    [
        ('<a href="javascript:foo()">foo-1.0.zip</a>', "an address that cannot be used"),
        ('<a href="file:///foo-1.0.zip">foo-1.0.zip</a>', "an address that cannot be used"),
        ('<a href="foo-1.0.7z">foo-1.0.7z</a>', "no distribution's name"),
        (
            '<a href="f%C3%B6%C3%B6-1.0.zip">x</a>',
            "a name with characters that no distribution's has",
        ),
    ],
)
def test_a_link_that_is_left_out_is_counted_by_its_reason(link: str, reason: str) -> None:
    read = page(META + '<a href="foo-2.0.zip">x</a>' + link * 2)
    assert (len(read.files), read.dropped) == (1, {reason: 2})


@pytest.mark.parametrize(
    "link",
    [
        '<a href="../">Parent Directory</a>',
        '<a href="?C=N;O=D">Name</a>',
        '<a href="#top">up</a>',
        '<a href="/">home</a>',
        '<a href="https://packages.example.com">home page</a>',
        '<a href="mailto:a@example.com">author</a>',
        '<a href="about.html">about</a>',
        '<a href="foo-2.0.zip.asc">signature</a>',
        '<a href="foo-2.0-py3-none-any.whl.metadata">metadata</a>',
        '<a href="/login">log in</a>',
        '<a href="foo-2.0.zip">the same once more</a>',
    ],
)
def test_a_link_that_is_plainly_to_no_file_is_not_counted(link: str) -> None:
    assert page(META + '<a href="foo-2.0.zip">x</a>' + link).dropped == {}


def test_a_page_whose_only_file_is_left_out_is_no_captive_portal() -> None:
    read = page('<html><body><a href="/files/caf%C3%A9-1.0.zip">café-1.0.zip</a></body></html>')
    assert read.files == ()
    assert read.dropped == {"a name with characters that no distribution's has": 1}


def test_credentials_in_a_link_are_dropped() -> None:
    assert only('<a href="https://a:b@example.com/foo-1.0.zip">x</a>').url == (
        "https://example.com/foo-1.0.zip"
    )


@pytest.mark.fault(30)
def test_links_depend_on_the_base() -> None:
    file = only('<base href="/files/"><base href="/no/"><a href="foo-1.0.zip">x</a>')
    assert file.url == "https://example.com/files/foo-1.0.zip"


@pytest.mark.parametrize(
    ("links", "kept", "dropped"),
    [
        ("a b", "a b", 0),
        ("b a", "b a", 0),
        ("a plain", "a", 1),
        ("plain a b", "a b", 1),
        ("plain a other plain", "a", 3),
        ("plain other", "plain", 1),
        ("a a", "a", 0),
        ("a b moved a", "a b", 1),
    ],
)
def test_files_of_one_name_are_kept_if_their_sha256_tell_them_apart(
    links: str, kept: str, dropped: int
) -> None:
    hrefs = {
        "a": f"a/foo-1.0.zip#sha256={'a' * 64}",
        "b": f"b/foo-1.0.zip#sha256={'b' * 64}",
        "moved": f"c/foo-1.0.zip#sha256={'a' * 64}",
        "plain": "d/foo-1.0.zip",
        "other": f"e/foo-1.0.zip#md5={'0' * 32}",
    }
    read = page("".join(f'<a href="{hrefs[link]}">x</a>' for link in links.split()))
    expected = [f"{URL}{hrefs[link].partition('#')[0]}" for link in kept.split()]
    assert [file.url for file in read.files] == expected
    assert sum(read.dropped.values()) == dropped
    assert read.dropped.keys() <= {"a second file of the same name"}


def test_legacy_formats_are_kept() -> None:
    names = ("foo-1.0-py2.7.egg", "foo-1.0.win32.exe", "foo-1.0-1.noarch.rpm", "foo-bar.tar.Z")
    read = page("".join(f'<a href="{name}">{name}</a>' for name in names))
    assert tuple(file.filename for file in read.files) == names


def test_a_directory_is_read_as_a_page() -> None:
    file = only('<a href="foo-1.0.zip">foo-1.0.zip</a>', url="file:///srv/foo/")
    assert file.url == "file:///srv/foo/foo-1.0.zip"


def test_a_status_that_does_not_exist_is_not_stated() -> None:
    read = page(
        f'{META}<meta name="pypi:project-status" content="lost">'
        '<meta name="pypi:project-status-reason" content="who knows">'
    )
    assert (read.status, read.status_reason) == (None, None)


def test_a_quarantined_project_keeps_its_files() -> None:
    read = page(
        f'{META}<meta name="pypi:project-status" content="quarantined"><a href="foo-1.0.zip">x</a>'
    )
    assert read.status == "quarantined"
    assert len(read.files) == 1


REASON = '<a href="foo-1.0.zip" data-yanked="größer">x</a>'


@pytest.mark.fault(30)
@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (REASON.encode(), "text/html"),
        (REASON.encode("latin-1"), "text/html; charset=iso-8859-1"),
        (REASON.encode("latin-1"), 'TEXT/HTML;Charset="ISO-8859-1"'),
        (b'<meta charset="iso-8859-1">' + REASON.encode("latin-1"), "text/html"),
        (
            b'<meta http-equiv=content-type content="text/html; charset=windows-1252">'
            + REASON.encode("cp1252"),
            "text/html",
        ),
        (REASON.encode("utf-8-sig"), "text/html; charset=iso-8859-1"),
        (REASON.encode("utf-16"), "text/html"),
        (b'<meta charset="utf-16">' + REASON.encode(), "text/html"),
        (REASON.encode(), "text/html; charset=klingon"),
        (REASON.encode(), "text/html; charset=punycode"),
        (REASON.encode(), "text/html; charset=unicode_escape"),
        (REASON.encode(), "text/html; charset=iso-8859-99"),
        (REASON.encode(), "text/html; charset="),
        (REASON.encode(), "application/vnd.pypi.simple.v1+html"),
        (REASON.encode(), "application/vnd.pypi.simple.latest+html"),
    ],
)
def test_the_charset_is_found(body: bytes, content_type: str) -> None:
    assert page(body, content_type).files[0].yanked == "größer"


@pytest.mark.fault(30)
def test_bytes_of_no_charset_are_replaced() -> None:
    body = b'<a href="foo-1.0.zip" data-yanked="\xff">x</a>'
    assert page(body).files[0].yanked == "\ufffd"


@pytest.mark.parametrize(
    "body",
    [
        META,
        "<!DOCTYPE html><html><head><title>Links for foo</title></head><body></body></html>",
        '<html><body><h1>Links for foo</h1><a href="/">all</a></body></html>',
        "<!DOCTYPE html><html><head><title>Simple index</title></head><body></body></html>",
        f'<html><head>{META}</head><body><form><input type="text"></form></body></html>',
    ],
)
def test_a_project_may_have_no_files(body: str) -> None:
    assert page(body) == ProjectPage(name="foo")


@pytest.mark.parametrize("title", ["Index of /simple/foo/", "Directory listing for /simple/Foo"])
def test_the_listing_of_a_directory_may_have_no_files(title: str) -> None:
    body = (
        f"<html>\n<head><title>{title}</title></head>\n<body>\n<h1>{title}</h1><hr>"
        '<pre><a href="../">../</a>\n</pre><hr></body>\n</html>\n'
    )
    assert page(body) == ProjectPage(name="foo")
    with pytest.raises(PageError, match="links to no distribution"):
        page(body.replace("/foo", "/").replace("/Foo", "/"))


def test_a_long_directory_listing_is_read() -> None:
    rows = "".join(
        f'<TR><TD><IMG SRC="x"><TD><SPAN><A HREF="foo-{n}.zip">foo-{n}.zip</A></SPAN><BR><HR>'
        for n in range(1000)
    )
    assert len(page(f"<HTML><BODY></DIV><TABLE>{rows}</TABLE></HTML>").files) == 1000
